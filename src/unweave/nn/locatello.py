"""The networks of disentanglement_lib."""

from __future__ import annotations

__all__ = ["Locatello", "LocatelloMLP"]

from typing import ClassVar, Literal, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.four_convolutions import SIDES, four_trunk, from_four
from unweave.nn.higgins import dense_decoder, dense_trunk
from unweave.nn.initialise import Draw, glorot_uniform
from unweave.spec import option


@final
class Locatello(Architecture):
    """Four convolutions and a dense layer of 256 units: conv_encoder and deconv_decoder.

    The last two convolutions have kernel 2 in the library and in the models that were published
    with it, and kernel 4 in the table of the paper. For ten latents the encoder has 309,204
    parameters for 64x64x1 and 310,228 for 64x64x3, or 382,932 and 383,956 with kernel 4; the
    decoder has 381,313 and 382,339. First weights are Glorot-uniform, biases zero.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "locatello"
    sides: ClassVar[tuple[int, ...]] = SIDES
    draw: ClassVar[Draw] = glorot_uniform

    kernel: Literal[2, 4] = option(default=2, help="Kernel of the last two convolutions: 2 or 4.")

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Convolutions and a dense layer; 256 features."""
        return four_trunk(image_shape, (256,), (4, 4, self.kernel, self.kernel))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions of kernel 4."""
        return from_four(image_shape, latents, (256,))


@final
class LocatelloMLP(Architecture):
    """Two dense layers of 1,200 units, and three to decode: fc_encoder and fc_decoder.

    The layers are those of `higgins`; images may have any size. First weights are
    Glorot-uniform, biases zero.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "locatello_mlp"
    sides: ClassVar[None] = None
    draw: ClassVar[Draw] = glorot_uniform

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Two dense layers; 1,200 features."""
        return dense_trunk(image_shape)

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers."""
        return dense_decoder(image_shape, latents)
