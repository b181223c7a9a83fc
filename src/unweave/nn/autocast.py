"""Layers that keep their precision under autocast."""

from __future__ import annotations

__all__ = ["without_autocast"]

import contextlib

import torch
from torch import Tensor


def without_autocast(values: Tensor) -> contextlib.AbstractContextManager[object]:
    """A block in which operations on the device of these values run in the precision given."""
    if values.device.type == "meta":
        # Shapes alone are computed there, and autocast does not know it.
        return contextlib.nullcontext()
    return torch.autocast(values.device.type, enabled=False)
