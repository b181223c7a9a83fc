"""A player's parameters: their gradients, clipped if need be, and its optimiser."""

from __future__ import annotations

__all__ = ["Clipping", "Side"]

from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor, nn

from unweave.errors import TrainingDivergedError
from unweave.objectives import Player
from unweave.training.pace import Pace

# States of optimisers that PyTorch keeps on the host, unless they are part of its kernels.
_SCALARS = ("step", "mu_product", "eta", "mu")
_LARGEST = torch.finfo(torch.float32).max


@final
@dataclass(frozen=True)
class Clipping:
    """How large the gradients of a player may be.

    Attributes:
        value: Largest size of each number, or None for any.
        norm: Largest norm of all of them together, or None for any; it is taken second.
    """

    value: float | None = None
    norm: float | None = None

    def clip(self, parameters: list[nn.Parameter]) -> None:
        """Make the gradients of parameters so small, in copies; nothing waits for the device."""
        if self.value is None and self.norm is None:
            return
        for parameter in parameters:
            if parameter.grad is not None:
                # What autograd gives may be one number in many places, or another's gradient too.
                parameter.grad = parameter.grad.clone()
        if self.value is not None:
            # PyTorch takes no larger number, and no gradient has one.
            nn.utils.clip_grad_value_(parameters, min(self.value, _LARGEST))
        if self.norm is not None:
            nn.utils.clip_grad_norm_(parameters, self.norm)


@final
@dataclass(frozen=True)
class Side:
    """A player's parameters and all that changes them.

    Attributes:
        name: The player's.
        player: None for the model.
        parameters: Those that it owns.
        optimizer: PyTorch's.
        clipping: What is done to gradients before they are followed.
        pace: What changes the learning rate; None where it is constant.
    """

    name: str
    player: Player | None
    parameters: list[nn.Parameter]
    optimizer: torch.optim.Optimizer
    clipping: Clipping = Clipping()
    pace: Pace | None = None

    @property
    def lr(self) -> float:
        """The learning rate of the next step."""
        return float(self.optimizer.param_groups[0]["lr"])

    def set_gradients(self, loss: Tensor, *, retain: bool) -> None:
        """Gradients of a loss for the parameters that the player owns, and for no others.

        Args:
            loss: A scalar.
            retain: Whether the graph is needed again.
        """
        gradients = torch.autograd.grad(
            loss, self.parameters, retain_graph=retain, allow_unused=True
        )
        for parameter, gradient in zip(self.parameters, gradients, strict=True):
            parameter.grad = _laid_out(gradient, parameter)

    def step(self) -> None:
        """Follow the gradients.

        Raises:
            TrainingDivergedError: The optimiser has come to a number that its type cannot hold.
        """
        self.clipping.clip(self.parameters)
        try:
            self.optimizer.step()
        except (OverflowError, RuntimeError) as error:
            # PyTorch puts numbers of the host, such as a rate or a decay, into float32 in some.
            if not isinstance(error, OverflowError) and "without overflow" not in str(error):
                raise
            raise TrainingDivergedError(
                f"Training diverged: a number of the optimiser of {self.name} became too large, "
                f"with a learning rate of {self.lr:g}. Try a smaller learning rate (--lr), or "
                f"smaller settings of the optimiser (--optimizer)."
            ) from error

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold beside the parameters, by name."""
        state: dict[str, Tensor] = {}
        for index, parameter in enumerate(self.parameters):
            for key, value in self.optimizer.state[parameter].items():
                state[f"optimizer/{self.name}/{index}/{key}"] = torch.as_tensor(value)
        if self.pace is not None:
            state |= {f"rate/{self.name}/{key}": v for key, v in self.pace.tensors().items()}
        return state

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the tensors of a checkpoint.

        Raises:
            KeyError: One is missing.
            RuntimeError: One has another shape or type than the optimiser needs.
        """
        prefixes = [f"optimizer/{self.name}/{index}/" for index in range(len(self.parameters))]
        saved = [_under(state, prefix) for prefix in prefixes]
        if self.optimizer.defaults.get("fused"):
            _check_fused(dict(zip(prefixes, saved, strict=True)), self.parameters)
        for parameter, own in zip(self.parameters, saved, strict=True):
            self.optimizer.state[parameter] = {
                key: self._placed(key, value, parameter) for key, value in own.items()
            }
        if self.pace is not None:
            self.pace.restore(_under(state, f"rate/{self.name}/"))

    def _placed(self, key: str, value: Tensor, parameter: nn.Parameter) -> Tensor:
        """A state of the optimiser where a fresh one would be."""
        if value.shape == parameter.shape and value.dim() > 0:
            return torch.empty_like(parameter).copy_(value)
        settings = self.optimizer.defaults
        in_kernel = settings.get("fused") or settings.get("capturable")
        on_host = key in _SCALARS and not in_kernel
        return value.clone() if on_host else value.clone().to(parameter.device)


def _check_fused(
    saved: Mapping[str, Mapping[str, Tensor]], parameters: list[nn.Parameter]
) -> None:
    """Refuse states that a fused optimiser would take for others: it reads memory unchecked.

    Raises:
        KeyError: One is missing that other parameters have.
        RuntimeError: One has another shape or type.
    """
    keys = {key for own in saved.values() for key in own}
    for (prefix, own), parameter in zip(saved.items(), parameters, strict=True):
        # A parameter that has never had a gradient has no state.
        for key in sorted(keys) if own else ():
            if key not in own:
                raise KeyError(f"{prefix}{key}")
            value, shape = own[key], () if key in _SCALARS else parameter.shape
            if value.shape != shape or not value.is_floating_point():
                raise RuntimeError(
                    f"{prefix}{key} is {value.dtype} of shape {tuple(value.shape)}, not "
                    f"floating-point of shape {tuple(shape)}"
                )


def _laid_out(gradient: Tensor | None, parameter: nn.Parameter) -> Tensor | None:
    """A gradient in memory as its parameter is, which fused optimisers take for granted."""
    if gradient is None or gradient.stride() == parameter.stride():
        return gradient
    return torch.empty_like(parameter).copy_(gradient)


def _under(state: Mapping[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The tensors whose names begin so, under the rest of their names."""
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}
