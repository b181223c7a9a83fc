"""How numbers, times and settings are written on a page."""

from __future__ import annotations

__all__ = ["count", "duration", "flatten", "number", "plain", "sentence_list"]

import math
from collections.abc import Sequence
from typing import Any


def number(value: Any, digits: int = 4) -> str:
    """A measured number to some digits; what is not a finite number is said so."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return "not finite"
    if isinstance(value, int) or abs(value) >= 10**digits:
        return f"{value:,.0f}"
    if value and abs(value) < 1e-4:
        return f"{value:.1e}"
    decimals = digits - 1 - math.floor(math.log10(abs(value))) if abs(value) >= 1 else digits
    return f"{value:,.{max(decimals, 0)}f}"


def count(value: Any) -> str:
    """A whole number with thousands set apart, or the value as it is."""
    return f"{value:,}" if isinstance(value, int) else plain(value)


def duration(seconds: Any) -> str:
    """A time in its two largest units: "4 min 24 s"."""
    if not isinstance(seconds, int | float) or not math.isfinite(seconds) or seconds < 0:
        return ""
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {left} s"


def plain(value: Any) -> str:
    """A setting as it is written in a file: true, none, 0.001, one, two."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return ", ".join(plain(item) for item in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def flatten(values: dict[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    """Rows of a table of nested settings, inner names joined with dots."""
    rows: list[tuple[str, str]] = []
    for key, value in values.items():
        if isinstance(value, dict):
            rows += flatten(value, f"{prefix}{key}.")
        else:
            rows.append((f"{prefix}{key}", plain(value)))
    return rows


def sentence_list(items: Sequence[str], last: str = "and") -> str:
    """Words joined for a sentence: a, b and c."""
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))
