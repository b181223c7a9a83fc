"""What a model shows: reconstructions of probe images, walks of its latents, samples."""

from __future__ import annotations

__all__ = [
    "Encoded",
    "decode",
    "encode",
    "probe_indices",
    "reconstruct",
    "reconstruct_features",
    "traverse",
    "vary_factors",
    "vary_labels",
    "walk_generators",
]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data import Dataset
from unweave.encoding import full_precision, pixels_to_images
from unweave.nn.lie_group_networks import GroupDecoder
from unweave.splits import keyed_generator
from unweave.training.source import to_images
from unweave.vae import VAE

# Images that are decoded at once.
_BATCH = 256


@final
@dataclass(frozen=True)
class Encoded:
    """Images, and what a model makes of them.

    Attributes:
        images: (n, H, W, C) uint8.
        mean: Posterior means, or the codes of true factors of a decoder alone, (n, L) float32.
        std: Standard deviations of the posteriors, (n, L) float32; None for codes without noise.
        told: Labels that a conditional model is told of them, as it takes them; else None.
    """

    images: NDArray[np.uint8]
    mean: NDArray[np.float32]
    std: NDArray[np.float32] | None
    told: torch.Tensor | None


def probe_indices(count: int, images: int, seed: int) -> NDArray[np.int64]:
    """Images to look at, the same for every call with the same seed; (count,).

    Args:
        count: How many at most.
        images: How many there are to choose from.
        seed: Seed of the choice.
    """
    rng = keyed_generator(seed, "probe images")
    return rng.choice(images, min(count, images), replace=False).astype(np.int64)


@torch.inference_mode()
def encode(model: VAE, dataset: Dataset, flat: NDArray[np.int64]) -> Encoded:
    """Images by flat index, with their posteriors.

    A conditional model is told the labels of the images, which must be numbered as those of the
    dataset that it was trained on (`numbered_as`); a decoder alone is given their factors.

    Args:
        model: On any device.
        dataset: Where the images are from.
        flat: Their flat indices, (n,).
    """
    images = dataset.images(flat)
    if model.given is not None:
        return Encoded(images, model.given.of(dataset)(flat), None, None)
    pixels, scale = dataset.gather(flat)
    told = None
    if model.conditions is not None:
        told = model.condition(torch.from_numpy(dataset.factors(flat)).to(model.device))
    with full_precision(model):
        posterior = model.encode(to_images(pixels, scale, model.device), told)
    std = None
    if posterior.logvar is not None:
        std = torch.exp(0.5 * posterior.logvar).cpu().numpy()
    return Encoded(images, posterior.mean.cpu().numpy(), std, told)


@torch.inference_mode()
def decode(
    model: VAE,
    codes: NDArray[np.float32],
    told: torch.Tensor | None = None,
    *,
    truncate: bool = False,
) -> NDArray[np.uint8]:
    """Expected pixels of latents, (n, H, W, C) uint8.

    Args:
        model: The decoder.
        codes: (n, L).
        told: Labels as a conditional model takes them, (n, width); unknown where there are none.
        truncate: Whether fractions of a grey level are cut off, rather than rounded.
    """
    z = torch.from_numpy(np.ascontiguousarray(codes, np.float32)).to(model.device)
    parts = []
    with full_precision(model):
        for at in range(0, len(z), _BATCH):
            part = None if told is None else told[at : at + _BATCH]
            pixels = model.likelihood.mean(model.decode(z[at : at + _BATCH], part))
            parts.append(_to_uint8(pixels, truncate))
    return np.concatenate(parts)


def reconstruct(
    model: VAE, dataset: Dataset, flat: NDArray[np.int64], *, truncate: bool = False
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images and what the model makes of their posterior means, each (n, H, W, C) uint8.

    A conditional model is told the labels of the images, as by `encode`.

    Args:
        model: On any device.
        dataset: Where the images are from.
        flat: Their flat indices, (n,).
        truncate: Whether bytes are cut off as published code does, instead of rounded.
    """
    seen = encode(model, dataset, flat)
    return seen.images, decode(model, seen.mean, seen.told, truncate=truncate)


@torch.inference_mode()
def reconstruct_features(
    model: VAE, dataset: Dataset, flat: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """What the decoder of a Lie group makes of the encoder's group features, past the latents.

    A conditional model is told the labels of the images, as by `encode`.

    Args:
        model: One whose architecture is `lie_group`.
        dataset: Where the images come from.
        flat: Flat indices of the images, (n,).

    Returns:
        (n, H, W, C) uint8.
    """
    decoder = model.decoder
    assert isinstance(decoder, GroupDecoder)
    pixels, scale = dataset.gather(flat)
    told = None
    if model.conditions is not None:
        told = model.condition(torch.from_numpy(dataset.factors(flat)).to(model.device))
    with full_precision(model):
        features = model.features(to_images(pixels, scale, model.device), told).float()
        if told is not None:
            features = torch.cat([features, told], dim=1)
        return _to_uint8(model.likelihood.mean(decoder.image(features).float()))


@torch.inference_mode()
def traverse(
    model: VAE,
    start: NDArray[np.float32],
    values: NDArray[np.float64],
    latents: Sequence[int] | None = None,
    labels: Sequence[int] | None = None,
    *,
    told: torch.Tensor | None = None,
    truncate: bool = False,
) -> NDArray[np.uint8]:
    """Decode a code again and again while each latent in turn takes each value.

    Args:
        model: The decoder.
        start: The code to start from, (L,).
        values: What the latent is set to, (S,), or for each of the latents, (n, S).
        latents: Numbers of the latents, (n,); all of them by default.
        labels: Index of each label that a conditional model is told, (M,); unknown by default.
        told: Or the labels as the model takes them, (1, width).
        truncate: Whether fractions of a grey level are cut off, rather than rounded.

    Returns:
        (n, S, H, W, C) uint8.
    """
    chosen = range(len(start)) if latents is None else latents
    given = np.broadcast_to(values, (len(chosen), np.shape(values)[-1]))
    steps = given.shape[1]
    codes = np.tile(start, (len(chosen), steps, 1)).astype(np.float32)
    for row, latent in enumerate(chosen):
        codes[row, :, latent] = given[row]
    if labels is not None:
        assert model.conditions is not None
        told = model.conditions.encode_known(torch.tensor([list(labels)])).to(model.device)
    if told is not None:
        told = told.expand(len(chosen) * steps, -1)
    images = decode(model, codes.reshape(-1, len(start)), told, truncate=truncate)
    grid: NDArray[np.uint8] = np.reshape(images, (len(chosen), steps, *images.shape[1:]))
    return grid


@torch.inference_mode()
def walk_generators(
    model: VAE,
    start: NDArray[np.float32],
    values: NDArray[np.float64],
    told: torch.Tensor | None = None,
) -> NDArray[np.uint8]:
    """Decode a group element while each generator of a Lie group in turn moves it.

    The element of `start` is multiplied from the left by expm(t A) for each generator A and each
    t. Where generators commute these are the elements of `traverse`; else the two differ.

    Args:
        model: One whose architecture is `lie_group`, with generators.
        start: The code whose element is moved, (L,).
        values: How far, (S,).
        told: Labels that a conditional model is told, (1, width); unknown by default.

    Returns:
        (L, S, H, W, C) uint8.
    """
    decoder = model.decoder
    assert isinstance(decoder, GroupDecoder)
    rows = []
    with full_precision(model):
        t = torch.tensor(values, dtype=torch.float32, device=model.device)
        z = torch.from_numpy(np.asarray(start, np.float32)).to(model.device)
        element = decoder.group(z[None, : decoder.latents])
        sides = [generators.shape[1] for generators in decoder.generators()]
        blocks = torch.split(element, [side * side for side in sides], dim=1)
        if model.conditions is not None:
            known = model.conditions.neutral(model.device)[None] if told is None else told
            blocks = (*blocks, known)
        for place, generators in enumerate(decoder.generators()):
            before, own, after = blocks[:place], blocks[place], blocks[place + 1 :]
            matrix = own.view(sides[place], sides[place])
            for generator in generators:
                moved = torch.linalg.matrix_exp(t[:, None, None] * generator) @ matrix
                parts = [*before, moved.flatten(1), *after]
                features = torch.cat([part.expand(len(t), -1) for part in parts], dim=1)
                rows.append(_to_uint8(model.likelihood.mean(decoder.image(features).float())))
    return np.stack(rows)


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
    z = encode(model, dataset, flat).mean
    columns = []
    for place, index in changes:
        other = factors.clone()
        other[:, conditions.columns[place]] = index
        columns.append(decode(model, z, conditions.encode(other)))
    return np.stack(columns, axis=1)


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
    columns = [decode(model, given.varied(codes, column, index)) for column, index in changes]
    return np.stack(columns, axis=1)


def _to_uint8(images: torch.Tensor, truncate: bool = False) -> NDArray[np.uint8]:
    levels: NDArray[Any] = 255 * np.clip(pixels_to_images(images), 0, 1)
    pixels: NDArray[np.uint8] = np.floor(levels if truncate else levels + 0.5).astype(np.uint8)
    return pixels
