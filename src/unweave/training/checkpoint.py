"""Checkpoints and snapshots: one safetensors file each, written whole or not at all."""

from __future__ import annotations

__all__ = ["AVERAGE", "Checkpoint", "load_tensors", "save_tensors"]

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import safetensors
import safetensors.torch
from torch import Tensor

from unweave.errors import RunError
from unweave.rundir import FORMAT, atomic_write

AVERAGE: Final = "average/"
"""What stands before the names of averaged weights."""


@final
@dataclass(frozen=True)
class Checkpoint:
    """Tensors by name, and what stands beside them.

    Attributes:
        step: Optimiser steps done.
        seconds: Seconds spent in training so far.
        tensors: On the CPU.
    """

    step: int
    seconds: float
    tensors: dict[str, Tensor]

    @property
    def weights(self) -> dict[str, Tensor]:
        """Weights of the model and of its parts, by name: what is scored and decoded with.

        They are the running mean where the training kept one, and else the trained ones.
        """
        own = {k: v for k, v in self.tensors.items() if k.startswith(("model/", "part/"))}
        return {name: self.tensors.get(f"{AVERAGE}{name}", value) for name, value in own.items()}


def save_tensors(path: Path, tensors: dict[str, Tensor], *, step: int, seconds: float) -> None:
    """Write a checkpoint atomically.

    Raises:
        UnweaveError: The disk is full or closed; an earlier file at `path` is untouched.
    """
    header = {"format": str(FORMAT), "step": str(step), "seconds": repr(seconds)}
    plain = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    data = safetensors.torch.save(plain, metadata=header)
    with atomic_write(path) as handle:
        handle.write(data)


def load_tensors(path: Path) -> Checkpoint:
    """Read a checkpoint or snapshot.

    Raises:
        RunError: The file is missing, damaged, or of an unknown format.
    """
    if not path.is_file():
        raise RunError(f"{path} does not exist: the run has no weights there yet.")
    try:
        with safetensors.safe_open(path, framework="pt") as handle:
            header: dict[str, Any] = handle.metadata() or {}
            tensors = {name: handle.get_tensor(name) for name in handle.keys()}  # noqa: SIM118
        step, seconds = int(header["step"]), float(json.loads(header["seconds"]))
        if step < 0 or not math.isfinite(seconds):
            raise ValueError(f"step {step} after {seconds} seconds")
    except (safetensors.SafetensorError, KeyError, TypeError, ValueError, OSError) as error:
        raise RunError(f"{path} is not a checkpoint that can be read: {error}.") from error
    if header.get("format") != str(FORMAT):
        raise RunError(
            f"{path} has format {header.get('format')}, and this version reads format {FORMAT}."
        )
    return Checkpoint(step=step, seconds=seconds, tensors=tensors)
