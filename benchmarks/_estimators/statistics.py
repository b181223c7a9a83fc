"""Cosines and ratios of norms from the gradients of many batches, none of which is kept."""

from __future__ import annotations

__all__ = ["Comparison", "Reference"]

import math
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

_TINY = 1e-30


@final
@dataclass
class Reference:
    """The exact gradient of each term, as the mean over independent chunks of samples.

    Attributes:
        sums: Sum over the chunks, (T, P).
        squares: Sum of the squared norms of the chunks, (T,).
        chunks: Their number.
    """

    sums: Tensor
    squares: Tensor
    chunks: int = 0

    @classmethod
    def empty(cls, terms: int, size: int) -> Reference:
        """Nothing added yet."""
        return cls(torch.zeros(terms, size), torch.zeros(terms, dtype=torch.float64))

    def add(self, gradients: Tensor) -> None:
        """Add the exact gradient of one chunk, (T, P)."""
        self.sums += gradients
        self.squares += gradients.square().sum(1).double()
        self.chunks += 1

    @property
    def square(self) -> Tensor:
        """Squared norm of the exact gradient without the sampling noise, (T,).

        Products of two different chunks have the squared norm of the expectation as their mean.
        """
        total = self.sums.square().sum(1).double()
        return (total - self.squares) / (self.chunks * (self.chunks - 1))

    def without(self, gradients: Tensor, share: float) -> Tensor:
        """Mean over all samples but those of a batch that has `share` of them, (T, P)."""
        return (self.sums / self.chunks - share * gradients) / (1 - share)


@final
@dataclass
class Comparison:
    """One estimator against the exact gradient, batch by batch.

    Attributes:
        sums: Sum of the estimated gradients, (T, P).
        squares: Squared norm of each, batch by T.
        along: Product of each with the exact gradient of all other samples.
        cosines: Cosine of each with the exact gradient of all other samples.
        paired: Cosine of each with the gradient of the same samples under the exact densities.
        ratios: Norm of each over the norm of that gradient.
    """

    sums: Tensor
    squares: list[Tensor] = field(default_factory=list)
    along: list[Tensor] = field(default_factory=list)
    cosines: list[Tensor] = field(default_factory=list)
    paired: list[Tensor] = field(default_factory=list)
    ratios: list[Tensor] = field(default_factory=list)

    @classmethod
    def empty(cls, terms: int, size: int) -> Comparison:
        """Nothing added yet."""
        return cls(torch.zeros(terms, size))

    def add(self, estimated: Tensor, exact: Tensor, others: Tensor) -> None:
        """Add one batch.

        Args:
            estimated: Gradients of the estimator, (T, P).
            exact: Gradients of the same samples under the exact densities, (T, P).
            others: Exact gradients of all samples but these, (T, P).
        """
        # A gradient that vanishes, since every sample sees its own posterior alone, has cosine 0.
        norm = estimated.norm(dim=1).double().clamp_min(_TINY)
        exact_norm = exact.norm(dim=1).double().clamp_min(_TINY)
        along = (estimated * others).sum(1).double()
        self.sums += estimated
        self.squares.append(norm.square())
        self.along.append(along)
        self.cosines.append(along / (norm * others.norm(dim=1).double()))
        self.paired.append((estimated * exact).sum(1).double() / (norm * exact_norm))
        self.ratios.append(norm / exact_norm)

    def summary(self, term: int, square: float) -> dict[str, float | None]:
        """The figures of one term.

        Args:
            term: Its place.
            square: Squared norm of the exact gradient without sampling noise.
        """
        count = len(self.squares)
        own = torch.stack(self.squares)[:, term]
        total = self.sums[term].square().sum().double()
        mean_square = float((total - own.sum()) / (count * (count - 1))) if count > 1 else 0.0
        along = float(torch.stack(self.along)[:, term].mean())
        signal = mean_square > 0 and square > 0
        cosines = torch.stack(self.cosines)[:, term]
        return {
            "systematic": along / math.sqrt(mean_square * square) if signal else None,
            "norm": math.sqrt(mean_square / square) if signal else None,
            "cosine": float(cosines.mean()),
            "cosine_se": float(cosines.std() / math.sqrt(count)) if count > 1 else None,
            "paired": float(torch.stack(self.paired)[:, term].mean()),
            "batch_norm": float(torch.stack(self.ratios)[:, term].mean()),
        }
