"""Scores as text for people and as a form for JSON."""

from __future__ import annotations

__all__ = ["IN_FULL", "compact", "details", "form", "name_of_parts"]

import math
import textwrap
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from unweave.metrics.base import Matrix, Score

IN_FULL = 3
"""How many scores are shown with all that stands behind them; more are shown in short."""

_WIDTH = 100
# Further parts of a score are only counted.
_PARTS = 12
_GAPS = ("mig", "mig_sampled")


def name_of_parts(name: str) -> str:
    """What the parts of a metric are called that are those of single factors."""
    return "gap" if name in _GAPS else "part"


def form(score: Score) -> dict[str, Any]:
    """A form for JSON; a number that is not finite becomes null."""
    matrix = None if score.matrix is None else score.matrix.to_dict()
    if matrix is not None:
        matrix["values"] = [[_finite(value) for value in row] for row in matrix["values"]]
    return {
        "value": _finite(score.value),
        "parts": {name: _finite(part) for name, part in score.parts.items()},
        "matrix": matrix,
        "unit": score.unit,
        "units": score.units,
        "interval": None if score.interval is None else score.interval.to_dict(),
    }


def compact(scores: Mapping[str, Score]) -> str:
    """A table with one entry for each metric: its value, its interval if any, and its parts."""
    names = max(6, *(len(name) for name in scores), 0)
    intervals = any(score.interval for score in scores.values())
    indent = names + 2 + 9 + 2 + (22 if intervals else 0)
    middle = f"{'95 % over draws':>22}" if intervals else ""
    lines = [f"{'metric':<{names}}{'value':>11}{middle}  parts"]
    for name, score in scores.items():
        start = f"{name:<{names}}{score.value:>11.4f}"
        if intervals:
            start += f"{_interval(score):>22}"
        shown = [f"{part} {value:.4g}".replace(" ", "\0") for part, value in score.parts.items()]
        more = [f"and {len(shown) - _PARTS} more"] if len(shown) > _PARTS else []
        units = [f"in {score.unit}{_but_for(score)}"] if score.unit else []
        text = ", ".join([*shown[:_PARTS], *more, *units])
        wrapped = textwrap.wrap(text, max(30, _WIDTH - indent), break_long_words=False) or [""]
        wrapped = [line.replace("\0", " ") for line in wrapped]
        lines.append(f"{start}  {wrapped[0]}".rstrip())
        lines += [" " * indent + line for line in wrapped[1:]]
    return "\n".join(lines)


def _but_for(score: Score) -> str:
    """Which of the parts that are shown have another unit than the score, or none."""
    parts = list(score.parts)[:_PARTS]
    others = [part for part in parts if score.units.get(part, score.unit) != score.unit]
    return f" but for {' and '.join(others)}" if others else ""


def details(name: str, score: Score) -> list[str]:
    """Lines below the headline of a score: its interval, its matrix and its parts."""
    lines = []
    if score.interval is not None:
        repeats = len(score.interval.values)
        lines.append(
            f"  95 % over {repeats} draws of this table: {_interval(score)}, standard deviation "
            f"{score.interval.sd:.4f}"
        )
    rest = dict(score.parts)
    if score.matrix is not None:
        columns = score.matrix.columns
        own = {column: rest.pop(column) for column in columns if column in rest}
        lines += ["", *_matrix(score.matrix, own, name_of_parts(name))]
    width = max(14, *(len(part) + 2 for part in rest), 0)
    lines += (
        f"  {part:<{width}}{value:10.4f} {score.units.get(part, score.unit)}".rstrip()
        for part, value in rest.items()
    )
    return lines


def _matrix(matrix: Matrix, parts: Mapping[str, float], what: str) -> list[str]:
    """The matrix with its names, and a row of the parts that are one for each column."""
    width = max(12, *(len(column) + 3 for column in matrix.columns))
    side = max(6, *(len(row) + 1 for row in matrix.rows))
    if matrix.axes is not None:
        by = " and ".join(filter(None, matrix.axes))
        if side + 2 + width * len(matrix.columns) > _WIDTH:
            return [f"  {matrix.label}, by {by}: a table of {len(matrix.rows)} by "
                    f"{len(matrix.columns)}, which --json shows"]  # fmt: skip
        matrix = replace(matrix, label=f"{matrix.label}, by {by}")
    lines = [" " * (side + 2) + "".join(f"{column:>{width}}" for column in matrix.columns)]
    # Of a table of latents by latents there is nothing to mark.
    marked = matrix.of_latents
    best = matrix.values.argmax(axis=0)
    for i, row in enumerate(matrix.rows):
        cells = [
            f"{value:.3f}{'*' if marked and best[k] == i and value > 0 else ' '}"
            if math.isfinite(value)
            else "- "
            for k, value in enumerate(matrix.values[i])
        ]
        lines.append(f"  {row:<{side}}" + "".join(f"{cell:>{width}}" for cell in cells))
    if parts:
        cells = [f"{parts[c]:.3f} " if c in parts else "- " for c in matrix.columns]
        lines.append(f"  {what:<{side}}" + "".join(f"{cell:>{width}}" for cell in cells))
    mark = "; * marks the latent that follows the factor most closely" if marked else ""
    lines.append(f"  {matrix.label}{mark}")
    return lines


def _interval(score: Score) -> str:
    return "" if score.interval is None else score.interval.text()


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
