"""Pixel likelihoods p(x given z): how far a reconstruction is from an image, in nats."""

from __future__ import annotations

__all__ = ["Bernoulli", "Gaussian", "Laplace", "Likelihood"]

from abc import abstractmethod
from typing import ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor

from unweave.spec import Component, number


class Likelihood(Component):
    """Distribution of pixels in [0, 1] given the decoder's logits; its mean is their sigmoid.

    Normalisers that depend neither on the image nor on the model are left out.
    """

    family: ClassVar[str] = "likelihood"

    @abstractmethod
    def negative_log(self, logits: Tensor, images: Tensor) -> Tensor:
        """Negative log likelihood per image in nats, summed over channels and pixels.

        Args:
            logits: Decoder output before the sigmoid, (B, C, H, W) float32.
            images: Pixels in [0, 1], (B, C, H, W) float32.

        Returns:
            Shape (B,).
        """

    def mean(self, logits: Tensor) -> Tensor:
        """Expected pixels in [0, 1]."""
        return torch.sigmoid(logits)


def _sum_pixels(values: Tensor) -> Tensor:
    return values.flatten(1).sum(1)


@final
class Bernoulli(Likelihood):
    """Binary cross-entropy, -x log p - (1 - x) log(1 - p), computed from logits.

    Grey pixels are allowed; the term is then a cross-entropy, bounded below by the pixel entropy.
    """

    name: ClassVar[str] = "bernoulli"

    def negative_log(self, logits: Tensor, images: Tensor) -> Tensor:
        """Cross-entropy per image, (B,)."""
        return _sum_pixels(F.binary_cross_entropy_with_logits(logits, images, reduction="none"))


@final
class Gaussian(Likelihood):
    """Squared error ``(p - x)^2 / (2 variance)``.

    The default variance 1/510 gives ``255 (p - x)^2``, the scale of the disentangling-vae code.
    """

    name: ClassVar[str] = "gaussian"

    variance: float = number(default=1 / 510, above=0, help="Variance of a pixel in [0, 1].")

    def negative_log(self, logits: Tensor, images: Tensor) -> Tensor:
        """Scaled squared error per image, (B,)."""
        squared = (torch.sigmoid(logits) - images).square()
        return _sum_pixels(squared) / (2 * self.variance)


@final
class Laplace(Likelihood):
    """Absolute error ``|p - x| / scale``.

    The default scale 1/3 gives ``3 |p - x|``, the scale of the disentangling-vae code.
    """

    name: ClassVar[str] = "laplace"

    scale: float = number(default=1 / 3, above=0, help="Scale of a pixel in [0, 1].")

    def negative_log(self, logits: Tensor, images: Tensor) -> Tensor:
        """Scaled absolute error per image, (B,)."""
        return _sum_pixels((torch.sigmoid(logits) - images).abs()) / self.scale
