"""Programs carried out by PyTorch: what a page will show, before it is written."""

from __future__ import annotations

__all__ = ["run"]

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from unweave.explorer.program import Program, Step

Weights = dict[str, Tensor]


@torch.no_grad()
def run(program: Program, given: Tensor) -> Tensor:
    """Expected pixels (B, C, H, W) of what a decoder is given, (B, N).

    Example:
        >>> from unweave.explorer.program import Builder
        >>> builder = Builder(3)
        >>> _ = builder.reshape(0, (1, 1, 3))
        >>> run(builder.program(), torch.zeros(5, 3)).shape
        torch.Size([5, 1, 1, 3])
    """
    values = [given]
    for step in program.steps:
        weights = {name: torch.from_numpy(array) for name, array in step.weights.items()}
        result = _KINDS[step.kind](step, [values[each] for each in step.inputs], weights)
        values.append(result.expand(len(given), *step.shape))
    return values[-1]


def _dense(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """A matrix (outputs, inputs) times the value, and a bias."""
    return F.linear(values[0], weights["weight"], weights["bias"])


def _convolution(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """A kernel (D, C, kh, kw) with a stride and a margin of zeros."""
    kernel, bias = weights["weight"], weights["bias"]
    return F.conv2d(values[0], kernel, bias, step.settings["stride"], step.settings["padding"])


def _transposed(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The transpose of a convolution with a kernel (C, D, kh, kw)."""
    stride, padding = step.settings["stride"], step.settings["padding"]
    plain = [
        (side - 1) * s - 2 * p + k
        for side, s, p, k in zip(
            values[0].shape[2:], stride, padding, step.settings["kernel"], strict=True
        )
    ]
    more = [side - least for side, least in zip(step.shape[1:], plain, strict=True)]
    return F.conv_transpose2d(values[0], weights["weight"], weights["bias"], stride, padding, more)


def _affine(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """Each channel times a number, and another one added."""
    wide = (-1, *[1] * (values[0].ndim - 2))
    return values[0] * weights["scale"].reshape(wide) + weights["shift"].reshape(wide)


_FUNCTIONS: dict[str, Callable[..., Tensor]] = {
    "relu": F.relu,
    "leaky_relu": F.leaky_relu,
    "elu": F.elu,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "softplus": F.softplus,
    "silu": F.silu,
    "gelu": F.gelu,
}


def _activation(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """A function of each number, which may have a slope."""
    function = _FUNCTIONS[step.settings["function"]]
    if "slope" in step.settings:
        return function(values[0], step.settings["slope"])
    return function(values[0])


def _reshape(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The same numbers in another shape."""
    return values[0].reshape(-1, *step.shape)


def _enlarge(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """An image of another size: the nearest pixel, or a mean of the four around by distance."""
    return F.interpolate(values[0], size=step.shape[1:], mode=step.settings["mode"])


def _slice(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """Numbers from `start` to before `stop`."""
    return values[0][:, step.settings["start"] : step.settings["stop"]]


def _join(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """Channels of several values one behind the other."""
    count = max(map(len, values))
    return torch.cat([each.expand(count, *each.shape[1:]) for each in values], dim=1)


def _exponential(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The exponential of a matrix of `side` rows, row by row."""
    side = step.settings["side"]
    matrices: Tensor = torch.linalg.matrix_exp(values[0].reshape(-1, side, side))
    return matrices.flatten(1)


def _turn(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """Of growth g and angle a: e^g cos a, then e^g where there is no angle, then e^g sin a."""
    growth, angle = torch.exp(values[0]), values[1]
    pairs = angle.shape[1]
    cosines = growth[:, :pairs] * torch.cos(angle)
    sines = growth[:, :pairs] * torch.sin(angle)
    return torch.cat([cosines, growth[:, pairs:], sines], dim=1)


def _constant(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The same numbers whatever is given."""
    return weights["value"][None]


def _add(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The sum of two values."""
    return values[0] + values[1]


def _multiply(step: Step, values: list[Tensor], weights: Weights) -> Tensor:
    """The product of two values, number by number."""
    return values[0] * values[1]


_KINDS: dict[str, Callable[[Step, list[Tensor], Weights], Any]] = {
    "dense": _dense,
    "convolution": _convolution,
    "transposed": _transposed,
    "affine": _affine,
    "activation": _activation,
    "reshape": _reshape,
    "enlarge": _enlarge,
    "slice": _slice,
    "join": _join,
    "exponential": _exponential,
    "turn": _turn,
    "constant": _constant,
    "add": _add,
    "multiply": _multiply,
}
