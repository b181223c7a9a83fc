"""A running mean of weights, beside those that are trained."""

from __future__ import annotations

__all__ = ["Average"]

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import final

import torch
from torch import Tensor
from torch.optim.swa_utils import get_ema_multi_avg_fn


@final
class Average:
    """The exponential moving average of weights.

    After the first step it is the weights; after each further one it is `decay` times itself and
    `1 - decay` times the weights. What is no float, such as a count, is taken as it is.

    Args:
        decay: Between 0 and 1.
        weights: The trained ones, by name; they are read anew at each step.
    """

    def __init__(self, decay: float, weights: Mapping[str, Tensor]) -> None:
        self._trained = {name: value.detach() for name, value in weights.items()}
        self.tensors = {name: value.detach().clone() for name, value in weights.items()}
        self._mean = get_ema_multi_avg_fn(decay)  # type: ignore[no-untyped-call]
        self._floats = [name for name, v in weights.items() if v.is_floating_point()]
        self._others = [name for name in weights if name not in self._floats]

    @torch.no_grad()
    def begin(self) -> None:
        """Be the weights as they are now."""
        for name, value in self.tensors.items():
            value.copy_(self._trained[name])

    @torch.no_grad()
    def after(self, step: int) -> None:
        """Take the weights after an optimiser step, counted from 1."""
        if step == 1:
            self.begin()
            return
        for name in self._others:
            self.tensors[name].copy_(self._trained[name])
        own = [self.tensors[name] for name in self._floats]
        self._mean(own, [self._trained[name] for name in self._floats], None)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Have the average where the trained weights are, inside the block."""
        trained = {name: value.detach().clone() for name, value in self._trained.items()}
        self._copy(self.tensors)
        try:
            yield
        finally:
            self._copy(trained)

    @torch.no_grad()
    def _copy(self, values: Mapping[str, Tensor]) -> None:
        for name, value in self._trained.items():
            value.copy_(values[name])
