"""The words of a figure as they are drawn: where each stands, and which of them cannot be read."""

from __future__ import annotations

import itertools
from unittest import mock

import numpy as np
from matplotlib.text import Text

# Words may touch a little: boxes have room above and below letters that few of them use.
_SLACK = 0.16
# Points of the smallest letters that can be read in a printed report, or by magnifying a page.
SMALLEST = 4.0


def drawn_words(figure):
    """All words that a figure shows, with their boxes: (4, 2) corners in pixels from below left.

    Words that an axis has, but does not draw because they lie beyond its ends, are not among them.
    """
    found = {}

    def draw(text, renderer, *args, **kwargs):
        if text.get_visible() and text.get_text().strip():
            found[id(text)] = text

    with mock.patch.object(Text, "draw", draw):
        figure.draw_without_rendering()
    return [(text, _corners(text)) for text in found.values()]


def _corners(text):
    """Corners of a box that is turned as the words are."""
    whole = Text.get_window_extent(text)
    middle = np.array([(whole.x0 + whole.x1) / 2, (whole.y0 + whole.y1) / 2])
    turn = text.get_rotation()
    wide, high = whole.width, whole.height
    if turn % 90:
        text.set_rotation(0)
        level = Text.get_window_extent(text)
        text.set_rotation(turn)
        wide, high = level.width, level.height
    elif turn % 180:
        turn, wide, high = turn, whole.height, whole.width
    high *= 1 - _SLACK
    angle = np.deg2rad(turn)
    along, up = np.array([np.cos(angle), np.sin(angle)]), np.array([-np.sin(angle), np.cos(angle)])
    return middle + np.array(
        [a * wide / 2 * along + b * high / 2 * up for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    )


def meet(one, other):
    """Whether two boxes, (4, 2) each, share more than an edge: no line separates them."""
    for box in (one, other):
        for start, end in itertools.pairwise(box[[0, 1, 2]]):
            axis = end - start
            a, b = one @ axis, other @ axis
            room = 0.5 * np.linalg.norm(axis)
            if a.max() <= b.min() + room or b.max() <= a.min() + room:
                return False
    return True


def faults(figure):
    """What is wrong with the words of a figure, a line each."""
    words = drawn_words(figure)
    width, height = figure.bbox.width, figure.bbox.height
    lines = []
    for text, box in words:
        said = text.get_text().replace("\n", " / ")[:50]
        low, high = box.min(axis=0), box.max(axis=0)
        over = max(-low[0], -low[1], high[0] - width, high[1] - height)
        if over > 1:
            lines.append(f"cut by {over:.0f} pixels: {said!r}")
        if text.get_fontsize() < SMALLEST:
            lines.append(f"only {text.get_fontsize():.1f} points: {said!r}")
    if not words:
        return lines
    corners = np.stack([box for _, box in words])
    low, high = corners.min(axis=1), corners.max(axis=1)
    # Few upright boxes meet, and only these are worth a closer look.
    near = ((low[:, None] < high[None]) & (low[None] < high[:, None])).all(axis=-1)
    for first, second in zip(*np.nonzero(np.triu(near, 1)), strict=True):
        (one, a), (other, b) = words[first], words[second]
        if meet(a, b):
            said = [text.get_text().replace("\n", " / ")[:40] for text in (one, other)]
            lines.append(f"overlap: {said[0]!r} and {said[1]!r}")
    return lines
