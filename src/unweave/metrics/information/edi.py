"""Exclusivity of latents and factors: the EDI scores."""

from __future__ import annotations

__all__ = ["EDI", "exclusive_modularity", "exclusivities"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.draws import Draws
from unweave.metrics.information.joint import joint_information
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import SAMPLES_HELP, InformationMetric
from unweave.representation import Representation
from unweave.spec import number


def exclusivities(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest entry of each row less the root mean square of the others, (rows,).

    A single column has no others, and the entry is taken as it is.
    """
    ranked = np.sort(shares, axis=1)
    if shares.shape[1] == 1:
        return ranked[:, 0]
    return np.asarray(ranked[:, -1] - np.sqrt((ranked[:, :-1] ** 2).mean(axis=1)))


def exclusive_modularity(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each factor the exclusivities, 1 at most, of the latents that know most of it, (K,).

    Args:
        shares: What a latent knows as a share of what all together know, (L, K).
    """
    result = np.zeros(shares.shape[1])
    np.add.at(result, shares.argmax(axis=1), exclusivities(shares))
    return np.minimum(result, 1.0)


@final
class EDI(InformationMetric):
    r"""Modularity, compactness and explicitness by the exclusivity of what latents know.

    With :math:`R_{jk} = I(z_j; v_k) / I(z; v_k)` the share of what all latents know, the
    exclusivity of a row or column is its largest entry less the root mean square of the others.

    - `modularity`, the score: each latent adds the exclusivity of its row to the factor that it
      knows most of, up to 1; the mean over factors;
    - `compactness`: the mean exclusivity of the columns;
    - `explicitness`: the mean of :math:`I(z; v_k) / H(v_k)`.

    The authors estimate :math:`I(z; v_k)` by nearest neighbours for fewer than four latents, and
    else by a network. Here it is a lower bound of a random forest on held-out rows, at least what
    the best latent knows and at most the entropy of the factor: no share exceeds 1. A factor that
    nothing is known of has no share in any latent.

    References:
        Julka et al., 2024, who propose it.
    """

    name: ClassVar[str] = "edi"
    source: ClassVar[str] = "Julka et al., 2024 (EDI)"
    opt_in: ClassVar[bool] = True

    samples: int | None = number(default=10_000, low=2, help=SAMPLES_HELP)
    trees: int = number(default=30, low=1, high=10_000, help="Trees of each random forest.")
    leaf: int = number(default=10, low=1, help="Fewest rows in a leaf of a tree.")

    def cost(self, representation: Representation) -> str | None:
        """How many forests are fitted to how many rows."""
        rows = len(representation) if self.samples is None else self.samples
        factors = representation.factors.shape[1]
        return (
            f"{2 * factors} random forests of {self.trees} trees to fit to "
            f"{min(rows, len(representation)) // 2:,} rows each"
        )

    def score(self, representation: Representation, draws: Draws) -> Score:
        """Modularity, and the three scores as parts.

        Raises:
            DataError: Every factor is constant.
        """
        found = self.estimated(representation, draws, self.estimator)
        table = self.sample(representation, draws)
        codes, factors = np.asarray(table.mean), np.asarray(table.factors)
        random_state = Draws(draws.seed, f"{draws.purpose}/forest").random_state()
        best = found.information.max(axis=0)
        joint = np.zeros(len(best))
        for k in np.flatnonzero(found.varies):
            bound = joint_information(
                codes, factors[:, k], trees=self.trees, leaf=self.leaf, random_state=random_state
            )
            joint[k] = min(max(bound, best[k]), found.factor_entropy[k])
        return self._score(found, joint, representation)

    def score_matrix(self, found: InformationMatrix, table: Representation) -> Score:
        """The scores where no more is known than what the best latent knows of each factor."""
        return self._score(found, found.information.max(axis=0), table)

    def _score(
        self, found: InformationMatrix, joint: NDArray[np.float64], table: Representation
    ) -> Score:
        information, joint = found.information[:, found.varies], joint[found.varies]
        shares = information / np.where(joint > 0, joint, 1.0)
        modularity = float(exclusive_modularity(shares).mean())
        parts = {
            "modularity": modularity,
            "compactness": float(exclusivities(shares.T).mean()),
            "explicitness": float(np.mean(joint / found.factor_entropy[found.varies])),
        }
        return self.result(modularity, parts, found, table)
