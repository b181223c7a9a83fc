"""Scores of any encoder: a callable from images to codes, of whatever framework."""

from __future__ import annotations

__all__ = ["encode_with", "evaluate_encoder"]

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave import metrics as _metrics
from unweave.data import Dataset, DatasetSpec, Progress, parse_dataset
from unweave.errors import DataError, SpecError
from unweave.metrics import Score
from unweave.metrics.evaluate import names_from
from unweave.metrics.protocols import DEFAULT, metrics_of
from unweave.metrics.protocols import protocol as protocol_of
from unweave.representation import Representation
from unweave.splits import keyed_permutation

Images: TypeAlias = Literal["uint8", "float"]
Encode: TypeAlias = Callable[[Any], Any]


def evaluate_encoder(
    dataset: Dataset | DatasetSpec | str,
    encode: Encode,
    *,
    metrics: Sequence[str] | str | None = None,
    protocol: str = DEFAULT,
    seed: int = 0,
    images: Images = "uint8",
    rows: ArrayLike | None = None,
    batch_size: int = 256,
    repeats: int = 1,
    progress: Progress | None = None,
) -> dict[str, Score]:
    """Scores of an encoder by the name of the metric; each image is encoded once.

    Args:
        dataset: A dataset, its specification or its text.
        encode: Called with a batch of images. Returns codes, (B, L), or a pair of codes and the
            logarithms of their variances, both (B, L); arrays, or tensors of PyTorch.
        metrics: Names, or None for all of the protocol that are not opt-in.
        protocol: Which settings to use.
        seed: Seed of the metrics' draws.
        images: What `encode` takes: `uint8`, (B, H, W, C) from 0 to 255, or `float`, (B, C, H, W)
            float32 from 0 to 1.
        rows: Flat indices of the images to score on, (N,); None for all, or for as many, drawn at
            random by the seed, as the protocol encodes at most.
        batch_size: Images in a batch; the last may have fewer.
        repeats: How many seeds to score with.
        progress: Told how many images are encoded, and of the scores.

    Raises:
        SpecError: An unknown metric, protocol or kind of images.
        DataError: The encoder gives something else than codes, or they cannot be scored.

    Example:
        >>> scores = evaluate_encoder("dsprites", model.encode, metrics="mig")  # doctest: +SKIP
    """
    # What is misspelt is said before anything is encoded.
    chosen = protocol_of(protocol)
    metrics_of(chosen, names_from(metrics))
    _check(images, batch_size)
    opened = _open(dataset, progress)
    if rows is None and chosen.images is not None:
        order = keyed_permutation(len(opened), seed, "images that are encoded")
        rows = np.sort(order[: chosen.images])
    table = encode_with(
        opened, encode, images=images, rows=rows, batch_size=batch_size, progress=progress
    )
    return _metrics.evaluate(
        table, metrics=metrics, protocol=protocol, seed=seed, repeats=repeats, progress=progress
    )


def encode_with(
    dataset: Dataset | DatasetSpec | str,
    encode: Encode,
    *,
    images: Images = "uint8",
    rows: ArrayLike | None = None,
    batch_size: int = 256,
    progress: Progress | None = None,
) -> Representation:
    """The table of codes that an encoder makes of a dataset; arguments as `evaluate_encoder`.

    Args:
        dataset: A dataset, its specification or its text.
        encode: Called with a batch of images; gives codes, (B, L), or codes and the logarithms of
            their variances.
        images: What `encode` takes: `uint8` or `float`.
        rows: Flat indices of the images, (N,); None for all.
        batch_size: Images in a batch; the last may have fewer.
        progress: Told how many images are encoded.

    Raises:
        SpecError: An unknown kind of images, or a batch size below 1.
        DataError: The encoder gives something else than codes.
    """
    _check(images, batch_size)
    opened = _open(dataset, progress)
    flat = opened.check_flat(np.arange(len(opened)) if rows is None else rows)
    if not len(flat):
        raise DataError("rows names no image to encode.")
    means: list[NDArray[Any]] = []
    logvars: list[NDArray[Any]] = []
    for start in range(0, len(flat), batch_size):
        batch = opened.images(flat[start : start + batch_size])
        given = encode(_as_floats(batch) if images == "float" else batch)
        pair = isinstance(given, tuple | list) and len(given) == 2
        mean, logvar = given if pair else (given, None)
        means.append(_codes("codes", mean, len(batch), means))
        if logvar is not None:
            logvars.append(_codes("logvar", logvar, len(batch), means))
        if progress is not None:
            progress("encoding", min(start + batch_size, len(flat)), len(flat))
    codes, logvar = np.concatenate(means), np.concatenate(logvars) if logvars else None
    if not opened.labelled:
        return _metrics.table_without_factors(codes, logvar=logvar)
    table = _metrics.table_from_arrays(
        codes,
        opened.factors(flat),
        factor_sizes=opened.factor_space.sizes,
        factor_names=opened.factor_space.names,
        logvar=logvar,
    )
    # Metrics that follow factors as numbers read their kinds and values too.
    return replace(table, factor_space=opened.factor_space)


def _check(images: str, batch_size: int) -> None:
    if images not in ("uint8", "float"):
        raise SpecError(f"images must be uint8 or float, not {images!r}.")
    if batch_size < 1:
        raise SpecError(f"batch_size must be at least 1, but is {batch_size}.")


def _open(dataset: Dataset | DatasetSpec | str, progress: Progress | None) -> Dataset:
    if isinstance(dataset, Dataset):
        return dataset
    spec = parse_dataset(dataset) if isinstance(dataset, str) else dataset
    return spec.open(progress)


def _as_floats(batch: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Images (B, H, W, C) from 0 to 255 as (B, C, H, W) from 0 to 1."""
    floats = batch.astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(floats.transpose(0, 3, 1, 2))


def _codes(what: str, given: Any, count: int, before: list[NDArray[Any]]) -> NDArray[Any]:
    """What an encoder gave, as an array of `count` rows."""
    if hasattr(given, "detach"):
        # A tensor of PyTorch, which need not be imported to say so.
        given = given.detach().cpu().numpy()
    array = np.asarray(given)
    if array.ndim != 2 or len(array) != count:
        raise DataError(
            f"The encoder must give {what} of the shape ({count}, L) for {count} images, not "
            f"{array.shape}. Flatten them, or take the mean of the posterior."
        )
    if before and array.shape[1] != before[0].shape[1]:
        raise DataError(
            f"The encoder gave {before[0].shape[1]} latents first and {what} of "
            f"{array.shape[1]} later."
        )
    return array
