"""Moving pictures: frames with their time, as GIF, WebP or MP4."""

from __future__ import annotations

__all__ = ["FORMATS", "Animation", "Format", "check_format", "write_animation"]

import contextlib
import importlib.util
import io
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal, TypeAlias, final, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, features

from unweave import display
from unweave.errors import SpecError
from unweave.plots.images import Pixels, as_rgb
from unweave.rundir import atomic_write, explain_os_error

Format: TypeAlias = Literal["gif", "webp", "mp4"]
FORMATS: tuple[Format, ...] = get_args(Format)
"""What moving pictures can be written as."""

_COLOURS = 256


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Animation:
    """Frames that are shown one after the other.

    Attributes:
        frames: (F, H, W, C) uint8 with C of 1 or 3.
        milliseconds: How long each frame is shown.
        loops: How often all of it is shown; 0 for ever.

    Raises:
        ValueError: There is no frame, or a number is out of range.
    """

    frames: NDArray[np.uint8]
    milliseconds: int = 80
    loops: int = 0

    def __post_init__(self) -> None:
        """Refuse what no viewer shows."""
        as_rgb(self.frames, 4, "frames")
        if self.milliseconds < 20 or self.milliseconds % 10:
            raise ValueError(
                "milliseconds must be a multiple of 10, as GIF counts hundredths of a second, and "
                f"at least 20; got {self.milliseconds}."
            )
        if not 0 <= self.loops <= 65535:
            raise ValueError(f"loops must be from 0 to 65535; got {self.loops}.")

    def __repr__(self) -> str:
        """How many frames it has, and how large they are."""
        count, height, width, _ = self.frames.shape
        return f"<Animation of {count} frames of {height} x {width} pixels>"

    def _repr_html_(self) -> str:
        """The moving picture, as a GIF, for a notebook."""
        stream = io.BytesIO()
        _write(self, stream, "gif")
        return display.shown("", display.picture(stream.getvalue(), "gif", ""))


def check_format(name: str) -> Format:
    """A format in which moving pictures can be written here.

    Raises:
        SpecError: There is no such format, or what writes it is missing.
    """
    for known in FORMATS:
        if name == known:
            break
    else:
        raise SpecError(f"Unknown format {name!r:.60}. Choose one of: {', '.join(FORMATS)}.")
    if known == "webp" and not features.check("webp"):
        raise SpecError(
            "This Pillow was built without WebP. Install the Pillow of PyPI, or choose gif."
        )
    if known == "mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise SpecError(
            "mp4 is written by FFmpeg, which the package imageio-ffmpeg brings: "
            "pip install 'unweave[video]'. Or choose gif or webp."
        )
    return known


def write_animation(animation: Animation, path: Path) -> None:
    """Write a moving picture, whole or not at all; the ending of the name says in which format.

    GIF and WebP keep every pixel; but for GIFs of more than 256 colours, which are brought to 256
    that all frames share. In MP4 colours are coarser than pixels.

    Raises:
        SpecError: The format cannot be written.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    form = check_format(path.suffix.lower().removeprefix("."))
    if form == "mp4":
        _write_mp4(animation, path)
        return
    with atomic_write(path) as handle:
        _write(animation, handle, form)


def _write(animation: Animation, handle: IO[bytes], form: Literal["gif", "webp"]) -> None:
    if form == "gif":
        first, *others = _with_palette(animation.frames)
        options: dict[str, Any] = {"optimize": False, "disposal": 1}
    else:
        first, *others = [Image.fromarray(frame) for frame in as_rgb(animation.frames, 4, "")]
        options = {"lossless": True, "quality": 100, "method": 4}
    first.save(
        handle,
        format=form.upper(),
        save_all=True,
        append_images=others,
        duration=animation.milliseconds,
        loop=animation.loops,
        **options,
    )


def _with_palette(frames: Pixels) -> list[Image.Image]:
    """Frames as GIF takes them: grey, or with one palette for all, exact where that is enough."""
    if frames.shape[-1] == 1 or (frames == frames[..., :1]).all():
        return [Image.fromarray(np.ascontiguousarray(frame[..., 0])) for frame in frames]
    colours, places = np.unique(frames.reshape(-1, 3), axis=0, return_inverse=True)
    if len(colours) <= _COLOURS:
        indices = places.astype(np.uint8).reshape(frames.shape[:-1])
        made = [Image.fromarray(frame) for frame in indices]
        for frame in made:
            frame.putpalette(colours.tobytes())
        return made
    # Enough of the frames that no colour is missed which lasts.
    some = frames[:: max(1, len(frames) // 8)]
    whole = Image.fromarray(np.ascontiguousarray(some.reshape(-1, *some.shape[2:])))
    palette = whole.quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    dither = Image.Dither.FLOYDSTEINBERG
    return [Image.fromarray(frame).quantize(palette=palette, dither=dither) for frame in frames]


def _write_mp4(animation: Animation, path: Path) -> None:
    import imageio_ffmpeg

    frames = as_rgb(animation.frames, 4, "frames")
    # Its colours are those of blocks of two by two pixels.
    odd = [(0, side % 2) for side in frames.shape[1:3]]
    frames = np.pad(frames, ((0, 0), *odd, (0, 0)), mode="edge")
    # FFmpeg writes to a name, not to a handle.
    made = path.with_name(f".{path.stem}-{secrets.token_hex(4)}.mp4")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        writer = imageio_ffmpeg.write_frames(
            str(made),
            (frames.shape[2], frames.shape[1]),
            fps=1000 / animation.milliseconds,
            quality=8,
            macro_block_size=1,
            ffmpeg_log_level="error",
        )
        # FFmpeg ends when it is closed, also where a frame cannot be written.
        with contextlib.closing(writer):
            writer.send(None)
            for frame in frames:
                writer.send(np.ascontiguousarray(frame))
        with atomic_write(path) as handle:
            _copy(made, handle)
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        # Nor is there one where its folder could not be made.
        with contextlib.suppress(OSError):
            made.unlink()


def _copy(source: Path, handle: IO[bytes]) -> None:
    handle.write(source.read_bytes())
