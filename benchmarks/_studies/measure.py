"""One study, disturbed or not: how long it took, whether runs were done once, and its table."""

from __future__ import annotations

__all__ = ["Measured", "Place", "Row", "check_once", "measure", "table_of"]

import hashlib
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from safetensors import safe_open

from _studies.nodes import workers_of
from unweave.errors import RunError
from unweave.rundir import read_json
from unweave.studies import StudyFolder

# How long a driver may take to notice that a worker has gone, in seconds.
_NOTICED = 5.0
_DRIVER = Path(__file__).with_name("driver.py")

Row = tuple[str, str, tuple[tuple[str, float], ...]]
"""A run: its key, a digest of its weights, its scores."""


@final
@dataclass(frozen=True)
class Place:
    """Where a study is carried out.

    Attributes:
        name: As the table calls it.
        arguments: Of `run_study`.
        workers: How many runs at once.
        raylets: Processes whose children are the workers; empty where they are the driver's.
    """

    name: str
    arguments: dict[str, Any]
    workers: int
    raylets: tuple[int, ...] = ()


@final
@dataclass(frozen=True)
class Measured:
    """What came of a study.

    Attributes:
        folder: The study.
        seconds: From the first start of a driver to the end of the last.
        table: All runs, in the order of the study.
        spent: Seconds of training and of scoring, over all runs whose driver lived to be told.
        steps: Of the training, those between the first step and the last.
        storing: Seconds of putting runs into a storage and taking them from there.
        lost: How often the log tells of a worker that was lost with its run.
        drivers: How many drivers there were.
    """

    folder: StudyFolder
    seconds: float
    table: tuple[Row, ...]
    spent: float
    steps: float
    storing: float
    lost: int
    drivers: int

    def overhead(self, workers: int) -> float:
        """Seconds of a worker for each run that are neither training nor scoring."""
        return (self.seconds * workers - self.spent) / len(self.table)


def measure(study: dict[str, Any], out: Path, place: Place, *, kill: bool) -> Measured:
    """Carry out a study, and check what came of it.

    Args:
        study: As `study_of` takes it.
        out: Its folder.
        place: Where its runs are done.
        kill: Whether the driver is killed after a third of the runs, and a worker of the next
            driver after another third.

    Raises:
        RunError: A run was not done, or done again after it had finished.
    """
    folder = StudyFolder(out)
    file = out.with_suffix(".json")
    file.parent.mkdir(parents=True, exist_ok=True)
    arguments = {"out": str(out), "workers": place.workers, **place.arguments}
    form = {"study": study, "name": out.name, "arguments": arguments}
    file.write_text(json.dumps(form), encoding="utf-8")
    runs = 0
    begun = time.monotonic()
    driver = _begin(file)
    if kill:
        runs = _wait(driver, folder, lambda done, runs: done >= runs // 3)
        driver.send_signal(signal.SIGKILL)
        driver.wait()
        driver = _begin(file)
        _wait(driver, folder, lambda done, runs: done >= 2 * runs // 3)
        if place.name != "serial":
            _kill_worker(driver, place, folder)
    if driver.wait() != 0:
        raise RunError(f"The driver of {out.name} ended with {driver.returncode}.")
    seconds = time.monotonic() - begun
    events = folder.events.read()
    check_once(folder)
    results = [row["result"] for row in events if row["event"] == "finished"]
    if kill and len(results) != runs:
        raise RunError(f"{out.name} has {len(results)} of {runs} runs.")
    # A driver may be killed before it is told of a run that has ended: the next finds it done.
    spent = [result["spent"] for result in results if "spent" in result]
    return Measured(
        folder=folder,
        seconds=seconds,
        table=table_of(folder),
        spent=sum(each["training"] + each["scoring"] for each in spent),
        steps=sum(result["seconds"] for result in results),
        storing=sum(each["storing"] for each in spent),
        lost=sum(row["event"] == "lost" for row in events),
        drivers=sum(row["event"] == "begun" for row in events),
    )


def check_once(folder: StudyFolder) -> None:
    """Refuse a study in which a run has not finished exactly once, or went on after it had.

    Raises:
        RunError: There is such a run; it is named.
    """
    events = folder.events.read()
    for key in (run["key"] for run in folder.read()["runs"]):
        kinds = [row["event"] for row in events if row.get("key") == key]
        if kinds.count("finished") != 1 or kinds[-1] != "finished":
            raise RunError(f"The events of {key} are {', '.join(kinds)}.")
        # Begun anew at most as often as the log knows of a try that came to nothing.
        log = (folder.run_folder(key) / "log.txt").read_text(encoding="utf-8")
        if log.count("finished at step") > 1 or log.count("from step 0") > kinds.count("started"):
            raise RunError(f"{key} was trained again: {log}")


def table_of(folder: StudyFolder) -> tuple[Row, ...]:
    """Every run of a study: digest of its weights, and scores."""
    rows = []
    for run in folder.read()["runs"]:
        place = folder.run_folder(run["key"])
        digest = hashlib.sha256()
        path = place / "checkpoint" / "state.safetensors"
        with safe_open(path, framework="numpy") as handle:
            for name in sorted(handle.keys()):
                digest.update(name.encode() + handle.get_tensor(name).tobytes())
        scores = read_json(place / "scores.json")["scores"]
        found = tuple((row["metric"], row["value"]) for row in scores)
        rows.append((run["key"], digest.hexdigest(), found))
    return tuple(rows)


def _begin(file: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, str(_DRIVER), str(file)])


def _wait(driver: subprocess.Popen[bytes], folder: StudyFolder, enough: Any) -> int:
    """Wait until enough runs are done; how many there are."""
    while True:
        if driver.poll() is not None:
            raise RunError(f"The driver ended with {driver.returncode} before it was killed.")
        if folder.exists:
            runs = len(folder.read()["runs"])
            done = sum(row["event"] == "finished" for row in folder.events.read())
            if enough(done, runs):
                return runs
        time.sleep(0.05)


def _kill_worker(driver: subprocess.Popen[bytes], place: Place, folder: StudyFolder) -> None:
    """Kill a worker in the middle of a run: one that was about to report it loses nothing."""
    while driver.poll() is None:
        found = workers_of(place.raylets or (driver.pid,))
        if found:
            os.kill(found[0], signal.SIGKILL)
            end = time.monotonic() + _NOTICED
            while driver.poll() is None and time.monotonic() < end:
                if any(row["event"] == "lost" for row in folder.events.read()):
                    return
                time.sleep(0.05)
        time.sleep(0.02)
    raise RunError("The driver ended before one of its workers could be killed.")
