"""Words beside pixels, as pixels: for pictures that move, and for published layouts."""

from __future__ import annotations

__all__ = ["above", "beside", "bitmap_font", "height_of", "in_lines", "right_of"]

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from unweave.plots.images import Pixels, as_rgb

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

_INK = 27
_MARGIN = 4
# Size of words, in pixels, and how many of these a line takes.
_SIZE = 11
_LINE = 1.25
_ELLIPSIS = "\N{HORIZONTAL ELLIPSIS}"


@cache
def bitmap_font() -> Font:
    """The small font of pixels that Pillow had for its default until 2023."""
    older = getattr(ImageFont, "load_default_imagefont", ImageFont.load_default)
    font: Font = older()
    return font


@cache
def _font(size: int) -> Font:
    # That of all figures, which comes with matplotlib.
    path = Path(get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf"
    try:
        return ImageFont.truetype(path, size)
    except (ImportError, OSError):
        # Without FreeType there is the one of pixels alone.
        return bitmap_font()


def right_of(canvas: Pixels, texts: Sequence[str], width: int = 100) -> Pixels:
    """A column of words right of a canvas, evenly from its top to its bottom.

    Word i begins at the left end of the column, and its top is at the middle of the i-th of equal
    parts of the height: where disentangling-vae puts the KL of each latent.

    Args:
        canvas: (H, W, 3) uint8.
        texts: The words, each a line of Pillow's font of pixels, black on white.
        width: Pixels of the column.

    Returns:
        (H, W + width, 3) uint8.

    References:
        https://github.com/YannDubs/disentangling-vae
    """
    height, start, _ = canvas.shape
    wide = np.full((height, start + width, 3), 255, np.uint8)
    wide[:, :start] = canvas
    picture = Image.fromarray(wide)
    draw = ImageDraw.Draw(picture)
    count = len(texts)
    for place, text in enumerate(texts):
        at = int((place / count + 1 / (2 * count)) * height)
        draw.text((start + 0.005, at), text, (0, 0, 0), font=bitmap_font())
    return np.asarray(picture)


def beside(
    canvas: Pixels, texts: Sequence[str], middles: Sequence[float], size: int = _SIZE
) -> Pixels:
    """Words left of a canvas, each level with a place on it; they may have several lines.

    Args:
        canvas: (H, W, C) uint8.
        texts: The words.
        middles: Height of the middle of each, in pixels of the canvas.
        size: Of the words, in pixels.

    Returns:
        (H, W + as much as the words need, 3) uint8.
    """
    rgb = as_rgb(canvas, 3, "canvas")
    lines = [text.split("\n") for text in texts]
    font, step = _font(size), _LINE * size
    longest = max((font.getlength(line) for each in lines for line in each), default=0)
    room = int(np.ceil(longest)) + 2 * _MARGIN
    wide = np.full((len(rgb), room + rgb.shape[1], 3), 255, np.uint8)
    wide[:, room:] = rgb
    picture = Image.fromarray(wide)
    draw = ImageDraw.Draw(picture)
    for each, middle in zip(lines, middles, strict=True):
        top = middle - step * len(each) / 2
        for number, line in enumerate(each):
            at = (room - _MARGIN, top + step * (number + 0.5))
            draw.text(at, line, (_INK,) * 3, font=font, anchor=_anchor(font, "rm"))
    return np.asarray(picture)


def above(
    canvas: Pixels, texts: Sequence[str], middles: Sequence[float], size: int = _SIZE
) -> Pixels:
    """Words above a canvas, each in the middle over a place on it; they may have several lines.

    Args:
        canvas: (H, W, C) uint8.
        texts: The words.
        middles: Distance of the middle of each from the left end, in pixels of the canvas.
        size: Of the words, in pixels.

    Returns:
        (H + as many lines as the longest words have, W, 3) uint8.
    """
    rgb = as_rgb(canvas, 3, "canvas")
    font, step = _font(size), _LINE * size
    lines = [text.split("\n") for text in texts]
    room = int(step * max(map(len, lines), default=1)) + _MARGIN
    high = np.full((room + len(rgb), rgb.shape[1], 3), 255, np.uint8)
    high[room:] = rgb
    picture = Image.fromarray(high)
    draw = ImageDraw.Draw(picture)
    for each, middle in zip(lines, middles, strict=True):
        for number, line in enumerate(each):
            half = font.getlength(line) / 2
            # Words at the ends stay inside.
            at = min(max(middle, half + 1), max(rgb.shape[1] - half - 1, half + 1))
            # Last lines stand side by side.
            down = room - _MARGIN / 2 - step * (len(each) - number - 0.5)
            draw.text((at, down), line, (_INK,) * 3, font=font, anchor=_anchor(font, "mm"))
    return np.asarray(picture)


def _anchor(font: Font, name: str) -> str | None:
    """Fonts of pixels have no anchors."""
    return name if isinstance(font, ImageFont.FreeTypeFont) else None


def in_lines(text: str, width: float, most: int = 3, size: int = _SIZE) -> str:
    """Words in lines that are no wider than so many pixels; what does not fit is cut off.

    Args:
        text: The words.
        width: Pixels that a line may be wide.
        most: How many lines there may be.
        size: Of the words, in pixels.
    """
    font = _font(size)
    lines: list[str] = []
    for word in text.split():
        if lines and font.getlength(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    cut = len(lines) > most
    lines = lines[:most]
    for place, line in enumerate(lines):
        last = cut and place == len(lines) - 1
        if last or font.getlength(line) > width:
            while line and font.getlength(line + _ELLIPSIS) > width:
                line = line[:-1]
            lines[place] = line + _ELLIPSIS
    return "\n".join(lines)


def height_of(text: str, size: int = _SIZE) -> int:
    """Pixels that words take from the top of their first line to the foot of the last one."""
    return int(np.ceil(_LINE * size * (text.count("\n") + 1)))
