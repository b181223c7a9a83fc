"""Unsupervised disentanglement ranking: how far models of the same data agree on latents."""

from __future__ import annotations

__all__ = ["UDR", "UDRCompat", "pair_score", "rpu_kl", "udr"]

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.errors import DataError, SpecError
from unweave.metrics.columns import within_one

Floats = NDArray[np.float64]
Correlation = Literal["lasso", "spearman"]
UDRCompat = Literal["none", "dlib", "rpu"]

# Below this KL the published code takes a latent for collapsed, whatever the threshold is.
_COLLAPSED = 0.01
_TOLERANCE = 1e-10
_SWEEPS = 60
_SEARCHES = 1000


@final
@dataclass(frozen=True, eq=False)
class UDR:
    """The agreement of M models.

    Attributes:
        scores: Score of each model, (M,): the median over the other models of how well its
            latents are explained by theirs.
        pairs: Score of explaining the latents of model j by those of model i at [i, j], (M, M);
            0 on the diagonal.
        correlations: Size of the coefficients or rank correlations at [i][j], latents of i by
            latents of j.
        informative: Which latents of each model count.
    """

    scores: Floats
    pairs: Floats
    correlations: tuple[tuple[Floats, ...], ...]
    informative: tuple[NDArray[np.bool_], ...]

    @property
    def mean(self) -> float:
        """Mean score of the models, the fitness of an ensemble in rpu."""
        return float(self.scores.mean())


def udr(
    codes: Sequence[ArrayLike],
    kl: Sequence[ArrayLike],
    *,
    correlation: Correlation = "lasso",
    alpha: float = 0.1,
    threshold: float = 0.01,
    filter_low_kl: bool = True,
    pooled: bool | None = None,
    compat: UDRCompat = "none",
) -> UDR:
    r"""Agreement of models on the same images.

    Two models agree where each informative latent of one is explained by a single latent of the
    other. With the matrix R of absolute coefficients, latents of one model by latents of the
    other, the strength of a row or column is

    .. math:: \max(r)^2 / \sum r,

    and of one that is all zero it is 0. A pair's score is the mean strength over all rows and
    columns together (`pooled`), or the mean of the mean over rows and the mean over columns; the
    two differ where one model has more informative latents. A model without informative latents
    scores 0 with every other, and counts among the others. Standardised latents that match
    perfectly have the coefficient 1 - alpha, so that 0.9 is the most that the default gives.

    Args:
        codes: Codes of each model for the same N images in the same order, (N, L); models may
            differ in L.
        kl: Mean KL of each latent of each model to the prior in nats, (L,).
        correlation: `lasso` regresses the latents of one model on those of the other; `spearman`
            takes rank correlations.
        alpha: Weight of the penalty of the lasso.
        threshold: KL in nats above which a latent is informative.
        filter_low_kl: Leave out latents that are not informative. Under a `compat` setting the
            collapsed ones are still zero.
        pooled: Which mean a pair's score is; None for pooled, or separate under `compat`.
        compat: `dlib`: as disentanglement_lib; latents with a KL of at most 0.01 are set to zero
            whatever the threshold is, a latent that does not vary spoils rank correlations, and
            the lasso stops at scikit-learn's tolerance. `rpu`: the same of the code of
            PBT-VAE, which takes the KL of `rpu_kl` and averages the scores.

    Raises:
        DataError: Fewer than two models, codes of different lengths, or codes or KLs that are not
            finite or do not fit together.
        SpecError: A setting is out of range.

    References:
        | Unsupervised Model Selection for Variational Disentangled Representation Learning
        | (Duan et al., 2020)
        | https://arxiv.org/abs/1905.12614
    """
    if correlation not in ("lasso", "spearman"):
        raise SpecError(f"correlation must be lasso or spearman, not {correlation!r}.")
    if compat not in ("none", "dlib", "rpu"):
        raise SpecError(f"compat must be none, dlib or rpu, not {compat!r}.")
    if not alpha > 0:
        raise SpecError(f"alpha must be more than 0, but is {alpha}.")
    tables, divergences = _checked(codes, kl)
    published = compat != "none"
    informative = [divergence > threshold for divergence in divergences]
    if published:
        scaled = [
            _published_scale(table) * (divergence > _COLLAPSED)
            for table, divergence in zip(tables, divergences, strict=True)
        ]
    else:
        tables = [within_one(table) for table in tables]
        informative = [
            mask & (table.std(axis=0) > 0) if filter_low_kl else np.ones(len(mask), np.bool_)
            for mask, table in zip(informative, tables, strict=True)
        ]
        scaled = [
            _standardise(table) * mask for table, mask in zip(tables, informative, strict=True)
        ]
    if correlation == "spearman":
        correlations = _rank_correlations(scaled, nan=published)
    elif published:
        correlations = _published_lasso(scaled, alpha)
    else:
        correlations = _lasso(scaled, alpha)
    separate = published if pooled is None else not pooled
    count = len(tables)
    pairs = np.zeros((count, count))
    for i in range(count):
        for j in range(count):
            matrix = correlations[i][j]
            if i != j and filter_low_kl:
                matrix = matrix[informative[i]][:, informative[j]]
            if i != j:
                pairs[i, j] = pair_score(matrix, pooled=not separate)
    others = ~np.eye(count, dtype=np.bool_)
    scores = np.array([np.median(pairs[others[:, j], j]) for j in range(count)])
    return UDR(
        scores=scores,
        pairs=pairs,
        correlations=tuple(tuple(row) for row in correlations),
        informative=tuple(informative),
    )


def pair_score(matrix: NDArray[np.floating], *, pooled: bool = True) -> float:
    """How near a matrix is to one entry in each row and column; 0 for one without entries.

    Args:
        matrix: Absolute coefficients, (L1, L2). A NaN makes its row and column count 0.
        pooled: One mean over all rows and columns, or the mean of the two means.
    """
    if not matrix.size:
        return 0.0
    rows, columns = _strengths(matrix), _strengths(matrix.T)
    if pooled:
        return float(np.concatenate([rows, columns]).mean())
    return float((columns.mean() + rows.mean()) / 2)


def rpu_kl(mean: ArrayLike, logvar: ArrayLike, batch: int = 10) -> Floats:
    """KL of each latent as the code of PBT-VAE estimates it, defects included, (L,).

    In each batch the logarithm of the standard deviation is averaged, made positive, and taken for
    that of the variance, so that the KL of a latent with hardly any variance may be infinite. See
    `Representation.kl` for the KL itself.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of posterior variances, (N, L).
        batch: Images in a batch; those beyond the last full one are left out.

    Raises:
        DataError: There are fewer images than one batch.
    """
    means, logvars = np.asarray(mean, np.float64), np.asarray(logvar, np.float64)
    count = len(means) // batch
    if not count:
        raise DataError(f"rpu_kl averages batches of {batch} images, but has {len(means)}.")
    shape = (count, batch, means.shape[1])
    squares = (means[: count * batch] ** 2).reshape(shape).mean(axis=1)
    spread = np.abs((logvars[: count * batch] / 2).reshape(shape).mean(axis=1))
    # A training that has diverged has such variances, and whoever asked is told by what comes out.
    with np.errstate(over="ignore", invalid="ignore"):
        found: Floats = ((squares + np.exp(spread) - spread - 1) / 2).mean(axis=0)
    return found


def _checked(
    codes: Sequence[ArrayLike], kl: Sequence[ArrayLike]
) -> tuple[list[Floats], list[Floats]]:
    tables = [np.asarray(table, np.float64) for table in codes]
    divergences = [np.asarray(divergence, np.float64) for divergence in kl]
    if len(tables) < 2:
        raise DataError(f"UDR compares models, so give at least 2, not {len(tables)}.")
    if len(divergences) != len(tables):
        raise DataError(f"There are {len(tables)} models, but KLs of {len(divergences)}.")
    for m, (table, divergence) in enumerate(zip(tables, divergences, strict=True)):
        if table.ndim != 2 or len(table) < 2 or not table.shape[1]:
            raise DataError(
                f"Codes of model {m} must have the shape (N, L), with at least 2 rows and a "
                f"latent, not {table.shape}."
            )
        if len(table) != len(tables[0]):
            raise DataError(
                f"All models must encode the same images, but model 0 has {len(tables[0]):,} rows "
                f"and model {m} has {len(table):,}."
            )
        if divergence.shape != (table.shape[1],):
            raise DataError(
                f"Model {m} has {table.shape[1]} latents, but KLs of shape {divergence.shape}."
            )
        if not np.isfinite(table).all() or not np.isfinite(divergence).all():
            raise DataError(f"Codes and KLs of model {m} must be finite.")
    return tables, divergences


def _strengths(matrix: NDArray[np.floating]) -> Floats:
    """Of each row the square of its largest entry by its sum, (rows,)."""
    largest, total = matrix.max(axis=1), matrix.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.nan_to_num(np.asarray(largest**2 / total, np.float64))


def _standardise(table: Floats) -> Floats:
    """Columns of mean 0 and variance 1; those that do not vary are 0."""
    centred = table - table.mean(axis=0)
    spread = table.std(axis=0)
    scaled: Floats = centred / np.where(spread > 0, spread, 1) * (spread > 0)
    return scaled


def _published_scale(table: Floats) -> Floats:
    from sklearn.preprocessing import StandardScaler

    return np.asarray(StandardScaler().fit_transform(table), np.float64)


def _published_lasso(scaled: Sequence[Floats], alpha: float) -> list[list[Floats]]:
    """Coefficients as scikit-learn stops at them; it fits each target by itself."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import Lasso

    targets = np.concatenate(scaled, axis=1)
    found = []
    with warnings.catch_warnings():
        # Of the models' own latents, too, whose coefficients are not looked at.
        warnings.simplefilter("ignore", ConvergenceWarning)
        for source in scaled:
            fitted: Any = Lasso(alpha=alpha).fit(source, targets)
            coefficients = np.abs(
                np.asarray(fitted.coef_, np.float64).reshape(-1, source.shape[1])
            )
            found.append(_blocks(coefficients.T, scaled))
    return _without_own(found)


def _lasso(scaled: Sequence[Floats], alpha: float) -> list[list[Floats]]:
    """Optimal coefficients of every model's latents on every other's."""
    targets = np.concatenate(scaled, axis=1)
    found = []
    for source in scaled:
        gram = source.T @ source / len(source)
        products = source.T @ targets / len(source)
        found.append(_blocks(np.abs(_descend(gram, products, alpha)), scaled))
    return _without_own(found)


def _descend(gram: Floats, products: Floats, alpha: float) -> Floats:
    """Lasso weights, (L, targets), by coordinate descent of all targets at once.

    Where sources are nearly dependent that would take thousands of sweeps, so that after some the
    targets that are left are finished one by one.
    """
    weights: Floats = np.zeros_like(products)
    left = np.arange(products.shape[1])
    # A latent of zeros explains nothing.
    moving = np.flatnonzero(gram.diagonal() > 0)
    for _ in range(_SWEEPS):
        now, aims = weights[:, left], products[:, left]
        change = np.zeros(len(left))
        for k in moving:
            old = now[k].copy()
            rest = aims[k] - gram[k] @ now + gram[k, k] * old
            now[k] = np.sign(rest) * np.maximum(np.abs(rest) - alpha, 0) / gram[k, k]
            change = np.maximum(change, np.abs(now[k] - old))
        weights[:, left] = now
        left = left[change >= _TOLERANCE]
        if not len(left):
            return weights
    for t in left.tolist():
        weights[:, t] = _search_signs(gram, products[:, t], alpha, weights[:, t])
    return weights


def _search_signs(gram: Floats, aim: Floats, alpha: float, weights: Floats) -> Floats:
    """Lasso weights of one target, (L,), by solving for them with one set of signs after another.

    With given signs of the weights in use the optimum is the solution of linear equations. On the
    way to it a weight that would change its sign is dropped; once none does, the unused one with
    the largest gradient joins.
    """
    weights = weights.copy()
    signs = np.sign(weights)
    for _ in range(_SEARCHES):
        used = np.flatnonzero(signs)
        inside = gram[np.ix_(used, used)]
        exact = np.linalg.lstsq(inside, aim[used] - alpha * signs[used], rcond=1e-12)[0]
        crossing = exact * signs[used] <= 0
        if crossing.any():
            here = weights[used]
            shares = np.where(crossing, here / np.where(crossing, here - exact, 1), np.inf)
            first = shares.argmin()
            weights[used] = here + shares[first] * (exact - here)
            weights[used[first]] = signs[used[first]] = 0
            continue
        weights[used] = exact
        gradient = aim - gram @ weights
        outside = np.where(signs == 0, np.abs(gradient), 0)
        most = int(outside.argmax())
        if outside[most] <= alpha + _TOLERANCE:
            break
        signs[most] = np.sign(gradient[most])
    return weights


def _rank_correlations(scaled: Sequence[Floats], *, nan: bool) -> list[list[Floats]]:
    """Absolute rank correlations; of a latent that does not vary they are NaN, or 0."""
    from scipy.stats import rankdata

    ranks = _standardise(np.concatenate([rankdata(table, axis=0) for table in scaled], axis=1))
    correlations = np.minimum(np.abs(ranks.T @ ranks / len(ranks)), 1.0)
    if nan:
        still = ~ranks.any(axis=0)
        correlations[still] = correlations[:, still] = np.nan
    ends = np.cumsum([table.shape[1] for table in scaled])[:-1]
    return _without_own([_blocks(rows, scaled) for rows in np.split(correlations, ends)])


def _blocks(matrix: Floats, scaled: Sequence[Floats]) -> list[Floats]:
    """The columns of each model."""
    ends = np.cumsum([table.shape[1] for table in scaled])[:-1]
    return np.split(matrix, ends, axis=1)


def _without_own(found: list[list[Floats]]) -> list[list[Floats]]:
    """A model is not compared with itself."""
    for i, row in enumerate(found):
        row[i] = np.zeros_like(row[i])
    return found
