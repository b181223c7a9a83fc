"""Random streams keyed by seed, purpose and step, so that no random state is ever stored."""

from __future__ import annotations

__all__ = ["Streams", "derive"]

import hashlib
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor


def derive(seed: int, purpose: str, step: int = 0) -> int:
    """A 63-bit seed from a run's seed, a purpose and a step.

    Args:
        seed: Of the run.
        purpose: What the draws are for; different purposes give independent streams.
        step: Optimiser step.
    """
    key = f"{seed}/{purpose}/{step}".encode()
    return int.from_bytes(hashlib.blake2b(key, digest_size=8).digest(), "little") >> 1


@final
@dataclass(frozen=True)
class Streams:
    """The random draws of one optimiser step.

    Draws depend on (seed, purpose, step) and, on a GPU, on the kind of device; asking twice for
    the same purpose gives the same numbers.

    Attributes:
        seed: Seed of the run.
        step: Optimiser step, from 1.
        device: Where the draws are made.
        noiseless: Normal draws are zero, so that what is sampled is the mean.
    """

    seed: int
    step: int
    device: torch.device
    noiseless: bool = False

    def generator(self, purpose: str) -> torch.Generator:
        """A torch generator for one purpose."""
        generator = torch.Generator(self.device)
        generator.manual_seed(derive(self.seed, purpose, self.step))
        return generator

    def normal(self, purpose: str, *shape: int) -> Tensor:
        """Standard normal draws of the given shape, float32."""
        if self.noiseless:
            return torch.zeros(*shape, device=self.device)
        return torch.randn(*shape, generator=self.generator(purpose), device=self.device)

    def permutations(self, purpose: str, rows: int, columns: int) -> Tensor:
        """An independent random permutation of the rows for each column, int64 (rows, columns).

        Args:
            purpose: What the draws are for.
            rows: How many are permuted.
            columns: How many permutations.
        """
        draws = torch.rand(rows, columns, generator=self.generator(purpose), device=self.device)
        return draws.argsort(dim=0)
