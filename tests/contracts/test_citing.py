"""Every component names its papers, or is listed as having none, as its documentation does."""

from __future__ import annotations

import importlib
import inspect
import re
from pathlib import Path

import pytest

import unweave
from contracts.components import FAMILIES, MEMBERS, own_members
from unweave.citing import (
    CODES,
    MODULES,
    NONE,
    PAPERS,
    PRESETS,
    PROJECTS,
    PROTOCOLS,
    bibliography,
    by_name,
)
from unweave.citing.entry import Entry
from unweave.spec import field_hints
from unweave.spec.hints import choices

SOURCE = Path(unweave.__file__).parent
_NUMBER = re.compile(r"(?:arXiv:?\s+|arxiv\.org/abs/)(\d{4}\.\d{4,5})")
# Authors and a year: "Kim and Mnih, 2018", "Zhu et al. (2021)", "Higgins et al., ICLR 2017".
_NAME = r"(?:[Vv]an )?(?!ICLR|ICML|NeurIPS)\b[A-Z][\w-]+"
_CITED = re.compile(
    rf"({_NAME})(?:,? (?:and|&)? ?{_NAME})*(?: et\s+al\.)?,?\s+(?:ICLR|ICML|NeurIPS)?\s*"
    r"\(?((?:19|20)\d\d)\b"
)
# Code that is cited by its own name.
_SOFTWARE = {"Disentanglement-PyTorch": "abdi2019variational"}
_EVERY = [(family.family, cls) for family, cls in MEMBERS]


def documentation(cls: type) -> str:
    """What a component says of itself, and where its score was published."""
    source = getattr(cls, "source", "")
    return f"{inspect.getdoc(cls)} {source if isinstance(source, str) else ''}".replace("\n", " ")


def cited(text: str) -> list[tuple[str, str]]:
    """First authors and years in a text."""
    for name, key in _SOFTWARE.items():
        text = text.replace(name, bibliography()[key].surnames[0])
    return _CITED.findall(re.sub(r"https?://\S+|arXiv\s+[\d.]+", "", text))


def fits(found: list[Entry], surname: str, year: str) -> bool:
    """Whether one of the entries is by that author and of that year."""
    # "Van" begins a surname only with the rest of it.
    last = surname.split()[-1]
    return any(e.surnames[0].split()[-1] == last and int(year) in e.years for e in found)


def entries(family: str, name: str) -> list[Entry]:
    return [bibliography()[key] for key in PAPERS.get(family, {}).get(name, ())]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.family)
def test_each_member_has_its_row(family):
    rows, none = PAPERS.get(family.family, {}), NONE.get(family.family, ())
    names = {cls.name for cls in own_members(family)}
    assert names == {*rows, *none}
    assert not set(rows) & set(none)
    assert list(rows) == sorted(rows)
    assert list(none) == sorted(none)
    assert all(rows.values())


def test_no_row_is_of_no_family():
    assert {*PAPERS, *NONE} == {family.family for family in FAMILIES}


@pytest.mark.parametrize(("family", "cls"), _EVERY, ids=lambda part: getattr(part, "name", part))
def test_its_documentation_names_the_same_papers(family, cls):
    text, own = documentation(cls), entries(family, cls.name)
    numbers = {entry.fields.get("eprint") for entry in own}
    assert set(_NUMBER.findall(text)) <= numbers
    for surname, year in cited(text):
        assert fits(own, surname, year), (surname, year)
    for entry in own:
        named = entry.surnames[0] in text or entry.fields.get("eprint", "no number") in text
        assert named, f"the documentation of {cls.__name__} does not name {entry.key}"


def test_what_is_cited_is_found_in_documentation():
    # The pattern above is no proof if it finds nothing.
    found = [cited(documentation(cls)) for _, cls in _EVERY]
    assert sum(map(bool, found)) > 100
    assert cited("(Higgins et al., ICLR 2017)") == [("Higgins", "2017")]
    assert cited("of dSprites, Zhu, Xu and Tao (2021), arXiv 2003.03461") == [("Zhu", "2021")]
    assert cited("Van Steenkiste, Locatello and Bachem (2019)") == [("Van Steenkiste", "2019")]
    assert cited("Eastwood & Williams, 2018; Hsu et al., 2024") == [
        ("Eastwood", "2018"),
        ("Hsu", "2024"),
    ]


def test_every_entry_is_used():
    used = {key for rows in PAPERS.values() for keys in rows.values() for key in keys}
    for table in (CODES, PROJECTS, PROTOCOLS, PRESETS, MODULES):
        used |= {key for keys in table.values() for key in keys}
    assert used | {"unweave"} == set(bibliography())


def test_every_number_in_the_code_has_an_entry():
    known = {entry.fields.get("eprint") for entry in bibliography().values()}
    found = {
        number: path
        for path in SOURCE.rglob("*.py")
        for number in _NUMBER.findall(path.read_text(encoding="utf-8"))
    }
    assert len(found) > 30
    assert {number: path for number, path in found.items() if number not in known} == {}


@pytest.mark.parametrize("name", MODULES)
def test_modules_name_their_papers(name):
    text = importlib.import_module(name).__doc__ or ""
    assert all(bibliography()[key].surnames[0] in text for key in MODULES[name])


def test_every_code_that_can_be_repeated_has_its_entries():
    found = set()
    for _, cls in MEMBERS:
        hint = field_hints(cls).get("compat")
        found |= set(choices(hint)) - {"none"} if hint is not None else set()
    assert found == set(CODES)


def test_projects_and_protocols_are_all_there():
    from unweave.importing.projects import PROJECTS as known
    from unweave.metrics import protocols

    assert set(PROJECTS) == set(known)
    assert set(PROTOCOLS) == set(protocols.PROTOCOLS)
    for name, protocol in protocols.PROTOCOLS.items():
        found = [bibliography()[key] for key in PROTOCOLS[name]]
        assert all(fits(found, *told) for told in cited(protocol.about)), name


def test_presets_and_studies_have_their_sources():
    from unweave.generalise.presets import STUDIES
    from unweave.population.presets import POPULATION_PRESETS
    from unweave.population.recursion.presets import RECURSION_PRESETS
    from unweave.presets import NUMBERED
    from unweave.presets import PRESETS as named
    from unweave.studies.published import published_studies

    names = [*named, *(f"{name}/0" for name in NUMBERED), *STUDIES]
    names += [*POPULATION_PRESETS, *RECURSION_PRESETS]
    assert [name for name in names if by_name(name) is None] == []
    assert by_name("mine/own") is None
    for study in published_studies():
        found = [bibliography()[key] for key in by_name(study.name) or ()]
        for number in _NUMBER.findall(study.source):
            assert number in {entry.fields.get("eprint") for entry in found}, study.name
        assert cited(study.source) or study.name.startswith("dpt/")
        assert all(fits(found, *told) for told in cited(study.source)), study.name
