"""What a worker does for one run of a study: train it, score it, draw it, and tidy up."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import TrainingDivergedError
from unweave.execution import Beat
from unweave.metrics.protocols import names_of, protocol
from unweave.run import load_run
from unweave.rundir import alone, read_json, work_lock
from unweave.scores import load_scores, repeats_of
from unweave.session import begin, continue_run, read_state
from unweave.training import TrainConfig
from unweave.training.tracker import Record

__all__ = ["LARGE", "TASK", "is_done", "run_one"]

log = logging.getLogger("unweave")

TASK: Final = "unweave.studies.task:run_one"
"""The reference by which workers find `run_one`."""

_CHECKPOINT = "checkpoint"
LARGE: Final = {
    "scores": (_CHECKPOINT, "snapshots", "cache"),
    "codes": (_CHECKPOINT, "snapshots"),
    "all": (),
}
"""What of a run's folder goes once it has ended, by what the study keeps."""


def run_one(payload: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Bring one run to its end; whatever of it is there already is not done again.

    Args:
        payload: As `PlannedRun.item` makes it.
        beat: Called after each step of the training, and while scores are computed.

    Returns:
        `state` (`finished` or `diverged`), `step`, `seconds` of training, `images_per_second`,
        and `message` of a training that diverged.

    Raises:
        UnweaveError: The run cannot be trained or scored.
        KeyboardInterrupt: The training was stopped at a checkpoint, by whoever stops the study.
    """
    folder = Path(payload["folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    # Another study may work on the same run.
    with alone(work_lock(folder), beat):
        if not is_done(payload):
            try:
                _train(payload, folder, beat)
                _score(payload, folder, beat)
                if payload["plots"]:
                    load_run(folder).plot(*payload["plots"])
            except TrainingDivergedError as error:
                log.warning("%s: %s", folder, error)
        for name in LARGE[payload["keep"]]:
            shutil.rmtree(folder / name, ignore_errors=True)
    status = read_json(folder / "status.json")
    kept = ("state", "step", "seconds", "images_per_second")
    result = {name: status[name] for name in kept}
    return result | ({"message": status["message"]} if status.get("message") else {})


def is_done(payload: Mapping[str, Any]) -> bool:
    """Whether a run has ended, and has every score and figure that is asked for."""
    folder = Path(payload["folder"])
    state = read_state(folder)
    if state == "diverged":
        return True
    drawn = all((folder / "figures" / f"{kind}.png").is_file() for kind in payload["plots"])
    return state == "finished" and drawn and not any(_missing(payload, folder))


def _train(payload: Mapping[str, Any], folder: Path, beat: Beat) -> None:
    config = TrainConfig.from_dict(dict(payload["config"]))
    watch, progress = _Beating(beat), _quiet(beat)
    state = read_state(folder)
    if state == "finished" and (folder / _CHECKPOINT).is_dir():
        return
    if state is None or state == "finished":
        # Finished without weights: they were not kept, and what needs them is asked for now.
        again = state is not None
        outcome = begin(config, folder, overwrite=again, watch=watch, progress=progress)
    else:
        outcome = continue_run(folder, watch=watch, progress=progress)
    if outcome.state == "stopped":
        raise KeyboardInterrupt


def _score(payload: Mapping[str, Any], folder: Path, beat: Beat) -> None:
    run = load_run(folder)
    for request in _missing(payload, folder):
        run.evaluate(
            request["metrics"],
            protocol_name=request["protocol"],
            part=request["part"],
            codes=request["codes"],
            seed=request["seed"],
            repeats=request["repeats"],
            progress=_quiet(beat),
        )


def _missing(payload: Mapping[str, Any], folder: Path) -> Iterator[Mapping[str, Any]]:
    """The requests of which a score is not there yet."""
    rows = load_scores(folder)
    for request in payload["scores"]:
        label = protocol(request["protocol"]).label
        found = {
            row["metric"]
            for row in rows
            if row["protocol"] == label
            and all(row[name] == request[name] for name in ("part", "codes", "seed"))
            and repeats_of(row) == request["repeats"]
        }
        wanted = names_of(request["metrics"]) if request["metrics"] else ()
        if not found or not set(wanted) <= found:
            yield request


def _quiet(beat: Beat) -> Any:
    """A progress that shows nothing, and is a sign of life."""
    return lambda what, done, total: beat()


@final
class _Beating:
    """Watches a training for whoever waits for signs of life."""

    def __init__(self, beat: Beat) -> None:
        self._beat = beat

    def start(self, config: TrainConfig, done: int) -> None:
        self._beat()

    def step(self, step: int, images: int) -> None:
        self._beat()

    def record(self, step: int, record: Record) -> None:
        self._beat()

    def close(self) -> None:
        """Nothing was opened."""
