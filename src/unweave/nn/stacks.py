"""Stacks of like layers: dense ones, and convolutions that halve or double the side of images."""

from __future__ import annotations

__all__ = ["dense", "doubling", "doubling_decoder", "halving", "halving_trunk"]

import itertools
import math
from collections.abc import Iterator, Sequence

from torch import nn

from unweave.nn.convolutions import UpConvolution


def dense(sizes: Sequence[int], activation: type[nn.Module] = nn.ReLU) -> Iterator[nn.Module]:
    """Dense layers from each size to the next, each with an activation.

    Args:
        sizes: Numbers of units, that of the input first.
        activation: A layer without arguments.
    """
    for size, following in itertools.pairwise(sizes):
        yield nn.Linear(size, following)
        yield activation()


def halving(
    channels: int, widths: Sequence[int], kernels: Sequence[int] = ()
) -> Iterator[nn.Module]:
    """Convolutions of stride 2, each with a ReLU: (B, C, H, W) to (B, D, H / 2**n, W / 2**n).

    Args:
        channels: C.
        widths: Channels after each convolution, (n,).
        kernels: 4, with a padding of 1, or 2, without, for each; 4 where there are none.
    """
    for width, kernel in zip(widths, kernels or [4] * len(widths), strict=True):
        yield nn.Conv2d(channels, width, kernel, 2, (kernel - 2) // 2)
        yield nn.ReLU(inplace=True)
        channels = width


def doubling(widths: Sequence[int]) -> Iterator[nn.Module]:
    """Transposed convolutions of kernel 4 and stride 2 with ReLUs between them.

    There is no ReLU after the last, which gives logits.

    Args:
        widths: Channels of the input and after each convolution.
    """
    last = len(widths) - 2
    for index, (channels, width) in enumerate(itertools.pairwise(widths)):
        yield UpConvolution(channels, width)
        if index < last:
            yield nn.ReLU(inplace=True)


def halving_trunk(
    image_shape: tuple[int, int, int],
    widths: Sequence[int],
    hidden: Sequence[int],
    kernels: Sequence[int] = (),
) -> tuple[nn.Module, int]:
    """Convolutions of stride 2, then dense layers, each with a ReLU; and the number of features.

    Args:
        image_shape: (H, W, C).
        widths: Channels after each convolution.
        hidden: Units of each dense layer.
        kernels: As `halving` takes them.
    """
    flat = math.prod(_small(image_shape, widths))
    layers = [*halving(image_shape[2], widths, kernels), nn.Flatten(), *dense((flat, *hidden))]
    return nn.Sequential(*layers), hidden[-1]


def doubling_decoder(
    image_shape: tuple[int, int, int],
    latents: int,
    hidden: Sequence[int],
    widths: Sequence[int],
) -> nn.Module:
    """The mirror image of a `halving_trunk`: dense layers, transposed convolutions; gives logits.

    Args:
        image_shape: (H, W, C).
        latents: L.
        hidden: Units of each dense layer but the last, which is as large as its image.
        widths: Channels after each convolution of the trunk.
    """
    small = _small(image_shape, widths)
    layers = [*dense((latents, *hidden, math.prod(small))), nn.Unflatten(1, small)]
    return nn.Sequential(*layers, *doubling((*reversed(widths), image_shape[2])))


def _small(image_shape: tuple[int, int, int], widths: Sequence[int]) -> tuple[int, int, int]:
    """Channels, height and width of what a convolution of stride 2 for each width leaves."""
    height, width, _ = image_shape
    return widths[-1], height // 2 ** len(widths), width // 2 ** len(widths)
