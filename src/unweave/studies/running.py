"""A study carried out: begun, gone on with, or looked at."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
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
from unweave.rundir import FORMAT, LOCK, STUDY_FILE, is_run, read_json, runs_root, write_json
from unweave.studies.collecting import Collecting, collect_ended
from unweave.studies.folder import StudyFolder
from unweave.studies.planning import PlannedRun, plan
from unweave.studies.reading import read_study
from unweave.studies.spec import Study
from unweave.studies.storage import open_storage
from unweave.studies.task import TASK, is_done, write_marker
from unweave.tracking import read_trackers
from unweave.training.precision import resolve

__all__ = [
    "Executor",
    "check_not_worker",
    "check_place",
    "check_same_study",
    "engine_of",
    "place_of",
    "run_study",
]

log = logging.getLogger("unweave")

Executor: TypeAlias = Literal["serial", "processes", "ray"]
"""Where the runs of a study are done."""

Listener: TypeAlias = Callable[[Mapping[str, Any]], None]


def engine_of(
    executor: str,
    *,
    workers: int | None,
    seconds: float | None,
    threads: int = 1,
    address: str | None = None,
    cpus: float | None = None,
    gpus: float = 0,
    task: str = TASK,
) -> Engine:
    """The engine of that name.

    Args:
        executor: `serial`, `processes` or `ray`.
        workers: How many runs at once; None for as many as this machine has cores for, or the
            cluster room.
        seconds: How long a run may take.
        threads: With how many a run trains.
        address: Of the Ray cluster.
        cpus: Cores that a run takes on it; None for one a thread.
        gpus: GPUs that a run takes on it; a share, such as 0.25, is given to several at once.
        task: What is done, by its reference; `run_one` of studies by default.

    Raises:
        SpecError: There is no such engine, or a number is out of range.
    """
    match executor:
        case "serial":
            return Serial(task, seconds=seconds)
        case "processes":
            if workers is None:
                workers = max(1, cores() // threads)
            preload = ["unweave.training.preload"]
            return Processes(task, workers, seconds=seconds, preload=preload)
        case "ray":
            return RayCluster(
                task,
                address=address,
                cpus=threads if cpus is None else cpus,
                gpus=gpus,
                workers=workers,
                seconds=seconds,
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
    storage: str | None = None,
    **cluster: Any,
) -> tuple[StudyFolder, dict[str, Progressed]]:
    """Carry out a study, or what is left of it.

    Everything that can be wrong with any of its runs is checked before the first begins. In a
    script, processes want the call below `if __name__ == "__main__":`.

    Args:
        study: A study, or the file that says what it is.
        out: Its folder; `runs/NAME` by default, under `UNWEAVE_RUNS` where that is set.
        executor: Where the runs are done; the results are the same.
        workers: How many at once.
        resume: Whether a study that is there already may be gone on with.
        listener: Called with each event.
        storage: Where workers keep checkpoints and results, and from where finished runs come into
            the folder: an fsspec URL, such as `s3://BUCKET/FOLDER`. None for the one with which
            the study was begun; a study without one lies where all workers see its folder.
        **cluster: `address`, `cpus` and `gpus` for Ray, as `engine_of` takes them.

    Returns:
        The folder, and how far each run has come.

    Raises:
        SpecError: The study, or one of its runs, is wrong.
        RunError: The folder is in the way.
    """
    check_not_worker()
    # Those that UNWEAVE_TRACK names, which each worker would refuse by itself.
    read_trackers(None)
    study = study if isinstance(study, Study) else read_study(study)
    runs = plan(study)
    folder = place_of(study, out)
    threads = max((run.config.threads or 1 for run in runs), default=1)
    engine = engine_of(
        executor, workers=workers, seconds=study.limits.seconds, threads=threads, **cluster
    )
    check_place(folder, resume=resume)
    _check_devices(runs, executor)
    if storage is not None:
        open_storage(storage)
    with folder.alone():
        check_same_study(folder, runs)
        folder.write(study, runs)
        shared = _shared(folder.path, storage, executor)
        items = [run.item(study, str(folder.run_folder(run.key).resolve())) for run in runs]
        items = [Item(item.key, {**item.payload, **shared}) for item in items]
        for item in items:
            folder.take_over(item.key)
        if "storage" in shared:
            collect_ended(shared["storage"], items)
            engine = Collecting(engine, shared["storage"])
        events = folder.events
        _reopen(events, items)
        if listener is not None:
            events.listeners.append(listener)
        return folder, execute(items, engine, events, study.limits)


def check_not_worker(function: str = "run_study") -> None:
    """End a worker that would begin the work again, as scripts are run by each process anew.

    Args:
        function: What was called.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        # Not an error of ours: it would be told with a traceback, by every worker. And told here,
        # since what a forked worker says when it exits nobody hears.
        print(
            f"error: Worker processes read the script that starts them. Call {function} below "
            "if __name__ == '__main__': or with executor='serial'.",
            file=sys.stderr,
            flush=True,
        )
        raise SystemExit(1)


def _shared(study: Path, storage: str | None, executor: str) -> dict[str, str]:
    """How the runs of a study come to workers on other machines; it is remembered."""
    path = study / "storage.json"
    if storage is not None:
        write_json(path, {"format": FORMAT, "url": storage})
    elif path.is_file():
        storage = read_json(path)["url"]
    if storage is not None:
        return {"storage": storage}
    return {"marker": write_marker(study)} if executor == "ray" else {}


def _reopen(events: EventLog, items: Sequence[Item]) -> None:
    """Have runs done again that the log calls finished, where the study now asks for more."""
    states = replay(events.read())
    for item in items:
        known = item.key in states and states[item.key].state == "finished"
        if known and not is_done(item.payload):
            events.add("reopened", key=item.key)


def check_place(folder: StudyFolder, *, resume: bool = True) -> None:
    """Refuse a folder that is something else than a study; nothing is written.

    Raises:
        RunError: It is, or has a study that may not be gone on with.
    """
    path = folder.path
    if folder.exists:
        if not resume:
            raise RunError(
                f"{path} has a study already. Go on with it: unweave study resume {path}; or give "
                "another --out."
            )
        folder.read()
    elif path.exists() and not (path.is_dir() and _is_study_without_file(path)):
        raise RunError(f"{path} exists and is no study. Choose another folder with --out.")


def _is_study_without_file(path: Path) -> bool:
    """Whether a folder holds what a study's does, but for study.json.

    That is so of a driver that was killed, or found the disk full, before it had written it; or
    when it was damaged and has been removed: then there is an event log.
    """
    runs, log = path / "runs", path / "state.jsonl"
    for entry in path.iterdir():
        known = entry.name in (LOCK, runs.name, log.name, "storage.json", ".seen")
        if not known and not entry.match(f".{STUDY_FILE}-*.tmp"):
            return False
    if not runs.exists():
        return True
    return runs.is_dir() and all(
        log.is_file() and (entry.name.startswith(".") or is_run(entry)) for entry in runs.iterdir()
    )


def _check_devices(runs: Sequence[PlannedRun], executor: str) -> None:
    """Refuse devices that are nowhere, or not on this machine where the runs are done on it."""
    for config in {run.config.device: run.config for run in runs}.values():
        if config.device != "auto" and (executor != "ray" or "cuda" not in config.device):
            # What precision a GPU has is not asked here: that would take some of its memory.
            resolve(replace(config, precision="float32"))


def check_same_study(folder: StudyFolder, runs: Sequence[PlannedRun]) -> None:
    """Refuse to put another study in the place of one; say which runs are left out from now on.

    Raises:
        RunError: No run of the one that is there is part of the other.
    """
    if not folder.exists:
        return
    before, now = set(folder.keys()), {run.key for run in runs}
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
