"""MIG over levels, each of which has labels of its own for images of its own."""

from __future__ import annotations

__all__ = ["LeafCompat", "Level", "gaps", "leaf_mig", "leaf_nmig", "leaf_shares"]

from collections.abc import Sequence
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.metrics.information.nmig import own_gaps
from unweave.metrics.plug_in import discretise, entropies, mutual_information

LeafCompat = Literal["none", "rpu"]
Level: TypeAlias = tuple[NDArray[np.floating], NDArray[np.floating]]
"""Codes, (n, L), and labels, (n, C), of the same images; L is that of every level, C its own."""


def leaf_mig(levels: Sequence[Level], *, bins: int = 20, compat: LeafCompat = "none") -> float:
    r"""MIG of labels of several levels, each on the images that it labels.

    .. math:: \frac{1}{C} \sum_c \frac{I(z_{(1)}; y_c) - I(z_{(2)}; y_c)}{H(y_c)}

    with the sum over all columns of labels of all levels. Codes are binned into equally wide bins,
    and so are labels, but for columns of whole numbers, which are taken as classes as they are.
    With one level of whole numbers it is MIG. A column says nothing of images of which its label
    is NaN, and one that is constant is left out of the mean.

    Args:
        levels: Codes and labels of each level.
        bins: Equally wide bins for each latent and each column of labels.
        compat: `rpu` to bin whole numbers, too, as the code of rPU-VAE does. With at most as many
            consecutive numbers as bins it is the same.

    Raises:
        DataError: The arrays do not fit together, there are fewer than two latents, or no column
            varies.
    """
    return float(gaps(leaf_shares(levels, bins=bins, compat=compat)).mean())


def leaf_nmig(levels: Sequence[Level], *, bins: int = 20, compat: LeafCompat = "none") -> float:
    """What the best latent of a column knows of it beyond any other column of any level.

    It is the `nmig` of the columns of all levels side by side, as `leaf_mig` is the MIG.

    Args:
        levels: As for `leaf_mig`.
        bins: As for `leaf_mig`.
        compat: As for `leaf_mig`.

    Raises:
        DataError: As for `leaf_mig`.
    """
    return float(own_gaps(leaf_shares(levels, bins=bins, compat=compat)).mean())


def leaf_shares(
    levels: Sequence[Level], *, bins: int = 20, compat: LeafCompat = "none"
) -> NDArray[np.float64]:
    """Of each column of labels the share of its entropy that each latent knows, (L, columns).

    Columns that are constant are left out.

    Args:
        levels: As for `leaf_mig`.
        bins: As for `leaf_mig`.
        compat: As for `leaf_mig`.

    Raises:
        DataError: As for `leaf_mig`.
    """
    _check(levels)
    shares = []
    for codes, labels in levels:
        binned = discretise(codes, bins)
        for column in labels.T:
            told = ~np.isnan(column)
            if not told.any():
                continue
            classes, size = _classes(column[told], bins, compat)
            (entropy,) = entropies(classes, (size,))
            if entropy > 0:
                known = mutual_information(binned[told], classes, bins, (size,))
                shares.append(known / entropy)
    if not shares:
        raise DataError("Labels of a level must vary, but every column is constant here.")
    return np.concatenate(shares, axis=1)


def gaps(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each column the most that a latent knows, less the second most, (columns,).

    Args:
        shares: As `leaf_shares` gives them, (L, columns).
    """
    ranked = -np.sort(-shares, axis=0)
    return np.asarray(ranked[0] - ranked[1])


def _check(levels: Sequence[Level]) -> None:
    """Refuse arrays that do not fit together."""
    if not levels:
        raise DataError("Labels are those of at least one level, and there is none.")
    latents = levels[0][0].shape[1:]
    for k, (codes, labels) in enumerate(levels):
        if codes.ndim != 2 or codes.shape[1:] != latents or labels.ndim != 2:
            raise DataError(
                f"Level {k} must have codes (n, L), with as many latents as level 0, and labels "
                f"(n, C), not {codes.shape} and {labels.shape}."
            )
        if len(codes) != len(labels) or not len(codes):
            raise DataError(
                f"Level {k} has codes of {len(codes):,} images and labels of {len(labels):,}."
            )
        if not np.isfinite(codes).all():
            raise DataError(f"Codes must be finite, but some of level {k} are not.")
        if np.isinf(labels).any():
            raise DataError(f"Labels must be finite or NaN, but some of level {k} are infinite.")
    if latents[0] < 2:
        raise DataError("MIG compares two latents, but there is only one.")


def _classes(
    column: NDArray[np.floating], bins: int, compat: LeafCompat
) -> tuple[NDArray[np.int64], int]:
    """Class of each label, (n, 1), and how many classes there are."""
    if compat == "none" and (column == np.rint(column)).all():
        values, found = np.unique(column, return_inverse=True)
        return found.reshape(-1, 1).astype(np.int64), len(values)
    return discretise(column[:, np.newaxis], bins), bins
