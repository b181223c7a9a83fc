"""From the lines of `metrics.jsonl` to curves."""

from __future__ import annotations

__all__ = ["GROUPS", "Curves", "collect", "unfinite"]

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from unweave.curves.thinning import POINTS, thinned

Curves: TypeAlias = dict[str, dict[str, list[list[float]]]]
"""group -> name -> [[step, value], ...]"""

_NAMED: Final = ("loss", "raw", "weighted", "watched")
GROUPS: Final = (*_NAMED, "kl", "scores", "lr", "speed")
"""Losses of players; terms before and after their weights; what terms watch; KL of each latent;
scores during the training; learning rate; images a second."""


def collect(rows: Iterable[Mapping[str, Any]], most: int = POINTS) -> Curves:
    """Curves by group and name.

    Values that are not finite numbers are passed over.

    Args:
        rows: Lines of `metrics.jsonl` in order, of both events.
        most: Points that a curve has at most; of longer ones see `thinned`.

    Returns:
        Of `GROUPS` those that have values. Values have six digits.
    """
    found: dict[str, dict[str, list[tuple[int, float]]]] = {}
    for row in rows:
        for group, name, value in _values(row):
            if _finite(value):
                curves = found.setdefault(group, {})
                curves.setdefault(name, []).append((row["step"], value))
    return {
        group: {
            name: [[step, float(f"{value:.6g}")] for step, value in thinned(points, most)]
            for name, points in curves.items()
        }
        for group, curves in found.items()
    }


def unfinite(rows: Iterable[Mapping[str, Any]]) -> int:
    """How many values `collect` passes over."""
    return sum(not _finite(value) for row in rows for _, _, value in _values(row))


def _values(row: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    """Group, name and value of all that a line has; a line without a step has nothing."""
    if not isinstance(row.get("step"), int):
        return
    if row.get("event") == "scores":
        yield from (("scores", name, value) for name, value in _table(row, "scores"))
        return
    for group in _NAMED:
        yield from ((group, name, value) for name, value in _table(row, group))
    kl = row.get("kl")
    for latent, value in enumerate(kl if isinstance(kl, list) else ()):
        yield "kl", f"z{latent}", value
    for group, name in (("lr", "lr"), ("speed", "images_per_second")):
        if name in row:
            yield group, name, row[name]


def _table(row: Mapping[str, Any], key: str) -> Iterable[tuple[str, Any]]:
    table = row.get(key)
    return table.items() if isinstance(table, dict) else ()


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
