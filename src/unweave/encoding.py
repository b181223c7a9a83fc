"""Encoding a part of a dataset once, and keeping the result beside the run."""

from __future__ import annotations

__all__ = [
    "Codes",
    "Part",
    "Precision",
    "cached_posteriors",
    "digest",
    "encode_rows",
    "full_precision",
    "pixels_to_images",
    "represent",
]

import contextlib
import copy
import hashlib
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from numpy.typing import NDArray

from unweave.data import Dataset, Progress
from unweave.latents import Posterior
from unweave.representation import Representation
from unweave.rundir import explain_os_error
from unweave.splits import keyed_generator
from unweave.training.memory import keep_freed_memory
from unweave.training.source import to_images
from unweave.vae import VAE

Part = Literal["train", "holdout", "all"]
"""Which images of a dataset: those to train on, those kept apart, or all."""

Codes = Literal["mean", "sampled"]
"""What stands for an image: the mean of its posterior, or one sample of it."""

Precision = Literal["float32", "bfloat16"]
"""In which numbers the encoder computes; codes are float32 whichever it is."""

_BATCH = {"float32": 128, "bfloat16": 256}


@contextlib.contextmanager
def full_precision(model: VAE) -> Iterator[None]:
    """Run the model in float32 and evaluation mode inside the block.

    Layers that normalise over batches would learn from what they are shown otherwise.
    """
    before, model.autocast_dtype = model.autocast_dtype, None
    modes = [(layer, layer.training) for layer in model.modules()]
    model.eval()
    try:
        yield
    finally:
        model.autocast_dtype = before
        for layer, mode in modes:
            layer.training = mode


@torch.inference_mode()
def encode_rows(
    model: VAE,
    dataset: Dataset,
    flat: NDArray[np.int64],
    mean: NDArray[np.float32],
    logvar: NDArray[np.float32] | None,
    progress: Progress | None = None,
    precision: Precision = "float32",
) -> None:
    """Encode images into float32 arrays that exist already.

    A conditional model is told no labels, so that its codes do not tell them.

    Args:
        model: The encoder.
        dataset: Where the images come from.
        flat: Flat indices, (N,).
        mean: Filled with posterior means, (N, L).
        logvar: Filled with log variances, (N, L); None for a model whose codes have no noise.
        progress: Told what is being done, how many images are done, and how many there are.
        precision: That of the trunk; what gives means and logvars is float32 in any case.
    """
    keep_freed_memory()
    encode = _encoder(model, precision)
    with full_precision(model):
        batch = _BATCH[precision]
        for start in range(0, len(flat), batch):
            rows = flat[start : start + batch]
            pixels, scale = dataset.gather(rows)
            posterior = encode(to_images(pixels, scale, model.device))
            mean[start : start + len(rows)] = posterior.mean.cpu().numpy()
            if logvar is not None and posterior.logvar is not None:
                logvar[start : start + len(rows)] = posterior.logvar.cpu().numpy()
            if progress is not None:
                progress("encoding", start + len(rows), len(flat))


def _encoder(model: VAE, precision: Precision) -> Callable[[torch.Tensor], Posterior]:
    """From images to posteriors, with the trunk in that precision."""
    if precision == "float32":
        return model.encode
    # Cast once: autocast would cast the weights anew for every batch.
    cast = copy.deepcopy(model).to(torch.bfloat16)
    cast.autocast_dtype = None
    return lambda images: model.posterior(cast.features(images.to(torch.bfloat16)))


def pixels_to_images(probabilities: torch.Tensor) -> NDArray[np.float32]:
    """Pixels (B, C, H, W) in [0, 1] as NumPy (B, H, W, C) float32."""
    array: NDArray[np.float32] = probabilities.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array


def cached_posteriors(
    model: VAE,
    dataset: Dataset,
    flat: NDArray[np.int64],
    folder: Path,
    key: str,
    progress: Progress | None = None,
    precision: Precision = "float32",
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Means and logvars of a part, memory-mapped from `folder/<key>`; encoded when missing.

    There are no logvars of a model whose codes have no noise.

    Representations of other weights under the same part are removed, since they cannot be asked
    for again.

    Args:
        model: The encoder.
        dataset: Where the images come from.
        flat: Flat indices of the part, (N,).
        folder: The run's `cache/`.
        key: `<part>-<digest of weights and data>`.
        progress: Told what is being done, how many images are done, and how many there are.
        precision: That of the trunk; each has codes of its own.
    """
    if precision != "float32":
        key = key.replace("-", f"_{precision}-", 1)
    place = folder / key
    if not place.is_dir():
        temporary = folder / f".encoding-{secrets.token_hex(4)}"
        try:
            temporary.mkdir(parents=True)
            for stale in folder.glob(f"{key.split('-')[0]}-*"):
                shutil.rmtree(stale, ignore_errors=True)
            shape = (len(flat), model.latents)
            mean = np.empty(shape, np.float32)
            logvar = None if model.deterministic else np.empty(shape, np.float32)
            encode_rows(model, dataset, flat, mean, logvar, progress, precision)
            np.save(temporary / "mean.npy", mean)
            if logvar is not None:
                np.save(temporary / "logvar.npy", logvar)
            try:
                temporary.replace(place)
            except OSError:
                # Another process was faster; what it wrote is the same.
                if not place.is_dir():
                    raise
        except OSError as error:
            raise explain_os_error(error, place) from error
        finally:
            shutil.rmtree(temporary, ignore_errors=True)
    return (
        np.load(place / "mean.npy", mmap_mode="r"),
        None if model.deterministic else np.load(place / "logvar.npy", mmap_mode="r"),
    )


def represent(
    mean: NDArray[np.float32],
    logvar: NDArray[np.float32] | None,
    dataset: Dataset,
    flat: NDArray[np.int64],
    *,
    codes: Codes = "mean",
    seed: int = 0,
) -> Representation:
    """The table that metrics read: posterior means, or one keyed sample of each posterior.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of the variances, (N, L); None of codes without noise.
        dataset: Where the images are from, whose factors the table has.
        flat: Flat index of the image of each row, (N,).
        codes: `mean`, or `sampled` for one sample of each posterior.
        seed: Seed of the samples.
    """
    if codes == "sampled" and logvar is not None:
        rng = keyed_generator(seed, "sampled codes")
        noise = rng.standard_normal(mean.shape, dtype=np.float32)
        mean = mean + np.exp(0.5 * logvar) * noise
    space, factors = dataset.known_factors(flat)
    return Representation(mean=mean, factors=factors, factor_space=space, logvar=logvar)


def digest(*parts: str) -> str:
    """Twelve hexadecimal digits that stand for some texts."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]
