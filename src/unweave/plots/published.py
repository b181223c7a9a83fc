"""The layouts of disentangling-vae, pixel by pixel."""

from __future__ import annotations

__all__ = ["disvae_animation", "disvae_grid", "disvae_reconstruct_traverse"]

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.plots.animation import Animation
from unweave.plots.images import Pixels, tile
from unweave.plots.lettering import right_of
from unweave.plots.shown import pictured

_PAD = 2
# Twelve frames a second, as GIFs of its time stored them.
_MILLISECONDS = 80
_LOOPS = 65535


def disvae_grid(images: NDArray[Any], shade: int) -> Pixels:
    """Images side by side, with 2 pixels around and between them.

    Args:
        images: (rows, cols, H, W, C) uint8 with C of 1 or 3.
        shade: Grey of what lies between: 255 where backgrounds are black, 0 where they are white.

    Returns:
        (rows * (H + 2) + 2, cols * (W + 2) + 2, 3) uint8.

    References:
        https://github.com/YannDubs/disentangling-vae
    """
    return pictured(tile(images, _PAD, shade))


def disvae_reconstruct_traverse(
    originals: NDArray[Any],
    reconstructed: NDArray[Any],
    walks: NDArray[Any],
    shade: int,
    kl: Sequence[float] = (),
) -> Pixels:
    """Images, their reconstructions, and a row for each latent, as `reconstruct_traverse.png`.

    Args:
        originals: (n, H, W, C) uint8.
        reconstructed: (n, H, W, C) uint8.
        walks: (rows, n, H, W, C) uint8.
        shade: Grey between images.
        kl: KL of the latent of each row, nats, for a column of words; none to leave it out.

    Returns:
        ((rows + 2) * (H + 2) + 4, n * (W + 2) + 2, 3) uint8, and 100 columns more for words.

    References:
        https://github.com/YannDubs/disentangling-vae
    """
    canvas = np.concatenate(
        [tile(np.stack([originals, reconstructed]), _PAD, shade), tile(walks, _PAD, shade)]
    )
    if len(kl):
        canvas = right_of(canvas, ["orig", "recon", *(f"KL={value:.4f}" for value in kl)])
    return pictured(canvas)


def disvae_animation(films: NDArray[Any], shade: int) -> Animation:
    """A column for each image, a row for each latent, as `posterior_traversals.gif`.

    Args:
        films: (frames, rows, cols, H, W, C) uint8.
        shade: Grey between images.

    Returns:
        Frames of (rows * (H + 2) + 2, cols * (W + 2) + 4), 80 ms each.

    References:
        https://github.com/YannDubs/disentangling-vae
    """
    grids = np.stack([tile(images, _PAD, shade) for images in films])
    # The last column is closed twice.
    wide = np.pad(grids, ((0, 0), (0, 0), (0, _PAD), (0, 0)), constant_values=shade)
    return Animation(frames=wide, milliseconds=_MILLISECONDS, loops=_LOOPS)
