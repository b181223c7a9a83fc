"""Which latents of a model become labels: those whose KL to the prior is above a threshold."""

from __future__ import annotations

__all__ = ["Active", "ActiveCompat", "active_latents"]

from dataclasses import dataclass
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.metrics.label_free.udr import rpu_kl
from unweave.representation import Representation

ActiveCompat: TypeAlias = Literal["none", "rpu"]

# Images in a batch of the published code when it labels.
_BATCH = 32


@final
@dataclass(frozen=True, eq=False)
class Active:
    """The latents that carry information.

    Attributes:
        latents: Their numbers, ascending, (A,) int64.
        kl: KL of every latent to the prior in nats, (L,).
        threshold: KL in nats that these exceed.
    """

    latents: NDArray[np.int64]
    kl: NDArray[np.float64]
    threshold: float


def active_latents(
    representation: Representation, threshold: float = 1.0, *, compat: ActiveCompat = "none"
) -> Active:
    """The latents whose mean KL exceeds a threshold.

    Args:
        representation: Codes with logvars.
        threshold: Nats.
        compat: `rpu` estimates the KL as the code of rPU-VAE does, from batches of 32 images
            (see `rpu_kl`); images beyond the last full batch count only where there is no other.

    Raises:
        DataError: There are no logvars, or no images.
        SpecError: A setting is out of range.

    References:
        | Robust Disentanglement of a Few Factors at a Time
        | (Estermann et al., 2020)
        | https://arxiv.org/abs/2010.13527
    """
    if compat not in ("none", "rpu"):
        raise SpecError(f"compat must be none or rpu, not {compat!r}.")
    if not threshold >= 0:
        raise SpecError(f"threshold must be at least 0 nats, but is {threshold}.")
    if not len(representation):
        raise DataError("Active latents are found from codes of images, and there are none.")
    if compat == "rpu":
        if representation.logvar is None:
            raise DataError("The KL of latents needs posterior variances, and there are none.")
        batch = min(_BATCH, len(representation))
        kl = rpu_kl(representation.mean, representation.logvar, batch)
    else:
        kl = representation.kl()
    latents = np.flatnonzero(kl > threshold).astype(np.int64)
    return Active(latents=latents, kl=kl, threshold=float(threshold))
