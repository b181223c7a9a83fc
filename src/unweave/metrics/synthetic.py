"""Codes whose modularity, compactness and explicitness are known, to hold metrics against."""

from __future__ import annotations

__all__ = ["SYNTHETIC", "noisy_codes", "rotated_codes", "synthetic_codes"]

from itertools import product

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError, nearest
from unweave.factors import Factor, FactorSpace
from unweave.representation import Representation

# Three levels of three: a factor can be split into two codes, and coarsened to about half of what
# it tells.
_CLASSES = 9
_COARSE = 3

# Of a posterior, for metrics that want one: narrow beside the steps between codes.
_LOGVAR = 2 * np.log(0.1)

SYNTHETIC: tuple[str, ...] = tuple(f"m{m}c{c}i{i}" for m, c, i in product((1, 0), (1, 0), (1, 0)))
"""Names of the codes: modular, compact and explicit, each 1 or 0."""


def synthetic_codes(name: str, rows: int, seed: int = 0) -> Representation:
    """Codes that are modular, compact and explicit, or not, as their name says.

    Factors are uniform with nine values each. `m1c1` copies two factors, a code each; `m0c0`
    writes the pair of both as two codes through a random permutation of their 81 combinations, so
    that each code depends on both factors and neither factor is in one code; `m0c1` merges two
    factors into one code and copies a third; `m1c0` splits one factor into two codes of three
    values and copies another. `i1` keeps all that there is to know of the factors, `i0` about half
    of it.

    Args:
        name: One of `SYNTHETIC`.
        rows: How many to draw.
        seed: Seed of factors and permutation.

    Returns:
        Codes standardised to variance 1, with posteriors of standard deviation 0.1.

    Raises:
        SpecError: An unknown name.

    References:
        The construction follows Julka et al., 2024, who propose the EDI scores.
    """
    if name not in SYNTHETIC:
        raise SpecError(f"Unknown synthetic codes {name!r}. {nearest(name, SYNTHETIC)}")
    rng = np.random.default_rng(seed)
    explicit = name.endswith("i1")
    kind = name[:4]
    factors = rng.integers(_CLASSES, size=(rows, 3 if kind == "m0c1" else 2))
    # What is left of a factor's nine values.
    classes = _CLASSES if explicit else _COARSE
    kept = factors if explicit else factors // _COARSE
    if kind == "m1c1":
        codes = kept
    elif kind == "m0c0":
        pair = rng.permutation(classes**2)[kept[:, 0] * classes + kept[:, 1]]
        codes = np.stack([pair // classes, pair % classes], axis=1)
    elif kind == "m0c1":
        codes = np.stack([kept[:, 0] * classes + kept[:, 1], kept[:, 2]], axis=1)
    else:
        halves = np.stack([factors[:, 0] // 3, factors[:, 0] % 3], axis=1)
        # Three values to two, which tells 58 % of what the three do.
        halves = halves if explicit else halves // 2
        codes = np.concatenate([halves, kept[:, 1:]], axis=1)
    return _table(codes, factors)


def rotated_codes(degrees: float, rows: int, seed: int = 0) -> Representation:
    """Two factors of nine values, copied and turned in their plane.

    Args:
        degrees: At 45 both factors are in both codes to the same extent.
        rows: How many to draw.
        seed: Seed of the factors.
    """
    factors = np.random.default_rng(seed).integers(_CLASSES, size=(rows, 2))
    codes = (factors - factors.mean(0)) / factors.std(0)
    angle = np.deg2rad(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return _table(codes @ turn, factors)


def noisy_codes(noise: float, rows: int, seed: int = 0) -> Representation:
    """Two factors of nine values, copied with Gaussian noise.

    Args:
        noise: Standard deviation, where that of a clean code is 1.
        rows: How many to draw.
        seed: Seed of factors and noise.
    """
    rng = np.random.default_rng(seed)
    factors = rng.integers(_CLASSES, size=(rows, 2))
    codes = (factors - factors.mean(0)) / factors.std(0)
    return _table(codes + noise * rng.standard_normal(codes.shape), factors)


def _table(codes: NDArray[np.floating | np.integer], factors: NDArray[np.int64]) -> Representation:
    codes = (codes - codes.mean(0)) / codes.std(0)
    space = FactorSpace(tuple(Factor(f"factor_{k}", _CLASSES) for k in range(factors.shape[1])))
    return Representation(
        mean=codes.astype(np.float32),
        factors=factors,
        factor_space=space,
        logvar=np.full(codes.shape, _LOGVAR, np.float32),
    )
