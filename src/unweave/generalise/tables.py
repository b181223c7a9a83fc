"""Tables beside the main one: which factors are right, who is to blame, what is composed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, final

from unweave.generalise.asking import REGIONS, Region
from unweave.generalise.summary import Group, Mean, mean_of
from unweave.generalise.wording import region_words

__all__ = ["Row", "Table", "TableName", "tables_of"]

TableName: TypeAlias = Literal["factors", "blame", "composed"]

_HEADINGS: Final[dict[TableName, str]] = {
    "factors": "Which factors are right",
    "blame": "Encoder or decoder",
    "composed": "Composed images",
}
# Part of `attribution`, heading, digits after the point.
_BLAME: Final[tuple[tuple[str, str, int], ...]] = (
    ("distance", "distance, sd", 2),
    ("nearest_expected", "nearest, share", 3),
    ("excess_placed", "excess, own code", 2),
    ("excess_swapped", "without displacement", 2),
    ("recovered", "recovered", 2),
)
_PLACED: Final = ("placed", "placed, share", 3)
_REGIMES: Final[dict[str, str]] = {
    "id_id": "all known",
    "id_ood": "known inputs, new output",
    "ood_ood": "all new",
}


@final
@dataclass(frozen=True)
class Row:
    """One model and one sort of images.

    Attributes:
        model: What the model is called.
        images: Which images, in words.
        cells: A number over the runs for each column; None where no run has it.
    """

    model: str
    images: str
    cells: tuple[Mean | None, ...]


@final
@dataclass(frozen=True)
class Table:
    """A table of groups of runs under one condition.

    Attributes:
        name: Which it is.
        heading: What it is called.
        heads: What the columns of numbers are.
        digits: Digits after the point, of each column.
        rows: Its rows.
    """

    name: TableName
    heading: str
    heads: tuple[str, ...]
    digits: tuple[int, ...]
    rows: tuple[Row, ...]


def tables_of(groups: Sequence[Group]) -> list[Table]:
    """The tables that some group of one condition has numbers for."""
    found = (_factors(groups), _blame(groups), _composed(groups))
    return [table for table in found if table.rows]


def _having(groups: Sequence[Group], analysis: str) -> list[Group]:
    """The groups of which some run was scored by an analysis on what was held out."""
    return [
        group for group in groups if any(analysis in run.scores["held_out"] for run in group.runs)
    ]


def _factors(groups: Sequence[Group]) -> Table:
    """What a probe reads right, from reconstructions and from the true images beside them."""
    known = _having(groups, "factor_errors")
    ends = ("accuracy", "true_accuracy")
    parts = dict.fromkeys(
        part.removesuffix(f".{ends[0]}")
        for group in known
        for run in group.runs
        for part in run.scores["held_out"].get("factor_errors", {})
        if part.endswith(f".{ends[0]}")
    )

    def cells(group: Group, region: Region, end: str) -> tuple[Mean | None, ...]:
        names = [end, *(f"{factor}.{end}" for factor in parts)]
        return tuple(group.part(region, "factor_errors", name) for name in names)

    rows = tuple(
        Row(group.model, words + more, cells(group, region, end))
        for group in known
        for region, words in region_words(group.runs).items()
        for end, more in zip(ends, ("", ", true images"), strict=True)
    )
    heads = ("all factors", *parts)
    return Table("factors", _HEADINGS["factors"], heads, (3,) * len(heads), rows)


def _blame(groups: Sequence[Group]) -> Table:
    """Where codes are, and what is decoded from codes without displacement."""
    known = _having(groups, "attribution")
    placed = [group.part(region, "attribution", "placed") for group in known for region in REGIONS]
    # Where every image has an expected code nobody needs to be told so.
    some = any(each is not None and each.mean < 1 for each in placed)
    columns = (*([_PLACED] if some else []), *_BLAME)
    rows = tuple(
        Row(
            group.model,
            words,
            tuple(group.part(region, "attribution", part) for part, _, _ in columns),
        )
        for group in known
        for region, words in region_words(group.runs).items()
    )
    heads, digits = tuple(head for _, head, _ in columns), tuple(of for _, _, of in columns)
    return Table("blame", _HEADINGS["blame"], heads, digits, rows)


def _composed(groups: Sequence[Group]) -> Table:
    """The tests of composers: excess NLL, and that of leaving the reference as it is."""
    rows = []
    for group in groups:
        for regime, words in _REGIMES.items():
            cells = tuple(
                mean_of(run.composition.get(f"{regime}.{part}") for run in group.runs)
                for part in ("excess", "copied")
            )
            if cells[0] is not None:
                rows.append(Row(group.model, words, cells))
    heads = ("excess NLL", "if nothing changed")
    return Table("composed", _HEADINGS["composed"], heads, (2, 2), tuple(rows))
