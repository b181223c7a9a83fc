"""A training from Python: a configuration from names and values, trained or gone on with."""

from __future__ import annotations

__all__ = ["train"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unweave.data import Dataset, DatasetSpec
from unweave.notebook import Asked, telling
from unweave.objectives import Objective
from unweave.run.opened import Run
from unweave.run.watching import AskedWatch, watch_of
from unweave.rundir import runs_root
from unweave.session import begin, continue_run
from unweave.settings import make_config
from unweave.tracking import TrackerSpec, read_trackers


def train(
    dataset: Dataset | DatasetSpec | str,
    objective: Objective | str,
    *,
    steps: int | None = None,
    epochs: float | None = None,
    out: str | Path | None = None,
    overwrite: bool = False,
    resume: bool = False,
    max_minutes: float | None = None,
    watch: AskedWatch = "auto",
    progress: Asked = "auto",
    track: str | TrackerSpec | Sequence[str | TrackerSpec] | None = None,
    **settings: Any,
) -> Run:
    """Train a model and return its run.

    Args:
        dataset: A dataset, its specification or its text.
        objective: An objective or its text.
        steps: Optimiser steps.
        epochs: Instead of steps: times every training image is seen.
        out: Run folder; `runs/<dataset>-<method>-<digest>` by default.
        overwrite: Replace an earlier run there.
        resume: Go on with the run there, if there is one.
        max_minutes: Stop at a checkpoint after this long.
        watch: Shows the training; `auto` for one line in a notebook, and nothing elsewhere.
        progress: Shows the preparation of the dataset, in the same manner.
        track: Trackers or their texts, such as ("tensorboard", "wandb(project=mine)"); None for
            what the environment variable `UNWEAVE_TRACK` names.
        **settings: Further fields of `TrainConfig`, components as such or as text, and `lr` for
            `optimizer=Adam(lr=...)`.

    Returns:
        The run; its `status` says whether it is finished.

    Raises:
        SpecError: A setting is wrong, or a tracker is not installed.
        RunError: The folder is in the way.
    """
    trackers = read_trackers(track)
    config = make_config(dataset, objective, steps=steps, epochs=epochs, **settings)
    folder = Path(out) if out is not None else runs_root() / config.default_name
    with telling(progress) as told:
        if resume and folder.exists():
            given = {
                "dataset": config.dataset,
                "objective": config.objective,
                "steps": config.steps,
            }
            given |= {k: getattr(config, k) for k in settings if k != "lr"}
            given |= {"optimizer": config.optimizer} if "lr" in settings else {}
            continue_run(
                folder,
                changes=given,
                max_minutes=max_minutes,
                watch=watch_of(watch),
                progress=told,
                track=trackers,
            )
        else:
            begin(
                config,
                folder,
                overwrite=overwrite,
                max_minutes=max_minutes,
                watch=watch_of(watch),
                progress=told,
                track=trackers,
            )
    return Run(folder)
