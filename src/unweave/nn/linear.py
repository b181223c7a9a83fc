"""The dense networks of Disentanglement-PyTorch."""

from __future__ import annotations

__all__ = ["DeepLinear", "ShallowLinear"]

from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.higgins import dense_decoder, dense_trunk
from unweave.nn.initialise import Draw, xavier_and_kaiming


@final
class ShallowLinear(Architecture):
    """One dense layer of 400 units, and one to decode.

    Images may have any size. With its head the encoder has 1,654,840 parameters for 64x64x1 and
    twenty latents. First weights are Kaiming-normal, biases PyTorch's.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "shallow_linear"
    sides: ClassVar[None] = None
    draw: ClassVar[Draw] = xavier_and_kaiming

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """A dense layer with a ReLU; 400 features."""
        return dense_trunk(image_shape, (400,))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers."""
        return dense_decoder(image_shape, latents, (400,), nn.ReLU)


@final
class DeepLinear(Architecture):
    """Dense layers of 1,000, 400, 200 and 100 units, and the same in reverse to decode.

    Images may have any size. With its head the encoder has 4,601,740 parameters for 64x64x1 and
    twenty latents. First weights are Kaiming-normal, biases PyTorch's.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "deep_linear"
    sides: ClassVar[None] = None
    draw: ClassVar[Draw] = xavier_and_kaiming

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """Four dense layers with ReLUs; 100 features."""
        return dense_trunk(image_shape, (1000, 400, 200, 100))

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Five dense layers."""
        return dense_decoder(image_shape, latents, (100, 200, 400, 1000), nn.ReLU)
