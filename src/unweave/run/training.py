"""A training from Python: a configuration from names and values, trained or gone on with."""

from __future__ import annotations

__all__ = ["train"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unweave.data import Dataset, DatasetSpec
from unweave.errors import SpecError
from unweave.notebook import Asked, telling
from unweave.objectives import Objective
from unweave.presets import Preset
from unweave.presets import preset as find_preset
from unweave.run.opened import Run
from unweave.run.watching import AskedWatch, watch_of
from unweave.rundir import runs_root
from unweave.session import begin, continue_run
from unweave.settings import make_config
from unweave.tracking import TrackerSpec, read_trackers


def train(
    dataset: Dataset | DatasetSpec | str | None = None,
    objective: Objective | str | None = None,
    *,
    preset: str | Preset | None = None,
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
        dataset: A dataset, its specification or its text; None for that of the preset.
        objective: An objective or its text; None for that of the preset.
        preset: A published training by name, such as `disvae/btcvae_dsprites`, or itself: what is
            given beside it wins over its settings. The run notes its name, for `unweave cite`.
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
        SpecError: A setting is wrong, or a tracker is not installed; or there is no such preset,
            or neither a preset nor a dataset and an objective.
        RunError: The folder is in the way.

    Example:
        >>> unweave.train("dsprites", "beta_vae(beta=4)", steps=20_000)  # doctest: +SKIP
        >>> unweave.train(preset="disvae/btcvae_dsprites", seed=3)  # doctest: +SKIP
    """
    trackers = read_trackers(track)
    length = {"steps": steps, "epochs": epochs}
    settings |= {name: value for name, value in length.items() if value is not None}
    named = {"dataset": dataset, "objective": objective}
    settings |= {name: value for name, value in named.items() if value is not None}
    chosen = find_preset(preset) if isinstance(preset, str) else preset
    if chosen is not None:
        settings = chosen.overridden(settings)
    for name in named:
        if name not in settings:
            raise SpecError(
                f"train: no {name} is given. Give one, such as unweave.train('dsprites', "
                "'beta_vae(beta=4)', steps=20000), or a preset."
            )
    config = make_config(**settings)
    folder = Path(out) if out is not None else runs_root() / config.default_name
    with telling(progress) as told:
        if resume and folder.exists():
            fields = {"epochs": "steps", "lr": "optimizer"}
            given = {fields.get(name, name) for name in settings}
            continue_run(
                folder,
                changes={name: getattr(config, name) for name in sorted(given)},
                max_minutes=max_minutes,
                watch=watch_of(watch),
                progress=told,
                track=trackers,
            )
        else:
            if chosen is not None:
                chosen.check_start(settings)
            begin(
                config,
                folder,
                overwrite=overwrite,
                max_minutes=max_minutes,
                watch=watch_of(watch),
                progress=told,
                track=trackers,
                preset=None if chosen is None else chosen.name,
            )
    return Run(folder)
