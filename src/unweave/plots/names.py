"""Names in as little room as a figure has for them."""

from __future__ import annotations

__all__ = ["shortened", "spread_ticks", "wrapped"]

import itertools
import re
from collections import Counter
from collections.abc import Sequence

from unweave.plots.shares import clipped_end

# Inches that a bold letter is wide, on average, at a size of one point.
_LETTER = 0.0096
# The same of a plain one, and inches from one name to the next where names stand above each other.
_PLAIN_LETTER = 0.0085
_LINE = 0.17
_FEWEST_LETTERS = 12


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """Names of so many letters at most, which differ where the names do.

    A name is cut at its end. Where others would then be the same, what they have in common is cut
    out of their middle instead; and where that does not do either, they are numbered.

    Args:
        names: Equal names stay equal.
        longest: Letters that there is room for, at least 16.
    """
    different = list(dict.fromkeys(names))
    short = {name: clipped_end(name, longest) for name in different}
    for alike in _alike(short):
        letters = enumerate(zip(*alike, strict=False))
        start = next((k for k, of in letters if len(set(of)) > 1), min(map(len, alike)))
        room = longest // 2
        # From the beginning of the word that differs, if that is near.
        word = max(alike[0].rfind(mark, 0, start) for mark in " (,") + 1
        start = word if start - word <= room // 2 else start
        tails = {name: clipped_end(name[start:], room) for name in alike}
        head = longest - 1 - max(map(len, tails.values()))
        for name, tail in tails.items():
            short[name] = f"{name[:head]}\N{HORIZONTAL ELLIPSIS}{tail}"
    for number, name in enumerate(itertools.chain.from_iterable(_alike(short)), 1):
        mark = f" ({number})"
        short[name] = clipped_end(name, longest - len(mark)) + mark
    return [short[name] for name in names]


def _alike(short: dict[str, str]) -> list[list[str]]:
    """Names that are the same in short."""
    counts = Counter(short.values())
    return [
        [name for name, of in short.items() if of == text]
        for text, count in counts.items()
        if count > 1
    ]


def wrapped(text: str, inches: float, size: float) -> str:
    """Bold words in as many lines as they need; names break behind marks, where they must.

    Args:
        text: The words.
        inches: How wide a line may be.
        size: Font size in points.
    """
    letters = max(_FEWEST_LETTERS, int(inches / (_LETTER * size)))
    lines = [""]
    for word in text.split():
        for place, part in enumerate(_parts(word, letters)):
            gap = " " if lines[-1] and not place else ""
            if len(lines[-1]) + len(gap) + len(part) <= letters:
                lines[-1] += gap + part
            elif lines[-1]:
                lines.append(part)
            else:
                lines[-1] = part
    return "\n".join(lines)


def _parts(word: str, letters: int) -> list[str]:
    """A word that is too long for a line, in parts: behind marks, else wherever it must."""
    if len(word) <= letters:
        return [word]
    parts = [part for part in re.split(r"(?<=[_(,=])", word) if part]
    return [part[k : k + letters] for part in parts for k in range(0, len(part), letters)]


def spread_ticks(
    names: Sequence[str], inches: float, size: float | None = None
) -> tuple[list[float], list[str]]:
    """Where names of values stand along an axis, as many as there is room for, and what they are.

    Args:
        names: All of them.
        inches: How long the axis is.
        size: Font size in points of names side by side; None for names above each other.
    """
    short = [clipped_end(name) for name in names]
    each = _LINE if size is None else _PLAIN_LETTER * size * max(map(len, short)) + 0.1
    # Evenly, so that values can be counted between them.
    stride = -(-len(short) // max(2, int(inches / each)))
    return [float(at) for at in range(0, len(short), stride)], short[::stride]
