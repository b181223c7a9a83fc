"""Dead links of a built site and names that its reference lacks are found, and nothing else."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The checker, as `make docs` runs it."""
    monkeypatch.syspath_prepend(str(DOCS))
    yield importlib.import_module("check_site")
    for name in ("check_site", "public_modules", "backlinks"):
        sys.modules.pop(name, None)


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A site of two pages and a picture."""
    (tmp_path / "how-to").mkdir()
    (tmp_path / "_images").mkdir()
    (tmp_path / "_images" / "a b.png").write_bytes(b"")
    (tmp_path / "index.html").write_text(
        '<h1 id="top">x</h1><img src="_images/a%20b.png" srcset="_images/a%20b.png 2x">'
        '<a href="how-to/index.html#%C3%A9t%C3%A9">x</a><a href="#">x</a><a href="#top">x</a>'
        '<a href="how-to/">x</a><a href="https://example.org/none">x</a>'
        '<a href="mailto:a@example.org">x</a><img src="data:image/png;base64,AA">'
    )
    (tmp_path / "how-to" / "index.html").write_text(
        '<a name="old"></a><p id="été"><a href="../index.html?q=1#top">x</a>'
        '<a href="../">x</a><a href="../_images/a%20b.png#page=2">x</a>'
    )
    return tmp_path


def faults(checker: ModuleType, site: Path) -> list[str]:
    return list(checker.dead_links(site, checker.read_site(site)))


def test_a_site_whose_links_lead_somewhere_has_no_faults(imported, site):
    assert faults(imported, site) == []


@pytest.mark.parametrize(
    ("tag", "said"),
    [
        ('<a href="none.html">x</a>', "none.html: there is no how-to/none.html"),
        ('<a href="../index.html#none">x</a>', "index.html has no such anchor"),
        ('<a href="#none">x</a>', "how-to/index.html has no such anchor"),
        ('<img src="none.png">', "there is no how-to/none.png"),
        ('<img srcset="../_images/a%20b.png 1x, none.png 2x">', "there is no how-to/none.png"),
        ('<script src="../none.js"></script>', "there is no none.js"),
        ('<video poster="none.webp"></video>', "there is no how-to/none.webp"),
        ('<source src="none.mp4">', "there is no how-to/none.mp4"),
        ('<a href="../../outside.html">x</a>', "leads out of the site"),
        ('<a href="/index.html">x</a>', "begins with a slash"),
        ('<a href="file:///index.html">x</a>', "is neither a file of the site"),
        ('<a href="../_images/">x</a>', "there is no _images/index.html"),
    ],
)
def test_a_link_that_leads_nowhere_is_told_with_its_page_and_line(imported, site, tag, said):
    page = site / "how-to" / "index.html"
    page.write_text(f"{page.read_text()}\n{tag}")
    [fault] = faults(imported, site)
    assert fault.startswith("how-to/index.html:2: ")
    assert said in fault


def test_names_and_pages_that_the_reference_lacks_are_told(imported, tmp_path):
    public = imported.public_modules()
    folder = tmp_path / "reference" / "generated"
    folder.mkdir(parents=True)
    for module, names in public.items():
        if module != "unweave.vae":
            described = [name for name in names if f"{module}.{name}" != "unweave.metrics.MIG"]
            text = "".join(f'<dt id="{module}.{name}">' for name in described)
            (folder / f"{module}.html").write_text(text)
    found = list(imported.missing_names(tmp_path, imported.read_site(tmp_path)))
    assert found == [
        "reference/generated/unweave.metrics.html: MIG is not described",
        "reference/generated: no page of unweave.vae",
    ]


def test_the_program_ends_with_1_where_there_are_faults(imported, site, capsys):
    assert imported._main([str(site / "_images")]) == 1
    assert "has no pages" in capsys.readouterr().err
    assert imported._main([str(site)]) == 1
    assert "no page of unweave.vae" in capsys.readouterr().err


def test_every_public_module_but_the_package_is_within_another(imported):
    listed = importlib.import_module("public_modules")
    inner = listed.context()["inner"]
    within = [f"{room}.{name}" for room, names in inner.items() for name in names]
    assert sorted(["unweave", *within]) == sorted(listed.public_modules())
    assert "samplers" in inner["unweave.data"]


def test_constants_are_found_where_they_are_assigned(imported):
    listed = importlib.import_module("public_modules")
    found = {each.name: each for each in listed.constants_of("unweave.generalise")}
    assert found["HOLDOUT"].value == "0.05"
    assert found["HOLDOUT"].text.startswith("Share of the images")
    assert found["COLUMNS"].value == ""
    assert "Dsprites" not in {each.name for each in listed.constants_of("unweave.data")}


def test_a_module_links_back_to_the_room_that_describes_most_of_it(imported):
    pytest.importorskip("sphinx")
    backlinks = importlib.import_module("backlinks")
    described = {"unweave.make", "unweave.nn.make", "unweave.nn.Own", "unweave.nn.Own.check"}
    names = ["make", "Own", "Own.check"]
    assert backlinks.room_of(["unweave", "unweave.nn"], names, described) == "unweave.nn"
    assert backlinks.room_of(["unweave", "unweave.nn"], ["make"], described) == "unweave"


def test_fields_of_components_are_described_by_their_help(imported):
    pytest.importorskip("sphinx")
    from unweave.factors import Factor
    from unweave.objectives import BetaVAE

    fields = importlib.import_module("component_fields")
    assert fields.arguments(BetaVAE) == ["", "Args:", "    beta: Weight of the KL."]
    assert fields.arguments(Factor) == fields.arguments(int) == []


def test_a_page_of_an_earlier_build_that_lacks_a_name_is_made_anew(imported, tmp_path):
    pytest.importorskip("sphinx")
    backlinks = importlib.import_module("backlinks")
    page = tmp_path / "own.html"
    page.write_text('<div id="make"><a href="../x.html#unweave.nn.make">docs</a></div>')
    backlinks._drop_stale(tmp_path / "own", "unweave.nn", ["make"])
    assert page.is_file()
    backlinks._drop_stale(tmp_path / "own", "unweave.nn", ["make", "Own"])
    assert not page.exists()
    page.write_text('<div id="make"><a href="../x.html#unweave.make">docs</a></div>')
    backlinks._drop_stale(tmp_path / "own", "unweave.nn", ["make"])
    assert not page.exists()
