"""Networks of four convolutions that differ in their dense layers and first weights."""

from __future__ import annotations

__all__ = ["BetaCeleb", "BurgessV2", "Kim", "Mathieu"]

from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.four_convolutions import SIDES, four_trunk, from_four
from unweave.nn.initialise import Draw, pytorch_default


@final
class Kim(Architecture):
    """Four convolutions of 32, 32, 64 and 64 channels and a dense layer of 256 units.

    Every convolution has kernel 4, stride 2, padding 1 and a ReLU; the decoder mirrors them. For
    64x64x1 and ten latents the encoder has 382,932 parameters and the decoder 381,313; for
    64x64x3, 383,956 and 382,339. First weights are He-uniform, biases PyTorch's.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018)
        | https://arxiv.org/abs/1802.05983
        | as built for The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "kim"
    sides: ClassVar[tuple[int, ...]] = SIDES

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and a dense layer; 256 features."""
        return four_trunk(image_shape, (256,))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions."""
        return from_four(image_shape, latents, (256,))


@final
class BurgessV2(Architecture):
    """`burgess` with 64 channels in its two inner convolutions.

    Every convolution has kernel 4, stride 2, padding 1 and a ReLU; two dense layers of 256 units
    follow, and the decoder mirrors all. For 64x64x1 and ten latents the encoder has 448,724
    parameters and the decoder 447,105; for 64x64x3, 449,748 and 448,131. First weights are
    He-uniform, biases PyTorch's.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "burgess_v2"
    sides: ClassVar[tuple[int, ...]] = SIDES

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and two dense layers; 256 features."""
        return four_trunk(image_shape, (256, 256))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Three dense layers and transposed convolutions."""
        return from_four(image_shape, latents, (256, 256))


@final
class Mathieu(Architecture):
    """`kim` with dense layers of 128 units.

    For 64x64x1 and ten latents the encoder has 249,172 parameters and the decoder 248,833. The
    published decoder gives one channel whatever the images have; here it gives theirs. First
    weights are He-uniform, biases PyTorch's.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "mathieu"
    sides: ClassVar[tuple[int, ...]] = SIDES

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and a dense layer; 128 features."""
        return four_trunk(image_shape, (128,))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions."""
        return from_four(image_shape, latents, (128,))


@final
class BetaCeleb(Architecture):
    """The layers of `kim` with PyTorch's own first weights.

    They are the convolutional baselines of the Lie group VAE. For ten latents there are 764,245
    parameters for 64x64x1 and 766,295 for 64x64x3.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu et al., 2021), in the code
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "beta_celeb"
    sides: ClassVar[tuple[int, ...]] = SIDES
    draw: ClassVar[Draw] = pytorch_default

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and a dense layer; 256 features."""
        return four_trunk(image_shape, (256,))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions."""
        return from_four(image_shape, latents, (256,))
