"""One training without some combinations of factors: trained or gone on with, scored, drawn."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from unweave.data import Progress
from unweave.errors import DataError
from unweave.generalise.figures import draw_run
from unweave.generalise.reading import Found, read_run
from unweave.run import Run, load_run
from unweave.rundir import FORMAT, is_run, write_json
from unweave.session import Outcome, Watch, begin, continue_run
from unweave.studies import ScoreRequest
from unweave.studies.answers import missing
from unweave.training import TrainConfig

__all__ = ["FILE", "carry_out", "score_run"]

log = logging.getLogger("unweave")

FILE: Final = "generalisation.json"
"""In the run folder: what `Found.to_dict` says."""


def carry_out(
    config: TrainConfig,
    folder: Path,
    given: Mapping[str, Any],
    *,
    overwrite: bool = False,
    max_minutes: float | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
    preset: str | None = None,
) -> Outcome:
    """Train a run, or go on with the one that is there.

    Args:
        config: What to train.
        folder: The run folder.
        given: Fields of the configuration that were asked for, which a run that is there must
            have, too.
        overwrite: Replace a run that is there.
        max_minutes: Stop at a checkpoint after this long; the same call goes on.
        watch: Shows the training.
        progress: Shows the preparation of the dataset.
        preset: Name of the preset that the settings of a new run come from, which is noted down.

    Raises:
        RunError: The folder is in the way, or holds a run with other settings.
    """
    if is_run(folder) and not overwrite:
        return continue_run(
            folder, changes=given, max_minutes=max_minutes, watch=watch, progress=progress
        )
    return begin(
        config,
        folder,
        overwrite=overwrite,
        max_minutes=max_minutes,
        watch=watch,
        progress=progress,
        preset=preset,
    )


def score_run(
    folder: Path, requests: Sequence[ScoreRequest], progress: Progress | None = None
) -> tuple[Found, list[Path]]:
    """Score a run as far as it is not scored yet, and draw what was held out of it.

    Args:
        folder: A run that is trained to its end.
        requests: What is asked, as `requests_of` says it.
        progress: Shows the scoring.

    Returns:
        How it generalises, which is also written into `generalisation.json` of the folder; and
        the paths of that file and of the figures.
    """
    run = load_run(folder)
    for request in list(missing(requests, folder, run.step)):
        _answer(run, request, progress)
    found = read_run(folder)
    write_json(folder / FILE, {"format": FORMAT, **found.to_dict()})
    return found, [folder / FILE, *draw_run(run, found)]


def _answer(run: Run, request: ScoreRequest, progress: Progress | None) -> None:
    """Score a run as it is asked; a score that it cannot have is told, and the others are made."""
    try:
        _evaluate(run, request, request.metrics, progress)
    except DataError as error:
        names = request.metrics or ()
        if len(names) < 2:
            log.warning("%s: %s", run.folder, error)
            return
        for name in names:
            _answer(run, replace(request, metrics=(name,)), progress)


def _evaluate(
    run: Run, request: ScoreRequest, names: tuple[str, ...] | None, progress: Progress | None
) -> None:
    run.evaluate(
        names,
        protocol_name=request.protocol,
        part=request.part,
        codes=request.codes,
        data=request.data,
        seed=request.seed,
        repeats=request.repeats,
        progress=progress,
    )
