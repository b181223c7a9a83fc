"""A decoder as a list of simple steps, which a page carries out without any library."""

from __future__ import annotations

__all__ = ["Builder", "NotKnownError", "Program", "Step"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float32]

_BEFORE_AFFINE: Final = {"dense": 0, "convolution": 0, "transposed": 1}


class NotKnownError(Exception):
    """A decoder has a layer that no step stands for."""


@final
@dataclass(kw_only=True)
class Step:
    """One step: values to a value.

    Attributes:
        kind: What it does; each kind is told at its function in `explorer/running.py`.
        inputs: The values that it takes: 0 is what the decoder is given, i + 1 what step i gives.
        shape: Of what it gives, without the batch: (N,) or (C, H, W).
        settings: Numbers and names, such as a stride; JSON.
        weights: Arrays by name, float32.
    """

    kind: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    settings: dict[str, Any] = field(default_factory=dict)
    weights: dict[str, Array] = field(default_factory=dict)


@final
@dataclass(frozen=True)
class Program:
    """Steps from what a decoder is given to pixels.

    Attributes:
        inputs: How many numbers the decoder is given.
        steps: In order; the last gives expected pixels (C, H, W) from 0 to 1.
    """

    inputs: int
    steps: tuple[Step, ...]

    @property
    def numbers(self) -> int:
        """How many weights there are."""
        return sum(array.size for step in self.steps for array in step.weights.values())


@final
class Builder:
    """Steps that are being written.

    Args:
        inputs: How many numbers the decoder is given.
    """

    def __init__(self, inputs: int) -> None:
        self.inputs = inputs
        self.steps: list[Step] = []

    def shape(self, value: int) -> tuple[int, ...]:
        """Shape of a value."""
        return (self.inputs,) if value == 0 else self.steps[value - 1].shape

    def add(
        self,
        kind: str,
        inputs: int | Sequence[int],
        shape: Sequence[int],
        weights: Mapping[str, Tensor | None] | None = None,
        **settings: Any,
    ) -> int:
        """Add a step.

        Args:
            kind: What it does.
            inputs: The values that it takes.
            shape: Of what it gives.
            weights: Its arrays; those that are None are left out.
            **settings: Its numbers and names.

        Returns:
            The value that it gives.

        Raises:
            NotKnownError: The value is neither a vector nor an image, and no way to one.
        """
        if len(shape) not in (1, 3) and kind != "reshape":
            raise NotKnownError(f"a value of shape {tuple(shape)}")
        arrays = {
            name: array.detach().cpu().float().contiguous().numpy()
            for name, array in (weights or {}).items()
            if array is not None
        }
        values = (inputs,) if isinstance(inputs, int) else tuple(inputs)
        step = Step(
            kind=kind, inputs=values, shape=tuple(shape), settings=settings, weights=arrays
        )
        self.steps.append(step)
        return len(self.steps)

    def reshape(self, value: int, shape: Sequence[int]) -> int:
        """The same numbers in another shape."""
        if tuple(shape) == self.shape(value):
            return value
        return self.add("reshape", value, shape)

    def affine(self, value: int, scale: Tensor, shift: Tensor) -> int:
        """Each channel times a number, and another one added: a step, or part of the one before.

        A normalisation right after a dense or convolutional layer is part of its weights.
        """
        last = self.steps[value - 1] if value else None
        if last is None or value != len(self.steps) or last.kind not in _BEFORE_AFFINE:
            return self.add("affine", value, self.shape(value), {"scale": scale, "shift": shift})
        axis = _BEFORE_AFFINE[last.kind]
        wide = [1] * last.weights["weight"].ndim
        wide[axis] = -1
        factor = scale.double()
        weight = torch.from_numpy(last.weights["weight"]).double() * factor.reshape(wide)
        bias = torch.from_numpy(last.weights["bias"]).double() * factor + shift.double()
        last.weights = {"weight": weight.float().numpy(), "bias": bias.float().numpy()}
        return value

    def program(self) -> Program:
        """All steps."""
        return Program(self.inputs, tuple(self.steps))
