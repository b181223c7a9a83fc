"""The page of published studies says what the catalogue says; run as a script, this mends it."""

from __future__ import annotations

import re
from pathlib import Path

from unweave.studies.published import published_studies

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "studies.md"
_TABLE = re.compile(r"(<!-- studies -->\n)(.*?)(?=<!-- end -->)", re.S)


def table() -> str:
    """A line for each study."""
    lines = ["| study | runs | what it is | from whom |", "|---|---|---|---|"]
    for study in published_studies():
        source = study.source[0].upper() + study.source[1:]
        lines.append(f"| `{study.name}` | {study.runs:,} | {study.about} | {source} |")
    return "\n".join(lines)


def test_the_table_is_that_of_the_catalogue():
    [(_, found)] = _TABLE.findall(PAGE.read_text(encoding="utf-8"))
    assert found.strip() == table(), f"run python tests/{Path(__file__).name}"


def test_doubts_are_told_of_studies_that_are_there():
    text = PAGE.read_text(encoding="utf-8")
    names = {study.name for study in published_studies()}
    doubtful = re.findall(r"^\| `(\S+)` \|", text.split("## What is doubtful")[1], re.M)
    assert len(doubtful) == 8
    for name in doubtful:
        assert any(re.fullmatch(name.replace("*", ".*"), known) for known in names), name


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    begun = _TABLE.search(page)
    assert begun
    PAGE.write_text(
        f"{page[: begun.end(1)]}\n{table()}\n\n{page[begun.end(2) :]}", encoding="utf-8"
    )
