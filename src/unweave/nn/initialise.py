"""Weights of a network drawn from a generator of its own."""

from __future__ import annotations

__all__ = ["construct", "initialise"]

import math
from collections.abc import Callable
from typing import TypeVar

import torch
from torch import nn

M = TypeVar("M", bound=nn.Module)


def construct(make: Callable[[], M], generator: torch.Generator) -> M:
    """Build a network without touching the global generator, and draw its weights.

    Args:
        make: Builds the network; called with the meta device as default.
        generator: A generator on the CPU.
    """
    with torch.device("meta"):
        network = make()
    network.to_empty(device="cpu")
    initialise(network, generator)
    return network


@torch.no_grad()
def initialise(network: nn.Module, generator: torch.Generator) -> None:
    """He-uniform weights and PyTorch's default biases, in the order of the network's layers.

    Weights are uniform within sqrt(6 / fan_in), biases within 1 / sqrt(fan_in), where fan_in is
    the number of elements of `weight[0]`, for transposed convolutions too.
    """
    for layer in network.modules():
        if isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            fan_in = layer.weight[0].numel()
            bound = math.sqrt(6 / fan_in)
            layer.weight.uniform_(-bound, bound, generator=generator)
            if layer.bias is not None:
                bound = 1 / math.sqrt(fan_in)
                layer.bias.uniform_(-bound, bound, generator=generator)
