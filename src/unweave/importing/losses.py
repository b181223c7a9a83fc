"""`train_losses.log`: the losses that disentangling-vae logs an epoch, in our words."""

from __future__ import annotations

__all__ = ["Epoch", "read_losses", "train_events"]

import csv
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, final

from unweave.errors import CheckpointError

_HEADER = ["Epoch", "Loss", "Value"]
# A line takes some 30 bytes, and there are about as many an epoch as latents.
_MOST_BYTES = 2**24
_LARGEST = 3.4028234e38
_KL = re.compile(r"kl_loss_(\d{1,6})")
# Their name -> the terms of ours that it may be, of which an objective has one at most.
_TERMS = {
    "recon_loss": ("reconstruction",),
    "kl_loss": ("kl",),
    "mi_loss": ("mutual_information",),
    "tc_loss": ("total_correlation", "density_ratio_tc"),
    "dw_kl_loss": ("dimension_kl",),
}


@final
@dataclass(frozen=True)
class Epoch:
    """The means of one epoch.

    Attributes:
        number: From 1.
        values: By their published names, nats an image, in the order of the file.
    """

    number: int
    values: dict[str, float] = field(default_factory=dict)


def read_losses(path: Path) -> Sequence[Epoch]:
    """The epochs of a log, in order; empty when there is no file.

    Raises:
        CheckpointError: It is damaged.
    """
    if not path.exists():
        return []
    epochs: list[Epoch] = []
    try:
        if not path.is_file():
            raise ValueError("it is not a file")
        if path.stat().st_size > _MOST_BYTES:
            raise ValueError(f"it has more than {_MOST_BYTES:,} bytes")
        with path.open(encoding="utf-8", newline="") as handle:
            rows = csv.reader(handle, strict=True)
            if next(rows, None) != _HEADER:
                raise ValueError(f"it must begin with {','.join(_HEADER)}")
            for number, row in enumerate(rows, start=2):
                if row:
                    _add(epochs, row, number)
    except (OSError, ValueError, csv.Error) as error:
        raise CheckpointError(
            f"{path} is damaged: {' '.join(str(error).split())[:200]}. Correct it, or move it "
            "away to import the weights without their losses."
        ) from error
    return epochs


def _add(epochs: list[Epoch], row: Sequence[str], line: int) -> None:
    if len(row) != len(_HEADER) or not re.fullmatch(r"\d{1,9}", row[0]):
        raise ValueError(f"line {line} is not an epoch, a name and a value")
    epoch, name, value = int(row[0]) + 1, row[1], float(row[2])
    # What the program logs, and what a figure can have on its axes.
    if not abs(value) <= _LARGEST:
        raise ValueError(f"the value of line {line} is not a finite number of 32 bits")
    if not epochs or epoch > epochs[-1].number:
        epochs.append(Epoch(epoch))
    if epoch != epochs[-1].number or name in epochs[-1].values:
        raise ValueError(f"line {line} is out of order")
    epochs[-1].values[name] = value


def train_events(
    path: Path, epochs: Sequence[Epoch], terms: Collection[str], latents: int, per_epoch: int
) -> list[dict[str, Any]]:
    """Lines of `metrics.jsonl`, one an epoch.

    Raw values go by the names of our terms; what the objective has no term for is left out. The
    weighted values were not logged.

    Args:
        path: The log, for messages.
        epochs: What it says.
        terms: Names of the objective's terms.
        latents: Number of latents.
        per_epoch: Optimiser steps of an epoch; an event stands at its epoch's last step.

    Raises:
        CheckpointError: An epoch lacks a value, or has those of other latents.
    """
    names = {
        theirs: next(name for name in ours if name in terms)
        for theirs, ours in _TERMS.items()
        if any(name in terms for name in ours)
    }
    needed = {"loss", "recon_loss", *(f"kl_loss_{j}" for j in range(latents))}
    events = []
    for epoch in epochs:
        values = epoch.values
        spare = [name for name in values if _KL.fullmatch(name) and name not in needed]
        lacking = sorted(needed - values.keys())
        other = sorted(values.keys() ^ epochs[0].values.keys())
        if spare or lacking or other:
            what = "lacks" if lacking else "has, unlike other epochs," if other else "has"
            raise CheckpointError(
                f"{path}: epoch {epoch.number - 1} {what} {(lacking or other or spare)[0]!r:.60}, "
                f"and the model has {latents} latents. It belongs to another checkpoint, or is "
                "damaged: move it away to import the weights without their losses."
            )
        loss = {"model": values["loss"]}
        if "discrim_loss" in values:
            loss["discriminator"] = values["discrim_loss"]
        raw = {ours: values[theirs] for theirs, ours in names.items() if theirs in values}
        events.append(
            {
                "event": "train",
                "step": epoch.number * per_epoch,
                "loss": loss,
                "raw": raw,
                "kl": [values[f"kl_loss_{j}"] for j in range(latents)],
            }
        )
    return events
