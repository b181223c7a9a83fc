"""Dense networks of 1,200 units."""

from __future__ import annotations

__all__ = ["BetaShapes", "Higgins", "dense_decoder", "dense_trunk"]

import math
from collections.abc import Sequence
from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.initialise import Draw, pytorch_default
from unweave.nn.stacks import dense

_UNITS = 1200


def dense_trunk(
    image_shape: tuple[int, int, int], hidden: Sequence[int] = (_UNITS, _UNITS)
) -> tuple[nn.Module, int]:
    """Dense layers from all pixels, each with a ReLU; and the number of features."""
    layers = [nn.Flatten(), *dense((math.prod(image_shape), *hidden))]
    return nn.Sequential(*layers), hidden[-1]


def dense_decoder(
    image_shape: tuple[int, int, int],
    latents: int,
    hidden: Sequence[int] = (_UNITS, _UNITS, _UNITS),
    activation: type[nn.Module] = nn.Tanh,
) -> nn.Module:
    """Dense layers to all pixels, with an activation between them; gives logits."""
    height, width, channels = image_shape
    return nn.Sequential(
        *dense((latents, *hidden), activation),
        nn.Linear(hidden[-1], math.prod(image_shape)),
        nn.Unflatten(1, (channels, height, width)),
    )


@final
class Higgins(Architecture):
    """Two dense layers of 1,200 units with ReLUs, and three with tanh to decode.

    Images may have any size. For ten latents there are 14,196,516 parameters for 64x64x1 and
    33,865,508 for 64x64x3. First weights are He-uniform, biases PyTorch's.

    References:
        | beta-VAE: Learning Basic Visual Concepts with a Constrained Variational Framework
        | (Higgins et al., ICLR 2017)
        | as built for The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "higgins"
    sides: ClassVar[None] = None

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Two dense layers; 1,200 features."""
        return dense_trunk(image_shape)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers."""
        return dense_decoder(image_shape, latents)


@final
class BetaShapes(Architecture):
    """The layers of `higgins` with PyTorch's own first weights.

    They are the dense baselines of the Lie group VAE. Images may have any size.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu et al., 2021), in the code
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "beta_shapes"
    sides: ClassVar[None] = None
    draw: ClassVar[Draw] = pytorch_default

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Two dense layers; 1,200 features."""
        return dense_trunk(image_shape)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers."""
        return dense_decoder(image_shape, latents)
