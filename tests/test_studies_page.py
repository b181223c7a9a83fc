"""The page of studies by name says what the catalogues say; run as a script, this mends it."""

from __future__ import annotations

import re
from pathlib import Path

from unweave.generalise.presets import STUDIES
from unweave.studies.published import published_studies

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "studies.md"
_TABLE = re.compile(r"(<!-- (studies|own) -->\n)(.*?)(?=<!-- end -->)", re.S)


def own() -> str:
    """A line for each study of unweave's own, each condition, and each model."""
    lines = ["| study | runs | what it is | held out | models |", "|---|---|---|---|---|"]
    for study in STUDIES.values():
        held_out = ", ".join(f"`{name}`" for name in study.conditions)
        models = ", ".join(f"`{model['objective']}`" for model in study.models)
        lines.append(
            f"| `{study.name}` | {study.runs:,} | {study.about} | {held_out} | {models} |"
        )
    return "\n".join(lines)


def table() -> str:
    """A line for each published study."""
    lines = ["| study | runs | what it is | from whom |", "|---|---|---|---|"]
    for study in published_studies():
        source = study.source[0].upper() + study.source[1:]
        lines.append(f"| `{study.name}` | {study.runs:,} | {study.about} | {source} |")
    return "\n".join(lines)


TABLES = {"studies": table, "own": own}


def test_the_tables_are_those_of_the_catalogues():
    found = {name: text.strip() for _, name, text in _TABLE.findall(PAGE.read_text("utf-8"))}
    made = {name: make() for name, make in TABLES.items()}
    assert found == made, f"run python tests/{Path(__file__).name}"


def test_doubts_are_told_of_studies_that_are_there():
    text = PAGE.read_text(encoding="utf-8")
    names = {study.name for study in published_studies()}
    doubtful = re.findall(r"^\| `(\S+)` \|", text.split("## What is doubtful")[1], re.M)
    assert len(doubtful) == 8
    for name in doubtful:
        assert any(re.fullmatch(name.replace("*", ".*"), known) for known in names), name


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(
        _TABLE.sub(lambda found: f"{found[1]}\n{TABLES[found[2]]()}\n\n", page), encoding="utf-8"
    )
