"""What several models make of the same images, group by group."""

from __future__ import annotations

__all__ = ["held_out_reconstructions"]

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave.plots.grid import centres, image_grid, label_row
from unweave.plots.images import Pixels, as_rgb, edge_colour, tile
from unweave.plots.names import shortened, wrapped
from unweave.plots.shares import clipped_end
from unweave.plots.style import BLUE, FAINT, INK, MARK, MUTED, WIDTH, styled, write_title

_PAD = 2
_RIGHT = 0.08
# Inches: between groups, the widest tile, and the narrowest before conditions go on below.
_GAP = 0.07
_LARGEST_TILE = 0.9
_SMALLEST_TILE = 0.33
# Inches between rows of conditions.
_BETWEEN = 0.12
# Inches that a letter of one point takes; points of the names of conditions, and of regions.
_LETTER, _BOLD = 0.0086, 0.0096
_CONDITION = 8.5
_SIZES = (8.0, 7.5, 7.0, 6.5, 6.0)
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"
_LONGEST = 26
_RULES = (BLUE, MARK)


@dataclass(frozen=True)
class _Group:
    """Images that stand together: which they are, and where their tiles begin and end."""

    condition: str
    region: str
    images: range
    start: int
    end: int
    colour: str


@styled
def held_out_reconstructions(
    originals: NDArray[Any],
    by_model: Sequence[NDArray[Any]],
    names: Sequence[str],
    groups: Mapping[str, Mapping[str, int]],
    *,
    title: str = "",
    original_name: str = "original",
) -> Figure:
    """Originals in the top row, and a row for each model: a column an image, in groups.

    Conditions stand side by side; those for which tiles would become too small go on below.

    Args:
        originals: (n, H, W, C) uint8 with C of 1 or 3.
        by_model: Of each model (n, H, W, C) uint8, in the same order.
        names: Of the models.
        groups: Condition -> region, such as `in distribution` or `held out` -> how many of the
            images, in their order, belong to it; n in all.
        title: Words above.
        original_name: What the top row is called.

    Returns:
        The figure; tiles are drawn without resampling.

    Raises:
        ValueError: Wrong types or shapes, names that do not fit, or groups of another number.
    """
    stack = _checked(originals, by_model, names)
    rows, count, tall, wide, _ = stack.shape
    counts = [number for regions in groups.values() for number in regions.values()]
    if not all(groups.values()) or min(counts, default=0) < 1 or sum(counts) != count:
        raise ValueError(
            f"groups must name each of {count} images, and at least one each; got {counts}."
        )
    shade = edge_colour(stack[0])
    words = shortened([original_name, *names], _LONGEST)
    left = 0.25 + _LETTER * 8.5 * max(map(len, words))

    room = WIDTH - left - _RIGHT
    bands = _bands(groups, room)
    side = min(_side(groups, band, room) for band in bands)
    heads = _heads(groups, side)
    # Pixels of the canvas that some inches of the figure are.
    gap, below = (
        max(1, round(inches * (wide + _PAD) / side)) for inches in (_GAP, heads.high + _BETWEEN)
    )
    blocks: list[Pixels] = []
    placed: list[tuple[int, list[_Group]]] = []
    first = top = 0
    for number, band in enumerate(bands):
        images, found = _block(stack, {name: groups[name] for name in band}, first, gap, shade)
        if number:
            blocks.append(np.full((below, 1, 3), 255, np.uint8))
            top += below
        blocks.append(images)
        placed.append((top, found))
        top += len(images)
        first = found[-1].images.stop
    across = max(block.shape[1] for block in blocks)
    canvas = np.concatenate([_widened(block, across) for block in blocks])
    title = wrapped(title, left + across * side / (wide + _PAD), 9.5)
    above = 0.04 + (0.12 + 0.16 * (title.count("\n") + 1)) * bool(title)
    figure, axes, inches = image_grid(
        canvas, columns=[], left=left, top=heads.high + above, tile_width=wide,
        largest_tile=_LARGEST_TILE,
    )  # fmt: skip
    # Rules above the images would move the ends of the axes.
    axes.autoscale(enable=False)
    size = max(3.5, min(8.5, (tall + _PAD) * inches * 72 * 0.72))
    for top, found in placed:
        for row, middle in enumerate(top + centres(rows, tall, _PAD)):
            label_row(axes, middle, words[row], size, INK if row else MUTED)
        _headings(axes, top, found, heads, inches)
    write_title(figure, title)
    return figure


def _checked(
    originals: NDArray[Any], by_model: Sequence[NDArray[Any]], names: Sequence[str]
) -> Pixels:
    """Originals and what each model makes of them, (1 + models, n, H, W, 3)."""
    if len(by_model) != len(names) or not names:
        raise ValueError(
            f"by_model must be one for each of {len(names)} names, at least one; "
            f"got {len(by_model)}."
        )
    stack = [as_rgb(originals, 4, "originals")]
    for name, images in zip(names, by_model, strict=True):
        stack.append(as_rgb(images, 4, f"images of {name!r}"))
        if stack[-1].shape != stack[0].shape:
            raise ValueError(
                f"images of {name!r} must have the shape of the originals; "
                f"got {np.shape(images)} and {np.shape(originals)}."
            )
    return np.stack(stack)


def _side(groups: Mapping[str, Mapping[str, int]], band: Sequence[str], room: float) -> float:
    """Inches of a tile, with its margin, where some conditions stand side by side."""
    gaps = sum(len(groups[name]) for name in band) - 1
    tiles = sum(sum(groups[name].values()) for name in band)
    return max(0.02, min(_LARGEST_TILE, (room - _GAP * gaps) / tiles))


def _bands(groups: Mapping[str, Mapping[str, int]], room: float) -> list[list[str]]:
    """Which conditions stand side by side.

    As many as leave tiles large enough, and the words over them whole, evenly in each row.
    """
    names = list(groups)
    fallback: list[list[str]] = []
    for rows in range(1, len(names) + 1):
        each = -(-len(names) // rows)
        bands = [names[k : k + each] for k in range(0, len(names), each)]
        side = min(_side(groups, band, room) for band in bands)
        if side >= _SMALLEST_TILE:
            if _heads(groups, side).whole:
                return bands
            # One row of conditions each may not make words whole, either.
            fallback = fallback or bands
    return fallback or [[name] for name in names]


def _block(
    stack: Pixels, groups: Mapping[str, Mapping[str, int]], first: int, gap: int, shade: int
) -> tuple[Pixels, list[_Group]]:
    """The images of one row of conditions as one picture, and where its groups are."""
    parts: list[Pixels] = []
    found: list[_Group] = []
    at = 0
    for condition, regions in groups.items():
        for place, (region, count) in enumerate(regions.items()):
            if parts:
                parts.append(np.full((len(parts[0]), gap, 3), 255, np.uint8))
                at += gap
            images = range(first, first + count)
            parts.append(tile(stack[:, images.start : images.stop], _PAD, shade))
            colour = _RULES[place] if place < len(_RULES) else MUTED
            found.append(_Group(condition, region, images, at, at + parts[-1].shape[1], colour))
            at += parts[-1].shape[1]
            first += count
    return np.concatenate(parts, axis=1), found


def _widened(block: Pixels, width: int) -> Pixels:
    """A picture with white on the right of it."""
    white = np.full((len(block), width - block.shape[1], 3), 255, np.uint8)
    return np.concatenate([block, white], axis=1)


@dataclass(frozen=True)
class _Heads:
    """Words over the groups: of each region and each condition, how large, and how high.

    Attributes:
        regions: (condition, region) -> words.
        conditions: Condition -> words.
        size: Points of the words of regions.
        start: Points above the images at which the words of conditions stand.
        high: Inches of all.
        whole: Whether no word is cut.
    """

    regions: dict[tuple[str, str], str]
    conditions: dict[str, str]
    size: float
    start: float
    high: float
    whole: bool


def _heads(groups: Mapping[str, Mapping[str, int]], side: float) -> _Heads:
    """Words over the groups, in as many lines as they need where tiles have a side in inches."""
    conditions = {
        name: _lines(name, side * sum(of.values()) + _GAP * (len(of) - 1), _BOLD * _CONDITION)
        for name, of in groups.items()
    }
    places = {(name, region): side * of[region] for name, of in groups.items() for region in of}
    size, regions, whole = 0.0, {}, False
    for size in _SIZES:
        regions = {key: _lines(key[1], wide, _LETTER * size) for key, wide in places.items()}
        if whole := all(_ELLIPSIS not in words for words in regions.values()):
            break
    whole &= all(_ELLIPSIS not in words for words in conditions.values())
    lines = [
        max(words.count("\n") + bool(words) for words in of)
        for of in (regions.values(), conditions.values())
    ]
    start = 5.5 + 1.2 * size * lines[0] + 4 * bool(lines[0])
    high = (start + 1.2 * _CONDITION * lines[1]) / 72
    return _Heads(regions, conditions, size, start, high, whole)


def _lines(text: str, inches: float, letter: float) -> str:
    """Words in two lines at most, cut at their end where these are too short."""
    most = max(3, int(inches / letter))
    lines = textwrap.wrap(text, most, break_long_words=False)
    if len(lines) > 2:
        lines = [lines[0], " ".join(lines[1:])]
    return "\n".join(clipped_end(line, most) for line in lines)


def _headings(
    axes: Axes, top: int, groups: Sequence[_Group], heads: _Heads, inches: float
) -> None:
    """The name of each condition, and below it that of each region with a rule over its images."""
    point = 1 / (72 * inches)
    words: dict[str, Any] = {
        "textcoords": "offset points", "ha": "left", "va": "baseline", "linespacing": 1.05,
        "annotation_clip": False,
    }  # fmt: skip
    for number, group in enumerate(groups):
        start = group.start + _PAD
        axes.plot(
            (start, group.end - _PAD), (top - 2.5 * point,) * 2, color=group.colour, linewidth=1.8,
            solid_capstyle="butt", clip_on=False,
        )  # fmt: skip
        axes.annotate(
            heads.regions[group.condition, group.region], (start, top), xytext=(0, 6),
            fontsize=heads.size, color=MUTED, **words,
        )  # fmt: skip
        if number and group.condition == groups[number - 1].condition:
            continue
        axes.annotate(
            heads.conditions[group.condition], (start, top), xytext=(0, heads.start + 2),
            fontsize=_CONDITION, fontweight="bold", color=INK, **words,
        )  # fmt: skip
        if number:
            at = group.start - _GAP / inches / 2
            axes.plot((at, at), (top - 72 * heads.high * point, top - 2 * point), color=FAINT,
                      linewidth=0.6, clip_on=False)  # fmt: skip
