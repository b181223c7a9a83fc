"""Convolutions with max pooling, and a decoder that enlarges images by interpolation."""

from __future__ import annotations

__all__ = ["Mpcnn"]

from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.stacks import dense

_CHANNELS = 32
_HIDDEN = 256


@final
class Mpcnn(Architecture):
    """Three times a convolution of kernel 3, max pooling and ReLU, then two dense layers.

    The decoder mirrors them: in the place of pooling, images are enlarged bilinearly to the size
    they had before. For 64x64x1 and ten latents the encoder has 614,292 parameters and the decoder
    613,729. The published decoder has 622,688, since its last layer gives 32 channels whatever
    the images have, which no likelihood takes; here it gives theirs. First weights are
    He-uniform, biases PyTorch's.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "mpcnn"
    sides: ClassVar[tuple[int, ...]] = (28, 32, 64, 128)

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions with pooling and two dense layers; 256 features."""
        layers: list[nn.Module] = []
        channels = image_shape[2]
        for _ in range(3):
            layers += [nn.Conv2d(channels, _CHANNELS, 3, 1, 1), nn.MaxPool2d(2)]
            layers += [nn.ReLU(inplace=True)]
            channels = _CHANNELS
        small = image_shape[0] // 8
        layers += [nn.Flatten(), *dense((_CHANNELS * small**2, _HIDDEN, _HIDDEN))]
        return nn.Sequential(*layers), _HIDDEN

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Three dense layers, and transposed convolutions of enlarged images."""
        side, _, channels = image_shape
        small = side // 8
        layers = [*dense((latents, _HIDDEN, _HIDDEN, _CHANNELS * small**2))]
        layers += [nn.Unflatten(1, (_CHANNELS, small, small))]
        for larger in (side // 4, side // 2):
            layers += [nn.Upsample((larger, larger), mode="bilinear")]
            layers += [nn.ConvTranspose2d(_CHANNELS, _CHANNELS, 3, 1, 1), nn.ReLU(inplace=True)]
        layers += [nn.Upsample((side, side), mode="bilinear")]
        layers += [nn.ConvTranspose2d(_CHANNELS, channels, 3, 1, 1)]
        return nn.Sequential(*layers)
