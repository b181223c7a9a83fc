"""Codes of the same images by several runs, as UDR compares them."""

from __future__ import annotations

__all__ = ["BATCH", "encode", "mean_kl", "shared_rows"]

import numpy as np
from numpy.typing import NDArray

from unweave.data import Dataset, Progress
from unweave.encoding import encode_rows
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.draws import Draws
from unweave.metrics.label_free.udr import UDRCompat, rpu_kl
from unweave.metrics.sampling import GridSampler
from unweave.representation import Representation
from unweave.run import Run
from unweave.splits import keyed_generator

BATCH = 10
"""Images in a batch of published UDR."""


def shared_rows(dataset: Dataset, images: int, seed: int, compat: UDRCompat) -> NDArray[np.int64]:
    """Flat indices of the images that all runs encode.

    Args:
        dataset: Where the images come from.
        images: How many; all of them if there are fewer.
        seed: Which images those are.
        compat: `none` for different images; `dlib` for points of the grid, ten at a time; `rpu`
            for the first whole batches of ten of all images, shuffled.
    """
    if compat == "none":
        rng = keyed_generator(seed, "rank")
        count = min(images, len(dataset))
        return np.sort(rng.choice(len(dataset), count, replace=False))
    count = max(1, images // BATCH)
    if compat == "rpu":
        shuffled = Draws(seed, "rank").legacy().permutation(len(dataset))
        return shuffled[: min(count, len(dataset) // BATCH) * BATCH].astype(np.int64)
    sampler = GridSampler(
        dataset.factors(np.arange(len(dataset))), dataset.factor_space, Draws(seed, "rank")
    )
    return np.concatenate([sampler.at_once(BATCH) for _ in range(count)])


def encode(
    run: Run, dataset: Dataset, flat: NDArray[np.int64], progress: Progress | None = None
) -> tuple[NDArray[np.float32], NDArray[np.float32] | None]:
    """Posterior means and log variances of images by a run, each (N, L); its cache is not filled.

    Args:
        run: The run.
        dataset: Where the images come from.
        flat: Flat indices of the images, (N,).
        progress: Shows the encoding.

    Returns:
        Means, which may not be finite, and log variances, None where codes have no noise.
    """
    shape = (len(flat), run.config.latents)
    mean = np.empty(shape, np.float32)
    logvar = None if run.model.deterministic else np.empty(shape, np.float32)
    encode_rows(run.model, dataset, flat, mean, logvar, progress)
    return mean, logvar


def mean_kl(
    mean: NDArray[np.float32], logvar: NDArray[np.float32] | None, compat: UDRCompat
) -> NDArray[np.float64]:
    """Mean KL of each latent in nats, (L,), of which UDR tells the latents that are in use.

    Args:
        mean: Posterior means, (N, L).
        logvar: Log variances, (N, L).
        compat: Under `rpu` it is that of `rpu_kl`, in the order of the rows.

    Raises:
        DataError: The codes have no noise, or are not finite.
    """
    if logvar is None:
        raise DataError("UDR tells by their KL which latents are in use, and there is no noise.")
    if compat == "rpu":
        return rpu_kl(mean, logvar, BATCH)
    unknown = np.empty((len(mean), 0), np.int64)
    return Representation(mean, unknown, FactorSpace.unknown(), logvar).kl()
