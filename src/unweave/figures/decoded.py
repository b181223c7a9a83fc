"""Images of a run side by side: of its dataset, reconstructed, and drawn from the prior."""

from __future__ import annotations

__all__ = ["data_samples", "disvae_noise", "reconstructions", "samples"]

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from unweave import plots
from unweave.errors import SpecError
from unweave.figures.chosen import images, shade, size, truncates
from unweave.figures.source import Source
from unweave.pictures import decode, reconstruct
from unweave.splits import keyed_generator
from unweave.vae import VAE

SHOWN_ROWS = 5
SHOWN_COLUMNS = 10
# Rows of pairs.
SHOWN_PAIRS = 2


def samples(source: Source) -> NDArray[np.uint8]:
    """Images decoded from the prior."""
    model = source.model
    rows, cols = size(source, SHOWN_ROWS, SHOWN_COLUMNS)
    if source.look.layout == "disvae":
        codes = disvae_noise(model, rows * cols, source.seed)
    else:
        rng = keyed_generator(source.seed, "samples of the prior")
        codes = rng.standard_normal((rows * cols, model.latents)).astype(np.float32)
    told = None
    if model.conditions is not None:
        # Labels to an equal share, each independently.
        rng = keyed_generator(source.seed, "labels of samples")
        drawn = np.stack([rng.integers(n, size=len(codes)) for n in model.conditions.sizes], 1)
        told = model.conditions.encode_known(torch.from_numpy(drawn)).to(model.device)
    return _grid(source, decode(model, codes, told, truncate=truncates(source)), rows, cols)


def data_samples(source: Source) -> NDArray[np.uint8] | None:
    """Images of the dataset."""
    if source.dataset is None:
        return None
    rows, cols = size(source, SHOWN_ROWS, SHOWN_COLUMNS)
    return _grid(source, source.dataset.images(images(source, rows * cols)), rows, cols)


def reconstructions(source: Source) -> Any | None:
    """Images of the dataset, and what the model makes of them.

    Raises:
        SpecError: The layout shows them in half of the rows, and the number of rows is odd.
    """
    if source.dataset is None:
        return None
    look = source.look
    rows, cols = size(source, SHOWN_PAIRS, SHOWN_COLUMNS)
    if look.layout == "disvae":
        if rows % 2:
            raise SpecError(
                "The layout disvae shows reconstructions in the lower half of the rows, so that "
                f"rows must be even, not {rows}."
            )
        rows //= 2
    flat = images(source, rows * cols)
    pairs = reconstruct(source.model, source.dataset, flat, truncate=truncates(source))
    if look.layout == "disvae":
        whole = np.concatenate([_filled(part, rows * cols) for part in pairs])
        return _grid(source, whole, 2 * rows, cols)
    originals, decoded = (plots.enlarge(part, look.upsample) for part in pairs)
    if look.labelled:
        return plots.reconstructions(originals, decoded, columns=min(cols, len(flat)))
    blocks = []
    for start in range(0, len(flat), cols):
        both = np.stack([originals[start : start + cols], decoded[start : start + cols]])
        blocks.append(plots.Block(images=both, names=("original", "reconstructed")))
    return plots.joined_blocks(blocks)


def disvae_noise(model: VAE, count: int, seed: int) -> NDArray[np.float32]:
    """Latents (count, L) that disentangling-vae would draw from the prior with a seed.

    Its programs seed PyTorch, make the model, and draw. Making it takes two random numbers for
    each weight, of PyTorch's first values and of its own, and one for each bias.

    References:
        https://github.com/YannDubs/disentangling-vae
    """
    generator = torch.Generator().manual_seed(seed)
    taken = sum((2 if p.ndim > 1 else 1) * p.numel() for p in model.parameters())
    torch.rand(taken, generator=generator)
    return torch.randn(count, model.latents, generator=generator).numpy()


def _grid(source: Source, shown: NDArray[np.uint8], rows: int, cols: int) -> NDArray[np.uint8]:
    """Images (n, H, W, C) in rows, as pixels."""
    between = shade(source, shown)
    full = plots.enlarge(_filled(shown, rows * cols, between), source.look.upsample)
    grid: NDArray[np.uint8] = plots.tile(full.reshape(rows, cols, *full.shape[1:]), 2, between)
    return grid


def _filled(shown: NDArray[np.uint8], count: int, grey: int = 255) -> NDArray[np.uint8]:
    """Images with empty ones behind them, of a dataset that has fewer."""
    empty = np.full((count - len(shown), *shown.shape[1:]), grey, np.uint8)
    return np.concatenate([shown, empty]) if len(empty) else shown
