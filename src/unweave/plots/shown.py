"""What shows itself in a notebook: figures, pictures of pixels, and paths of pictures."""

from __future__ import annotations

__all__ = ["Drawn", "Picture", "ShownFigure", "pictured"]

from pathlib import Path
from typing import Any, final

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from unweave import display

# CSS pixels of an inch of a figure.
_INCH = 96
# Bytes of pictures at most that stand in a notebook for one list of paths; others are named.
_ROOM = 12_000_000


@final
class ShownFigure(Figure):
    """A figure of matplotlib that a notebook shows, whether or not `pyplot` is in use."""

    def _repr_png_(self) -> tuple[bytes, dict[str, int]]:
        """The PNG that `save` writes, and how large it is shown, in CSS pixels."""
        from unweave.plots.save import png

        width, height = (round(_INCH * float(side)) for side in self.get_size_inches())
        return png(self), {"width": width, "height": height}


@final
class Picture(np.ndarray[Any, np.dtype[np.uint8]]):
    """Pixels (H, W, C) uint8 that a notebook shows; what is computed of them is a plain array."""

    def __array_wrap__(self, array: Any, context: Any = None, return_scalar: bool = False) -> Any:
        """What NumPy computes, as it would be of a plain array."""
        return array[()] if return_scalar else np.asarray(array)

    def __getitem__(self, key: Any) -> Any:
        """Parts are plain arrays, or numbers."""
        return np.asarray(self)[key]

    def _is_whole(self) -> bool:
        bytes_alone = self.dtype == np.uint8
        return bytes_alone and self.ndim == 3 and self.shape[2] in (1, 3) and self.size > 0

    def __repr__(self) -> str:
        """How large it is; of anything but a picture, its numbers."""
        if not self._is_whole():
            return repr(np.asarray(self))
        height, width, channels = self.shape
        return f"<Picture of {height} x {width} pixels, {channels} channels>"

    def _repr_png_(self) -> bytes | None:
        """The picture pixel by pixel."""
        return display.png_of(np.asarray(self)) if self._is_whole() else None


def pictured(pixels: NDArray[np.uint8]) -> Picture:
    """Pixels (H, W, C) that a notebook shows."""
    return pixels.view(Picture)


@final
class Drawn(list[Path]):
    """Paths of pictures, which a notebook shows as they are when it looks at them."""

    def _repr_html_(self) -> str:
        """Each picture with its name; those that are gone or too large are named alone."""
        parts, room = [], _ROOM
        for path in self:
            try:
                content = path.read_bytes() if path.stat().st_size <= room else b""
            except OSError as error:
                parts.append(display.note(f"{path}: {error.strerror}"))
                continue
            if not content:
                parts.append(display.note(f"{path}: too large to be shown here"))
                continue
            room -= len(content)
            parts.append(display.picture(content, path.suffix.lower()[1:], str(path)))
        title = "No figures" if not self else f"{len(self)} figure{'s' * (len(self) > 1)}"
        return display.shown(title, *parts)
