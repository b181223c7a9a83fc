"""Decoders of true factors, as published without encoders."""

from __future__ import annotations

__all__ = [
    "DecoderAlone",
    "DecoderBurgess",
    "DecoderDeep",
    "DecoderDeepBN",
    "DecoderHiggins",
    "DecoderKim",
    "DecoderKimBN",
]

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import ClassVar, final

from torch import nn

from unweave.nn.architecture import Architecture
from unweave.nn.convolutions import UpConvolution
from unweave.nn.four_convolutions import SIDES
from unweave.nn.higgins import dense_decoder
from unweave.nn.initialise import Draw, pytorch_default

_KIM = (64, 64, 32, 32)
_DEEP = (64, 64, 64, 32)


class DecoderAlone(Architecture):
    """Family of decoders that were published without an encoder.

    The method `ground_truth_decoder` trains them; with an encoder they are the second half of a
    `pair`.
    """

    sides: ClassVar[tuple[int, ...] | None] = SIDES
    draw: ClassVar[Draw] = pytorch_default
    encodes: ClassVar[bool] = False

    def trunk(self, image_shape: tuple[int, int, int]) -> tuple[nn.Module, int]:
        """There is none.

        Raises:
            SpecError: Always.
        """
        self.check_encodes("An encoder")
        raise AssertionError


@final
class DecoderHiggins(DecoderAlone):
    """The decoder of `higgins`, three dense layers of 1,200 units with tanh, for true factors.

    Images may have any size. There are 7,808,896 parameters for five factors and 64x64x1, and
    17,648,688 for six and 64x64x3. First weights and biases are PyTorch's own.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_higgins"
    sides: ClassVar[None] = None

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers."""
        return dense_decoder(image_shape, latents)


@final
class DecoderBurgess(DecoderAlone):
    """One dense layer of 256 units, one of 512, and four transposed convolutions of 32 channels.

    There are 182,881 parameters for five factors and 64x64x1, and 184,163 for six and 64x64x3.
    First weights and biases are PyTorch's own. The decoder of `burgess` has a further dense layer.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_burgess"

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions."""
        return _decoder(image_shape, latents, (256,), (32, 32, 32, 32))


@final
class DecoderKim(DecoderAlone):
    """The decoder of `kim`, two dense layers and four transposed convolutions, for true factors.

    There are 380,033 parameters for five factors and 64x64x1, and 381,315 for six and 64x64x3.
    First weights and biases are PyTorch's own.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_kim"

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions."""
        return _decoder(image_shape, latents, (256,), _KIM)


@final
class DecoderKimBN(DecoderAlone):
    """A decoder such as `decoder_kim`, with batch normalisation after each ReLU.

    Its second transposed convolution has 64 channels. Layers before a normalisation have no bias,
    but for the first. There are 430,913 parameters for five factors and 64x64x1, and 432,195 for
    six and 64x64x3. First weights and biases are PyTorch's own. A batch of one image cannot be
    normalised, so `batch_size` must be at least 2.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_kim_bn"
    min_batch: ClassVar[int] = 2

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Two dense layers and transposed convolutions, all but the last normalised."""
        return _decoder(image_shape, latents, (256,), _DEEP, normalised=True)


@final
class DecoderDeep(DecoderAlone):
    """Dense layers of 512, 512, 1,024 and 1,024 units, and four transposed convolutions.

    There are 2,005,153 parameters for five factors and 64x64x1, and 2,006,691 for six and
    64x64x3. First weights and biases are PyTorch's own.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_deep"

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers and transposed convolutions."""
        return _decoder(image_shape, latents, (512, 512, 1024), _DEEP)


@final
class DecoderDeepBN(DecoderAlone):
    """The decoder `decoder_deep` with batch normalisation after each ReLU.

    Layers but the first have no bias, the last among them. There are 2,008,896 parameters for
    five factors and 64x64x1, and 2,010,432 for six and 64x64x3. First weights and biases are
    PyTorch's own. A batch of one image cannot be normalised, so `batch_size` must be at least 2.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "decoder_deep_bn"
    min_batch: ClassVar[int] = 2

    def decoder(self, image_shape: tuple[int, int, int], latents: int) -> nn.Module:
        """Four dense layers and transposed convolutions, all but the last normalised."""
        return _decoder(
            image_shape, latents, (512, 512, 1024), _DEEP, normalised=True, last_bias=False
        )


def _decoder(
    image_shape: tuple[int, int, int],
    latents: int,
    hidden: Sequence[int],
    widths: Sequence[int],
    *,
    normalised: bool = False,
    last_bias: bool = True,
) -> nn.Module:
    """Dense layers and transposed convolutions, each but the last with a ReLU; gives logits.

    Args:
        image_shape: (H, W, C).
        latents: L.
        hidden: Units of each dense layer but the last, which is as large as its image.
        widths: Channels that each transposed convolution takes.
        normalised: Whether there is batch normalisation after each ReLU.
        last_bias: Whether the last layer has a bias.
    """
    height, width, channels = image_shape
    small = (widths[0], height // 16, width // 16)
    units = (latents, *hidden, math.prod(small))
    return nn.Sequential(
        *_dense(units, normalised=normalised),
        nn.Unflatten(1, small),
        *_up(widths, normalised=normalised),
        UpConvolution(widths[-1], channels, bias=last_bias),
    )


def _dense(units: Sequence[int], *, normalised: bool) -> Iterator[nn.Module]:
    for place, (size, following) in enumerate(itertools.pairwise(units)):
        yield nn.Linear(size, following, bias=place == 0 or not normalised)
        yield nn.ReLU()
        if normalised:
            yield nn.BatchNorm1d(following)


def _up(widths: Sequence[int], *, normalised: bool) -> Iterator[nn.Module]:
    for width, following in itertools.pairwise(widths):
        yield UpConvolution(width, following, bias=not normalised)
        yield nn.ReLU(inplace=True)
        if normalised:
            yield nn.BatchNorm2d(following)
