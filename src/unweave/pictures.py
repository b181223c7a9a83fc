"""What a model shows: reconstructions of probe images and traversals of its latents."""

from __future__ import annotations

__all__ = ["probe_indices", "reconstruct", "traverse", "vary_factors", "vary_labels"]

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data import Dataset
from unweave.encoding import full_precision, pixels_to_images
from unweave.splits import keyed_generator
from unweave.training.source import to_images
from unweave.vae import VAE


def probe_indices(count: int, images: int, seed: int) -> NDArray[np.int64]:
    """Images to look at, the same for every call with the same seed; (count,)."""
    rng = keyed_generator(seed, "probe images")
    return rng.choice(images, min(count, images), replace=False).astype(np.int64)


@torch.inference_mode()
def reconstruct(
    model: VAE, dataset: Dataset, flat: NDArray[np.int64]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images and what the model makes of their posterior means, each (n, H, W, C) uint8.

    A conditional model is told the labels of the images, which must be numbered as those of the
    dataset that it was trained on (`numbered_as`), and a decoder alone their factors.
    """
    if model.given is not None:
        return dataset.images(flat), _decoded(model, model.given.of(dataset)(flat))
    pixels, scale = dataset.gather(flat)
    told = None
    if model.conditions is not None:
        told = model.condition(torch.from_numpy(dataset.factors(flat)).to(model.device))
    with full_precision(model):
        posterior = model.encode(to_images(pixels, scale, model.device), told)
        decoded = model.likelihood.mean(model.decode(posterior.mean, told))
    return dataset.images(flat), _to_uint8(decoded)


@torch.inference_mode()
def traverse(
    model: VAE,
    start: NDArray[np.float32],
    values: NDArray[np.float64],
    latents: Sequence[int] | None = None,
    labels: Sequence[int] | None = None,
) -> NDArray[np.uint8]:
    """Decode a code again and again while each latent in turn takes each value.

    Args:
        model: The decoder.
        start: The code to start from, (L,).
        values: What the latent is set to, (S,).
        latents: Numbers of the latents, (n,); all of them by default.
        labels: Index of each label that a conditional model is told, (M,); unknown by default.

    Returns:
        (n, S, H, W, C) uint8.
    """
    chosen = range(len(start)) if latents is None else latents
    codes = np.tile(start, (len(chosen), len(values), 1)).astype(np.float32)
    for row, latent in enumerate(chosen):
        codes[row, :, latent] = values
    told = None
    if labels is not None:
        assert model.conditions is not None
        told = model.conditions.encode_known(torch.tensor([list(labels)]))
        told = told.to(model.device).expand(len(chosen) * len(values), -1)
    images = _decoded(model, codes.reshape(-1, len(start)), told)
    grid: NDArray[np.uint8] = np.reshape(images, (len(chosen), len(values), *images.shape[1:]))
    return grid


@torch.inference_mode()
def vary_labels(
    model: VAE,
    dataset: Dataset,
    flat: NDArray[np.int64],
    changes: Sequence[tuple[int, int]],
) -> NDArray[np.uint8]:
    """Decode the posterior means of images while one of their labels is another.

    Args:
        model: A conditional model.
        dataset: Where the images come from, with labels numbered as in training.
        flat: Flat indices of the images, (n,).
        changes: (S,) pairs of a label, by its place among those that the model is told, and the
            index of the value that it gets; the other labels stay those of the image.

    Returns:
        (n, S, H, W, C) uint8.
    """
    conditions = model.conditions
    assert conditions is not None
    factors = torch.from_numpy(dataset.factors(flat)).to(model.device)
    pixels, scale = dataset.gather(flat)
    columns = []
    with full_precision(model):
        images = to_images(pixels, scale, model.device)
        z = model.encode(images, conditions.encode(factors)).mean
        for place, index in changes:
            other = factors.clone()
            other[:, conditions.columns[place]] = index
            logits = model.decode(z, conditions.encode(other))
            columns.append(_to_uint8(model.likelihood.mean(logits)))
    return np.stack(columns, axis=1)


@torch.inference_mode()
def vary_factors(
    model: VAE,
    dataset: Dataset,
    flat: NDArray[np.int64],
    changes: Sequence[tuple[int, int]],
) -> NDArray[np.uint8]:
    """Render the factors of images while one of them is another.

    Args:
        model: A decoder alone.
        dataset: Where the images come from.
        flat: Flat indices of the images, (n,).
        changes: (S,) pairs of a factor and the index of the value that it gets, of the whole
            dataset; the other factors stay those of the image.

    Returns:
        (n, S, H, W, C) uint8.
    """
    given = model.given
    assert given is not None
    codes = given.of(dataset)(flat)
    columns = [_decoded(model, given.varied(codes, column, index)) for column, index in changes]
    return np.stack(columns, axis=1)


def _decoded(
    model: VAE, codes: NDArray[np.float32], told: torch.Tensor | None = None
) -> NDArray[np.uint8]:
    z = torch.from_numpy(codes).to(model.device)
    with full_precision(model):
        return _to_uint8(model.likelihood.mean(model.decode(z, told)))


def _to_uint8(images: torch.Tensor) -> NDArray[np.uint8]:
    rounded = np.floor(255 * np.clip(pixels_to_images(images), 0, 1) + 0.5)
    pixels: NDArray[np.uint8] = rounded.astype(np.uint8)
    return pixels
