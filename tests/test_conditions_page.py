"""The page of conditions says what the registry says; run as a script, this mends it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from unweave.conditions import CONDITIONS, KINDS, MODIFIERS, split_of

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "conditions.md"


def conditions() -> str:
    """A line for each condition."""
    lines = [
        "| dataset, condition | kind | trained on, held out | rule, and notes |",
        "|---|---|---|---|",
    ]
    order = list(dict.fromkeys(each.dataset for each in CONDITIONS))
    for each in sorted(CONDITIONS, key=lambda each: order.index(each.dataset)):
        split = split_of(each)
        names = ", ".join(f"`{name}`" for name in (each.name, *each.also))
        word = next(word for word, kind in KINDS.items() if kind == each.kind)
        rule = f"`{each.held_out}`"
        if each.trained is not None:
            rule += f"; trained on is `{each.trained}`"
        lines.append(
            f"| `{each.dataset}`<br>{names} | `{word}` | {len(split.train):,}<br>"
            f"{len(split.held_out):,} | {rule}<br>{' '.join((*each.doubts, whose(each.source)))} |"
        )
    return "\n".join(lines)


def modifiers() -> str:
    """A line for each modifier."""
    lines = ["| dataset | modifier | images that take part | notes |", "|---|---|---|---|"]
    lines += [
        f"| `{each.dataset}` | `{each.name}` | `{each.rule}` | {' '.join(each.doubts)} |"
        for each in MODIFIERS
    ]
    return "\n".join(lines)


def whose(source: str) -> str:
    """The years of Montero et al."""
    years = [year for year in ("2021", "2022") if f"({year})" in source]
    assert years
    return f"Montero et al. ({' and '.join(years)})."


TABLES = {"conditions": conditions, "modifiers": modifiers}


def _between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(?=<!-- end -->)", re.S)


@pytest.mark.parametrize("name", TABLES)
def test_the_tables_are_those_of_the_registry(name):
    [(_, found)] = _between(name).findall(PAGE.read_text(encoding="utf-8"))
    assert found.strip() == TABLES[name](), f"run python tests/{Path(__file__).name}"


if __name__ == "__main__":
    page = PAGE.read_text(encoding="utf-8")
    for name, table in TABLES.items():
        begun = _between(name).search(page)
        assert begun
        page = f"{page[: begun.end(1)]}\n{table()}\n\n{page[begun.end(2) :]}"
    PAGE.write_text(page, encoding="utf-8")
