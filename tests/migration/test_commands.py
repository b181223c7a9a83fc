"""Every command of a migration page is carried out, in order, in one folder a page."""

from __future__ import annotations

import glob
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration.pages import PAGES, Page, Row, read
from migration.ready import make_ready
from migration.small import small
from session.runs import cli

# A page is one test, and has up to 150 commands.
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def expanded(words: list[str]) -> list[str]:
    """Words with wildcards of paths resolved, as by a shell."""
    found: list[str] = []
    for word in words:
        wild = "*" in word and "(" not in word
        found += (sorted(glob.glob(word)) or [word]) if wild else [word]  # noqa: PTH207
    return found


def rows_of(page: Page) -> Iterator[tuple[Row, list[str]]]:
    """Commands in order, each once; those of options write to places of their own."""
    seen: set[tuple[str, ...]] = set()
    for row in page.commands:
        for words in row.commands:
            if tuple(words) not in seen:
                seen.add(tuple(words))
                yield row, words
    for row in page.options:
        for number, (text, words) in enumerate(zip(row.here, row.commands, strict=True)):
            if tuple(words) in seen:
                continue
            seen.add(tuple(words))
            place = f"options/{row.line}-{number}"
            yield row, words if "--out" in text else elsewhere(words, place)


TRAINS = ("train", "run", "decode", "compose", "recurse")
"""Last words of commands that refuse a folder in which other settings have been at work."""


def elsewhere(words: list[str], place: str) -> list[str]:
    """The command with an --out of its own, with the same ending, where it makes something."""
    if "--resume" in words:
        return words
    if "--out" not in words:
        trains = words[0] == "train" or (len(words) > 1 and words[1] in TRAINS)
        return [*words, "--out", place] if trains else words
    at = words.index("--out") + 1
    ending = "".join(Path(words[at]).suffixes[-1:])
    return [*words[:at], place + ending, *words[at + 1 :]]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_every_command_does_what_it_says(path, tmp_path, monkeypatch):
    page = read(path)
    folder = tmp_path / "page"
    folder.mkdir()
    make_ready(folder)
    monkeypatch.setenv("UNWEAVE_RUNS", str(folder / "runs"))
    monkeypatch.setenv("UNWEAVE_HOME", str(folder / "home"))
    monkeypatch.setenv("WANDB_MODE", "offline")
    (folder / "options").mkdir()
    for name, content in page.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)
    monkeypatch.chdir(folder)
    failed = []
    with small(tmp_path / "archives"):
        for row, words in rows_of(page):
            result = cli(*expanded(words))
            if result.code != row.ends:
                said = f"{result.out.strip()[-1500:]}\n{result.err.strip()[-1500:]}"
                failed.append(
                    f"{path.name}:{row.line}: unweave {' '.join(words)}\n"
                    f"  ended with code {result.code}, not {row.ends}: {said}"
                )
    assert not failed, "\n".join(failed)
