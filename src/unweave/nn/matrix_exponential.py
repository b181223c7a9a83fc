"""The exponential of many small matrices at once, without a look at their values from the host."""

from __future__ import annotations

__all__ = ["LARGEST_NORM", "matrix_exponential"]

import math
from typing import Final

import torch
from torch import Tensor

from unweave.nn.autocast import without_autocast

# Norms up to which the Taylor polynomial of degree 8 has no error but rounding: what it leaves
# out is less than 2**-24, or 2**-53, of the exponential.
_RADIUS: Final = {torch.float32: 0.6, torch.float64: 0.069}
_SQUARINGS: Final = {torch.float32: 8, torch.float64: 11}

LARGEST_NORM: Final = {kind: radius * 2 ** _SQUARINGS[kind] for kind, radius in _RADIUS.items()}
"""Largest 1-norm of a matrix that is exponentiated, by precision: 154 in single, 141 in double."""

# The polynomial takes three products instead of seven:
# A4 = A2 (a A + b A2); I + A + h A2 + (c A2 + A4) (d I + e A + f A2 + g A4).
_ROOT: Final = math.sqrt(177)
_C: Final = 2 / 3
_A: Final = _C * (1 + _ROOT) / 88
_B: Final = _C * (1 + _ROOT) / 352
_D: Final = (29 * _ROOT - 271) / (315 * _C)
_E: Final = 11 * (_ROOT - 1) / (1260 * _C)
_F: Final = 11 * (_ROOT - 9) / (5040 * _C)
_G: Final = (89 - _ROOT) / (5040 * _C**2)
_H: Final = (857 - 58 * _ROOT) / 630


def matrix_exponential(matrices: Tensor) -> Tensor:
    """The exponential of each matrix, (N, M, M), differentiable any number of times.

    Each matrix is halved until its 1-norm is small, a Taylor polynomial of degree 8 is taken of
    it, and the result squared as often. How often is counted on the device. On a GPU all matrices
    go through as many squarings as the largest norm that is allowed needs, and keep what they had
    where they need fewer; on a processor through those that the batch at hand needs. A matrix has
    the same exponential whatever the others are.

    A matrix with a norm of more than `LARGEST_NORM` becomes NaN, and one whose exponential is too
    large for its precision becomes infinite or NaN: neither is ever a wrong finite number.

    Always computed in float32, or float64 if the matrices are, under autocast too.

    References:
        | Computing the Matrix Exponential with an Optimized Taylor Polynomial Approximation
        | (Bader, Blanes and Casas, Mathematics 7, 1174, 2019)

    Example:
        >>> matrix_exponential(torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])).tolist()
        [[[1.0, 1.0], [0.0, 1.0]]]
    """
    if matrices.dtype not in _RADIUS:
        matrices = matrices.float()
    with without_autocast(matrices):
        scale, squarings = _halvings(matrices.detach())
        result = _taylor(matrices * scale[:, None, None])
        for done in range(_most(squarings, _SQUARINGS[matrices.dtype])):
            more = (squarings > done)[:, None, None]
            result = torch.where(more, torch.bmm(result, result), result)
    return result


def _halvings(matrices: Tensor) -> tuple[Tensor, Tensor]:
    """What each matrix is multiplied by, a power of 1/2 or NaN, and that power, each (N,)."""
    ratio = matrices.abs().sum(1).amax(1) / _RADIUS[matrices.dtype]
    mantissa, exponent = torch.frexp(ratio)
    # An exact power of two, since ratio = mantissa * 2**exponent.
    scale = torch.where(exponent > 0, mantissa / ratio, 1.0)
    scale = torch.where(exponent > _SQUARINGS[matrices.dtype], math.nan, scale)
    return scale, exponent


def _most(squarings: Tensor, limit: int) -> int:
    """How many squarings all go through; a processor may look, since nothing waits for it."""
    if squarings.device.type != "cpu" or not squarings.numel():
        return limit
    return min(int(squarings.amax()), limit)


def _taylor(x: Tensor) -> Tensor:
    """The Taylor polynomial of degree 8 of each matrix."""
    identity = torch.eye(x.shape[-1], dtype=x.dtype, device=x.device)
    square = torch.bmm(x, x)
    fourth = torch.bmm(square, _A * x + _B * square)
    left = torch.add(fourth, square, alpha=_C)
    right = (_D * identity + _E * x).add(square, alpha=_F).add(fourth, alpha=_G)
    return torch.baddbmm((identity + x).add(square, alpha=_H), left, right)
