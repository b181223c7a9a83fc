"""Weights of a network drawn from a generator of its own."""

from __future__ import annotations

__all__ = ["construct", "initialise", "uniform"]

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def construct(
    make: Callable[[], M],
    generator: torch.Generator,
    fill: Callable[[nn.Module, torch.Generator], None] | None = None,
) -> M:
    """Build a network without touching the global generator, and draw its weights.

    Args:
        make: Builds the network; called with the meta device as default, so that tensors other
            than parameters must be made in `fill`, or by a `reset_parameters` of their layer.
        generator: A generator on the CPU.
        fill: Draws the weights; `initialise` where there is none.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    (fill or initialise)(network, generator)
    return network


@torch.no_grad()
def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """He-uniform weights and PyTorch's default biases, in the order of the network's layers.

    Weights are uniform within sqrt(6 / fan_in), biases within 1 / sqrt(fan_in), where fan_in is
    the number of elements of `weight[0]`, for transposed convolutions too. Layers that normalise
    start as PyTorch's do. A layer with weights of another kind draws them itself, in a method
    `draw_weights(generator)`, which is then called instead.
    """
    for layer in network.modules():
        draw = getattr(layer, "draw_weights", None)
        if draw is not None:
            draw(generator)
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            fan_in = layer.weight[0].numel()
            uniform(layer.weight, math.sqrt(6 / fan_in), generator)
            if layer.bias is not None:
                uniform(layer.bias, 1 / math.sqrt(fan_in), generator)
        elif isinstance(layer, nn.modules.batchnorm._NormBase):
            layer.reset_parameters()


def uniform(tensor: torch.Tensor, bound: float, generator: torch.Generator) -> None:
    """Fill a tensor with uniform draws between -bound and bound."""
    tensor.uniform_(-bound, bound, generator=generator)
