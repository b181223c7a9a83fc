"""How far the codes of combinations are displaced from what was seen of their values."""

from __future__ import annotations

__all__ = ["displaced", "main_effects"]

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.tables import CodeTable

Floats: TypeAlias = NDArray[np.float64]

# A factor with more values is no grid's, and has hardly two rows with one value.
_MOST_VALUES = 1000


def displaced(
    train: CodeTable, test: CodeTable, known: NDArray[np.bool_], compared: Sequence[int]
) -> Floats:
    """The displacement of rows, by their values of the compared factors, (M, L).

    Codes of the rows trained on are a sum of effects of the values of all factors, fitted by least
    squares. Of what this leaves of the codes of the tested rows, the part is their displacement
    that is itself a sum of effects of the compared factors, fitted to these rows. It is 0 where
    codes of the tested rows follow from their values as they do in the rows trained on, but for
    chance.

    Args:
        train: Rows that were trained on.
        test: Rows that are tested, of which M are known.
        known: Which of them training has the values of, (N,).
        compared: Positions of the compared factors.
    """
    every = range(len(train.space.sizes))
    codes, factors = test.codes[known], test.factors[known]
    seen = main_effects(train.codes, train.factors, train.space.sizes, every)
    rest = codes - _predicted(seen, factors)
    own = main_effects(rest, factors, train.space.sizes, compared)
    return _predicted(own, factors)


def main_effects(
    codes: Floats, factors: NDArray[np.int64], sizes: Sequence[int], chosen: Sequence[int]
) -> dict[int, Floats]:
    """The effect of each value of some factors on codes, whose sum is nearest to the codes.

    Effects are not unique: one factor's can be raised and another's lowered. Their sums are, for
    combinations of values that the rows tie together; the smallest effects are given. A value that
    no row has has none.

    Args:
        codes: (N, L), N of at least 1.
        factors: Factor indices, (N, K).
        sizes: How many values each factor has, (K,).
        chosen: Positions of the factors.

    Returns:
        By position of the factor, (size, L). Factors with more than a thousand values have no
        effects; where none is left, and where none is chosen, there is the mean of the codes, as
        the only effect of position -1.
    """
    used = [k for k in chosen if sizes[k] <= _MOST_VALUES]
    if not used:
        return {-1: codes.mean(axis=0, keepdims=True)}
    ends = np.cumsum([0, *(sizes[k] for k in used)])
    # Of indicators of values, all that is needed are counts of pairs of values, and sums of codes.
    counts = np.empty((ends[-1], ends[-1]))
    sums = np.empty((ends[-1], codes.shape[1]))
    for one, k in enumerate(used):
        rows = slice(ends[one], ends[one + 1])
        for latent, column in enumerate(codes.T):
            sums[rows, latent] = np.bincount(factors[:, k], column, sizes[k])
        for other, m in enumerate(used):
            pairs = factors[:, k] * sizes[m] + factors[:, m]
            table = np.bincount(pairs, minlength=sizes[k] * sizes[m])
            counts[rows, ends[other] : ends[other + 1]] = table.reshape(sizes[k], sizes[m])
    effects = np.linalg.lstsq(counts, sums, rcond=1e-10)[0]
    return {k: effects[ends[place] : ends[place + 1]] for place, k in enumerate(used)}


def _predicted(effects: dict[int, Floats], factors: NDArray[np.int64]) -> Floats:
    """Sums of the effects of the values of rows, (n, L)."""
    if -1 in effects:
        return np.repeat(effects[-1], len(factors), axis=0)
    return np.asarray(sum(table[factors[:, k]] for k, table in effects.items()), np.float64)
