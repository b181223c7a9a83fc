"""Stacks of like layers: dense ones, and convolutions that halve or double the side of images."""

from __future__ import annotations

__all__ = ["dense", "doubling", "halving"]

import itertools
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
