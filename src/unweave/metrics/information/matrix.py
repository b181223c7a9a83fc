"""What each latent knows of each factor, with the entropies that it is compared to."""

from __future__ import annotations

__all__ = ["InformationMatrix"]

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray


@final
@dataclass(frozen=True, eq=False, kw_only=True)
class InformationMatrix:
    """Mutual information between latents and factors, nats.

    Most scores of the information family are functions of this table alone, so that it is
    computed once for each way of estimating it.

    Attributes:
        information: Between 0 and the entropy of the factor, (L, K).
        factor_entropy: Entropy of each factor in the sample, (K,).
        alive: Which latents are not constant in the sample, (L,).
        code_entropy: Entropy of each discrete or binned latent, (L,); None where latents are
            taken as continuous.
        levels: How many values or bins each latent can take, (L,); None likewise.
    """

    information: NDArray[np.float64]
    factor_entropy: NDArray[np.float64]
    alive: NDArray[np.bool_]
    code_entropy: NDArray[np.float64] | None = None
    levels: NDArray[np.int64] | None = None

    @property
    def varies(self) -> NDArray[np.bool_]:
        """Which factors take more than one value in the sample, (K,)."""
        return self.factor_entropy > 0

    @property
    def relative(self) -> NDArray[np.float64]:
        """Information as a share of each factor's entropy, 0 for a constant factor, (L, K)."""
        entropy = np.where(self.varies, self.factor_entropy, 1.0)
        share: NDArray[np.float64] = self.information / entropy
        return share

    @property
    def shares(self) -> NDArray[np.float64]:
        """`relative` of the factors that vary, in order, (L, at most K)."""
        return self.relative[:, self.varies]

    def without(self, leading: int) -> InformationMatrix:
        """The same without the first factors."""
        return InformationMatrix(
            information=self.information[:, leading:],
            factor_entropy=self.factor_entropy[leading:],
            alive=self.alive,
            code_entropy=self.code_entropy,
            levels=self.levels,
        )
