"""The convolutional encoder and decoder of Burgess et al. as disentangling-vae builds them."""

from __future__ import annotations

__all__ = ["Burgess"]

from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.stacks import dense, doubling, halving

_CHANNELS = 32
_HIDDEN = 256


@final
class Burgess(Architecture):
    """Convolutions of 32 channels until 4x4 pixels are left, and two layers of 256 units.

    Every convolution has kernel 4, stride 2, padding 1 and a ReLU; the decoder mirrors them. There
    are four of them for 64x64 and three for 32x32, as published; five for 128x128, and two for
    28x28, which leave 7x7 pixels. For 64x64x1 and ten latents there are 502,005 parameters, for
    32x32x1 469,173, for 64x64x3 504,055. First weights are He-uniform, biases PyTorch's.

    References:
        | Understanding disentangling in beta-VAE (Burgess et al., 2018)
        | https://arxiv.org/abs/1804.03599
    """

    name: ClassVar[str] = "burgess"
    sides: ClassVar[tuple[int, ...]] = (28, 32, 64, 128)

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and two dense layers; 256 features."""
        count, small = _halvings(image_shape[0])
        layers = [*halving(image_shape[2], [_CHANNELS] * count), nn.Flatten()]
        layers += dense((_CHANNELS * small**2, _HIDDEN, _HIDDEN))
        return nn.Sequential(*layers), _HIDDEN

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Three dense layers and transposed convolutions; the last layer gives logits."""
        count, small = _halvings(image_shape[0])
        layers = [*dense((latents, _HIDDEN, _HIDDEN, _CHANNELS * small**2))]
        layers += [nn.Unflatten(1, (_CHANNELS, small, small))]
        layers += doubling([*[_CHANNELS] * count, image_shape[2]])
        return nn.Sequential(*layers)


def _halvings(side: int) -> tuple[int, int]:
    """How often a side is halved until less than eight pixels are left, and how many are."""
    count = 0
    while side >= 8:
        side //= 2
        count += 1
    return count, side
