"""A trained model, from its checkpoint: its weights, images to codes, and codes to images."""

from __future__ import annotations

__all__ = ["decode_codes", "encode_images", "fingerprint", "load_model"]

from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from unweave.encoding import digest, pixels_to_images
from unweave.errors import DataError, RunError
from unweave.training import TrainConfig
from unweave.training.checkpoint import Checkpoint
from unweave.vae import VAE

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


def encode_images(
    model: VAE, images: ArrayLike, shape: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Posterior means and log variances of images, two arrays (n, L).

    Log variances of codes without noise are minus infinity.

    Args:
        model: The encoder.
        images: (n, H, W, C), uint8 from 0 to 255 or floats from 0 to 1.
        shape: (H, W, C) that the model takes.

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
    parts = [_encode(model, pixels[i : i + _BATCH]) for i in range(0, len(pixels), _BATCH)]
    empty = np.empty((0, model.latents), np.float32)
    return (
        np.concatenate([mean for mean, _ in parts] or [empty]),
        np.concatenate([logvar for _, logvar in parts] or [empty]),
    )


@torch.inference_mode()
def _encode(model: VAE, pixels: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
    images = torch.from_numpy(pixels).to(model.device).permute(0, 3, 1, 2)
    posterior = model.encode(images)
    mean = posterior.mean.cpu().numpy()
    if posterior.logvar is None:
        return mean, np.full_like(mean, -np.inf)
    return mean, posterior.logvar.cpu().numpy()


@torch.inference_mode()
def decode_codes(model: VAE, z: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float32]:
    """Expected pixels of latents, (n, H, W, C) from 0 to 1.

    Args:
        model: The decoder.
        z: (n, L).
        shape: (H, W, C) that the model gives.

    Raises:
        DataError: The latents have another shape.
    """
    codes = np.asarray(z, dtype=np.float32)
    if codes.ndim != 2 or codes.shape[1] != model.latents:
        raise DataError(f"Latents must have shape (n, {model.latents}), not {codes.shape}.")
    parts = []
    for i in range(0, len(codes), _BATCH):
        latents = torch.from_numpy(codes[i : i + _BATCH]).to(model.device)
        parts.append(pixels_to_images(model.likelihood.mean(model.decode(latents))))
    return np.concatenate(parts or [np.empty((0, *shape), "f4")])
