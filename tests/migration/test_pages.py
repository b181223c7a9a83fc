"""Migration pages: their tables are whole, and every command in them is one of today."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from migration.pages import FOLDER, PAGES, read
from migration.texts import check
from unweave.errors import UnweaveError

INDEX = FOLDER / "index.md"


def names(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_a_page_has_commands_and_options(path):
    page = read(path)
    assert page.commands
    assert page.options
    for row in (*page.commands, *page.options):
        assert row.there, f"{path.name}:{row.line}"
        assert row.text, f"{path.name}:{row.line}"
        # A row that has nothing here says why, or what to do instead.
        assert row.here or row.differs, f"{path.name}:{row.line}"


def what_is_wrong(words: list[str]) -> str | None:
    """What the command line, or a name or text in it, is refused for."""
    try:
        check(words)
    except (AssertionError, UnweaveError) as error:
        return str(error)
    return None


@pytest.mark.parametrize("path", PAGES, ids=names)
def test_every_command_is_one(path):
    page = read(path)
    for row in (*page.commands, *page.options):
        for words in row.commands:
            wrong = what_is_wrong(words)
            # What is refused may be a text, or only be seen when the command is carried out.
            assert wrong is None or row.ends, f"{path.name}:{row.line}: {wrong}"


@pytest.mark.skipif(not PAGES, reason="no page is there")
def test_every_page_is_in_the_index():
    text = INDEX.read_text("utf-8")
    listed = re.findall(r"^(from-[\w-]+)$", text, re.M)
    linked = re.findall(r"\]\((from-[\w-]+)\.md\)", text)
    assert list(dict.fromkeys(linked)) == listed
    assert sorted(listed) == [path.stem for path in PAGES]
    above = (FOLDER.parent / "index.md").read_text("utf-8")
    assert "(migrate/index.md)" in above
    assert re.search(r"^migrate/index$", above, re.M)


class TestReading:
    PAGE = r"""# From old

A file `study.toml`:

```toml
seeds = 2
```

## Commands

| there | unweave | what differs |
|---|---|---|
| `main.py a \| b` | `unweave runs list`<br>`unweave train dsprites "vae" --out 'a \| b'` | no |
| `gone.sh` | none | there is no need |
| `bad.sh` | `unweave runs show nowhere` | ends with code 2 |

## Options

Added to `unweave train dsprites vae --steps 9`:

| option | unweave | what differs |
|---|---|---|
| `-b` (64) | `--batch-size 64` | `no command` |
| `-l` | `unweave train dsprites "beta_vae(beta=4)" --steps 9` | |

## Files

| there | here |
|---|---|
| `a` | `b` |
"""

    def test_rows(self, tmp_path):
        path = tmp_path / "from-old.md"
        path.write_text(self.PAGE)
        page = read(path)
        assert page.files == {"study.toml": "seeds = 2\n"}
        assert [row.there for row in page.commands] == ["`main.py a | b`", "`gone.sh`", "`bad.sh`"]
        assert page.commands[0].commands == [
            ["runs", "list"],
            ["train", "dsprites", "vae", "--out", "a | b"],
        ]
        assert page.commands[1].commands == []
        assert [row.ends for row in page.commands] == [0, 0, 2]
        assert [row.commands for row in page.options] == [
            [["train", "dsprites", "vae", "--steps", "9", "--batch-size", "64"]],
            [["train", "dsprites", "beta_vae(beta=4)", "--steps", "9"]],
        ]

    def test_flags_of_nothing_and_rows_of_other_lengths(self, tmp_path):
        path = tmp_path / "from-old.md"
        path.write_text(self.PAGE.replace("Added to", "They go with"))
        with pytest.raises(ValueError, match=r"from-old\.md:23: '--batch-size 64' is no whole"):
            read(path)
        path.write_text(self.PAGE.replace("| no |", "| no | at all |"))
        with pytest.raises(ValueError, match=r"from-old\.md:13: 4 cells"):
            read(path)


WRONG = {
    "flag": ["train", "dsprites", "vae", "--stepz", "3"],
    "command": ["trian", "dsprites"],
    "dataset": ["train", "dsprits", "vae", "--steps", "3"],
    "objective": ["train", "dsprites", "beta_vae(betta=4)", "--steps", "3"],
    "preset": ["train", "--preset", "disvae/none"],
    "together": ["train", "shapes3d", "vae", "--latents", "3", "--architecture", "lie_group"],
    "metric": ["evaluate", "runs/mine", "--metrics", "migg"],
    "protocol": ["evaluate", "runs/mine", "--protocol", "lib"],
    "figure": ["plot", "runs/mine", "sample"],
    "study": ["study", "run", "--preset", "disvae/all"],
    "condition": ["generalise", "splits", "--condition", "shape3tx"],
    "row": ["reproduce", "run", "disvae/none"],
    "name": ["metrics", "migg"],
    "tuned": ["population", "run", "--data", "dsprites", "--objective", "vae", "--tune", "a=b"],
}


@pytest.mark.parametrize("kind", WRONG)
def test_what_is_wrong_is_found(kind):
    assert what_is_wrong(WRONG[kind])
