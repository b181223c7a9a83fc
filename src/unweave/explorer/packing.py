"""Weights as text within a page, rounded as far as pictures stay the same."""

from __future__ import annotations

__all__ = ["HALF_LEVEL", "ROUNDINGS", "Packed", "Rounding", "pack", "rounded", "size_of"]

import base64
import dataclasses
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np

from unweave.explorer.program import Program, Step

Rounding: TypeAlias = Literal["float32", "float16"]

ROUNDINGS: Final[tuple[Rounding, ...]] = ("float16", "float32")
"""In the order in which they are tried. Eight bits are too few: trained decoders then show pixels
that are 5 to 13 levels of 255 off."""

HALF_LEVEL: Final = 0.5 / 255
"""Largest difference that rounded weights may make to a pixel, of two levels that are allowed."""

_BYTES: Final[dict[str, int]] = {"float32": 4, "float16": 2}


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

    Matrices and kernels are rounded, other weights are float32. Numbers are little-endian, and
    each array begins at a multiple of four bytes.
    """
    content = bytearray()
    steps = []
    for step in program.steps:
        weights: dict[str, Any] = {}
        for name, array in step.weights.items():
            kind = rounding if array.ndim > 1 else "float32"
            weights[name] = {"type": kind, "shape": list(array.shape), "at": len(content)}
            content.extend(array.astype("<f2" if kind == "float16" else "<f4").tobytes())
            content.extend(bytes(-len(content) % 4))
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
    return dataclasses.replace(program, steps=tuple(map(_rounded, program.steps)))


def _rounded(step: Step) -> Step:
    weights = {}
    for name, array in step.weights.items():
        with np.errstate(over="ignore"):
            half = array.astype(np.float16).astype(np.float32)
        weights[name] = half if array.ndim > 1 else array
    return dataclasses.replace(step, weights=weights)
