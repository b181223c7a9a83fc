"""The layers of a state dict whose names are not known: by their order and their shapes."""

from __future__ import annotations

__all__ = ["Layer", "Shape", "arrangements", "check_numbers", "described", "layers_of"]

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import CheckpointError

Shape: TypeAlias = tuple[tuple[int, ...], tuple[int, ...] | None]
"""Of the weight and of the bias of a layer."""

_MOST_SHOWN = 30


@final
@dataclass(frozen=True)
class Layer:
    """A weight, and the bias behind it.

    Attributes:
        name: What both names begin with.
        weight: As the file has it.
        bias: As the file has it, or None.
    """

    name: str
    weight: NDArray[Any]
    bias: NDArray[Any] | None = None

    @property
    def shape(self) -> Shape:
        """Shapes of both."""
        return self.weight.shape, None if self.bias is None else self.bias.shape


def layers_of(
    tensors: Mapping[str, NDArray[Any]],
) -> tuple[list[Layer], dict[str, NDArray[Any]]]:
    """The layers of a state dict in its order, and the tensors that belong to none."""
    layers: list[Layer] = []
    others: dict[str, NDArray[Any]] = {}
    for name, array in tensors.items():
        prefix, _, kind = name.rpartition(".")
        if kind == "weight":
            layers.append(Layer(prefix, array))
        elif kind == "bias" and layers and layers[-1].name == prefix:
            layers[-1] = Layer(prefix, layers[-1].weight, array)
        else:
            others[name] = array
    return layers, others


def arrangements(
    layers: Sequence[Layer], counts: Mapping[str, int]
) -> Iterator[dict[str, list[Layer]]]:
    """Every way in which parts of a model, of so many layers each, may follow one another.

    Args:
        layers: All layers of a file, in its order.
        counts: Part -> number of its layers.
    """
    if sum(counts.values()) != len(layers):
        return
    for order in itertools.permutations(counts):
        ends = list(itertools.accumulate(counts[part] for part in order))
        starts = [0, *ends]
        yield {
            part: list(layers[start:end])
            for part, start, end in zip(order, starts, ends, strict=False)
        }


def check_numbers(name: str, array: NDArray[Any]) -> None:
    """Refuse weights that are no float32, or not finite.

    Raises:
        CheckpointError: They are not.
    """
    if array.dtype != np.float32:
        raise CheckpointError(f"{name} is of type {array.dtype}; weights must be float32.")
    if not np.isfinite(array).all():
        raise CheckpointError(
            f"{name} has weights that are not finite; the training has diverged, or the file is "
            "damaged."
        )


def described(layers: Sequence[Layer]) -> str:
    """Shapes of weights, in order, for a message."""
    shown = ["x".join(map(str, layer.weight.shape)) for layer in layers[:_MOST_SHOWN]]
    more = len(layers) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")
