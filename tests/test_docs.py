"""The documentation's links lead somewhere, its examples run, and its texts are components."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from migration.texts import check
from reference.page_commands import commands
from reference.page_programs import Runner, ask, running
from session.runs import cli
from unweave.errors import UnweaveError

ROOT = Path(__file__).parents[1]
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *(page for page in sorted(ROOT.glob("docs/**/*.md")) if "_build" not in page.parts),
]
HOW_TO = sorted(ROOT.glob("docs/how-to/**/*.md"))


def blocks(page: Path, language: str) -> list[str]:
    """Code blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.S | re.M)


def identify(page: Path) -> str:
    """A page's name in the list of tests."""
    return str(page.relative_to(ROOT))


@pytest.mark.parametrize("page", PAGES, ids=identify)
def test_links_lead_to_files(page: Path) -> None:
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.S | re.M)
    targets = re.findall(r"\]\(([^)#\s]+)", prose)
    missing = [
        target
        for target in targets
        if not target.startswith("https://") and not (page.parent / target).exists()
    ]
    assert not missing


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    """A process that runs programs, none of which another one sees anything of."""
    with running() as process:
        yield process


# In a process of its own: what an example defines must not be there for other tests
@pytest.mark.parametrize("page", [page for page in HOW_TO if blocks(page, "python")], ids=identify)
def test_how_to_examples_run(page: Path, runner: Runner) -> None:
    code = "\n".join(blocks(page, "python"))
    returned, out, err = ask(runner, code)
    assert returned == 0, err
    promised = re.findall(r"^print\(.*\)  # (.+)$", code, re.M)
    assert out.splitlines() == promised


def test_an_example_that_fails_is_told_and_leaves_nothing_to_others(
    runner: Runner,
) -> None:
    assert ask(runner, "left = 3; print(left); open('left', 'w')") == (0, "3\n", "")
    assert ask(runner, "import os; print(os.listdir())") == (0, "[]\n", "")
    returned, out, err = ask(runner, "print(left)")
    assert (returned, out) == (1, "")
    assert "NameError: name 'left' is not defined" in err
    assert ask(runner, "import os; os._exit(7)") == (7, "", "")


def test_every_protocol_and_its_keys_are_told() -> None:
    from unweave.metrics.protocols import PROTOCOLS, names_of

    page = (ROOT / "docs/how-to/published-scores.md").read_text("utf-8")
    first, second = re.findall(r"(?:^\|.*\n)+", page, re.M)[:2]
    told = [name for row in first.splitlines()[2:] for name in re.findall(r"`(\w+)`", row[:30])]
    assert sorted(told) == sorted(PROTOCOLS)
    known = {metric.name for metric in PROTOCOLS["dlib"].metrics}
    for row in second.splitlines()[2:]:
        metrics, theirs, _ = row.strip("| ").split(" | ")
        names = re.findall(r"`(\w+)`", metrics)
        assert known.issuperset(names)
        for alias in re.findall(r"`(\w+)`", theirs):
            assert names_of((alias,)) == tuple(names)


def test_every_python_block_is_python() -> None:
    found = [(page, block) for page in PAGES for block in blocks(page, "python")]
    assert len(found) > 5
    for page, block in found:
        compile(block, str(page), "exec")


WITH_COMMANDS = [page for page in PAGES if list(commands(page.read_text("utf-8")))]


@pytest.mark.parametrize("page", WITH_COMMANDS, ids=identify)
def test_commands_are_those_of_the_command_line(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = page.read_text("utf-8")
    monkeypatch.chdir(tmp_path)
    # What the page has the reader write
    for name, content in re.findall(
        r'Path\("([\w./]+)"\)\.write_text\("""\n(.*?)"""\)', text, re.S
    ):
        Path(name).write_text(content)
    wrong = []
    for words in commands(text):
        if "--help" in words:
            assert cli(*words).code == 0
            continue
        if words[0] == "cite":
            words = [word for word in words if not word.startswith("studies/")]
        try:
            check(words)
        except (AssertionError, UnweaveError) as error:
            wrong.append(f"unweave {' '.join(words)}\n{error}")
    assert not wrong, "\n\n".join(wrong)


def test_commands_are_found_in_blocks_of_a_shell_alone() -> None:
    text = r"""
Say `unweave demo`.

```sh
# unweave old
UNWEAVE_RUNS=there unweave train dsprites \
    "beta_vae(beta=4)" --steps 5   # one run
unweave show runs/x | less && unweave runs list > list.txt; unweave demo
make unit
```

1. A step

   ```sh
   unweave cite runs/x
   ```

```python
unweave train
```
"""
    assert list(commands(text)) == [
        ["train", "dsprites", "beta_vae(beta=4)", "--steps", "5"],
        ["show", "runs/x"],
        ["runs", "list"],
        ["demo"],
        ["cite", "runs/x"],
    ]


def test_a_wrong_flag_or_name_in_a_command_is_found() -> None:
    for words in (
        ["train", "dsprites", "vae", "--stepss", "5"],
        ["train", "dsprites", "vaes", "--steps", "5"],
        ["trains", "dsprites", "vae"],
        ["evaluate", "runs/x", "--metrics", "miig"],
    ):
        with pytest.raises((AssertionError, UnweaveError)):
            check(words)


def test_shell_texts_are_components() -> None:
    from unweave.data import DatasetSpec
    from unweave.likelihoods import Likelihood
    from unweave.nn import Architecture
    from unweave.objectives import parse_objective
    from unweave.population import Exploit, Explore, parse_fitness, parse_tuned
    from unweave.spec import members, parse
    from unweave.training import Optimizer

    seen = 0
    for page in PAGES:
        shell = "\n".join(blocks(page, "sh"))
        for text in re.findall(r'--fitness "(.*?)"', shell):
            parse_fitness(text)
        for text in re.findall(r'"([\w.]+=[a-z]\w*\(.*?\))"(?= |$)', shell, re.M):
            parse_tuned(text)
        others = re.sub(r'--fitness ".*?"', "", shell)
        for text in re.findall(r'"([a-z]\w*\(.*?\))"(?= |$)', others, re.M):
            seen += 1
            kinds = [
                family
                for family in (
                    DatasetSpec,
                    Optimizer,
                    Architecture,
                    Likelihood,
                    Exploit,
                    Explore,
                )
                if text.partition("(")[0] in members(family)
            ]
            if kinds:
                parse(text, *kinds)
            else:
                parse_objective(text)
    assert seen >= 4
