"""Codes without noise: what a deterministic encoder gives."""

from __future__ import annotations

__all__ = ["Point"]

from dataclasses import dataclass
from typing import final

from torch import Tensor


@final
@dataclass(frozen=True)
class Point:
    """The code of each image, with no distribution around it.

    Attributes:
        mean: The codes, (B, L) float32; called so because whatever reads means reads them.
        logvar: None: there is no variance.
    """

    mean: Tensor
    logvar: None = None

    def sample(self, noise: Tensor) -> Tensor:
        """The codes themselves, whatever the noise."""
        return self.mean
