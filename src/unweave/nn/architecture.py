"""What an architecture promises: an encoder trunk with a head, and a decoder."""

from __future__ import annotations

__all__ = ["Architecture"]

from abc import abstractmethod
from typing import ClassVar

from torch import nn

from unweave.spec import Component


class Architecture(Component):
    """A published pair of encoder and decoder, chosen by name.

    The encoder is built in two pieces, trunk and head, because the head always runs in float32.
    """

    family: ClassVar[str] = "architecture"

    @abstractmethod
    def check(self, image_shape: tuple[int, int, int]) -> None:
        """Refuse images (H, W, C) that the architecture does not take.

        Raises:
            SpecError: It does not take them.
        """

    @abstractmethod
    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Network from images (B, C, H, W) to features (B, F), and F.

        Args:
            image_shape: (H, W, C).
        """

    @abstractmethod
    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Network from latents (B, L) to pixel logits (B, C, H, W)."""
