"""Networks of five convolutions, which leave two by two pixels of 256 channels."""

from __future__ import annotations

__all__ = ["Abdi", "Montero"]

from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.four_convolutions import SIDES
from unweave.nn.stacks import doubling_decoder, halving_trunk

_HIDDEN = 256


class _Five(Architecture):
    """Convolutions of kernel 4, stride 2 and padding 1, a dense layer, and their mirror image.

    Class attributes:
        widths: Channels after each convolution.
    """

    sides: ClassVar[tuple[int, ...]] = SIDES
    widths: ClassVar[tuple[int, ...]]

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and a dense layer; 256 features."""
        return halving_trunk(image_shape, self.widths, (_HIDDEN,))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions; the last layer gives logits."""
        return doubling_decoder(image_shape, latents, (_HIDDEN,), self.widths)


@final
class Abdi(_Five):
    """Five convolutions of 32, 32, 64, 128 and 256 channels and a dense layer of 256 units.

    Every convolution has kernel 4, stride 2, padding 1 and a ReLU; the decoder mirrors them. For
    64x64x1 and ten latents the encoder has 973,076 parameters and the decoder 971,265; for
    64x64x3, 974,100 and 972,291. First weights are He-uniform, biases PyTorch's.

    References:
        | Lost in Latent Space (Montero et al., NeurIPS 2022), in the code
        | https://arxiv.org/abs/2204.02283
    """

    name: ClassVar[str] = "abdi"
    widths: ClassVar[tuple[int, ...]] = (32, 32, 64, 128, 256)


@final
class Montero(_Five):
    """Five convolutions of 64, 64, 128, 128 and 256 channels and a dense layer of 256 units.

    It is `abdi` with other channels. For 64x64x1 and ten latents the encoder has 1,252,244
    parameters and the decoder 1,250,433; for 64x64x3, 1,254,292 and 1,252,483. First weights are
    He-uniform, biases PyTorch's.

    References:
        | Lost in Latent Space (Montero et al., NeurIPS 2022), in the code
        | https://arxiv.org/abs/2204.02283
    """

    name: ClassVar[str] = "montero"
    widths: ClassVar[tuple[int, ...]] = (64, 64, 128, 128, 256)
