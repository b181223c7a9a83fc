"""The mutual information gap."""

from __future__ import annotations

__all__ = ["MIG"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.information.metric import require_kept
from unweave.metrics.plug_in import discretise, entropies, mutual_information
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.representation import Representation
from unweave.spec import number, option

_CONSTANT = "MIG needs a factor that varies, but every factor is constant here."


@final
class MIG(Metric):
    r"""Gap between the two latents that know most of a factor, relative to its entropy.

    .. math:: \frac{1}{K} \sum_k \frac{I(z_{(1)}; v_k) - I(z_{(2)}; v_k)}{H(v_k)}

    The mutual information is the plug-in estimate with each latent binned into equally wide bins.
    A factor that is constant in the sample has no entropy and is left out of the mean; `parts`
    does not name it.

    References:
        | Isolating Sources of Disentanglement in Variational Autoencoders (Chen et al., 2018)
        | https://arxiv.org/abs/1802.04942
    """

    name: ClassVar[str] = "mig"
    source: ClassVar[str] = "Chen et al., 2018, arXiv 1802.04942"

    bins: int = number(default=20, low=2, help="Equally wide bins for each latent.")
    samples: int | None = number(
        default=None, low=1, help="Rows drawn, all where there are fewer; None for all rows."
    )
    skip: int = number(default=0, low=0, help="Factors at the beginning that are left out.")
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse a single latent, factors that are all constant, and what should be a full grid.

        Factors that are left out do not count.

        Raises:
            DataError: The message says which.
        """
        if latents < 2:
            raise DataError("MIG compares two latents, but the representation has only one.")
        if self.compat != "none" and self.samples is not None:
            grid_rows(factors, factor_space)
        require_kept(self.name, self.skip, factors.shape[1])
        if not (factors != factors[:1])[:, self.skip :].any():
            raise DataError(_CONSTANT)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """MIG, the gap of each factor, and the latent-by-factor information in nats.

        Raises:
            DataError: There are fewer than two latents, or every factor is constant.
        """
        table = representation
        self.check(np.asarray(table.factors), table.factor_space, table.latents)
        if self.samples is not None:
            rows = sampler(representation, draws, self.compat).sample(self.samples)
            representation = representation.subset(rows)
        sizes = representation.factor_space.sizes
        rounded = self.compat == "dlib2019"
        binned = discretise(representation.mean, self.bins, rounded=rounded)
        factors = np.asarray(representation.factors)
        information = mutual_information(binned, factors, self.bins, sizes)
        entropy = entropies(factors, sizes)
        names = representation.factor_space.names
        ranked = -np.sort(-information, axis=0)
        parts = {
            name: float((ranked[0, k] - ranked[1, k]) / entropy[k])
            for k, name in enumerate(names)
            if k >= self.skip and entropy[k] > 0
        }
        if not parts:
            raise DataError(_CONSTANT)
        matrix = Matrix(
            values=information,
            rows=tuple(f"z{j}" for j in range(representation.latents)),
            columns=names,
            label="mutual information (nats)",
        )
        value = float(np.mean(list(parts.values())))
        if self.compat != "none":
            parts = {"discrete_mig": value}
        return Score(value=value, parts=parts, matrix=matrix)
