"""Ways to estimate the mutual information between latents and factors."""

from __future__ import annotations

__all__ = [
    "BinnedEstimator",
    "Distinct",
    "Histogram",
    "InformationEstimator",
    "NearestNeighbours",
    "PosteriorSampling",
]

from abc import abstractmethod
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import within_one
from unweave.metrics.draws import Draws
from unweave.metrics.information.knn import knn_information
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.plug_in import discretise, entropies, mutual_information
from unweave.metrics.posterior.entropies import count_densities, sampled_entropies
from unweave.metrics.posterior.metric import checked_logvar, sampling_cost
from unweave.representation import Representation
from unweave.spec import Component, number, option


class InformationEstimator(Component):
    """A way to estimate the mutual information between latents and factors."""

    family: ClassVar[str] = "information estimator"

    @abstractmethod
    def estimate(self, table: Representation, draws: Draws) -> InformationMatrix:
        """The information of every latent about every factor, in nats.

        Args:
            table: The rows to estimate it from, all of them used.
            draws: Source of whatever is drawn.

        Raises:
            DataError: The table lacks what is needed.
        """

    def cost(self, table: Representation) -> str | None:
        """What it takes where that is long, else None.

        Raises:
            DataError: The table lacks what is needed.
        """
        return None


class BinnedEstimator(InformationEstimator):
    """A plug-in estimate of discrete or binned latents, which have an entropy too."""

    debiased: bool = option(
        default=False, help="Take off the bias that random codes would have, to first order."
    )

    @abstractmethod
    def labels(self, codes: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Label of each code from 0, (N, L), and how many there can be in each column, (L,)."""

    def estimate(self, table: Representation, draws: Draws) -> InformationMatrix:
        """The plug-in estimate; nothing is drawn."""
        labels, levels = self.labels(np.asarray(table.mean))
        factors, sizes = np.asarray(table.factors), table.factor_space.sizes
        most = int(levels.max())
        information = mutual_information(labels, factors, most, sizes)
        entropy = entropies(factors, sizes)
        if self.debiased:
            information = information - _bias(labels, factors)
        code_entropy = entropies(labels, (most,) * labels.shape[1])
        return InformationMatrix(
            information=np.clip(information, 0.0, entropy),
            factor_entropy=entropy,
            alive=code_entropy > 0,
            code_entropy=code_entropy,
            levels=levels,
        )


@final
class Histogram(BinnedEstimator):
    r"""The plug-in estimate of latents in bins.

    Bins of equal `width` lie between the smallest and the largest code of a latent, those of equal
    mass between its quantiles, where equal codes stay together.

    Estimates of N rows are biased upwards by about :math:`(B - 1)(V - 1) / 2N` nats for B bins and
    V values of a factor, 0.37 for 20 bins, 40 values and 1,000 rows. Differences between latents
    lose most of it; what is no difference, such as leakage, does not. `debiased` takes it off,
    counting the cells that are occupied.

    References:
        The correction is that of Miller and Madow for each entropy.
    """

    name: ClassVar[str] = "histogram"

    bins: int = number(default=20, low=2, high=2**20, help="Bins for each latent.")
    spacing: Literal["width", "quantile"] = option(
        default="width", help="Bins of equal width, or of equal mass."
    )

    def labels(self, codes: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Bin of each code, (N, L), and the number of bins, (L,)."""
        levels = np.full(codes.shape[1], self.bins)
        if self.spacing == "width":
            return discretise(codes, self.bins), levels
        inner = np.linspace(0, 1, self.bins + 1)[1:-1]
        columns = [
            np.searchsorted(np.unique(np.quantile(column, inner)), column, side="right")
            for column in np.asarray(codes.T, np.float64)
        ]
        return np.stack(columns, axis=1).astype(np.int64), levels


@final
class Distinct(BinnedEstimator):
    """The plug-in estimate of discrete latents: each value that occurs is a class of its own."""

    name: ClassVar[str] = "distinct"

    def labels(self, codes: NDArray[np.floating]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Rank of each code among the values of its latent, (N, L), and their number, (L,)."""
        found = [np.unique(column, return_inverse=True) for column in codes.T]
        labels = np.stack([inverse.reshape(-1) for _, inverse in found], axis=1)
        return labels.astype(np.int64), np.array([len(values) for values, _ in found])


@final
class NearestNeighbours(InformationEstimator):
    """The estimate of continuous latents by their nearest neighbours, as scikit-learn has it.

    References:
        | Mutual Information between Discrete and Continuous Data Sets (Ross, 2014)
        | https://doi.org/10.1371/journal.pone.0087357
    """

    name: ClassVar[str] = "knn"

    neighbours: int = number(default=3, low=1, help="Neighbours of the same value of a factor.")

    def estimate(self, table: Representation, draws: Draws) -> InformationMatrix:
        """The estimate of standardised latents, with tiny noise against ties drawn."""
        codes = within_one(table.mean)
        codes = codes - codes.mean(axis=0)
        factors = np.asarray(table.factors)
        state = draws.random_state()
        entropy = entropies(factors, table.factor_space.sizes)
        information = knn_information(codes, factors, self.neighbours, state)
        return InformationMatrix(
            information=np.minimum(information, entropy),
            factor_entropy=entropy,
            alive=np.ptp(codes, axis=0) > 0,
        )


@final
class PosteriorSampling(InformationEstimator):
    """The estimate by sampling from the aggregate of Gaussian posteriors."""

    name: ClassVar[str] = "posterior"

    samples: int = number(default=10_000, low=1, help="Draws of z for each entropy.")
    components: int | Literal["all"] = number(
        default=10_000,
        low=2,
        help="Most posteriors that stand for each density; all for every image, which is exact.",
    )

    def estimate(self, table: Representation, draws: Draws) -> InformationMatrix:
        """The sampled estimate, no latent knowing less than nothing or more than there is."""
        logvar = checked_logvar(table, "An estimate by sampling")
        factors = np.asarray(table.factors)
        found = sampled_entropies(
            np.asarray(table.mean),
            logvar,
            factors,
            samples=self.samples,
            components=self._most,
            rng=draws.generator(),
        )
        entropy = entropies(factors, table.factor_space.sizes)
        return InformationMatrix(
            information=np.clip(found.information, 0.0, entropy),
            factor_entropy=entropy,
            alive=np.ones(table.latents, np.bool_),
        )

    def cost(self, table: Representation) -> str | None:
        """Densities and time."""
        checked_logvar(table, "An estimate by sampling")
        per_latent = count_densities(np.asarray(table.factors), self.samples, self._most)
        densities = per_latent * table.latents
        return sampling_cost(densities, table.latents, exact=self._most is None)

    @property
    def _most(self) -> int | None:
        return None if self.components == "all" else self.components


def _bias(labels: NDArray[np.int64], factors: NDArray[np.int64]) -> NDArray[np.float64]:
    """First-order bias of plug-in information by the cells that are occupied, (L, K)."""
    rows = len(labels)
    result = np.empty((labels.shape[1], factors.shape[1]))
    for k, column in enumerate(factors.T):
        width = int(column.max()) + 1
        values = np.count_nonzero(np.bincount(column))
        for j, label in enumerate(labels.T):
            bins = np.count_nonzero(np.bincount(label))
            cells = np.count_nonzero(np.bincount(label * width + column))
            result[j, k] = (cells - bins - values + 1) / (2 * rows)
    return result
