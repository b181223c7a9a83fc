"""The axis alignment metric."""

from __future__ import annotations

__all__ = ["AAM"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.posterior.metric import SampledMetric

# Nats. Where no latent knows anything, what the default estimates stays below this.
_NOTHING = 1e-3


@final
class AAM(SampledMetric):
    r"""How far one latent alone knows a factor: what it knows more than all others together.

    .. math:: \frac{1}{K} \sum_k
        \frac{\max(0, I(z_{(1)}; v_k) - \sum_{j \ge 2} I(z_{(j)}; v_k))}{I(z_{(1)}; v_k)}

    The information is that of `mig_sampled`, from 0 to the entropy of the factor. A factor that no
    latent knows counts as 0: one of which the best latent knows less than 0.001 nats, which the
    estimate cannot tell from nothing, and whose share would be noise over noise. With
    `compat=disvae` only 0/0 is 0, as published. A factor that is constant is left out of the mean.
    Small amounts of information in many latents add up here, those that stem from the sampling
    too.

    References:
        | The disentangling-vae code (Dubois et al., 2019), which defines it
        | https://github.com/YannDubs/disentangling-vae
    """

    name: ClassVar[str] = "aam"
    source: ClassVar[str] = "disentangling-vae (Dubois et al., 2019)"

    def part(self, ranked: NDArray[np.float64], entropy: float) -> float:
        """What the first knows more than all others, as a share of what it knows."""
        most, others = float(ranked[0]), float(ranked[1:].sum())
        nothing = 0.0 if self.compat == "disvae" else _NOTHING
        return max(most - others, 0.0) / most if most > nothing else 0.0
