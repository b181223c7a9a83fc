"""What an architecture promises: an encoder of trunk and head, a decoder, and first weights."""

from __future__ import annotations

__all__ = ["Architecture"]

from abc import abstractmethod
from typing import ClassVar

import torch
from torch import nn

from unweave.nn.initialise import initialise
from unweave.spec import Component


class Architecture(Component):
    """A published pair of encoder and decoder, chosen by name.

    The encoder is built in two pieces, trunk and head, because the head always runs in float32.
    """

    family: ClassVar[str] = "architecture"

    @abstractmethod
    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Refuse images (H, W, C), or a number of latents, that the architecture does not take.

        Raises:
            SpecError: It does not take them.
        """

    @abstractmethod
    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Network from images (B, C, H, W) to features (B, F), and F.

        Args:
            image_shape: (H, W, C); C is more than the channels of an image where a model sees
                planes of labels beside it.
        """

    def head(self, features: int, latents: int, moments: int) -> nn.Module:
        """Network from features (B, F) to the parameters of the posterior.

        Args:
            features: F.
            latents: Number of latents L.
            moments: 2 for means and log variances, (B, 2 L) with all means first; 1 for codes
                without noise, (B, L).
        """
        return nn.Linear(features, moments * latents)

    @abstractmethod
    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Network from latents (B, L) to pixel logits (B, C, H, W).

        Args:
            image_shape: (H, W, C).
            latents: L, with the labels that a model is told counted as latents.
        """

    def initialise(self, network: nn.Module, generator: torch.Generator) -> None:
        """Draw the first weights of a network of this architecture, in place.

        Args:
            network: The whole model, on the CPU.
            generator: A generator on the CPU; nothing else may be drawn from.
        """
        initialise(network, generator)
