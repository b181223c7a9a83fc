"""The convolutional encoder and decoder of Burgess et al. as disentangling-vae builds them."""

from __future__ import annotations

__all__ = ["Burgess"]

from typing import ClassVar, final

from torch import nn

from unweave.errors import SpecError
from unweave.nn.architecture import Architecture
from unweave.nn.convolutions import UpConvolution

_CHANNELS = 32
_HIDDEN = 256
_SIDE = 4


@final
class Burgess(Architecture):
    """Three (32x32) or four (64x64) convolutions of 32 channels and two layers of 256 units.

    Every convolution has kernel 4, stride 2, padding 1 and a ReLU; the decoder mirrors them.
    Images are 32x32 or 64x64 with 1 or 3 channels. For 64x64x1 and ten latents there are 502,005
    parameters, for 32x32x1 469,173, for 64x64x3 504,055.

    References:
        | Understanding disentangling in beta-VAE (Burgess et al., 2018)
        | https://arxiv.org/abs/1804.03599
    """

    name: ClassVar[str] = "burgess"

    def check(self, image_shape: tuple[int, int, int], latents: int) -> None:
        """Images are 32x32 or 64x64 with 1 or 3 channels."""
        height, width, channels = image_shape
        if (height, width) not in ((32, 32), (64, 64)) or channels not in (1, 3):
            raise SpecError(
                f"burgess takes images of 32x32 or 64x64 with 1 or 3 channels, "
                f"not {height}x{width} with {channels}."
            )

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and two dense layers; 256 features."""
        layers: list[nn.Module] = []
        width = image_shape[2]
        for _ in range(_num_convolutions(image_shape)):
            layers += [nn.Conv2d(width, _CHANNELS, 4, 2, 1), nn.ReLU(inplace=True)]
            width = _CHANNELS
        layers += [nn.Flatten(), nn.Linear(_CHANNELS * _SIDE * _SIDE, _HIDDEN), nn.ReLU()]
        layers += [nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU()]
        return nn.Sequential(*layers), _HIDDEN

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Three dense layers and transposed convolutions; the last layer gives logits."""
        layers: list[nn.Module] = [nn.Linear(latents, _HIDDEN), nn.ReLU()]
        layers += [nn.Linear(_HIDDEN, _HIDDEN), nn.ReLU()]
        layers += [nn.Linear(_HIDDEN, _CHANNELS * _SIDE * _SIDE), nn.ReLU()]
        layers += [nn.Unflatten(1, (_CHANNELS, _SIDE, _SIDE))]
        for _ in range(_num_convolutions(image_shape) - 1):
            layers += [UpConvolution(_CHANNELS, _CHANNELS), nn.ReLU(inplace=True)]
        layers += [UpConvolution(_CHANNELS, image_shape[2])]
        return nn.Sequential(*layers)


def _num_convolutions(image_shape: tuple[int, int, int]) -> int:
    return 3 if image_shape[0] == 32 else 4
