"""A study carried out: begun, gone on with, or looked at."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeAlias

from unweave.errors import RunError, SpecError
from unweave.execution import (
    Engine,
    EventLog,
    Item,
    Processes,
    Progressed,
    RayCluster,
    Serial,
    execute,
    replay,
)
from unweave.metrics.threads import cores
from unweave.rundir import runs_root
from unweave.studies.folder import StudyFolder
from unweave.studies.plan import PlannedRun, plan
from unweave.studies.reading import read_study
from unweave.studies.spec import Study
from unweave.studies.task import TASK, is_done

__all__ = ["Executor", "engine_of", "place_of", "run_study"]

log = logging.getLogger("unweave")

Executor: TypeAlias = Literal["serial", "processes", "ray"]
"""Where the runs of a study are done."""

Listener: TypeAlias = Callable[[Mapping[str, Any]], None]


def engine_of(
    executor: str,
    *,
    workers: int | None,
    seconds: float | None,
    address: str | None = None,
    cpus: float = 1,
    gpus: float = 0,
) -> Engine:
    """The engine of that name, with `run_one` for its task.

    Args:
        executor: `serial`, `processes` or `ray`.
        workers: How many runs at once; None for one a core of this machine, or as many as the
            cluster has room for.
        seconds: How long a run may take.
        address: Of the Ray cluster.
        cpus: Cores that a run takes on it.
        gpus: GPUs that a run takes on it.

    Raises:
        SpecError: There is no such engine, or a number is out of range.
    """
    match executor:
        case "serial":
            return Serial(TASK, seconds=seconds)
        case "processes":
            return Processes(TASK, workers or cores(), seconds=seconds)
        case "ray":
            return RayCluster(
                TASK, address=address, cpus=cpus, gpus=gpus, workers=workers, seconds=seconds
            )
    raise SpecError(f"Unknown executor {executor!r}. Choose serial, processes or ray.")


def place_of(study: Study, out: str | Path | None = None) -> StudyFolder:
    """Where a study lies: `out`, or the folder of its name where runs lie."""
    return StudyFolder(Path(out) if out is not None else runs_root() / study.name)


def run_study(
    study: Study | str | Path,
    *,
    out: str | Path | None = None,
    executor: Executor = "processes",
    workers: int | None = None,
    resume: bool = True,
    listener: Listener | None = None,
    **cluster: Any,
) -> tuple[StudyFolder, dict[str, Progressed]]:
    """Carry out a study, or what is left of it.

    Everything that can be wrong with any of its runs is checked before the first begins.

    Args:
        study: A study, or the file that says what it is.
        out: Its folder; `runs/NAME` by default, under `UNWEAVE_RUNS` where that is set.
        executor: Where the runs are done; the results are the same.
        workers: How many at once.
        resume: Whether a study that is there already may be gone on with.
        listener: Called with each event.
        **cluster: `address`, `cpus` and `gpus` for Ray.

    Returns:
        The folder, and how far each run has come.

    Raises:
        SpecError: The study, or one of its runs, is wrong.
        RunError: The folder is in the way.
    """
    study = study if isinstance(study, Study) else read_study(study)
    runs = plan(study)
    folder = place_of(study, out)
    engine = engine_of(executor, workers=workers, seconds=study.limits.seconds, **cluster)
    _check_place(folder, resume)
    with folder.alone():
        _check_same_study(folder, runs)
        folder.write(study, runs)
        items = [run.item(study, str(folder.run_folder(run.key).resolve())) for run in runs]
        for item in items:
            folder.take_over(item.key)
        events = folder.events
        _reopen(events, items)
        if listener is not None:
            events.listeners.append(listener)
        return folder, execute(items, engine, events, study.limits)


def _reopen(events: EventLog, items: Sequence[Item]) -> None:
    """Have runs done again that the log calls finished, where the study now asks for more."""
    states = replay(events.read())
    for item in items:
        known = item.key in states and states[item.key].state == "finished"
        if known and not is_done(item.payload):
            events.add("reopened", key=item.key)


def _check_place(folder: StudyFolder, resume: bool) -> None:
    path = folder.path
    if folder.exists:
        if not resume:
            raise RunError(
                f"{path} has a study already. Go on with it: unweave study resume {path}; or give "
                "another --out."
            )
        folder.read()
    elif path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise RunError(f"{path} exists and is no study. Choose another folder with --out.")


def _check_same_study(folder: StudyFolder, runs: Sequence[PlannedRun]) -> None:
    """Refuse to put another study in the place of one; say which runs are left out from now on."""
    if not folder.exists:
        return
    before, now = set(folder.states()), {run.key for run in runs}
    left = before - now
    if left == before and any(folder.run_folder(key).exists() for key in left):
        raise RunError(
            f"{folder.path} has a study of which no run is part of this one. Give this one "
            "another --out or name; or remove that folder, if nobody needs its runs any more."
        )
    if left:
        log.warning(
            "%d runs of %s are no longer part of the study. They stay where they are; "
            "'unweave study clean %s' removes them.",
            len(left),
            folder.path,
            folder.path,
        )
