"""The bibliography is BibTeX that others read as we do, and says where it was confirmed."""

from __future__ import annotations

import importlib.resources
import re
import unicodedata
from pathlib import Path

import pybtex.database
import pytest

from unweave.citing import Entry, bibliography, read_entries
from unweave.citing.entry import plain
from unweave.errors import UnweaveError

TEXT = (importlib.resources.files("unweave.citing") / "bibliography.bib").read_text("utf-8")
CITATION = Path(__file__).parents[2] / "CITATION.cff"
GOOD = "@misc{a2020b,\n  author = {B, A.},\n  title = {C},\n  confirmed = {https://d.org},\n}\n"


def test_another_parser_reads_the_same():
    theirs = pybtex.database.parse_string(TEXT, "bibtex").entries
    assert list(theirs) == sorted(theirs) == list(bibliography())
    for key, entry in bibliography().items():
        found = theirs[key]
        assert found.type == entry.kind
        fields = {name.lower(): value for name, value in found.fields.items()}
        assert fields.pop("confirmed") == entry.confirmed
        assert fields == {k: v for k, v in entry.fields.items() if k != "author"}
        surnames = [
            plain(" ".join([*person.prelast_names, *person.last_names]))
            for person in found.persons["author"]
        ]
        assert surnames == [name.removeprefix("{") for name in entry.surnames]


@pytest.mark.parametrize("key", bibliography())
def test_an_entry_says_where_it_was_confirmed(key):
    entry = bibliography()[key]
    if key != "unweave":
        assert re.match(r"https://[\w.-]+\.\w+/", entry.confirmed)
        # Keys are the first author, the year and a word of the title.
        surname, year = re.fullmatch(r"([a-z]+)(\d{4})[a-z]+", key).groups()
        assert int(year) in entry.years
        assert surname == _letters(entry.surnames[0])
    for value in [*entry.fields.values(), entry.confirmed]:
        assert value.isascii()
        assert value == value.strip()
        assert not re.search(r"/(work|root|tmp|home)/", value)
    if "eprint" in entry.fields:
        assert entry.fields["archiveprefix"] == "arXiv"
        number = entry.fields["eprint"]
        assert re.fullmatch(r"\d{4}\.\d{4,5}", number)
        if "arxiv.org" in entry.fields.get("url", ""):
            assert number in entry.fields["url"]


def _letters(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.lower())
    return re.sub("[^a-z]", "", letters)


def test_unweave_is_cited_as_its_citation_file_says():
    stated = dict(re.findall(r"^(\w[\w-]*): (.+)$", CITATION.read_text("utf-8"), re.M))
    [author] = re.findall(r"- name: (.+)", CITATION.read_text("utf-8"))
    fields = bibliography()["unweave"].fields
    assert fields["title"] == f"{stated['title']}: {stated['abstract'].rstrip('.')}"
    assert fields["author"] == f"{{{author}}}"


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (GOOD + GOOD, "has a2020b twice"),
        (GOOD.replace("  confirmed = {https://d.org},\n", ""), "a2020b .* has no confirmed"),
        (GOOD.replace("  title = {C},\n", ""), "has no title"),
        (GOOD.replace("  title = {C},", '  title = "C",'), "Line 3 .* cannot be read"),
        (GOOD.replace("  title = {C},", "  title = {C},\n  title = {D},"), "Line 4 .*cannot be"),
        (GOOD.removesuffix("}\n"), "a2020b of the bibliography has no end"),
        ("Some words", "Line 1"),
        ("}\n", "Line 1"),
    ],
)
def test_a_bad_bibliography(text, told):
    with pytest.raises(UnweaveError, match=told):
        read_entries(text)


def test_latex_as_text():
    assert plain(r"Sch{\"o}lkopf, W{\"u}thrich and Miladinovi{\'c}") == (
        "Schölkopf, Wüthrich and Miladinović"
    )
    assert plain(r"{\v{s}} {\c c} {\~n} {\ss} {\^{e}} {\o}") == "š ç ñ ß ê ø"
    assert plain(r"{DCI-ES}: A {Lie} Group") == "DCI-ES: A Lie Group"


def test_an_entry_as_text():
    entry = Entry(
        "article",
        "a",
        {
            "author": r"M{\"u}ller, A. and van Dam, Bo and {O'Hara}, C.",
            "title": "What is {VAE}?",
            "journal": "J. of D",
            "volume": "9",
            "number": "2",
            "pages": "3--14",
            "year": "2014",
            "doi": "10.1/x",
            "url": "https://e.org",
        },
        "https://f.org",
    )
    assert entry.text() == (
        "A. Müller, Bo van Dam and C. O'Hara (2014). What is VAE? J. of D 9(2), 3-14. "
        "https://doi.org/10.1/x"
    )
    assert entry.surnames == ("Müller", "van Dam", "O'Hara")
    assert entry.years == {2014}
    group = Entry("misc", "b", {"author": "{P and Q}", "title": "R", "eprint": "2101.00001"}, "s")
    assert group.text() == "P and Q. R. arXiv 2101.00001."
    assert group.years == {2021}
