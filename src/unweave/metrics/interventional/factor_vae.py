"""The FactorVAE score: does the latent that moves least name the factor that is fixed?"""

from __future__ import annotations

__all__ = ["FactorVAEScore", "count_votes", "recognised", "relative_variances"]

import logging
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import COMPAT_HELP, Compat, check_interventions, sampler
from unweave.representation import Representation
from unweave.spec import number, option

log = logging.getLogger("unweave")

# Rows whose codes are gathered at once.
_BLOCK = 2**17


def relative_variances(
    codes: NDArray[np.floating], rows: NDArray[np.int64], variances: NDArray[np.floating]
) -> NDArray[np.floating]:
    """Variance of each latent within batches of rows, relative to a given one.

    Args:
        codes: (N, L).
        rows: (votes, batch), batches of at least two.
        variances: What to divide by, (L,).

    Returns:
        (votes, L), NaN where both are 0.
    """
    votes, batch = rows.shape
    found = np.empty((votes, codes.shape[1]), codes.dtype)
    step = max(1, _BLOCK // batch)
    with np.errstate(divide="ignore", invalid="ignore"):
        for start in range(0, votes, step):
            here = slice(start, start + step)
            found[here] = codes.take(rows[here], axis=0).var(axis=1, ddof=1) / variances
    return found


def count_votes(
    factor: NDArray[np.int64], latent: NDArray[np.int64], factors: int, latents: int
) -> NDArray[np.int64]:
    """How often each latent was voted for while each factor was fixed, (L, K).

    Args:
        factor: Fixed factor of each vote, (votes,).
        latent: Latent of each vote, (votes,).
        factors: Number of factors K.
        latents: Number of latents L.
    """
    cells = np.bincount(latent * factors + factor, minlength=latents * factors)
    return cells.reshape(latents, factors)


def recognised(train: NDArray[np.int64], test: NDArray[np.int64]) -> NDArray[np.int64]:
    """How many test votes of each factor went to a latent that stands for it, (K,).

    A latent stands for the factor that most of its training votes had, the first of equals.

    Args:
        train: Training votes, (L, K).
        test: Test votes, (L, K).
    """
    stands_for = np.eye(train.shape[1], dtype=np.int64)[train.argmax(axis=1)]
    return np.asarray((stands_for * test).sum(axis=0), np.int64)


@final
class FactorVAEScore(Metric):
    """Accuracy of naming the factor that is fixed from the latent that varies least.

    A vote is a factor drawn at random, and a batch of rows that share one value of it; it goes to
    the latent whose variance in the batch is smallest relative to its variance at large. Each
    latent is given the factor that most of its `train` votes had, and `test` fresh votes are
    judged by that. Chance is one over the number of factors.

    Latents whose standard deviation is below `prune_std` get no votes, nor do constant ones; where
    none is left the score is 0. The first of equals wins. A factor that is constant in the table
    is never drawn. `parts` are the accuracies on the fresh votes of each factor, and
    `active_latents`, the number of latents that can get votes; the matrix holds the training ones.

    With `compat`, `parts` are `train_accuracy` and `eval_accuracy`, variances have the precision
    of the codes, and with `prune_std=0` a constant latent is kept: no variance relative to none is
    not a number, which wins every vote, so that the score falls to chance.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018)
        | https://arxiv.org/abs/1802.05983
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019), which pruned at 0.05
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "factor_vae"
    aliases: ClassVar[tuple[str, ...]] = ("factor_vae_metric", "factor_vae_score")
    source: ClassVar[str] = "Kim and Mnih, 2018, arXiv 1802.05983"

    train: int = number(default=10_000, low=1, help="Votes that give each latent its factor.")
    test: int = number(default=5_000, low=1, help="Votes that are judged.")
    batch: int = number(default=64, low=2, help="Rows behind a vote.")
    variance_samples: int | None = number(
        default=None, low=2, help="Rows that variances at large come from; None for all rows."
    )
    prune_std: float = number(
        default=0.05, low=0.0, help="Latents of a smaller standard deviation are left out."
    )
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def validate(self) -> None:
        """Refuse the reference's draws without a number of them."""
        if self.compat != "none" and self.variance_samples is None:
            raise SpecError(
                f"factor_vae: compat={self.compat} draws rows for variances, so give their "
                "number, variance_samples."
            )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse tables with fewer than two factors that vary.

        Raises:
            DataError: There are fewer, or `compat` needs the full grid and this is not one.
        """
        check_interventions(self.name, factors, factor_space, self.compat)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The accuracy on fresh votes.

        Raises:
            DataError: Fewer than two factors vary, or `compat` needs the full grid and this is
                not one.
        """
        table = representation
        names = table.factor_space.names
        self.check(np.asarray(table.factors), table.factor_space, table.latents)
        rows = sampler(table, draws, self.compat)
        codes = table.mean if self.compat != "none" else _with_finite_squares(table.mean)
        count = self.variance_samples
        sample = codes if count is None else codes[rows.at_once(count)]
        variances = sample.var(axis=0, ddof=1)
        active = np.sqrt(variances) >= self.prune_std
        if self.compat == "none":
            active &= sample.max(axis=0) > sample.min(axis=0)
        kept = np.flatnonzero(active)
        codes, variances = codes[:, kept], variances[kept]

        def votes(count: int) -> NDArray[np.int64]:
            drawn = rows.groups(count, self.batch)
            latent = kept[relative_variances(codes, drawn.rows, variances).argmin(axis=1)]
            return count_votes(drawn.factor, latent, len(names), table.latents)

        if kept.size:
            train, test = votes(self.train), votes(self.test)
        else:
            log.warning(
                "factor_vae: no latent varies by a standard deviation of prune_std=%g or more, so "
                "the score is 0.",
                self.prune_std,
            )
            train = test = np.zeros((table.latents, len(names)), np.int64)
        found = recognised(train, test)
        value = _share(found.sum(), test.sum())
        units = {}
        if self.compat != "none":
            right = recognised(train, train).sum()
            parts = {"train_accuracy": _share(right, train.sum()), "eval_accuracy": value}
        else:
            varying = (table.factors != table.factors[:1]).any(axis=0)
            parts = {names[k]: _share(found[k], test[:, k].sum()) for k in np.flatnonzero(varying)}
            parts["active_latents"] = float(kept.size)
            units["active_latents"] = "latents"
        matrix = Matrix(
            values=train.astype(np.float64),
            rows=tuple(f"z{j}" for j in range(table.latents)),
            columns=names,
            label="training votes",
        )
        return Score(value=value, parts=parts, matrix=matrix, units=units)


def _with_finite_squares(codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Codes (N, L) in double precision; huge and tiny latents at a scale that squares have.

    No threshold lies between the two scales.
    """
    numbers = codes.astype(np.float64)
    _, exponents = np.frexp(np.abs(numbers).max(axis=0))
    return np.asarray(np.ldexp(numbers, np.clip(exponents, -400, 400) - exponents))


def _share(part: float, whole: float) -> float:
    """Part of the whole; 0 of nothing."""
    return float(part / whole) if whole else 0.0
