"""Times, sizes and tables as people read them."""

from __future__ import annotations

__all__ = ["duration", "size_text", "table"]

from collections.abc import Sequence


def duration(seconds: float) -> str:
    """Seconds for people: `42 s`, `3:07 min`, `2:15 h`, `3.2 days`."""
    if seconds < 60:
        return f"{seconds:.0f} s"
    if seconds < 3600:
        return f"{int(seconds) // 60}:{int(seconds) % 60:02d} min"
    if seconds < 48 * 3600:
        return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d} h"
    return f"{seconds / 86400:.1f} days"


def size_text(count: int) -> str:
    """Bytes for people."""
    size = float(count)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if size >= 10 or unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def table(heads: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """Columns of text under their heads."""
    widths = [max(len(row[i]) for row in (heads, *body)) for i in range(len(heads))]
    lines = [
        "  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in (heads, *body)
    ]
    return "\n".join(lines)
