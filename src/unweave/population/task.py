"""What a worker does for one member in one round: train its models, and measure the member."""

from __future__ import annotations

import dataclasses
import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from unweave.errors import RunError, SpecError, TrainingDivergedError, UnweaveError
from unweave.execution import Beat
from unweave.nn.own import allow_own
from unweave.population.judging import judge
from unweave.population.members import first_config, later_config
from unweave.population.spec import Population
from unweave.population.stored import LEFT_OUT, LocalMember
from unweave.population.table import Task
from unweave.run import load_run
from unweave.rundir import alone, is_run, read_status, work_lock
from unweave.session import (
    CHECKPOINT,
    begin,
    branch,
    continue_run,
    log_file,
    read_config,
    read_state,
)
from unweave.studies.storage import StoredRun
from unweave.studies.task import (
    Beating,
    check_seen,
    failures_told,
    quiet,
    scoring_threads,
)
from unweave.training import TrainConfig

__all__ = ["TASK", "model_folder", "run_item"]

log = logging.getLogger("unweave")

TASK: Final = "unweave.population.task:run_item"
"""The reference by which workers find `run_item`."""


def model_folder(member: Path, model: int) -> Path:
    """The run folder of one of a member's models."""
    return member / "models" / str(model)


def run_item(payload: Mapping[str, Any], beat: Beat) -> dict[str, Any]:
    """Do one item of a population; what of it is there already is not done again.

    With a storage its runs, and those it goes on from, are taken from there into a folder of this
    machine, and put back at checkpoints, as often as that takes little of the time, when it is
    stopped, and at its end; the population's folder is left to the driver.

    Args:
        payload: As `rounds.evolve` makes it, and `root`, the population's folder, with `storage`,
            a URL, or `marker`, as `check_seen` takes it, where other machines do the work.
        beat: Called after each step of a training, and while codes are computed.

    Returns:
        The fields of a `Row` but for its task, and `spent`: seconds of `training`, `scoring` and,
        with a storage, `storing`; or what `judge` returns.

    Raises:
        UnweaveError: A model cannot be trained or measured, or the folder is not here.
        KeyboardInterrupt: A training was stopped at a checkpoint, by whoever stops the population.
    """
    begun, here = time.monotonic(), None
    if payload.get("storage"):
        here = LocalMember.of(payload)
        payload = here.payload
    elif payload.get("marker"):
        check_seen(Path(payload["root"]) / "rounds" / "any", payload["marker"])
    population = Population.from_dict(payload["population"])
    # Who began the population gave it.
    allow_own(population.config.architecture)
    folder = Path(payload["folder"])
    folder.parent.mkdir(parents=True, exist_ok=True)
    stored = None if here is None else here.stored
    # A worker of a driver that was killed may still be there.
    with alone(work_lock(folder), beat), failures_told(folder, stored):
        if here is None:
            folder.mkdir(exist_ok=True)
        else:
            here.fetch()
        if payload["do"] == "judge":
            result = _judged(population, payload, folder, beat)
        else:
            result = _member(population, payload, folder, beat, stored)
            if stored is not None:
                stored.put(folder, done=True, without=LEFT_OUT)
                storing = time.monotonic() - begun - result["seconds"]
                result["spent"]["storing"] = round(storing, 3)
        if stored is not None:
            stored.forget_local()
        return result


def _member(
    population: Population,
    payload: Mapping[str, Any],
    folder: Path,
    beat: Beat,
    stored: StoredRun | None,
) -> dict[str, Any]:

    def now() -> float:
        return time.monotonic() - (0.0 if stored is None else stored.seconds)

    begun = now()
    task = Task(**payload["task"])
    spent = {"training": 0.0, "scoring": 0.0}
    steps = images = 0
    try:
        for model in range(population.models):
            config = _config(population, payload, task, model)
            steps = config.steps
            _train(config, payload, folder, model, beat, stored)
            images += _images(config, population.steps_of(task.hyper))
        spent["training"] = now() - begun
        runs = [load_run(model_folder(folder, model)) for model in range(population.models)]
        with scoring_threads(runs[0].config.threads), log_file(folder / "log.txt"):
            found = population.fitness.measure(
                runs, population.split, population.seed, quiet(beat)
            )
        spent["scoring"] = now() - begun - spent["training"]
        told: dict[str, Any] = {
            "score": found.score,
            "models": list(found.models),
            "best": found.best,
            "further": dict(found.further),
            "message": found.message,
        }
    except (TrainingDivergedError, _UntrainableError) as error:
        spent["training"] = now() - begun
        log.info("%s: %s", folder, error)
        told = {"score": None, "models": [None] * population.models, "message": str(error)}
    return {
        **told,
        "steps": steps,
        "images": images,
        "seconds": round(now() - begun, 3),
        "spent": {name: round(seconds, 3) for name, seconds in spent.items()},
    }


def _judged(
    population: Population, payload: Mapping[str, Any], folder: Path, beat: Beat
) -> dict[str, Any]:
    run = load_run(model_folder(folder, payload["model"]))
    with scoring_threads(run.config.threads), log_file(folder / "log.txt"):
        return judge(
            run,
            population.split,
            population.metrics,
            population.protocol,
            population.seed,
            quiet(beat),
        )


def _config(
    population: Population, payload: Mapping[str, Any], task: Task, model: int
) -> TrainConfig:
    try:
        if "parent" not in payload:
            return first_config(population, task, model)
        past = read_config(model_folder(Path(payload["parent"]), model))
        return later_config(population, task, Task(**payload["before"]), past, model)
    except SpecError as error:
        raise _UntrainableError(str(error)) from error


class _UntrainableError(UnweaveError):
    """A rule without bounds, or a later draw, has led to settings that cannot be trained."""


def _images(config: TrainConfig, steps: int) -> int:
    """Images that are encoded in the last steps of a configuration."""
    last = config.last
    return steps * last.objective.expand().needs.encoded(last.batch_size)


def _check_same(run: Path, config: TrainConfig) -> None:
    """Refuse a run that is there and is another one than the rules have come to.

    Raises:
        RunError: It is, as after a change of unweave.
    """
    there = read_config(run)
    # What is left to the machine is fixed when a run begins.
    fixed = {name: getattr(there, name) for name in ("threads", "device", "precision")}
    if dataclasses.replace(config, **fixed) != there:
        raise RunError(
            f"{run} was trained with other settings than the population comes to now: it was "
            "begun with another version of unweave, or changed since. Take another --out."
        )


def _train(
    config: TrainConfig,
    payload: Mapping[str, Any],
    folder: Path,
    model: int,
    beat: Beat,
    stored: StoredRun | None,
) -> None:
    """Bring a model to the end of the round, from wherever it is.

    Raises:
        TrainingDivergedError: It cannot come there; also when it was found out before.
        RunError: What is there is another run, or there are no weights to go on from.
    """
    run = model_folder(folder, model)
    if is_run(run):
        _check_same(run, config)
        state = read_state(run)
        if state == "finished" and (run / CHECKPOINT).is_file():
            return
        if state == "diverged":
            # Its randomness is a function of the configuration: it would diverge again.
            raise TrainingDivergedError(str(read_status(run).get("message", "")))
    elif "parent" in payload:
        source = model_folder(Path(payload["parent"]), model)
        if not (source / CHECKPOINT).is_file():
            raise RunError(f"{source} has no weights to go on from.")
        branch(source, run, config)
    watch, progress = Beating(beat, run, stored, whole=folder), quiet(beat)
    if is_run(run):
        outcome = continue_run(run, watch=watch, progress=progress)
    else:
        outcome = begin(config, run, watch=watch, progress=progress)
    watch.keep(sparing=outcome.state != "stopped")
    if outcome.state == "stopped":
        raise KeyboardInterrupt
