"""What a picture shows of a run: which images, which latents, from where, how large."""

from __future__ import annotations

__all__ = [
    "SHOWN_IMAGES",
    "Row",
    "beginning",
    "images",
    "latent_rows",
    "shade",
    "size",
    "truncates",
]

import random
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave import plots
from unweave.errors import DataError, SpecError
from unweave.figures.look import Start
from unweave.figures.source import Source
from unweave.figures.walks import Beginning
from unweave.pictures import encode, probe_indices

SHOWN_IMAGES: Final = 20
"""Images that are drawn at random, of which pictures show the first ones."""

# Rows and columns of pictures of disentangling-vae.
_DISVAE: Final = (6, 7)
# What it puts between images of these datasets, and between others by their edges.
_DISVAE_SHADES: Final = {
    "mnist": 255, "fashion_mnist": 255, "dsprites": 255, "celeba": 0, "chairs3d": 0
}  # fmt: skip
_BRIGHT: Final = 128


@final
@dataclass(frozen=True)
class Row:
    """The row of a latent.

    Attributes:
        latent: Its number.
        kl: Its KL, nats; None where none was logged.
        factor: The factor that it follows, where that is clear.
    """

    latent: int
    kl: float | None
    factor: str | None

    @property
    def name(self) -> str:
        """What the row is called."""
        return f"z{self.latent}" + ("" if self.kl is None else f"  KL {self.kl:.2f}")

    @property
    def faint(self) -> bool:
        """Whether the latent carries nothing worth a look."""
        return self.kl is not None and self.kl < plots.INACTIVE_KL


def size(source: Source, rows: int, cols: int) -> tuple[int, int]:
    """Rows and columns: those that are asked for, or else these, or those of the layout."""
    look = source.look
    own = _DISVAE if look.layout == "disvae" else (rows, cols)
    return look.rows or own[0], look.cols or own[1]


def images(source: Source, count: int) -> NDArray[np.int64]:
    """Flat indices of images to show: those that are asked for, then others drawn at random.

    The layout of disentangling-vae draws as its code does, one lot for all pictures, of as many as
    there are rows times columns, of which these are the first.

    Args:
        source: The run, with its dataset.
        count: How many.

    Returns:
        (count,), or fewer where the dataset has no more.

    Raises:
        DataError: The dataset has no such image.
        SpecError: More are asked for than there is room for.
    """
    assert source.dataset is not None
    total, asked = len(source.dataset), list(source.look.indices)
    if asked and max(asked) >= total:
        raise DataError(
            f"indices must be below {total:,}, the number of images of {source.config.dataset}, "
            f"but one is {max(asked):,}."
        )
    rows, cols = size(source, 1, count)
    room = rows * cols if source.look.layout == "disvae" else count
    if len(asked) > room:
        raise SpecError(
            f"indices name {len(asked)} images, and the picture has room for {room}. Give it more "
            "rows or columns."
        )
    if source.look.layout == "disvae":
        drawn = random.Random(source.seed).sample(range(total), min(total, room - len(asked)))
    else:
        # The first ones are the same in all pictures.
        probes = probe_indices(SHOWN_IMAGES, total, source.seed).tolist()
        if count > SHOWN_IMAGES:
            probes += probe_indices(count, total, source.seed).tolist()
        drawn = [place for place in dict.fromkeys(probes) if place not in asked]
    return np.array([*asked, *drawn][:count], np.int64)


def _first(source: Source) -> NDArray[np.int64]:
    """The image that pictures show first, (1,)."""
    room = max(SHOWN_IMAGES, len(source.look.indices))
    return images(source, room)[:1]


def beginning(source: Source, default: Start) -> Beginning:
    """Where walks begin.

    At the prior a label that a conditional model is told has its middle value, since that start is
    no image that has labels.
    """
    model = source.model
    if (source.look.start or default) == "posterior":
        assert source.dataset is not None
        seen = encode(model, source.dataset, _first(source))
        told = None if seen.told is None else seen.told[:1]
        std = None if seen.std is None else seen.std[0]
        return Beginning("posterior", seen.mean[0], std, told, seen.images[0])
    told = None
    if model.conditions is not None:
        middle = [size // 2 for size in model.conditions.sizes]
        told = model.conditions.encode_known(torch.tensor([middle])).to(model.device)
    ones = np.ones(model.latents, np.float32)
    return Beginning("prior", np.zeros(model.latents, np.float32), ones, told)


def latent_rows(source: Source, most: int, *, ordered: bool = True) -> list[Row]:
    """Latents that have a row: those of the highest KL, highest first; else the first ones.

    Args:
        source: The run.
        most: How many at most.
        ordered: Whether they stand in the order of their KL, rather than of their numbers.
    """
    kl, names = source.last_kl(), source.latent_names()
    order = list(range(source.model.latents)) if kl is None else plots.order_by_kl(kl)
    chosen = order[:most] if ordered else sorted(order[:most])
    return [Row(j, None if kl is None else float(kl[j]), names[j]) for j in chosen]


def shade(source: Source, shown: NDArray[Any]) -> int:
    """The grey between images, of the layout.

    Args:
        source: The run.
        shown: Images that lie beside each other, (..., H, W, C) uint8.
    """
    if source.look.layout != "disvae":
        return plots.edge_colour(shown)
    known = _DISVAE_SHADES.get(source.config.dataset.name)
    if known is not None:
        return known
    edges = (shown[..., 0, :, :], shown[..., -1, :, :], shown[..., 0, :], shown[..., -1, :])
    return 0 if np.mean([float(edge.mean()) for edge in edges]) >= _BRIGHT else 255


def truncates(source: Source) -> bool:
    """Whether grey levels are cut off rather than rounded, as in published pictures."""
    return source.look.layout == "disvae"
