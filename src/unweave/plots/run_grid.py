"""The same picture of several runs, side by side: still or moving."""

from __future__ import annotations

__all__ = ["run_grid"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.plots.animation import Animation
from unweave.plots.images import Pixels, as_rgb
from unweave.plots.lettering import above, beside, height_of, in_lines

_GAP = 7


def run_grid(
    panels: Sequence[NDArray[Any] | Animation],
    places: Sequence[tuple[int, int]],
    rows: Sequence[str] = (),
    columns: Sequence[str] = (),
    *,
    gap: int = _GAP,
) -> Pixels | Animation:
    """Lay pictures of runs into rows and columns, on white, with a gap around each.

    Args:
        panels: Pictures (H, W, C) uint8 with C of 1 or 3, or moving ones of one time a frame.
        places: Row and column of each.
        rows: Words left of each row, which may have several lines; none to leave them out.
        columns: Words above each column, in up to three lines as wide as its pictures; none to
            leave them out.
        gap: Pixels on every side of a panel; 7 in the published grids of disentangling-vae.

    Returns:
        (H, W, 3) uint8; or, where any panel moves, a moving picture as long as the longest of
        them, which the others repeat.

    Raises:
        ValueError: There is no panel, or times a frame differ.
    """
    if not panels:
        raise ValueError("panels must hold at least one picture; got none.")
    films = [
        as_rgb(panel.frames, 4, "frames")
        if isinstance(panel, Animation)
        else as_rgb(panel, 3, "panels")[None]
        for panel in panels
    ]
    moving = [panel for panel in panels if isinstance(panel, Animation)]
    if len({(each.milliseconds, each.loops) for each in moving}) > 1:
        raise ValueError("All moving panels must have the same time a frame, and the same loops.")
    down, across = (max(place[axis] for place in places) + 1 for axis in (0, 1))
    heights, widths = np.zeros(down, int), np.zeros(across, int)
    for film, (row, column) in zip(films, places, strict=True):
        heights[row] = max(heights[row], film.shape[1])
        widths[column] = max(widths[column], film.shape[2])
    for row, text in enumerate(rows):
        # Words of neighbours stay apart.
        heights[row] = max(heights[row], height_of(text))
    tops = gap + np.concatenate([[0], np.cumsum(heights + gap)])
    lefts = gap + np.concatenate([[0], np.cumsum(widths + gap)])
    heads = [in_lines(text, wide) for text, wide in zip(columns, widths, strict=bool(columns))]
    length = max(map(len, films))
    frames = []
    for number in range(length):
        canvas = np.full((tops[-1], lefts[-1], 3), 255, np.uint8)
        for film, (row, column) in zip(films, places, strict=True):
            frame = film[number % len(film)]
            top, left = tops[row], lefts[column]
            canvas[top : top + frame.shape[0], left : left + frame.shape[1]] = frame
        if columns:
            canvas = above(canvas, heads, (lefts[:-1] + widths / 2).tolist())
        if rows:
            shift = len(canvas) - tops[-1]
            canvas = beside(canvas, rows, (shift + tops[:-1] + heights / 2).tolist())
        frames.append(canvas)
    if not moving:
        return frames[0]
    return Animation(
        frames=np.stack(frames), milliseconds=moving[0].milliseconds, loops=moving[0].loops
    )
