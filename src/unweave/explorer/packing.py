"""Weights as text within a page, rounded as far as pictures stay the same."""

from __future__ import annotations

__all__ = ["HALF_LEVEL", "ROUNDINGS", "Packed", "Rounding", "pack", "rounded", "size_of"]

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.explorer.program import Program, Step

Rounding: TypeAlias = Literal["float32", "float16", "int8"]

ROUNDINGS: Final[tuple[Rounding, ...]] = ("float16", "float32", "int8")
"""In the order in which they are tried: the last is for networks that are too large otherwise."""

HALF_LEVEL: Final = 0.5 / 255
"""Largest difference that rounded weights may make to a pixel, of two levels that are allowed."""

_BYTES: Final[dict[str, int]] = {"float32": 4, "float16": 2, "int8": 1}
_LARGEST: Final = 127


@final
@dataclass(frozen=True)
class Packed:
    """A program as a page has it.

    Attributes:
        steps: The steps as JSON, each weight with its place.
        text: All weights, base64.
    """

    steps: list[dict[str, Any]]
    text: str


def size_of(program: Program, rounding: Rounding) -> int:
    """About how many bytes the text of a program's weights has."""
    return program.numbers * _BYTES[rounding] * 4 // 3


def pack(program: Program, rounding: Rounding) -> Packed:
    """A program as a page has it.

    Matrices and kernels are rounded, other weights are float32. int8 weights have a factor for
    each part of their first axis. Numbers are little-endian, and each array begins at a multiple
    of four bytes.
    """
    content = bytearray()

    def place(array: NDArray[Any]) -> int:
        at = len(content)
        content.extend(array.tobytes())
        content.extend(bytes(-len(content) % 4))
        return at

    steps = []
    for step in program.steps:
        weights: dict[str, Any] = {}
        for name, array in step.weights.items():
            kind = rounding if array.ndim > 1 else "float32"
            entry: dict[str, Any] = {"type": kind, "shape": list(array.shape)}
            if kind == "int8":
                scale, levels = _levels(array)
                entry["at"] = place(levels)
                entry["scales"] = {"at": place(scale.astype("<f4")), "count": len(scale)}
            else:
                entry["at"] = place(array.astype("<f2" if kind == "float16" else "<f4"))
            weights[name] = entry
        steps.append(
            {
                "kind": step.kind,
                "inputs": list(step.inputs),
                "shape": list(step.shape),
                "weights": weights,
            }
            | step.settings
        )
    return Packed(steps, base64.b64encode(content).decode("ascii"))


def rounded(program: Program, rounding: Rounding) -> Program:
    """The program with the weights that a page will have."""
    if rounding == "float32":
        return program
    return dataclasses.replace(program, steps=tuple(_rounded(s, rounding) for s in program.steps))


def _rounded(step: Step, rounding: Rounding) -> Step:
    weights = {}
    for name, array in step.weights.items():
        if array.ndim < 2:
            weights[name] = array
        elif rounding == "float16":
            with np.errstate(over="ignore"):
                weights[name] = array.astype(np.float16).astype(np.float32)
        else:
            scale, levels = _levels(array)
            wide = scale.reshape(-1, *[1] * (array.ndim - 1))
            weights[name] = levels.astype(np.float32) * wide
    return dataclasses.replace(step, weights=weights)


def _levels(array: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.int8]]:
    """The factor of each part of the first axis, and whole numbers from -127 to 127."""
    parts = array.reshape(len(array), -1)
    largest = np.abs(parts).max(axis=1, initial=0)
    scale = np.where(largest > 0, largest / _LARGEST, 1).astype(np.float32)
    levels = np.rint(parts / scale[:, None]).clip(-_LARGEST, _LARGEST).astype(np.int8)
    return scale, levels.reshape(array.shape)
