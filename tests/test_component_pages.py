"""Every method and metric has a page that says what the code does; as a script, this mends them.

`python tests/test_component_pages.py` makes the generated blocks and the lists of pages anew.
A new page begins as a copy of docs/reference/_template.md.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from reference import component_pages
from reference.code_names import is_code
from reference.component_blocks import blocks
from reference.component_pages import FAMILIES_OF_PAGES, FOLDER, SECTIONS, Page, pages
from reference.members import shipped
from reference.page_programs import Runner, ask, running
from session.runs import cli
from unweave.citing import NONE
from unweave.cli import app
from unweave.cli.train import Train
from unweave.metrics import Metric
from unweave.objectives import Method

PAGES = [page for folder in FAMILIES_OF_PAGES for page in pages(folder)]
TEMPLATE = FOLDER / "_template.md"
# What pages do at real sizes, at those of a test; their lengths of trainings are like 20_000.
SMALLER = {
    r"steps=\d+_\d+": "steps=2, batch_size=8, evaluate_every=0",
    r'"dsprites"': '"dsprites(grid=(3, 2, 4, 8, 8))"',
    r'"shapes3d"': '"dsprites(grid=(3, 2, 4, 8, 8))"',
}

every_page = pytest.mark.parametrize(
    "page", PAGES, ids=[f"{page.folder}/{page.name}" for page in PAGES]
)


@pytest.fixture(scope="module")
def runner() -> Iterator[Runner]:
    with running() as process:
        yield process


@pytest.mark.parametrize("folder", FAMILIES_OF_PAGES)
def test_each_page_is_that_of_a_member_and_each_member_has_one(folder):
    named, known = {page.name for page in pages(folder)}, set(shipped(FAMILIES_OF_PAGES[folder]))
    assert named == known


@every_page
def test_it_begins_with_its_name_and_a_sentence(page: Page):
    title, sentence, after = page.text.split("\n\n")[:3]
    assert title == f"# {page.name}"
    assert re.fullmatch(r"[A-Z].*[^.]\.", sentence), sentence
    assert "\n" not in sentence
    assert after.startswith("## ")


@every_page
def test_its_sections_are_those_of_the_template_in_order_and_none_is_empty(page: Page):
    assert tuple(page.headings) == SECTIONS
    for heading in SECTIONS:
        assert len(page.section(heading)) > 40, heading


@every_page
def test_its_length_is_what_a_reader_takes_in(page: Page):
    assert 50 <= page.text.count("\n") <= 160


@every_page
def test_it_has_display_maths_and_tells_every_symbol_a_name_in_the_code(page: Page):
    assert re.search(r"^\$\$$.*?^\$\$$", page.section("Formula"), re.S | re.M)
    rows = page.symbols
    assert len(rows) >= 3
    for symbol, meaning, names in rows:
        assert symbol.startswith("$"), symbol
        assert symbol.endswith("$"), symbol
        assert len(meaning) > 5, symbol
        assert names, symbol
        for name in names:
            assert is_code(name, page.member), f"{page.name}: {name}"


@every_page
def test_its_generated_blocks_are_what_the_code_gives(page: Page):
    assert page.marks == list(blocks(page.member))
    assert component_pages.mended(page) == page.text, f"run python tests/{Path(__file__).name}"


@every_page
def test_all_that_compat_repeats_is_told(page: Page):
    told = page.section("Defaults and published settings")
    by_hand = re.sub(r"<!-- (?!end )\w+ -->.*?<!-- end -->", "", told, flags=re.S)
    kinds = re.findall(r"Repeats published code: (.*), told below", told)
    for kind in re.findall(r"`(\w+)`", "".join(kinds)):
        assert f"compat={kind}" in by_hand, kind


@every_page
def test_its_reference_has_a_year_where_there_is_a_paper(page: Page):
    if page.name not in NONE.get(page.member.family, ()):
        assert re.search(r"\b(19|20)\d\d\b", page.section("Reference"))


@every_page
def test_its_commands_are_ones(page: Page, monkeypatch):
    monkeypatch.setattr("unweave.estimate._MEASURED_STEPS", 1)
    lines = page.code("sh").strip().splitlines()
    assert lines
    for line in lines:
        program, *words = shlex.split(line)
        assert program == "unweave"
        command = app.parse(words)
        if isinstance(command, Train):
            small = [] if "--batch-size" in words else ["--batch-size", 8]
            result = cli(*words, *small, "--dry-run", "--json")
            assert result.code == 0, result.err
    of_it = rf"\b{page.name}\b"
    assert re.search(of_it, page.code("sh"))


@every_page
def test_its_python_runs(page: Page, runner: Runner):
    code = page.code("python")
    for theirs, smaller in SMALLER.items():
        code = re.sub(theirs, smaller, code)
    returned, out, err = ask(runner, code)
    assert returned == 0, err
    promised = re.findall(r"^print\(.*\)  # (.+)$", code, re.M)
    assert [line for line in promised if line not in out.splitlines()] == []


@pytest.mark.parametrize("folder", FAMILIES_OF_PAGES)
def test_the_index_lists_the_pages(folder):
    text = _index(folder).read_text(encoding="utf-8")
    lists = component_pages.index(folder)
    assert sorted(component_pages.marks(text)) == sorted(lists)
    assert text == component_pages.mend(text, lists), f"run python tests/{Path(__file__).name}"


def test_the_python_of_the_index_of_metrics_runs(runner: Runner):
    text = _index("metrics").read_text(encoding="utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.S | re.M))
    returned, out, err = ask(runner, code)
    assert returned == 0, err
    promised = re.findall(r"^print\(.*\)  # (.+)$", code, re.M)
    assert promised
    assert out.splitlines() == promised


def test_the_template_has_the_sections_and_the_blocks():
    template = Page("methods", "template", TEMPLATE.read_text(encoding="utf-8"))
    assert tuple(template.headings) == SECTIONS
    assert template.marks == ["facts", "fields", "presets", "protocols", "references"]
    assert template.symbols


def test_names_that_the_code_does_not_have_are_told_from_those_it_has():
    tc, mig = shipped(Method)["beta_tcvae"], shipped(Metric)["mig"]
    has = [
        "beta",
        "total_correlation",
        "beta_tcvae(beta=...)",
        "--batch-size",
        "Step.z",
        "LatentDiscriminator",
        "DiagonalGaussian.kl",
        "unweave.objectives.densities.estimate",
        "unweave.objectives.Plan",
    ]
    assert [name for name in has if not is_code(name, tc)] == []
    assert is_code("discriminator", shipped(Method)["factor_vae"])
    assert is_code("shape", mig)  # a part of its score
    lacks = [
        "betta",
        "beta_tcvae(betta=...)",
        "beta_tcvaes(beta=...)",
        "--batchsize",
        "Step.zz",
        "Stepp.z",
        "LatentDiscriminators",
        "unweave.objectives.densities.estimates",
        "unweave.objective.Plan",
        "discriminator",
    ]
    assert [name for name in lacks if is_code(name, tc)] == []


def _index(folder: str) -> Path:
    return FOLDER / folder / "index.md"


if __name__ == "__main__":
    for page in PAGES:
        path = FOLDER / page.folder / f"{page.name}.md"
        path.write_text(component_pages.mended(page), encoding="utf-8")
    for folder in FAMILIES_OF_PAGES:
        text = _index(folder).read_text(encoding="utf-8")
        made = component_pages.mend(text, component_pages.index(folder))
        _index(folder).write_text(made, encoding="utf-8")
