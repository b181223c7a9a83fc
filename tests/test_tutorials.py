"""Tutorials run, small and as they stand; each output has its block, each picture its page."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from reference.page_programs import ask, running

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module", autouse=True)
def _scripts():
    """Scripts of the documentation can be imported while these tests run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(DOCS))
        yield


def pages_module():
    return importlib.import_module("tutorial_pages")


PAGES = sorted(page for page in DOCS.glob("tutorials/*.md") if page.stem != "index")
# Those that are carried out, at sizes of their own.
TUTORIALS = [page for page in PAGES if "<!-- mini" in page.read_text("utf-8")]
PICTURES = DOCS / "images" / "tutorials"

# What a process is sent: the blocks of a page, carried out in a folder.
PROGRAM = """
import json, os, sys
sys.path.insert(0, {docs!r})
os.chdir({folder!r})
from tutorial_cells import run_cells
events = []
done = run_cells({page!r}, {cells!r}, None, events.append)
print(json.dumps(events))
sys.exit(not done)
"""


def carried_out(runner, folder, page, cells):
    """What is told of each block."""
    program = PROGRAM.format(docs=str(DOCS), folder=str(folder), page=str(page), cells=cells)
    _, out, err = ask(runner, program)
    assert out, err
    return json.loads(out.splitlines()[-1])


@pytest.fixture(scope="module")
def runner():
    with running() as process:
        yield process


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_runs_small(page, runner, tmp_path):
    cells = pages_module().cells_of(page.read_text("utf-8"))
    events = carried_out(runner, tmp_path, page, [(c.line, c.mini or c.code) for c in cells])
    assert "failed" not in events[-1], events[-1]["traceback"]
    done = [event for event in events if "done" in event]
    # A block gives what it gives at full size: a text or none, and as many pictures.
    for cell, event in zip(cells, done, strict=True):
        assert bool(event["text"]) == ("```text" in cell.output), cell.code
        kept = pages_module().pictures_of(cell.output)
        assert event["pictures"] == kept, cell.code


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_runs_as_it_stands(page, runner, tmp_path):
    cells = pages_module().cells_of(page.read_text("utf-8"))
    events = carried_out(runner, tmp_path, page, [(cell.line, cell.code) for cell in cells])
    assert "failed" not in events[-1], events[-1]["traceback"]
    assert sum("done" in event for event in events) == len(cells)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_every_output_belongs_to_a_block(page):
    text = page.read_text("utf-8")
    cells = pages_module().cells_of(text)
    outputs = [cell for cell in cells if cell.output]
    assert len(outputs) > len(cells) / 3
    for marker in ("<!-- output -->", "<!-- end -->"):
        assert text.count(marker) == len(outputs)
    assert len(cells) == len(re.findall(r"^```python$", text, re.M))
    assert text.count("<!-- mini") == sum(cell.mini is not None for cell in cells) == 1
    # Nothing of the machine on which it was carried out.
    for cell in outputs:
        assert not re.search(r"/tmp|/root|/home|\d seconds", cell.output)


@pytest.mark.parametrize("page", TUTORIALS, ids=lambda page: page.stem)
def test_sizes_for_tests_are_those_that_readers_see(page):
    sized = next(c for c in pages_module().cells_of(page.read_text("utf-8")) if c.mini)
    small, full = ({}, {})
    exec(sized.mini, small)
    exec(sized.code, full)
    assert small.keys() == full.keys()
    assert small != full


def test_pictures_are_there_small_and_used():
    shown = [
        name for page in TUTORIALS for name in pages_module().pictures_of(page.read_text("utf-8"))
    ]
    assert sorted(shown) == sorted(path.name for path in PICTURES.iterdir())
    for name in shown:
        assert (PICTURES / name).stat().st_size < 400_000
        with Image.open(PICTURES / name) as picture:
            assert picture.width >= 100


def test_every_tutorial_is_in_the_index():
    index = (DOCS / "tutorials" / "index.md").read_text("utf-8")
    linked = re.findall(r"\]\(([\w-]+)\.md\)", index)
    listed = re.search(r"```\{toctree\}\n:hidden:\n\n(.*?)```", index, re.S)[1].split()
    assert linked == listed
    assert sorted(linked) == [page.stem for page in PAGES]


PAGE = """# A page

<!-- mini
SIZE = 1
-->

```python
SIZE = 100
```

Words.

```python
print("size", SIZE)
SIZE + 1
```

More words.

```python
from unweave.plots import pictured
import numpy as np

pictured(np.full((8, 8, 1), 9, np.uint8))
```
"""


def test_outputs_are_written_and_replaced_and_words_stay(runner, tmp_path):
    made = pages_module()
    cells = made.cells_of(PAGE)
    assert [(cell.line, cell.mini) for cell in cells] == [
        (8, "SIZE = 1\n"),
        (14, None),
        (21, None),
    ]
    small = carried_out(runner, tmp_path, "page.md", [(c.line, c.mini or c.code) for c in cells])
    assert small[3]["text"] == "size 1\n2\n"
    assert (tmp_path / small[5]["pictures"][0]).read_bytes()[:4] == b"\x89PNG"
    events = carried_out(runner, tmp_path, "page.md", [(c.line, c.code) for c in cells])
    outputs = [
        made.Output(text=event["text"], pictures=tuple(event["pictures"]))
        for event in events
        if "done" in event
    ]
    written = made.with_outputs(PAGE, outputs)
    said = "<!-- output -->\n\n```text\nsize 100\n101\n```\n\n<!-- end -->\n\nMore words."
    assert said in written
    assert made.pictures_of(written) == ["page-1.png"]
    assert made.with_outputs(written, outputs) == written
    described = re.sub(r"!\[.*?\]", "![A grey square]", written)
    assert "![A grey square](" in made.with_outputs(described, outputs)
    assert made.with_outputs(written, [made.Output(text="", pictures=())] * 3) == PAGE
    with pytest.raises(ValueError, match="2 outputs of 3 blocks"):
        made.with_outputs(written, outputs[:2])
    with pytest.raises(ValueError, match="fence"):
        made.with_outputs(PAGE, [made.Output(text="```\n", pictures=())] * 3)


def test_a_block_that_fails_is_told_with_its_line(runner, tmp_path):
    broken = PAGE.replace("SIZE + 1", "SIZE / 0")
    cells = [(cell.line, cell.code) for cell in pages_module().cells_of(broken)]
    last = carried_out(runner, tmp_path, "page.md", cells)[-1]
    assert (last["failed"], last["line"]) == (1, 15)
    assert "ZeroDivisionError" in last["traceback"]
    unread = PAGE.replace("SIZE + 1", "SIZE +")
    cells = [(cell.line, cell.code) for cell in pages_module().cells_of(unread)]
    assert carried_out(runner, tmp_path, "page.md", cells)[-1]["line"] == 15


def test_an_unknown_tutorial_is_refused():
    command = [sys.executable, str(DOCS / "run_tutorials.py"), "nothing"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 2
    assert "There is no tutorial nothing. There are: " in said.stderr
