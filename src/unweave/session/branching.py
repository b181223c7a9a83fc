"""A run that begins with the checkpoint of another."""

from __future__ import annotations

__all__ = ["branch"]

import dataclasses
import shutil
from pathlib import Path
from typing import Any

from unweave import spec
from unweave.errors import RunError
from unweave.jsonlines import trim_lines
from unweave.rundir import link_file
from unweave.session.folder import CHECKPOINT, read_config, write_new, write_status
from unweave.training import TrainConfig
from unweave.training.checkpoint import load_tensors

_AUTOMATIC = {"threads": None, "device": "auto", "precision": "auto"}


def branch(source: Path, folder: Path, config: TrainConfig) -> None:
    """Make a run folder with the history of another run, from whose checkpoint it goes on.

    `continue_run` then trains it, and it ends with the weights that it would have if it had been
    trained from its first step on: so its configuration must be that of the other run up to the
    checkpoint. What was left to the machine is as it was resolved there.

    Args:
        source: The other run, which may go on or be removed afterwards.
        folder: The new run folder, which must not exist.
        config: What is trained in all; its phases that start at the checkpoint or later are new.

    Raises:
        RunError: The other run has no checkpoint, or another past; or the folder is in the way.
    """
    before = read_config(source)
    checkpoint = load_tensors(source / CHECKPOINT)
    step = checkpoint.step
    config = dataclasses.replace(
        config,
        **{k: getattr(before, k) for k, v in _AUTOMATIC.items() if getattr(config, k) == v},
    )
    if config.steps <= step:
        raise RunError(
            f"{source} has done {step:,} steps already, and a run that goes on from it would have "
            f"{config.steps:,}. Give more steps."
        )
    if _past(config, step) != _past(before, step):
        raise RunError(
            f"{source} cannot be gone on from: it was trained with other settings than the new "
            f"run has up to step {step:,}."
        )
    if folder.exists():
        raise RunError(f"{folder} exists. Choose another folder for the run.")

    def fill(place: Path) -> None:
        (place / CHECKPOINT).parent.mkdir()
        # It may be one file in two places: checkpoints are replaced, and never changed in place.
        link_file(source / CHECKPOINT, place / CHECKPOINT)
        if (source / "metrics.jsonl").is_file():
            shutil.copyfile(source / "metrics.jsonl", place / "metrics.jsonl")
            trim_lines(place / "metrics.jsonl", lambda row: row.get("step", 0) <= step)
        write_status(place, "stopped", step, config.steps, checkpoint.seconds, 0.0, "")

    write_new(folder, config, replace=False, fill=fill)


def _past(config: TrainConfig, step: int) -> dict[str, Any]:
    """All that has shaped a run's weights after some steps."""
    form = spec.to_dict(config)
    del form["steps"]
    return form | {"phases": [phase for phase in form["phases"] if phase["start"] < step]}
