"""Weights of a network drawn from a generator of its own."""

from __future__ import annotations

__all__ = [
    "Draw",
    "construct",
    "glorot_uniform",
    "he_uniform",
    "initialise",
    "pytorch_default",
    "uniform",
    "xavier_and_kaiming",
    "xavier_uniform",
]

import math
from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

import torch
from torch import nn

from unweave.errors import SpecError

M = TypeVar("M", bound=nn.Module)
Weighted: TypeAlias = nn.Linear | nn.Conv2d | nn.ConvTranspose2d
Draw: TypeAlias = Callable[[Weighted, torch.Generator], None]


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
    # What `to_empty` does by `empty_like`, which for tensors without memory first loads a fifth of
    # PyTorch: a third of a second of each process that trains.
    network._apply(  # type: ignore[no-untyped-call]
        lambda tensor: torch.empty(tensor.shape, dtype=tensor.dtype)
    )
    (fill or initialise)(network, generator)
    return network


def he_uniform(layer: Weighted, generator: torch.Generator) -> None:
    """Weights uniform within sqrt(6 / fan_in), biases within 1 / sqrt(fan_in).

    fan_in is the number of elements of `weight[0]`, for transposed convolutions too.
    """
    uniform(layer.weight, math.sqrt(6 / _fan_in(layer)), generator)
    _default_bias(layer, generator)


def pytorch_default(layer: Weighted, generator: torch.Generator) -> None:
    """Weights and biases uniform within 1 / sqrt(fan_in), as PyTorch draws them by itself."""
    uniform(layer.weight, 1 / math.sqrt(_fan_in(layer)), generator)
    _default_bias(layer, generator)


def glorot_uniform(layer: Weighted, generator: torch.Generator) -> None:
    """Weights uniform within sqrt(6 / (fan_in + fan_out)), biases of zero, as in TensorFlow."""
    uniform(layer.weight, math.sqrt(6 / _fans(layer)), generator)
    if layer.bias is not None:
        layer.bias.zero_()


def xavier_uniform(layer: Weighted, generator: torch.Generator) -> None:
    """Weights uniform within sqrt(6 / (fan_in + fan_out)), biases within 1 / sqrt(fan_in)."""
    uniform(layer.weight, math.sqrt(6 / _fans(layer)), generator)
    _default_bias(layer, generator)


def xavier_and_kaiming(layer: Weighted, generator: torch.Generator) -> None:
    """Normal weights, and biases uniform within 1 / sqrt(fan_in).

    The deviation is sqrt(2 / (fan_in + fan_out)) for convolutions and sqrt(2 / fan_in) for dense
    layers.
    """
    dense = isinstance(layer, nn.Linear)
    variance = 2 / (_fan_in(layer) if dense else _fans(layer))
    layer.weight.normal_(0.0, math.sqrt(variance), generator=generator)
    _default_bias(layer, generator)


@torch.no_grad()
def initialise(network: nn.Module, generator: torch.Generator, draw: Draw = he_uniform) -> None:
    """Draw first weights in the order of the network's layers.

    Layers that normalise start as PyTorch's do. A layer with weights of another kind draws them
    itself, in a method `draw_weights(generator)`, and those of all layers in it; it is then left
    as it is. Other layers of PyTorch, such as embeddings, are drawn by its own rule.

    Args:
        network: Changed in place.
        generator: What is drawn from.
        draw: Draws weight and bias of a dense or convolutional layer.

    Raises:
        SpecError: A layer has weights or buffers that nothing fills.
    """
    for layer in _layers(network, set()):
        own = getattr(layer, "draw_weights", None)
        if own is not None:
            own(generator)
        elif isinstance(layer, nn.Linear | nn.Conv2d | nn.ConvTranspose2d):
            draw(layer, generator)
        elif isinstance(layer, nn.modules.batchnorm._NormBase):
            layer.reset_parameters()
        elif any(t is not None for t in (*layer._parameters.values(), *layer._buffers.values())):
            _by_its_own_rule(layer, generator)


def uniform(tensor: torch.Tensor, bound: float, generator: torch.Generator) -> None:
    """Fill a tensor with uniform draws between -bound and bound."""
    tensor.uniform_(-bound, bound, generator=generator)


def _layers(network: nn.Module, seen: set[int]) -> Iterator[nn.Module]:
    """A network and the layers in it, each once, from the outside in and in their order."""
    if id(network) in seen:
        return
    seen.add(id(network))
    yield network
    if not hasattr(network, "draw_weights"):
        for layer in network.children():
            yield from _layers(layer, seen)


def _by_its_own_rule(layer: nn.Module, generator: torch.Generator) -> None:
    """Have a layer draw its weights from PyTorch's generator, under a seed that is drawn."""
    own = getattr(layer, "reset_parameters", None)
    if own is None:
        name = type(layer).__name__
        raise SpecError(
            f"{name} has weights or buffers of its own, which nothing fills: a network is built "
            f"without values. Give {name} a method draw_weights(generator) that does."
        )
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(int(torch.randint(2**62, (1,), generator=generator)))
        own()


def _fan_in(layer: Weighted) -> int:
    return layer.weight[0].numel()


def _fans(layer: Weighted) -> int:
    """fan_in + fan_out: elements of the kernel for each channel that goes in or comes out."""
    first, second = layer.weight.shape[:2]
    return (first + second) * layer.weight[0, 0].numel()


def _default_bias(layer: Weighted, generator: torch.Generator) -> None:
    if layer.bias is not None:
        uniform(layer.bias, 1 / math.sqrt(_fan_in(layer)), generator)
