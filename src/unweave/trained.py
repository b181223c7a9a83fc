"""A trained model, from its checkpoint: its weights, images to codes, and codes to images."""

from __future__ import annotations

__all__ = ["Labels", "decode_codes", "encode_images", "fingerprint", "load_model", "read_labels"]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from unweave.encoding import digest, pixels_to_images
from unweave.errors import DataError, RunError, nearest
from unweave.factors import Factor, FactorSpace
from unweave.training import TrainConfig
from unweave.training.checkpoint import Checkpoint
from unweave.vae import VAE

Labels: TypeAlias = Mapping[str, Any] | ArrayLike
"""What a model is told: values by name of the factor, or factor indices of the told labels."""

# Images or codes that go through the model at once.
_BATCH = 256


def load_model(config: TrainConfig, checkpoint: Checkpoint, folder: Path) -> VAE:
    """The VAE of a checkpoint in float32, in evaluation mode.

    It is on the device that it was trained on, or on the processor where that is not there.

    Args:
        config: What was trained.
        checkpoint: Has the weights.
        folder: That of the run, for messages.

    Raises:
        RunError: The checkpoint does not fit the configuration.
    """
    plan = config.objective.expand()
    model = plan.make_model(config.setup, config.likelihood, torch.Generator())
    state = {
        name.removeprefix("model/"): value
        for name, value in checkpoint.weights.items()
        if name.startswith("model/")
    }
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise RunError(f"The checkpoint of {folder} does not fit it: {reason}") from error
    available = config.device != "cpu" and torch.cuda.is_available()
    device = torch.device(config.device if available else "cpu")
    model.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    return model.eval()


def fingerprint(checkpoint: Checkpoint) -> str:
    """A short text that differs between different weights of a model."""
    weights = [v for name, v in sorted(checkpoint.weights.items()) if name.startswith("model/")]
    return digest(*(f"{v.double().sum().item()!r}/{v.double().norm().item()!r}" for v in weights))


def read_labels(
    model: VAE, space: FactorSpace, labels: Labels | None, count: int
) -> torch.Tensor | None:
    """Labels as the model takes them, (count, width); None where there are none.

    Args:
        model: A conditional model, where there are labels.
        space: Factors of the dataset that it was trained on.
        labels: Values by name of the factor, each one or (count,): a number, or the name of a
            value that has one; labels that are left out are unknown. Or factor indices of the told
            labels in their order, (M,) or (count, M).
        count: How many images or codes there are.

    Raises:
        DataError: The model is told no labels, or not these.
    """
    if labels is None:
        return None
    conditions = model.conditions
    if conditions is None:
        raise DataError("This model is told no labels; leave labels out.")
    factors = [space.factors[column] for column in conditions.columns]
    table = np.full((count, len(factors)), -1, np.int64)
    if isinstance(labels, Mapping):
        names = [factor.name for factor in factors]
        for name, values in labels.items():
            if name not in names:
                raise DataError(
                    f"The model is not told {name!r:.100}. {nearest(str(name), names)}"
                )
            factor = factors[names.index(name)]
            column = np.asarray(_indices(factor, values))
            if column.shape not in ((), (1,), (count,)):
                raise DataError(
                    f"Labels of {name} must be one value or {count}, not of shape {column.shape}."
                )
            table[:, names.index(name)] = column
    else:
        rows = np.asarray(labels)
        if rows.dtype.kind not in "iu" or rows.shape not in (table.shape, table.shape[1:]):
            raise DataError(
                f"Labels must be factor indices, whole numbers of shape {table.shape}: one each "
                f"for {', '.join(factor.name for factor in factors)}; or values by name. They "
                f"are {rows.dtype} of shape {rows.shape}."
            )
        table[:] = rows
        for factor, column in zip(factors, table.T, strict=True):
            if column.size and not 0 <= column.min() <= column.max() < factor.size:
                raise DataError(
                    f"Labels of {factor.name} must be indices from 0 to {factor.size - 1}."
                )
    return conditions.encode_known(torch.from_numpy(table)).to(model.device)


def _indices(factor: Factor, values: Any) -> NDArray[np.int64]:
    """Indices of values of a factor, or of their names."""
    given = np.asarray(values)
    if given.dtype.kind == "U" and factor.labels is not None:
        allowed: list[Any] = list(factor.labels)
        same = given[..., None] == np.asarray(allowed)
    elif given.dtype.kind in "biuf":
        allowed = list(range(factor.size)) if factor.values is None else list(factor.values)
        same = np.isclose(given[..., None].astype(float), np.asarray(allowed, float), rtol=1e-6)
    else:
        kind = "numbers" if factor.labels is None else "numbers or names"
        raise DataError(f"Labels of {factor.name} must be {kind}, not {values!r:.100}.")
    if not same.any(-1).all():
        wrong = given[~same.any(-1)].ravel()[0].item()
        words = [str(value) if isinstance(value, str) else f"{value:g}" for value in allowed]
        text = wrong if isinstance(wrong, str) else f"{wrong:g}"
        raise DataError(f"{factor.name} has no value {text!r:.100}. {_nearest_value(text, words)}")
    found: NDArray[np.int64] = same.argmax(-1)
    return found


def _nearest_value(text: str, words: list[str]) -> str:
    if len(words) > 12:
        return f"It has {len(words)} values, from {words[0]} to {words[-1]}."
    return f"Choose one of: {', '.join(words)}."


def encode_images(
    model: VAE,
    images: ArrayLike,
    shape: tuple[int, ...],
    told: torch.Tensor | None = None,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Posterior means and log variances of images, two arrays (n, L).

    Log variances of codes without noise are minus infinity.

    Args:
        model: The encoder.
        images: (n, H, W, C), uint8 from 0 to 255 or floats from 0 to 1.
        shape: (H, W, C) that the model takes.
        told: Labels of each image, as `read_labels` gives them.

    Raises:
        DataError: The images have another shape or range.
    """
    pixels = np.asarray(images)
    if pixels.ndim != 4 or pixels.shape[1:] != shape:
        raise DataError(
            f"Images must have shape (n, {', '.join(map(str, shape))}), not {pixels.shape}."
        )
    if pixels.dtype == np.uint8:
        pixels = pixels.astype(np.float32) / np.float32(255)
    elif not np.issubdtype(pixels.dtype, np.floating):
        raise DataError(f"Images must be uint8 or floats from 0 to 1, not {pixels.dtype}.")
    pixels = pixels.astype(np.float32)
    if pixels.size and not (pixels.min() >= 0 and pixels.max() <= 1):
        raise DataError(
            f"Images as floats must lie from 0 to 1, but these go from {pixels.min():g} to "
            f"{pixels.max():g}. Divide by 255, or give uint8."
        )
    parts = [
        _encode(model, pixels[i : i + _BATCH], None if told is None else told[i : i + _BATCH])
        for i in range(0, len(pixels), _BATCH)
    ]
    empty = np.empty((0, model.latents), np.float32)
    return (
        np.concatenate([mean for mean, _ in parts] or [empty]),
        np.concatenate([logvar for _, logvar in parts] or [empty]),
    )


@torch.inference_mode()
def _encode(
    model: VAE, pixels: NDArray[np.float32], told: torch.Tensor | None
) -> tuple[NDArray[Any], NDArray[Any]]:
    images = torch.from_numpy(pixels).to(model.device).permute(0, 3, 1, 2)
    posterior = model.encode(images, told)
    mean = posterior.mean.cpu().numpy()
    if posterior.logvar is None:
        return mean, np.full_like(mean, -np.inf)
    return mean, posterior.logvar.cpu().numpy()


@torch.inference_mode()
def decode_codes(
    model: VAE, z: ArrayLike, shape: tuple[int, ...], told: torch.Tensor | None = None
) -> NDArray[np.float32]:
    """Expected pixels of latents, (n, H, W, C) from 0 to 1.

    Args:
        model: The decoder.
        z: (n, L).
        shape: (H, W, C) that the model gives.
        told: Labels of each latent, as `read_labels` gives them.

    Raises:
        DataError: The latents have another shape.
    """
    codes = np.asarray(z, dtype=np.float32)
    if codes.ndim != 2 or codes.shape[1] != model.latents:
        raise DataError(f"Latents must have shape (n, {model.latents}), not {codes.shape}.")
    parts = []
    for i in range(0, len(codes), _BATCH):
        latents = torch.from_numpy(codes[i : i + _BATCH]).to(model.device)
        condition = None if told is None else told[i : i + _BATCH]
        parts.append(pixels_to_images(model.likelihood.mean(model.decode(latents, condition))))
    return np.concatenate(parts or [np.empty((0, *shape), "f4")])
