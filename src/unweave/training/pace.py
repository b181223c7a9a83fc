"""A learning rate at work: when its scheduler takes a step, what it is told, what it must keep."""

from __future__ import annotations

__all__ = ["Pace"]

import json
from collections.abc import Mapping, Sequence
from typing import Any, final

import torch
from torch import Tensor
from torch.optim import Optimizer
from torch.optim.lr_scheduler import ReduceLROnPlateau

from unweave.training.rates import LearningRate, Plateau

# What belongs to the parameters themselves, and not to how they are updated.
_NOT_SETTINGS = ("params",)


@final
class Pace:
    """The scheduler of an optimiser.

    Args:
        rate: What the learning rate is to do.
        optimizer: Was made with the rate's initial value.
        logged: Names of the values that `after` is given, in their order.
        images: Number of images trained on.
        batch_size: Images in a step.
        device: Where those values are.
    """

    def __init__(
        self,
        rate: LearningRate,
        optimizer: Optimizer,
        logged: Sequence[str],
        *,
        images: int,
        batch_size: int,
        device: torch.device,
    ) -> None:
        self._rate = rate
        self._optimizer = optimizer
        self._images = images
        self._batch_size = batch_size
        self._scheduler = rate.make(optimizer)
        monitor = rate.monitor if isinstance(rate, Plateau) else None
        self._place = logged.index(monitor) if monitor in logged else None
        self._sum = torch.zeros((), dtype=torch.float64, device=device)
        self._count = 0
        self._taken = 0

    def after(self, values: Tensor, step: int) -> None:
        """Take what an optimiser step has logged, and a step of the scheduler where one is due.

        Only a plateau waits for the device, and only when it compares.

        Args:
            values: float32, in the order of `logged`.
            step: Number of the optimiser step, from 1.
        """
        if self._place is not None:
            self._sum += values[self._place]
            self._count += 1
        if self._rate.changes(step, self._images, self._batch_size) <= self._taken:
            return
        self._taken += 1
        if not isinstance(self._scheduler, ReduceLROnPlateau):
            self._scheduler.step()
        elif self._count:
            self._scheduler.step(self._sum.item() / self._count)
            self._sum.zero_()
            self._count = 0

    def hear(self, name: str, value: float) -> None:
        """Take a score of the training so far; a plateau may compare it when it does next."""
        if isinstance(self._rate, Plateau) and self._rate.monitor == name:
            self._sum += value
            self._count += 1

    def tensors(self) -> dict[str, Tensor]:
        """What a checkpoint must hold, by name."""
        groups = [
            {key: value for key, value in group.items() if key not in _NOT_SETTINGS}
            for group in self._optimizer.param_groups
        ]
        form = {
            "taken": self._taken,
            "scheduler": _plain(self._scheduler.state_dict()),
            "groups": groups,
        }
        text = json.dumps(form).encode()
        return {
            "state": torch.frombuffer(bytearray(text), dtype=torch.uint8),
            "sum": self._sum,
            "count": torch.tensor(self._count),
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Go on from the tensors of a checkpoint.

        Raises:
            KeyError: One is missing.
            RuntimeError: One is damaged.
        """
        try:
            form = json.loads(bytes(state["state"].tolist()))
            self._taken = form["taken"]
            own = self._scheduler.state_dict()
            self._scheduler.load_state_dict(_merged(own, form["scheduler"]))
            for group, saved in zip(self._optimizer.param_groups, form["groups"], strict=True):
                group |= {k: tuple(v) if isinstance(v, list) else v for k, v in saved.items()}
        except (ValueError, TypeError, AttributeError) as error:
            raise RuntimeError(f"the state of the learning rate is damaged ({error})") from error
        self._sum.copy_(state["sum"])
        self._count = int(state["count"])


def _plain(state: Mapping[str, Any]) -> dict[str, Any]:
    """What changes of a scheduler's state: its settings, which JSON may not hold, are rebuilt."""
    plain: dict[str, Any] = {}
    for name, value in state.items():
        if name == "_schedulers":
            plain[name] = [_plain(inner) for inner in value]
        elif _is_plain(value):
            plain[name] = value
    return plain


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return all(_is_plain(part) for part in value)
    return value is None or isinstance(value, bool | int | float | str)


def _merged(own: Mapping[str, Any], saved: Mapping[str, Any]) -> dict[str, Any]:
    """A scheduler's own state with what was saved in its place."""
    merged = dict(own) | dict(saved)
    if "_schedulers" in saved:
        pairs = zip(own["_schedulers"], saved["_schedulers"], strict=True)
        merged["_schedulers"] = [_merged(*pair) for pair in pairs]
    return merged
