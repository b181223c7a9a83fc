"""Tables of latents and factors behind scores, with shades, to be read cell by cell."""

from __future__ import annotations

__all__ = ["AS_FIGURES", "Cell", "Map", "maps"]

from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np

from unweave import plots
from unweave.report.pictures import title_of
from unweave.report.scores import is_of_factors
from unweave.report.words import count, number, plain, sentence_list

AS_FIGURES: Final = ("mig", "dci", "dci_lasso", "dci_forest", "dci_hist", "dci_per_tree", "sap",
                     "sap_continuous")  # fmt: skip
"""Scores whose maps are drawn as figures, too."""

_MOST_LATENTS: Final = 64
_MOST_FACTORS: Final = 32
_FIRST: Final[tuple[str, ...]] = ("mig", "dci", "dci_lasso", "sap")
# Beyond these shades words must be of another colour, on a dark page and on a light one: there
# black and white are both told from the shade by a ratio of 4.5.
_MIDDLE, _DARK = 0.6, 0.82
_LARGE: Final = 100


@final
@dataclass(frozen=True, kw_only=True)
class Cell:
    """What one latent has of one factor.

    Attributes:
        text: The value, short.
        exact: The value to more digits; empty where it is not finite.
        shade: From 0 to 1, where 1 is the largest value of the map.
        tone: Which words can be read on the shade: nothing, `mid` or `mid dark`, as classes.
        best: Whether no latent has more of this factor.
    """

    text: str
    exact: str
    shade: str
    tone: str
    best: bool


@final
@dataclass(frozen=True, kw_only=True)
class Map:
    """The table behind a score, or behind several scores that have the same.

    Attributes:
        name: Name of the first of the scores.
        title: Heading.
        told: The scores with their protocols, in a sentence.
        label: What the values are, with their unit.
        factors: Names of the columns.
        latents: Names of the rows.
        rows: One a latent, with a cell for each factor.
        left_out: What there is no room for, in a sentence; empty where there is all.
    """

    name: str
    title: str
    told: str
    label: str
    factors: list[str]
    latents: list[str]
    rows: list[list[Cell]]
    left_out: str


def maps(scores: list[dict[str, Any]]) -> list[Map]:
    """The maps of a run: the newest of each metric, MIG and DCI first.

    Args:
        scores: The scores on one dataset, oldest first.
    """
    newest = {
        plain(score.get("metric", "score")): score
        for score in scores
        if is_of_factors(score.get("matrix"))
    }
    order = [name for name in _FIRST if name in newest]
    order += [name for name in newest if name not in _FIRST]
    groups: list[list[str]] = []
    for name in order:
        # Some scores are of one table, such as those of mutual information.
        for group in groups:
            if newest[group[0]]["matrix"] == newest[name]["matrix"]:
                group.append(name)
                break
        else:
            groups.append([name])
    step = scores[-1].get("step") if scores else None
    return [_map([newest[name] for name in group], step) for group in groups]


def _map(scores: list[dict[str, Any]], step: Any) -> Map:
    matrix, name = scores[0]["matrix"], plain(scores[0].get("metric", "score"))
    values = np.array([[_real(value) for value in row] for row in matrix["values"]], np.float64)
    sizes = np.nan_to_num(np.abs(values))
    latents, factors = (
        np.sort(np.argsort(-sizes.max(axis=1 - axis), kind="stable")[:most])
        for axis, most in enumerate((_MOST_LATENTS, _MOST_FACTORS))
    )
    left_out = [
        f"{count(size - len(kept))} {what}"
        for what, size, kept in zip(
            ("latents", "factors"), values.shape, (latents, factors), strict=True
        )
        if size > len(kept)
    ]
    return Map(
        name=name,
        title=title_of(name) if name in AS_FIGURES else f"The table behind {name}",
        told=f"{sentence_list([_told(score, step) for score in scores])}.",
        label=plain(matrix.get("label") or "value"),
        factors=[str(matrix["columns"][k]) for k in factors],
        latents=[str(matrix["rows"][j]) for j in latents],
        rows=_cells(values[np.ix_(latents, factors)]),
        left_out=f"Left out: {sentence_list(left_out)} with the smallest values."
        if left_out
        else "",
    )


def _cells(values: np.ndarray[Any, np.dtype[np.float64]]) -> list[list[Cell]]:
    finite = values[np.isfinite(values)]
    top, low = (max(float(finite.max()), 0.0), min(float(finite.min()), 0.0)) if len(finite) else (
        0.0, 0.0,
    )  # fmt: skip
    best = plots.best_latents(values)
    shades = np.nan_to_num((values - low) / ((top - low) or 1.0))
    digits = 0 if max(top, -low) >= _LARGE else 2
    return [
        [
            Cell(
                text=_short(value, digits),
                exact=f"{value:.4g}" if np.isfinite(value) else "",
                shade=f"{shade:.3f}",
                tone="mid dark" if shade > _DARK else "mid" if shade > _MIDDLE else "",
                best=best[k] == j,
            )
            for k, (value, shade) in enumerate(zip(row, line, strict=True))
        ]
        for j, (row, line) in enumerate(zip(values, shades, strict=True))
    ]


def _short(value: float, digits: int) -> str:
    if not np.isfinite(value):
        return "\N{EN DASH}"
    text = f"{value:.{digits}f}"
    return text.replace("-", "\N{MINUS SIGN}" if float(text) else "")


def _told(score: dict[str, Any], step: Any) -> str:
    name = plain(score.get("metric", "score"))
    facts = [plain(score["protocol"])] if score.get("protocol") else []
    if score.get("samples") is not None:
        facts.append(f"{count(score['samples'])} images")
    if score.get("step") not in (None, step):
        facts.append(f"of the weights of step {count(score['step'])}")
    told = f"{name} {number(score.get('value'), 3)}"
    return f"{told} ({', '.join(facts)})" if facts else told


def _real(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("nan")
