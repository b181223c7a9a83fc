"""How a model came to be, as a moving picture: of its snapshots, or of pictures on the way."""

from __future__ import annotations

__all__ = ["training"]

import re
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from unweave import plots
from unweave.figures.chosen import beginning, latent_rows, size
from unweave.figures.source import Source
from unweave.figures.walks import walk
from unweave.pictures import traverse
from unweave.trained import load_model
from unweave.training.checkpoint import load_tensors

SHOWN_LATENTS: Final = 10
SHOWN_VALUES: Final = 9
# More frames are left out evenly.
FRAMES: Final = 60
MILLISECONDS: Final = 200
# Size of words, in pixels, over figures and over tiles.
_LARGE: Final = 26


def training(source: Source) -> plots.Animation | None:
    """Traversals from snapshot to snapshot; where there are none, the pictures of the training."""
    snapshots = _chosen(source.folder / "snapshots", "step-*.safetensors")
    if len(snapshots) > 1:
        frames = [_of_snapshot(source, step, path) for step, path in snapshots]
    else:
        drawn = _chosen(source.folder / "figures" / "training", "step-*.png")
        if len(drawn) < 2:
            return None
        frames = _same_size([_opened(path) for _, path in drawn])
        if source.look.labelled:
            frames = [
                plots.above(frame, [_said(step)], [frame.shape[1] / 2], _LARGE)
                for frame, (step, _) in zip(frames, drawn, strict=True)
            ]
    # The last one is looked at longest.
    frames += [frames[-1]] * 3
    return plots.Animation(frames=np.stack(frames), milliseconds=MILLISECONDS)


def _of_snapshot(source: Source, step: int, path: Path) -> NDArray[np.uint8]:
    """Traversals of the weights at a step, with latents in their order, as they have no KL yet."""
    model = load_model(source.config, load_tensors(path), source.folder)
    look = source.look
    most, cols = size(source, SHOWN_LATENTS, SHOWN_VALUES)
    then = Source(source.folder, source.config, model, source.dataset, source.step, look)
    start = beginning(then, "prior")
    rows = latent_rows(source, most, ordered=False)
    latents = [row.latent for row in rows]
    values = walk(look, cols, start).values[latents]
    shown = plots.enlarge(
        traverse(model, start.mean, values, latents, told=start.told), look.upsample
    )
    canvas: NDArray[np.uint8] = plots.tile(shown, 2, plots.edge_colour(shown))
    if not look.labelled:
        return canvas
    tall = shown.shape[2]
    canvas = plots.above(canvas, [_said(step)], [canvas.shape[1] / 2])
    top = len(canvas) - len(rows) * (tall + 2) - 2
    middles = [top + 2 + tall / 2 + k * (tall + 2) for k in range(len(rows))]
    names = [f"z{row.latent}" + (f"\n{row.factor}" if row.factor else "") for row in rows]
    return plots.beside(canvas, names, middles)


def _chosen(folder: Path, pattern: str) -> list[tuple[int, Path]]:
    """Files by the step of their names, at most so many, evenly from the first to the last."""
    found = sorted(
        (int(match[1]), path)
        for path in folder.glob(pattern)
        if (match := re.search(r"step-(\d+)$", path.stem))
    )
    count = min(FRAMES, len(found))
    places = np.linspace(0, max(0, len(found) - 1), count).round()
    return [found[int(place)] for place in places]


def _opened(path: Path) -> NDArray[np.uint8]:
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def _same_size(frames: list[NDArray[np.uint8]]) -> list[NDArray[np.uint8]]:
    """Frames with white at the right and below, where others are larger."""
    height, width = (max(frame.shape[axis] for frame in frames) for axis in (0, 1))
    return [
        np.pad(
            frame,
            ((0, height - frame.shape[0]), (0, width - frame.shape[1]), (0, 0)),
            constant_values=255,
        )
        for frame in frames
    ]


def _said(step: int) -> str:
    return f"step {step:,}"
