"""What a worker does for one run of a study: train it, score it, draw it, and tidy up."""

from __future__ import annotations

import contextlib
import logging
import platform
import secrets
import shutil
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, final

import torch
from threadpoolctl import threadpool_limits

from unweave.errors import RunError, TrainingDivergedError, UnweaveError
from unweave.execution import Beat
from unweave.figures import FIGURES
from unweave.nn.own import allow_own
from unweave.run import load_run
from unweave.rundir import alone, atomic_write, read_status, work_lock
from unweave.session import CHECKPOINT, begin, continue_run, log_file, read_state
from unweave.studies.answers import missing, note_left_out
from unweave.studies.folder import StudyFolder
from unweave.studies.spec import ScoreRequest
from unweave.studies.storage import StoredRun, TakenOverError
from unweave.tracking import FOLDER as TRACKING
from unweave.training import TrainConfig
from unweave.training.tracker import Record

__all__ = [
    "LARGE",
    "TASK",
    "Beating",
    "check_seen",
    "failures_told",
    "is_done",
    "quiet",
    "result_of",
    "run_one",
    "scoring_threads",
    "write_marker",
]

log = logging.getLogger("unweave")

TASK: Final = "unweave.studies.task:run_one"
"""The reference by which workers find `run_one`."""

_MARKER: Final = ".seen"
# How long a shared file system may take to show a new file, in seconds.
_PATIENCE: Final = 10.0

_WEIGHTS: Final = (CHECKPOINT.parts[0], "snapshots")
LARGE: Final = {
    "scores": (*_WEIGHTS, "cache"),
    "codes": _WEIGHTS,
    "all": (),
}
"""What of a run's folder goes once it has ended, by what the study keeps."""


def run_one(payload: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Bring one run to its end; whatever of it is there already is not done again.

    With a storage the run is taken from there into a folder of this machine, and put back at
    checkpoints, as often as that takes little of the time, when it is stopped, and at its end; its
    folder in the study is left to the driver.

    Args:
        payload: As `PlannedRun.item` makes it, and `storage`, a URL, or `marker`, as
            `check_seen` takes it, where the study has these.
        beat: Called after each step of the training, and while scores are computed.

    Returns:
        As `result_of` tells it, and `spent`: seconds of `training`, `scoring` and `storing` in
        this call, which took at least as long.

    Raises:
        UnweaveError: The run cannot be trained or scored, or the study's folder is not here.
        KeyboardInterrupt: The training was stopped at a checkpoint, by whoever stops the study.
    """
    stored = None
    if payload.get("storage"):
        stored = StoredRun(payload["storage"], Path(payload["folder"]).name)
        payload = {**payload, "folder": str(stored.local)}
    elif payload.get("marker"):
        check_seen(Path(payload["folder"]), payload["marker"])
    folder = Path(payload["folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    # A worker of a driver that was killed may still be there.
    with alone(work_lock(folder), beat), failures_told(folder, stored):
        if stored is not None:
            stored.fetch_local()
        else:
            # Another study may have done it since this one began.
            StudyFolder(folder.parents[1]).take_over(folder.name)
        spent = {"training": 0.0, "scoring": 0.0, "storing": 0.0}
        if not is_done(payload):
            try:
                with _timed(spent, "training", stored):
                    _train(payload, folder, beat, stored)
                with (
                    _timed(spent, "scoring", stored),
                    scoring_threads(payload["config"]["threads"]),
                    log_file(folder / "log.txt"),
                ):
                    _score(payload, folder, beat, stored)
                    if payload["plots"]:
                        load_run(folder).plot(*payload["plots"])
            except TrainingDivergedError as error:
                log.warning("%s: %s", folder, error)
        for name in LARGE[payload["keep"]]:
            shutil.rmtree(folder / name, ignore_errors=True)
        result = result_of(payload)
        if stored is not None:
            stored.put(folder, done=True)
            stored.forget_local()
            spent["storing"] = round(stored.seconds, 3)
    return {**result, "spent": spent}


def result_of(payload: Mapping[str, Any]) -> dict[str, Any]:
    """What is told of a run that has ended.

    Returns:
        `state` (`finished` or `diverged`), `step`, `seconds` of training, `images_per_second`,
        and `message` of a training that diverged.
    """
    status = read_status(Path(payload["folder"]))
    kept = ("state", "step", "seconds", "images_per_second")
    result = {name: status[name] for name in kept}
    return result | ({"message": status["message"]} if status.get("message") else {})


def write_marker(study: Path) -> str:
    """Leave a file in the folder of a study by which workers elsewhere know it."""
    marker = secrets.token_hex(8)
    with atomic_write(study / _MARKER) as handle:
        handle.write(marker.encode())
    return marker


def check_seen(folder: Path, marker: str) -> None:
    """Refuse to work on a run whose study this machine does not see.

    Args:
        folder: The run folder, two levels below the study's.
        marker: What `write_marker` left there.

    Raises:
        RunError: There is another file, or none.
    """
    path = folder.parents[1] / _MARKER
    end = time.monotonic() + _PATIENCE
    while not (path.is_file() and path.read_text() == marker):
        # A shared file system may take a moment to show what is new.
        if time.monotonic() > end:
            raise RunError(
                f"The machine {platform.node()} does not see the study in {folder.parents[1]}. "
                "Put it on a file system that all nodes of the cluster share, at the same path, "
                "or give it a storage that all of them reach, such as s3://BUCKET/FOLDER."
            )
        time.sleep(0.1)


def is_done(payload: Mapping[str, Any]) -> bool:
    """Whether a run has ended, and has every score and figure that is asked for."""
    folder = Path(payload["folder"])
    state = read_state(folder)
    if state == "diverged":
        return True
    files = [FIGURES[kind].file(kind) for kind in payload["plots"]]
    drawn = all((folder / "figures" / name).is_file() for name in files)
    return state == "finished" and drawn and not _missing(payload, folder)


def _train(payload: Mapping[str, Any], folder: Path, beat: Beat, stored: StoredRun | None) -> None:
    config = TrainConfig.from_dict(dict(payload["config"]))
    # Who began the study gave it.
    allow_own(config.architecture)
    watch, progress = Beating(beat, folder, stored), quiet(beat)
    state = read_state(folder)
    if state == "finished" and (folder / CHECKPOINT).is_file():
        return
    if state is None or state == "finished":
        # Finished without weights: they were not kept, and what needs them is asked for now.
        again = state is not None
        outcome = begin(config, folder, overwrite=again, watch=watch, progress=progress)
    else:
        outcome = continue_run(folder, watch=watch, progress=progress)
    watch.keep(sparing=outcome.state != "stopped")
    if outcome.state == "stopped":
        raise KeyboardInterrupt


@contextlib.contextmanager
def failures_told(folder: Path, stored: StoredRun | None) -> Iterator[None]:
    """Have the folder's own log say what goes wrong in the block, also where it is stored."""
    try:
        yield
    except Exception as error:
        if folder.is_dir():
            with log_file(folder / "log.txt"):
                # The driver says it to people.
                log.info("Failed: %s", error, exc_info=not isinstance(error, UnweaveError))
            if stored is not None:
                # It may be the storage that fails.
                with contextlib.suppress(UnweaveError, TakenOverError):
                    stored.put(folder, without=("cache",))
        raise


@contextlib.contextmanager
def _timed(spent: dict[str, float], what: str, stored: StoredRun | None) -> Iterator[None]:
    """Note how long a block took, without what it put into a storage."""

    def now() -> float:
        return time.monotonic() - (0.0 if stored is None else stored.seconds)

    begun = now()
    try:
        yield
    finally:
        spent[what] = round(now() - begun, 3)


@contextlib.contextmanager
def scoring_threads(count: int | None) -> Iterator[None]:
    """Score with as many threads as the training has; None for as many as there are.

    Runs lie side by side, and sums of floats depend on who adds what: so it is that a run has the
    same scores wherever it is done.
    """
    if count is None:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        with threadpool_limits(count):
            yield
    finally:
        torch.set_num_threads(before)


def _score(payload: Mapping[str, Any], folder: Path, beat: Beat, stored: StoredRun | None) -> None:
    run = load_run(folder)
    requests = _missing(payload, folder)
    for place, request in enumerate(requests, 1):
        run.evaluate(
            request.metrics,
            protocol_name=request.protocol,
            part=request.part,
            codes=request.codes,
            data=request.data,
            seed=request.seed,
            repeats=request.repeats,
            progress=quiet(beat),
        )
        if request.metrics is None and request in _missing(payload, folder):
            note_left_out(request, folder)
        # After the last one the run is put there with everything else.
        if stored is not None and place < len(requests):
            stored.put(folder, without=("cache",), sparing=True)


def _missing(payload: Mapping[str, Any], folder: Path) -> list[ScoreRequest]:
    """The requests of which a score is not there yet."""
    return list(missing(map(ScoreRequest.from_dict, payload["scores"]), folder))


def quiet(beat: Beat) -> Any:
    """A progress that shows nothing, and is a sign of life."""
    return lambda what, done, total: beat()


@final
class Beating:
    """Watches a training for whoever waits for signs of life, and keeps its checkpoints.

    Args:
        beat: Called at each step.
        folder: The run folder.
        stored: Where checkpoints are kept beside it, if anywhere.
        whole: The folder that is kept there where it is more than the run.
    """

    def __init__(
        self,
        beat: Beat,
        folder: Path,
        stored: StoredRun | None = None,
        whole: Path | None = None,
    ) -> None:
        self._beat = beat
        self._folder = folder
        self._stored = stored
        self._whole = whole or folder
        self._kept = self._written()

    def start(self, config: TrainConfig, done: int) -> None:
        """A sign of life."""
        self._beat()

    def step(self, step: int, images: int) -> None:
        """A sign of life, and a checkpoint kept if there is a new one."""
        self._beat()
        if self._stored is not None and self._written() != self._kept:
            # A later step tries again; what the run ends with must come there.
            try:
                self.keep(sparing=True)
            except UnweaveError as error:
                log.warning("%s", error)

    def record(self, step: int, record: Record) -> None:
        """A sign of life."""
        self._beat()

    def close(self) -> None:
        """Nothing was opened."""

    def keep(self, *, sparing: bool) -> None:
        """Put the run into its storage, if it has one and there is a new checkpoint."""
        written = self._written()
        # Trackers write while the training goes on.
        without = ("cache", TRACKING) if sparing else ("cache",)
        if (
            self._stored is not None
            and written != self._kept
            and self._stored.put(self._whole, without=without, sparing=sparing)
        ):
            self._kept = written

    def _written(self) -> int | None:
        """When the checkpoint was written."""
        path = self._folder / CHECKPOINT
        return path.stat().st_mtime_ns if path.is_file() else None
