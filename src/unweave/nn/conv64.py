"""The convolutional networks of Disentanglement-PyTorch."""

from __future__ import annotations

__all__ = ["PadlessConv64", "SimpleConv64"]

import itertools
from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.convolutions import UpConvolution
from unweave.nn.initialise import Draw, xavier_and_kaiming
from unweave.nn.stacks import halving

_FEATURES = 256


@final
class SimpleConv64(Architecture):
    """Six convolutions that leave one pixel, and seven layers that grow it to 64x64.

    The encoder has convolutions of kernel 4, stride 2 and padding 1 to 32, 32, 64, 128, 256 and
    256 channels. With its head it has 1,758,480 parameters for one channel and eight latents, and
    1,765,672 for three channels and twenty. The decoder has a convolution of one pixel and six
    transposed ones, the images between them having sides of 2, 6, 14, 30, 62 and 64; for twenty
    latents it has 2,038,209 parameters for one channel and 2,039,363 for three. Weights of
    convolutions are Xavier-normal at first, those of dense layers Kaiming-normal, biases
    PyTorch's.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "simple_conv64"
    draw: ClassVar[Draw] = xavier_and_kaiming

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Six convolutions; 256 features."""
        layers = halving(image_shape[2], (32, 32, 64, 128, 256, _FEATURES))
        return nn.Sequential(*layers, nn.Flatten()), _FEATURES

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """One convolution and six transposed ones."""
        return _decoder(image_shape[2], latents)


@final
class PadlessConv64(Architecture):
    """Five convolutions without padding, and the decoder of `simple_conv64`.

    They have kernel 3 and stride 2 and go to 32, 32, 64, 128 and 256 channels, and sides of 31,
    15, 7, 3 and 1. With its head the encoder has 407,368 parameters for one channel and twenty
    latents, and 407,944 for three channels. Weights of convolutions are Xavier-normal at first,
    those of dense layers Kaiming-normal, biases PyTorch's.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "padless_conv64"
    draw: ClassVar[Draw] = xavier_and_kaiming

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Five convolutions; 256 features."""
        layers: list[nn.Module] = []
        for pair in itertools.pairwise((image_shape[2], 32, 32, 64, 128, _FEATURES)):
            layers += [nn.Conv2d(*pair, 3, 2), nn.ReLU(inplace=True)]
        return nn.Sequential(*layers, nn.Flatten()), _FEATURES

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """One convolution and six transposed ones."""
        return _decoder(image_shape[2], latents)


def _decoder(channels: int, latents: int) -> nn.Module:
    layers: list[nn.Module] = [nn.Unflatten(1, (latents, 1, 1))]
    layers += [nn.Conv2d(latents, 256, 1, 2), nn.ReLU(inplace=True)]
    layers += [UpConvolution(256, 256), nn.ReLU(inplace=True)]
    for pair in itertools.pairwise((256, 128, 128, 64, 64)):
        layers += [nn.ConvTranspose2d(*pair, 4, 2), nn.ReLU(inplace=True)]
    return nn.Sequential(*layers, nn.ConvTranspose2d(64, channels, 3, 1))
