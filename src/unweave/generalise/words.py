"""How runs generalise, in lines of text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from unweave.generalise.reading import Found
from unweave.generalise.summary import Group, Mean, Relation
from unweave.generalise.tables import Table, TableName, tables_of
from unweave.generalise.wording import ends_of, not_apart, region_words

__all__ = ["KINDS", "SHOWN", "columns_of", "lines_of", "related", "signed", "told"]

# Column, heading, digits after the point.
SHOWN: Final[tuple[tuple[str, str, int], ...]] = (
    ("disentanglement", "DCI", 3),
    ("excess", "excess NLL", 2),
    ("excess_held_out", "held out", 2),
    ("excess_gap", "gap", 2),
    ("nll_gap", "raw gap", 2),
    ("floor_gap", "floor gap", 2),
    ("r2", "R2", 3),
    ("r2_held_out", "R2 held out", 3),
    ("factor_errors", "factor errors", 3),
    ("factor_errors_held_out", "factor errors held out", 3),
)
"""Columns of `COLUMNS` that are shown to people, with what they are called."""

_RELATED: Final[dict[str, str]] = {
    "excess_held_out": "the excess NLL of held-out images",
    "excess_gap": "the gap",
}

KINDS: Final[dict[str, str]] = {
    "interpolation": "interpolation",
    "recombination_to_element": "recombination to element",
    "recombination_to_range": "recombination to range",
    "extrapolation": "extrapolation",
}
"""How pages and tables write the kinds of a split."""

_LEGEND: Final = (
    "Excess NLL in nats an image: in distribution (kept apart, or trained on where nothing was), "
    "held out,",
    "and the gap between them. In brackets the 95 % interval of the mean over runs; of two runs "
    "both values,",
    "of a single one a dash.",
)
_NOTES: Final[dict[TableName, str]] = {
    "factors": "Share of images of which a network reads the factor right; factor errors are that "
    "of true images less that of reconstructions.",
    "blame": "Of images that have an expected code: excess, own code = recovered + without "
    "displacement.",
    "composed": "Nats an image.",
}

# Analysis, part, what it is called.
_ROWS: Final[tuple[tuple[str, str, str], ...]] = (
    ("reconstruction_nll", "nll", "reconstruction NLL, nats"),
    ("reconstruction_nll", "floor", "entropy of the images, nats"),
    ("reconstruction_nll", "excess", "excess NLL, nats"),
    ("reconstruction_nll", "psnr", "PSNR, dB"),
    ("factor_r2", "value", "R2 of factors, from codes"),
    ("factor_errors", "value", "factor errors, share"),
)
_NAMES: Final[dict[str, str]] = {"id_id": "known", "id_ood": "new output", "ood_ood": "all new"}


def told(found: Found) -> str:
    """What was trained without what, and a table of both regions."""
    condition = found.recovered.condition
    lines = [
        f"{found.folder}: {found.config.objective} on {found.recovered.data}, step "
        f"{found.config.steps:,}",
        f"held out: {condition.held_out} ({found.condition}, {KINDS[found.split.kind]}), "
        f"{len(found.split.held_out):,} images",
    ]
    if found.disentanglement is not None:
        what = "by definition" if found.kind == "decoder" else "DCI with lasso, trained images"
        lines.append(f"disentanglement: {found.disentanglement:.3f} ({what})")
    lines += [f"{name}: {value:.3f}" for name, value in found.metrics.items()]
    body = [
        [words, *_both(found, analysis, part)]
        for analysis, part, words in (*_ROWS, *_probed(found), *_positions(found))
        if found.number("held_out", analysis, part) is not None
    ]
    if body:
        regions = region_words([found]).values()
        lines += ["", *_table(["", *regions, "difference"], body)]
    lines += [sentence] if (sentence := not_apart([found])) else []
    lines += _composed(found)
    return "\n".join(lines)


def signed(number: float, digits: int = 2) -> str:
    """A difference with its sign."""
    return f"{number:+.{digits}f}"


def _both(found: Found, analysis: str, part: str) -> list[str]:
    inside = found.number("in_distribution", analysis, part)
    outside, gap = found.number("held_out", analysis, part), found.gap(analysis, part)
    digits = 3 if max(abs(inside or 0), abs(outside or 0)) < 2 else 2
    return [
        "" if inside is None else f"{inside:.{digits}f}",
        "" if outside is None else f"{outside:.{digits}f}",
        "" if gap is None else signed(gap, digits),
    ]


def _probed(found: Found) -> list[tuple[str, str, str]]:
    """What a probe reads right from reconstructions and true images, factor by factor."""
    parts = found.scores["held_out"].get("factor_errors", {})
    words = {"accuracy": "right", "true_accuracy": "right in true images"}
    return [
        ("factor_errors", part, f"{part.removesuffix(f'.{end}')} {said}, share")
        for part in parts
        for end, said in words.items()
        if part.endswith(f".{end}")
    ]


def _positions(found: Found) -> list[tuple[str, str, str]]:
    """Where codes are, and what is decoded from where they are expected."""
    words = {
        "distance": "distance from expected code, sd",
        "nearest_expected": "nearest to expected code, share",
        "excess_placed": "excess NLL of own code, nats",
        "excess_swapped": "excess NLL without displacement, nats",
        "recovered": "recovered, nats",
    }
    parts = found.scores["held_out"].get("attribution", {})
    return [("attribution", part, said) for part, said in words.items() if part in parts]


def _composed(found: Found) -> list[str]:
    """The three tests of a composer."""
    parts = found.composition
    regimes = [name for name in _NAMES if f"{name}.excess" in parts]
    if not regimes:
        return []
    body = [
        [
            _NAMES[regime],
            f"{parts[f'{regime}.excess']:.2f}",
            f"{parts[f'{regime}.copied']:.2f}" if f"{regime}.copied" in parts else "",
        ]
        for regime in regimes
    ]
    return ["", *_table(["composed images", "excess NLL, nats", "if nothing changed"], body)]


def _table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> list[str]:
    """Words on the left, numbers on the right."""
    widths = [max(len(row[i]) for row in (heads, *body)) for i in range(len(heads))]
    return [
        "  ".join(
            f"{cell:<{width}}" if place == 0 else f"{cell:>{width}}"
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (heads, *body)
    ]


def lines_of(groups: Sequence[Group], relations: Sequence[Relation]) -> list[str]:
    """Runs in groups as a table for each condition, with what is related."""
    lines: list[str] = []
    for place in dict.fromkeys((group.dataset, group.condition) for group in groups):
        own = [group for group in groups if (group.dataset, group.condition) == place]
        split = own[0].runs[0].split
        shown = columns_of(own)
        lines += [
            *([""] if lines else []),
            f"{place[1]} on {place[0]}: {KINDS[split.kind]}; held out: {split.condition.held_out}",
        ]
        heads = ["model", "runs", *(head for _, head, _ in shown)]
        body = [
            [
                group.model,
                str(len(group.runs)),
                *(_mean(group.number(column), digits) for column, _, digits in shown),
            ]
            for group in own
        ]
        lines += _table(heads, body)
        sentence = not_apart([run for group in own for run in group.runs])
        lines += [sentence] if sentence else []
        lines += [related(each) for each in relations if (each.dataset, each.condition) == place]
        for table in tables_of(own):
            lines += ["", f"{table.heading}. {_NOTES[table.name]}", *_beside(table)]
    return [*lines, "", *_LEGEND]


def _beside(table: Table) -> list[str]:
    """A table beside the main one."""
    body = [
        [
            f"{row.model}, {row.images}",
            *(_mean(cell, digits) for cell, digits in zip(row.cells, table.digits, strict=True)),
        ]
        for row in table.rows
    ]
    return _table(["model, images", *table.heads], body)


def columns_of(groups: Sequence[Group]) -> list[tuple[str, str, int]]:
    """The columns of `SHOWN` that say something of some groups.

    Raw gaps are shown where they are not those of the excess: where images have entropy.
    """
    means = {name: [group.number(name) for group in groups] for name, _, _ in SHOWN}
    binary = not any(mean is not None and mean.mean for mean in means["floor_gap"])
    without = {"nll_gap", "floor_gap"} if binary else set()
    return [
        column
        for column in SHOWN
        if column[0] not in without and any(mean is not None for mean in means[column[0]])
    ]


def related(relation: Relation) -> str:
    """One correlation as a sentence."""
    what = _RELATED[relation.column]
    if relation.rho is None:
        return (
            f"Whether disentanglement and {what} go together cannot be said of {relation.runs} "
            f"run{'' if relation.runs == 1 else 's'}."
        )
    ends = ""
    if relation.low is not None and relation.high is not None:
        ends = f", 95 % interval {relation.low:.2f} to {relation.high:.2f}"
    return (
        f"Rank correlation of disentanglement with {what} over {relation.runs} runs: "
        f"{relation.rho:.2f}{ends}."
    )


def _mean(mean: Mean | None, digits: int) -> str:
    """A mean with the ends of its interval."""
    if mean is None:
        return ""
    return f"{mean.mean:.{digits}f} ({ends_of(mean, digits)})"
