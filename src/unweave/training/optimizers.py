"""Optimisers of the model player, by name: those of PyTorch that fit the training loop.

Left out are those that want to evaluate the loss themselves (LBFGS), sparse gradients
(SparseAdam) or matrices alone (Muon), and Adafactor, which waits for the device at every step.
"""

from __future__ import annotations

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
]

import dataclasses
from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar, Final, final

import torch
from torch import nn

from unweave.errors import SpecError
from unweave.spec import Component, number, option
from unweave.training.rates import LearningRate

# Arguments of PyTorch that are two numbers, and the fields that hold them.
_PAIRS: Final = {
    "betas": ("beta1", "beta2"),
    "etas": ("eta_minus", "eta_plus"),
    "step_sizes": ("step_min", "step_max"),
}


class Optimizer(Component):
    """How a player's parameters follow its gradient.

    Each member makes the optimiser of PyTorch of that name, fused where PyTorch has it so.

    Class attributes:
        fused: Whether it is made in its fused form.
    """

    family: ClassVar[str] = "optimizer"
    fused: ClassVar[bool] = False

    lr: float | LearningRate = number(default=1e-3, above=0, help="Learning rate.")

    def validate(self) -> None:
        """Refuse a learning rate that changes a momentum which the optimiser does not have."""
        fields = {field.name for field in dataclasses.fields(self)}
        rate = self.rate
        if rate is not None and rate.cycles_momentum and not fields & {"beta1", "momentum"}:
            raise SpecError(
                f"{self.name}: lr={rate.name} changes the momentum, too, and {self.name} has "
                f"none: write {rate.name}(..., cycle_momentum=False)."
            )

    @property
    def rate(self) -> LearningRate | None:
        """The learning rate where it changes, None where it is a number."""
        return self.lr if isinstance(self.lr, LearningRate) else None

    @property
    def initial_lr(self) -> float:
        """The learning rate with which the optimiser is made."""
        return self.lr.initial if isinstance(self.lr, LearningRate) else self.lr

    @property
    @abstractmethod
    def kind(self) -> type[torch.optim.Optimizer]:
        """The class in PyTorch, whose arguments the fields are named as."""

    def make(self, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
        """The PyTorch optimiser of parameters on their device, with the initial learning rate."""
        make: Callable[..., torch.optim.Optimizer] = self.kind
        return make(parameters, **self.arguments(parameters))

    def arguments(self, parameters: list[nn.Parameter]) -> dict[str, Any]:
        """What PyTorch's takes beside the parameters: the fields by their names, some in pairs."""
        given = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        given["lr"] = self.initial_lr
        for name, pair in _PAIRS.items():
            if given.keys() >= set(pair):
                given[name] = tuple(given.pop(field) for field in pair)
        return given | {"fused": True} if self.fused else given


@final
class Adam(Optimizer):
    """Adam, in PyTorch's fused form."""

    name: ClassVar[str] = "adam"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adam
    fused: ClassVar[bool] = True

    lr: float | LearningRate = number(default=5e-4, above=0, help="Learning rate.")
    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(
        default=0.999, low=0, below=1, help="Decay of the mean of squared gradients."
    )
    eps: float = number(default=1e-8, low=0, later=True, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.0, low=0, later=True, help="Times the weights, added to the gradient."
    )
    amsgrad: bool = option(
        default=False, later=True, help="Whether the largest mean of squares so far is taken."
    )


@final
class AdamW(Optimizer):
    """Adam whose weight decay is no part of the gradient, in PyTorch's fused form."""

    name: ClassVar[str] = "adamw"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.AdamW
    fused: ClassVar[bool] = True

    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(
        default=0.999, low=0, below=1, help="Decay of the mean of squared gradients."
    )
    eps: float = number(default=1e-8, low=0, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.01, low=0, help="Times the learning rate, the part that weights lose."
    )
    amsgrad: bool = option(
        default=False, help="Whether the largest mean of squares so far is taken."
    )


@final
class Adamax(Optimizer):
    """Adam with the largest gradient in place of the mean of squares."""

    name: ClassVar[str] = "adamax"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adamax

    lr: float | LearningRate = number(default=2e-3, above=0, help="Learning rate.")
    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(default=0.999, low=0, below=1, help="Decay of the largest gradient.")
    eps: float = number(default=1e-8, low=0, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )


@final
class NAdam(Optimizer):
    """Adam with Nesterov momentum."""

    name: ClassVar[str] = "nadam"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.NAdam

    lr: float | LearningRate = number(default=2e-3, above=0, help="Learning rate.")
    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(
        default=0.999, low=0, below=1, help="Decay of the mean of squared gradients."
    )
    eps: float = number(default=1e-8, low=0, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )
    momentum_decay: float = number(default=4e-3, low=0, help="Decay of the momentum.")
    decoupled_weight_decay: bool = option(
        default=False, help="Whether weights decay as with adamw, not through the gradient."
    )


@final
class RAdam(Optimizer):
    """Adam whose first steps are rectified for the little that is known of the variance."""

    name: ClassVar[str] = "radam"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.RAdam

    beta1: float = number(default=0.9, low=0, below=1, help="Decay of the mean of gradients.")
    beta2: float = number(
        default=0.999, low=0, below=1, help="Decay of the mean of squared gradients."
    )
    eps: float = number(default=1e-8, low=0, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )
    decoupled_weight_decay: bool = option(
        default=False, help="Whether weights decay as with adamw, not through the gradient."
    )


@final
class Adadelta(Optimizer):
    """Steps in units of earlier steps, by means of squared gradients and of squared changes."""

    name: ClassVar[str] = "adadelta"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adadelta

    lr: float | LearningRate = number(default=1.0, above=0, help="Learning rate.")
    rho: float = number(default=0.9, low=0, high=1, help="Decay of the means of squares.")
    eps: float = number(default=1e-6, low=0, help="Added to the means of squares.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )


@final
class Adagrad(Optimizer):
    """Steps divided by the root of the sum of squared gradients, in PyTorch's fused form."""

    name: ClassVar[str] = "adagrad"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Adagrad
    fused: ClassVar[bool] = True

    lr: float | LearningRate = number(default=1e-2, above=0, help="Learning rate.")
    lr_decay: float = number(
        default=0.0, low=0, help="The learning rate is divided by 1 + lr_decay * (t - 1)."
    )
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )
    initial_accumulator_value: float = number(
        default=0.0, low=0, high=1e30, help="What the sum of squares begins with."
    )
    eps: float = number(default=1e-10, low=0, help="Added to the denominator.")


@final
class RMSprop(Optimizer):
    """Steps divided by the root of a running mean of squared gradients."""

    name: ClassVar[str] = "rmsprop"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.RMSprop

    lr: float | LearningRate = number(default=1e-2, above=0, help="Learning rate.")
    alpha: float = number(
        default=0.99, low=0, below=1, help="Decay of the mean of squared gradients."
    )
    eps: float = number(default=1e-8, low=0, help="Added to the denominator.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )
    momentum: float = number(default=0.0, low=0, help="Part of the last step that is repeated.")
    centered: bool = option(
        default=False, help="Whether gradients are divided by an estimate of their deviation."
    )


@final
class Rprop(Optimizer):
    """Steps of which only the direction is the gradient's, longer while that stays the same.

    It was made for gradients of the whole dataset; those of batches make steps short.
    """

    name: ClassVar[str] = "rprop"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.Rprop

    lr: float | LearningRate = number(
        default=1e-2, above=0, help="Length of the first step; it does not count later."
    )
    eta_minus: float = number(default=0.5, above=0, below=1, help="Factor where signs change.")
    eta_plus: float = number(default=1.2, above=1, help="Factor where signs stay.")
    step_min: float = number(default=1e-6, low=0, help="Shortest step.")
    step_max: float = number(default=50.0, above=0, help="Longest step.")

    def validate(self) -> None:
        """Refuse a learning rate that changes, since only the first counts, and steps of none."""
        if self.rate is not None:
            raise SpecError(
                f"rprop: lr is the length of the first step and does not count later, so it takes "
                f"a number, not {self.rate.name}."
            )
        if self.step_min > self.step_max:
            raise SpecError(
                f"rprop: step_min must be at most step_max, which is {self.step_max:g}, but is "
                f"{self.step_min:g}."
            )


@final
class SGD(Optimizer):
    """Stochastic gradient descent, with momentum if need be, in PyTorch's fused form."""

    name: ClassVar[str] = "sgd"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.SGD
    fused: ClassVar[bool] = True

    momentum: float = number(default=0.0, low=0, help="Part of the last step that is repeated.")
    dampening: float = number(default=0.0, help="Part of the gradient that momentum leaves out.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )
    nesterov: bool = option(default=False, help="Whether the momentum is Nesterov's.")

    def validate(self) -> None:
        """Refuse Nesterov momentum without momentum, or with dampening."""
        super().validate()
        if self.nesterov and (self.momentum <= 0 or self.dampening != 0):
            raise SpecError(
                "sgd: nesterov needs a momentum above 0 and no dampening, but momentum is "
                f"{self.momentum:g} and dampening {self.dampening:g}."
            )


@final
class ASGD(Optimizer):
    """Stochastic gradient descent with a decay of its own; the mean it keeps is not used.

    For averaged weights that are scored and decoded with, give the training `ema`.
    """

    name: ClassVar[str] = "asgd"
    kind: ClassVar[type[torch.optim.Optimizer]] = torch.optim.ASGD

    lr: float | LearningRate = number(default=1e-2, above=0, help="Learning rate.")
    lambd: float = number(default=1e-4, low=0, help="Decay of weights and learning rate.")
    alpha: float = number(default=0.75, low=0, help="Power by which the learning rate falls.")
    t0: float = number(default=1e6, low=0, help="Step from which on it averages.")
    weight_decay: float = number(
        default=0.0, low=0, help="Times the weights, added to the gradient."
    )

    def arguments(self, parameters: list[nn.Parameter]) -> dict[str, Any]:
        """On a GPU it is capturable: else each of its steps would wait for the device."""
        return super().arguments(parameters) | {"capturable": parameters[0].is_cuda}
