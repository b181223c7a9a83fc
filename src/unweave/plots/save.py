"""A figure or an array of pixels as PNG, and frames as a moving picture."""

from __future__ import annotations

__all__ = ["check_picture", "png", "save"]

import io
from pathlib import Path
from typing import IO, Any, BinaryIO, Final, cast

import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imsave
from numpy.typing import NDArray

from unweave.plots.animation import Animation, write_animation
from unweave.plots.images import as_rgb
from unweave.plots.style import styled
from unweave.rundir import atomic_write, check_replaceable

# matplotlib writes its version into every file; without it equal figures are equal bytes.
_METADATA: dict[str, Any] = {"Software": None}

_SIGNATURES: Final[dict[str, tuple[int, bytes]]] = {
    ".png": (0, b"\x89PNG\r\n\x1a\n"),
    ".gif": (0, b"GIF8"),
    ".webp": (8, b"WEBP"),
    ".mp4": (4, b"ftyp"),
}
"""Where each format has the bytes by which it is known."""


def check_picture(path: Path) -> None:
    """Refuse to write a picture over something else, before any work.

    Args:
        path: The file that is asked for. A picture of the same format that is there is replaced.

    Raises:
        SpecError: There is a folder, or a file that is no picture of the format of its name.
        UnweaveError: What is there cannot be read.
    """
    start, signature = _SIGNATURES.get(path.suffix.lower(), (0, b""))

    def is_one(handle: IO[bytes]) -> bool:
        return signature != b"" and handle.read(start + len(signature))[start:] == signature

    check_replaceable(path, "picture of that format", is_one)


@styled
def save(picture: Figure | NDArray[Any] | Animation, path: Path | str) -> Path:
    """Write a picture: whole or not at all, the same bytes for the same picture.

    Args:
        picture: A figure, or (H, W, C) uint8 with C of 1 or 3, written pixel by pixel; or a moving
            picture.
        path: Where to; the name ends in `.png`, and that of a moving picture in `.gif`, `.webp` or
            `.mp4`.

    Returns:
        The path.

    Raises:
        ValueError: The name does not end in `.png`, or the array is not an image.
        SpecError: A moving picture cannot be written in the format of its name.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    path = Path(path)
    if isinstance(picture, Animation):
        write_animation(picture, path)
        return path
    if path.suffix.lower() != ".png":
        raise ValueError(f"path must end in .png; got {path.name}.")
    pixels = None if isinstance(picture, Figure) else as_rgb(picture, 3, "picture")
    with atomic_write(path) as handle:
        if isinstance(picture, Figure):
            picture.savefig(handle, format="png", metadata=_METADATA)
        elif pixels is not None:
            contiguous = np.ascontiguousarray(pixels)
            imsave(cast("BinaryIO", handle), contiguous, format="png", metadata=_METADATA)
    return path


@styled
def png(figure: Figure) -> bytes:
    """A figure as the content of a PNG file, the same bytes as `save` writes."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", metadata=_METADATA)
    return stream.getvalue()
