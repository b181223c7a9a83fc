"""UDR, no metric of one table, has a page of the same kind; as a script, this mends it."""

from __future__ import annotations

import re
import shlex

from reference import component_pages
from reference.code_names import is_code
from reference.component_pages import FOLDER, FUNCTIONS, SECTIONS, Page
from reference.function_blocks import arguments
from reference.page_programs import ask, running
from unweave.cli import app
from unweave.metrics import MIG, udr

PATH = FOLDER / "metrics" / "udr.md"
PAGE = Page("metrics", "udr", PATH.read_text(encoding="utf-8"))


def test_it_is_the_one_page_of_a_function():
    assert FUNCTIONS == {"metrics": ("udr",)}
    index = (FOLDER / "metrics" / "index.md").read_text(encoding="utf-8")
    assert "\n- [`udr`](udr.md): " in index


def test_its_sections_are_those_of_the_template():
    assert PAGE.text.startswith("# udr\n\n")
    assert tuple(PAGE.headings) == SECTIONS
    for heading in SECTIONS:
        assert len(PAGE.section(heading)) > 40, heading
    assert re.search(r"\b(19|20)\d\d\b", PAGE.section("Reference"))


def test_every_symbol_has_a_name_that_the_code_has():
    assert "$$" in PAGE.section("Formula")
    assert len(PAGE.symbols) >= 3
    for symbol, _, names in PAGE.symbols:
        assert names, symbol
        # Of no component: names of fields and parts are none here.
        assert [name for name in names if not is_code(name, MIG)] == []


def test_its_arguments_are_those_of_the_function():
    assert PAGE.marks == ["arguments"]
    assert component_pages.mend(PAGE.text, {"arguments": arguments(udr)}) == PAGE.text
    told = PAGE.section("Defaults and published settings")
    by_hand = re.sub(r"<!-- arguments -->.*?<!-- end -->", "", told, flags=re.S)
    for kind in ("dlib", "rpu"):
        assert f'compat="{kind}"' in by_hand


def test_its_commands_are_ones():
    lines = PAGE.code("sh").strip().splitlines()
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "unweave"
        app.parse(words)


def test_its_python_runs():
    code = PAGE.code("python")
    with running() as runner:
        returned, out, err = ask(runner, code)
    assert returned == 0, err
    promised = re.findall(r"^print\(.*\)  # (.+)$", code, re.M)
    assert promised
    assert [line for line in promised if line not in out.splitlines()] == []


if __name__ == "__main__":
    made = component_pages.mend(PAGE.text, {"arguments": arguments(udr)})
    PATH.write_text(made, encoding="utf-8")
