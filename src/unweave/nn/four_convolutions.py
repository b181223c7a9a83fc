"""Four convolutions of 32, 32, 64 and 64 channels and dense layers, as many publications have."""

from __future__ import annotations

__all__ = ["SIDES", "four_trunk", "from_four"]

from collections.abc import Sequence

from torch import nn

from unweave.nn.stacks import doubling_decoder, halving_trunk

SIDES = (32, 64, 128)
"""Sides of images that these layers take: halved four times, 2, 4 or 8 pixels are left."""

_WIDTHS = (32, 32, 64, 64)


def four_trunk(
    image_shape: tuple[int, int, int], hidden: Sequence[int], kernels: Sequence[int] = ()
) -> tuple[nn.Module, int]:
    """Convolutions of stride 2, then dense layers, each with a ReLU; and the number of features.

    Args:
        image_shape: (H, W, C).
        hidden: Units of each dense layer.
        kernels: Of each convolution, 4 or 2; 4 where there are none.
    """
    return halving_trunk(image_shape, _WIDTHS, hidden, kernels)


def from_four(image_shape: tuple[int, int, int], latents: int, hidden: Sequence[int]) -> nn.Module:
    """Dense layers, then transposed convolutions to 64, 32, 32 and C channels; gives logits.

    Args:
        image_shape: (H, W, C).
        latents: L.
        hidden: Units of each dense layer but the last, which is as large as its image.
    """
    return doubling_decoder(image_shape, latents, hidden, _WIDTHS)
