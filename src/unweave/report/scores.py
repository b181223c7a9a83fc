"""The scores of a run, and which latent follows which factor."""

from __future__ import annotations

__all__ = ["Follower", "Following", "ScoreView", "following", "is_of_factors", "score_views"]

from dataclasses import dataclass
from typing import Any, final

from unweave import plots
from unweave.report.words import count, number, plain, sentence_list
from unweave.scores import CLEAR_GAP


@final
@dataclass(frozen=True, kw_only=True)
class ScoreView:
    """One score, in words.

    Attributes:
        metric: Name of the metric.
        value: Its value.
        unit: Unit of the value; empty where it has none.
        facts: Label and text of everything that the score stands for.
        data: Text of the dataset.
        source: Where the images come from; empty when the score does not say.
        parts: Name and value of each part, with its unit.
    """

    metric: str
    value: str
    unit: str
    facts: dict[str, str]
    data: str
    source: str
    parts: list[tuple[str, str]]


@final
@dataclass(frozen=True, kw_only=True)
class Follower:
    """The latent that knows most about one factor.

    Attributes:
        factor: Name of the factor.
        latent: Name of the best latent, or empty when none knows anything.
        value: What it knows.
        share: Its part of the sum over all latents, as a percentage.
        second: Name and value of the runner-up.
        gap: The score's part for this factor, or empty.
        clear: Whether the gap is at least `CLEAR_GAP`; None without one.
        also: Other factors for which the same latent is best.
    """

    factor: str
    latent: str
    value: str
    share: str
    second: str
    gap: str
    clear: bool | None
    also: str


@final
@dataclass(frozen=True, kw_only=True)
class Following:
    """Which latent follows which factor, by the table behind one score.

    Attributes:
        metric: Name of the score.
        label: What the values of the table are.
        followers: One for each factor.
        sentence: The same in one or two sentences; empty where the score has no gaps.
    """

    metric: str
    label: str
    followers: list[Follower]
    sentence: str


_FACTS = ("text", "protocol", "data", "source", "part", "codes", "precision", "samples", "seed",
          "step", "unweave")  # fmt: skip


_CALL = ("protocol", "data", "source", "part", "codes", "seed", "step", "unweave")
"""What the scores of one call have in common."""


def score_views(scores: list[dict[str, Any]]) -> list[ScoreView]:
    """Every score as a page shows it, those of the newest call first.

    Args:
        scores: The scores of a run, oldest first. Neighbours with the same settings count as one
            call, and stay in the order in which they were computed.
    """
    calls: list[list[dict[str, Any]]] = []
    for score in scores:
        if calls and _of_call(score, calls[-1]):
            calls[-1].append(score)
        else:
            calls.append([score])
    return [_view(score) for call in reversed(calls) for score in call]


def _of_call(score: dict[str, Any], call: list[dict[str, Any]]) -> bool:
    """Whether a score has the settings of a call, which has no score of its metric yet."""
    return all(score.get(key) == call[0].get(key) for key in _CALL) and all(
        score.get("metric") != other.get("metric") for other in call
    )


def _view(score: dict[str, Any]) -> ScoreView:
    unit, units = plain(score.get("unit") or ""), score.get("units")
    units = units if isinstance(units, dict) else {}
    # What has a unit, such as a loss, is compared to more digits than a score from 0 to 1.
    digits = 5 if unit else 3
    return ScoreView(
        metric=plain(score.get("metric", "score")),
        value=number(score.get("value"), digits),
        unit=unit,
        facts={key: count(score[key]) for key in _FACTS if score.get(key) is not None},
        data=plain(score.get("data", "")),
        source=plain(score.get("source") or ""),
        parts=[
            (name, f"{number(part, digits)} {plain(units.get(name, unit))}".rstrip())
            for name, part in _parts(score).items()
        ],
    )


def following(scores: list[dict[str, Any]]) -> Following | None:
    """Read the table behind the newest MIG, or behind the newest score that has one.

    Args:
        scores: The scores of a run, oldest first. A table is
            `{"rows", "columns", "values", "label"}`.

    Returns:
        None when no score has a whole table.
    """
    tables = [score for score in reversed(scores) if is_of_factors(score.get("matrix"))]
    if not tables:
        return None
    score = min(tables, key=lambda score: score.get("metric") != "mig")
    matrix, gaps = score["matrix"], _parts(score)
    values = [[_real(value) for value in row] for row in matrix["values"]]
    best = plots.best_latents(values)
    followers = []
    for k, factor in enumerate(matrix["columns"]):
        column = [row[k] for row in values]
        row, gap = best[k], gaps.get(factor)
        others = [name for j, name in enumerate(matrix["columns"]) if best[j] == row and j != k]
        ranked = sorted(range(len(column)), key=lambda i: -column[i])
        known = sum(value for value in column if value > 0)
        followers.append(
            Follower(
                factor=str(factor),
                latent="" if row is None else str(matrix["rows"][row]),
                value="" if row is None else number(column[row], 3),
                share="" if row is None else f"{100 * column[row] / known:.0f} %",
                second=""
                if row is None or len(column) < 2
                else f"{matrix['rows'][ranked[1]]}, {number(column[ranked[1]], 3)}",
                gap="" if gap is None else number(gap, 3),
                clear=None if gap is None else bool(row is not None and _real(gap) >= CLEAR_GAP),
                also="" if row is None else sentence_list([str(name) for name in others]),
            )
        )
    return Following(
        metric=plain(score.get("metric", "score")),
        label=plain(matrix.get("label") or "value"),
        followers=followers,
        sentence=_sentence(followers),
    )


def _sentence(followers: list[Follower]) -> str:
    clear: dict[str, list[str]] = {}
    for follower in followers:
        if follower.clear:
            clear.setdefault(follower.latent, []).append(follower.factor)
    unclear = [follower.factor for follower in followers if follower.clear is False]
    parts = []
    if clear:
        said = (f"{latent} follows {sentence_list(names)}" for latent, names in clear.items())
        parts.append(f"{'; '.join(said)}.")
    if unclear:
        parts.append(f"No single latent clearly follows {sentence_list(unclear, 'or')}.")
    return " ".join(parts)


def _whole(matrix: Any) -> bool:
    """Whether a table has as many rows and columns as names, and at least one of each."""
    if not isinstance(matrix, dict):
        return False
    rows, columns, values = (matrix.get(key) for key in ("rows", "columns", "values"))
    if not (isinstance(rows, list) and isinstance(columns, list) and isinstance(values, list)):
        return False
    return bool(
        rows
        and columns
        and len(values) == len(rows)
        and all(isinstance(row, list) and len(row) == len(columns) for row in values)
    )


def is_of_factors(matrix: Any) -> bool:
    """Whether it is a whole table of latents and factors, not of latents or values alone."""
    return _whole(matrix) and matrix["rows"] != matrix["columns"] and not matrix.get("axes")


def _parts(score: dict[str, Any]) -> dict[str, Any]:
    parts = score.get("parts")
    return parts if isinstance(parts, dict) else {}


def _real(value: Any) -> float:
    return float(value) if isinstance(value, int | float) else float("-inf")
