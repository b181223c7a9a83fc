"""The separated attribute predictability score."""

from __future__ import annotations

__all__ = ["SAP", "gap_score", "gaps", "svc_accuracies"]

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import standardised
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import (
    COMPAT_HELP,
    SHARE_HELP,
    Compat,
    grid_rows,
    in_order,
    sampler,
)
from unweave.metrics.solvers import quiet
from unweave.metrics.threads import cores
from unweave.representation import Representation
from unweave.spec import number, option

_LARGEST = 1e30


def gaps(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far the best latent of each factor is ahead of the second, (K,) of (L, K), L >= 2."""
    ranked = np.sort(scores, axis=0)
    ahead: NDArray[np.float64] = ranked[-1] - ranked[-2]
    return ahead


def gap_score(
    scores: NDArray[np.float64], table: Representation, label: str, compat: Compat
) -> Score | None:
    """The mean gap over factors, each gap as a part, and the table behind them.

    Args:
        scores: Of each latent for each factor, (L, K); NaN for a factor that is constant.
        table: Names factors and latents.
        label: What the scores are.
        compat: With it the mean is the one part, under its published name.

    Returns:
        None where every factor is constant.
    """
    names = table.factor_space.names
    ahead = zip(names, gaps(scores), strict=True)
    parts = {name: float(gap) for name, gap in ahead if not np.isnan(gap)}
    if not parts:
        return None
    value = float(np.mean(list(parts.values())))
    matrix = Matrix(
        values=np.nan_to_num(scores),
        rows=tuple(f"z{j}" for j in range(table.latents)),
        columns=names,
        label=label,
    )
    return Score(
        value=value, parts=parts if compat == "none" else {"SAP_score": value}, matrix=matrix
    )


def svc_accuracies(
    train: tuple[NDArray[np.floating], NDArray[np.int64]],
    test: tuple[NDArray[np.floating], NDArray[np.int64]],
    random_state: np.random.RandomState | None = None,
) -> NDArray[np.float64]:
    """How often a linear support vector classifier finds a factor from one latent alone.

    Each is scikit-learn's `LinearSVC(C=0.01, class_weight="balanced")` on the bare code, one class
    against the rest.

    Args:
        train: Codes (N, L) and factor indices (N, K) to fit on.
        test: Codes (M, L) and factor indices (M, K) to test on.
        random_state: For the dual solver, which visits rows at random. None for the primal one,
            which draws nothing.

    Returns:
        Share of test rows, (L, K); NaN where the training rows have one value of a factor only.
    """
    from sklearn.svm import LinearSVC

    (codes, factors), (test_codes, test_factors) = train, test
    latents, kinds = codes.shape[1], factors.shape[1]
    varies = (factors != factors[:1]).any(axis=0)

    def accuracy(job: tuple[int, int]) -> float:
        j, k = job
        classifier = LinearSVC(
            C=0.01,
            class_weight="balanced",
            dual=random_state is not None,
            random_state=random_state,
        )
        classifier.fit(codes[:, [j]], factors[:, k])
        found = classifier.predict(test_codes[:, [j]])
        return float(np.mean(found == test_factors[:, k]))

    jobs = [(j, int(k)) for j in range(latents) for k in np.flatnonzero(varies)]
    accuracies = np.full((latents, kinds), np.nan)
    # The primal solver lets other threads run. The dual one draws from a generator that the whole
    # process shares, so its fits wait for one another.
    workers = cores() if random_state is None else 1
    with quiet(), ThreadPoolExecutor(workers) as pool:
        for job, found in zip(jobs, pool.map(accuracy, jobs), strict=True):
            accuracies[job] = found
    return accuracies


@final
class SAP(Metric):
    r"""Gap between the two latents that alone predict a factor best.

    .. math:: \frac{1}{K} \sum_k \left( a_{(1)k} - a_{(2)k} \right)

    The accuracy a of a linear support vector classifier of one latent is that on rows which it was
    not fitted to. Codes enter standardised as in the rows fitted, because to a classifier whose
    penalty is fixed their scale would matter; with `compat` they enter as they are. One threshold
    for each value, as a linear classifier of one number has, parts few values of a factor with
    many, so that scores are low by construction. A factor that is constant in the training rows is
    left out of the mean, and `parts` does not name it.

    With `compat=dlib2019` the dual solver of that time is taken, which visits rows in random
    order. The order itself came from the C library and is not repeated: a few of the test rows
    that lie on a boundary may fall to the other side.

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations (Kumar
        | et al., 2018)
        | https://arxiv.org/abs/1711.00848
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "sap"
    source: ClassVar[str] = "Kumar et al., 2018, arXiv 1711.00848"
    aliases: ClassVar[tuple[str, ...]] = ("sap_score",)

    train: int = number(default=10_000, low=2, help="Rows to fit on.")
    test: int = number(default=5_000, low=1, help="Rows to test on.")
    share: float | None = number(default=None, above=0, below=1, help=SHARE_HELP)
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse a single latent, and rows that cannot be drawn or are all alike.

        Raises:
            DataError: The message says which.
        """
        if latents < 2:
            raise DataError("sap compares two latents, but the representation has only one.")
        if self.share is not None:
            in_order(len(factors), self.share)
        elif self.compat != "none":
            grid_rows(factors, factor_space)
        if not (factors != factors[:1]).any():
            raise DataError("sap needs a factor that varies, but every factor is constant here.")

    def score(self, representation: Representation, draws: Draws) -> Score:
        """SAP, the gap of each factor, and the latent-by-factor accuracy on the test rows.

        Raises:
            DataError: There are fewer than two latents or two rows, or every factor is constant in
                the rows to fit on.
        """
        codes, factors = np.asarray(representation.mean), np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        if self.share is not None:
            train, test = in_order(len(factors), self.share)
        else:
            train, test = sampler(representation, draws, self.compat).split(self.train, self.test)
        # A stream of its own, as the reference's solver draws from NumPy's global one.
        state = draws.legacy() if self.compat == "dlib2019" else None
        sets: tuple[NDArray[np.floating], NDArray[np.floating]] = codes[train], codes[test]
        if self.compat == "none":
            sets = standardised(*sets)
        elif float(np.abs(codes).max()) > _LARGEST:
            raise DataError(
                f"sap: with compat={self.compat} codes enter the solver as they are, and it does "
                f"not end on codes above {_LARGEST:g}. Scale them, or leave compat out."
            )
        accuracies = svc_accuracies((sets[0], factors[train]), (sets[1], factors[test]), state)
        label = "accuracy of one latent on test rows, 0 for a constant factor"
        score = gap_score(accuracies, representation, label, self.compat)
        if score is None:
            raise DataError(
                f"sap needs a factor that varies in the rows to fit on, but in these {len(train)} "
                f"rows every factor is constant."
            )
        return score
