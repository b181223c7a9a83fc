"""A trained model, from its checkpoint: its weights, images to codes, and codes to images."""

from __future__ import annotations

__all__ = [
    "Labels",
    "compose_codes",
    "decode_codes",
    "encode_images",
    "factor_codes",
    "fingerprint",
    "load_model",
    "read_actions",
    "read_labels",
]

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from unweave.data.codes import Factors, value_indices
from unweave.data.samplers.base import varying
from unweave.encoding import digest, pixels_to_images
from unweave.errors import DataError, RunError, SpecError, nearest
from unweave.factors import FactorSpace
from unweave.nn.composition import Operator
from unweave.objectives import Composer
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
            column = value_indices(factor, values, "Labels")
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


def factor_codes(model: VAE, factors: Factors) -> NDArray[np.float32]:
    """Codes of combinations of factors, (n, L), of a decoder that is given true factors.

    Args:
        model: The decoder.
        factors: As `FactorCodes.read` takes them.

    Raises:
        SpecError: The model has an encoder, and so latents that no factors are known of.
        DataError: A factor is missing or unknown, or a value has no code.
    """
    if model.given is None:
        raise SpecError(
            "Only a decoder that is given true factors renders them, and this model has latents "
            "of its own. Give latents to run.decode, or train ground_truth_decoder."
        )
    return model.given.read(factors)


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


def read_actions(
    method: Composer, space: FactorSpace, factors: str | ArrayLike, count: int
) -> NDArray[np.int64]:
    """Columns of the factors that are taken from transforms, (count,).

    Args:
        method: The composer that was trained.
        space: Factors of the dataset that it was trained on.
        factors: A name, or the column of one; one for all or (count,).
        count: How many images there are.

    Raises:
        DataError: There are more or fewer, or one is no factor that the composer was trained to
            take.
    """
    trained = varying(method.sampler, space, method.sampler.factors)
    given = np.asarray(factors)
    if given.shape not in ((), (count,)):
        raise DataError(
            f"factors must be one for all images or {count}, not of shape {given.shape}."
        )
    if given.dtype.kind in "iu":
        if given.size and not 0 <= given.min() <= given.max() < len(space.names):
            raise DataError(f"Columns of factors must lie from 0 to {len(space.names) - 1}.")
        given = np.array(space.names)[given]
    elif given.dtype.kind != "U":
        raise DataError(f"factors must be names or columns of factors, not {factors!r:.100}.")
    names = [space.names[column] for column in trained.tolist()]
    for name in np.unique(given).tolist():
        if name not in names:
            raise DataError(
                f"The model was not trained to take {name!r:.100} from an image. "
                f"{nearest(str(name), names)}"
            )
    columns = trained[(given[..., np.newaxis] == np.array(names)).argmax(axis=-1)]
    return np.broadcast_to(columns, (count,))


@torch.inference_mode()
def compose_codes(
    operator: Operator, reference: ArrayLike, transform: ArrayLike, actions: NDArray[np.int64]
) -> NDArray[np.float32]:
    """Codes of composed images, (n, L).

    Args:
        operator: In evaluation mode.
        reference: Codes of the images whose other factors are kept, (n, L).
        transform: Codes of those that the factor is taken from, (n, L).
        actions: The column of that factor, (n,).
    """
    device = torch.device("cpu")
    for tensor in operator.state_dict().values():
        device = tensor.device
    codes = (
        torch.from_numpy(np.asarray(z, np.float32)).to(device) for z in (reference, transform)
    )
    one_hot = np.eye(operator.factors, dtype=np.float32)[actions]
    composed: NDArray[np.float32] = (
        operator(*codes, torch.from_numpy(one_hot).to(device)).cpu().numpy()
    )
    return composed
