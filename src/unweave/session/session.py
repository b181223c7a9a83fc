"""One training in one run folder: started, watched, checkpointed, stopped, resumed."""

from __future__ import annotations

__all__ = ["Outcome", "Watch", "begin", "continue_run"]

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, final

from unweave import spec
from unweave.data import Progress
from unweave.errors import RunError, TrainingDivergedError
from unweave.jsonlines import trim_lines
from unweave.observers import observers_of
from unweave.rundir import LOCK, alone, is_run, read_status
from unweave.session.folder import (
    CHECKPOINT,
    State,
    append_record,
    environment,
    last_terms,
    log_file,
    read_config,
    remove_leftovers,
    write_config,
    write_new,
    write_status,
)
from unweave.session.preparation import (
    Setting,
    check_place,
    check_space,
    initial_weights,
    prepare,
)
from unweave.session.stopping import Clock, check_finite, check_weights, stop_on_signal
from unweave.tracking import TrackerSpec, Tracking, flat_settings, read_trackers
from unweave.training import TrainConfig
from unweave.training.checkpoint import load_tensors, save_tensors
from unweave.training.precision import resolve, training_process
from unweave.training.tracker import Record

log = logging.getLogger("unweave")


class Watch(Protocol):
    """What a person sees of a training while it runs."""

    def start(self, config: TrainConfig, done: int) -> None:
        """Training begins after `done` steps."""

    def step(self, step: int, images: int) -> None:
        """A step has been taken."""

    def record(self, step: int, record: Record) -> None:
        """Means over the last interval."""

    def close(self) -> None:
        """Training has ended, well or not."""


@final
@dataclass(frozen=True)
class Outcome:
    """How a training ended.

    Attributes:
        state: `finished`, or `stopped` by Ctrl-C or a time limit; resume goes on from there.
        step: Optimiser steps done.
        taken: How many of them in this piece; none when the run was finished before.
        seconds: Seconds spent in training steps, over all pieces.
        images_per_second: Images encoded a second in this piece.
        terms: Last means of the unweighted terms.
    """

    state: State
    step: int
    taken: int
    seconds: float
    images_per_second: float
    terms: Mapping[str, float]


def begin(
    config: TrainConfig,
    folder: Path,
    *,
    overwrite: bool = False,
    max_minutes: float | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
    track: Sequence[TrackerSpec] | None = None,
    preset: str | None = None,
) -> Outcome:
    """Train a new run.

    Everything that can be wrong is checked, and the dataset prepared, before the folder is made.

    Args:
        config: What to train; automatic settings are resolved here.
        folder: Run folder; must not exist unless `overwrite`.
        overwrite: Replace an earlier run in that folder.
        max_minutes: Stop at a checkpoint after this long.
        watch: Shows the training.
        progress: Shows the preparation of the dataset.
        track: Trackers; None for what `UNWEAVE_TRACK` names.
        preset: Name of the preset that the settings come from, which is noted down.

    Raises:
        RunError: The folder is in the way.
        SpecError: The configuration cannot be trained here, or a tracker is not installed.
        DataError: The dataset cannot be had.
        TrainingDivergedError: A term or weight stopped being finite.
    """
    trackers = read_trackers(track)
    check_place(folder, overwrite, config)
    config = resolve(config)
    initial = None
    if config.init_from is not None:
        origin = Path(config.init_from).absolute()
        config = replace(config, init_from=str(origin))
        initial = initial_weights(origin)
    with training_process(config):
        setting = prepare(config, progress, initial)
        check_space(folder, setting.learner)
        with _alone(folder) if is_run(folder) else nullcontext():
            write_new(folder, setting.config, replace=overwrite, preset=preset)
        with _alone(folder):
            return _train(
                setting,
                folder,
                done=0,
                seconds=0.0,
                max_minutes=max_minutes,
                watch=watch,
                trackers=trackers,
            )


def continue_run(
    folder: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    max_minutes: float | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
    track: Sequence[TrackerSpec] | None = None,
) -> Outcome:
    """Go on with a run from its checkpoint; the result equals that of an uninterrupted run.

    Args:
        folder: The run.
        changes: Settings given again. They must equal those of the run, except `steps`, which may
            be more than before.
        max_minutes: Stop at a checkpoint after this long.
        watch: Shows the training.
        progress: Shows the preparation of the dataset.
        track: Trackers; None for what `UNWEAVE_TRACK` names.

    Raises:
        RunError: Not a run, or other settings than the run's.
        SpecError: A tracker is not installed.
    """
    trackers = read_trackers(track)
    config = read_config(folder)
    config = _with_changes(config, changes or {}, folder)
    if config.device != "cpu":
        resolve(config)
    path = folder / CHECKPOINT
    checkpoint = load_tensors(path) if path.is_file() else None
    done = 0 if checkpoint is None else checkpoint.step
    seconds = 0.0 if checkpoint is None else checkpoint.seconds
    if done >= config.steps:
        log.info("%s is finished: %d steps.", folder, done)
        status = _told(folder)
        rate = float(status.get("images_per_second") or 0.0)
        if status.get("state") != "finished":
            # It was killed between its last checkpoint and its last word, or that was damaged.
            write_status(folder, "finished", done, config.steps, seconds, rate, "")
        return Outcome("finished", done, 0, seconds, rate, last_terms(folder))
    if checkpoint is not None and "tracker/sums" not in checkpoint.tensors:
        raise RunError(
            f"{folder} was imported: its checkpoint has weights, and no optimiser state to go on "
            f"with. Start a new run from the weights instead: --init-from {folder}, with another "
            f"--out."
        )
    initial = None
    if checkpoint is None and config.init_from is not None:
        initial = initial_weights(Path(config.init_from))
    # The lock comes before the first file is touched: another training may be writing them.
    with _alone(folder), training_process(config):
        setting = prepare(config, progress, initial, done)
        if checkpoint is not None:
            try:
                setting.learner.restore(checkpoint.tensors)
            except (KeyError, RuntimeError) as error:
                raise RunError(f"{path} does not fit the run's configuration: {error}.") from error
        trim_lines(folder / "metrics.jsonl", lambda row: row.get("step", 0) <= done)
        write_config(folder, config)
        return _train(
            setting,
            folder,
            done=done,
            seconds=seconds,
            max_minutes=max_minutes,
            watch=watch,
            trackers=trackers,
        )


def _told(folder: Path) -> Mapping[str, Any]:
    """How far a run says it is; nothing where that is damaged."""
    try:
        return read_status(folder)
    except RunError:
        return {}


def _with_changes(config: TrainConfig, changes: Mapping[str, Any], folder: Path) -> TrainConfig:
    automatic = {"device": "auto", "precision": "auto", "threads": None}
    for name, value in changes.items():
        before = getattr(config, name)
        if name == "init_from" and value is not None:
            # As it was written down when the run was started.
            value = str(Path(value).absolute())
        if value == before or (name == "steps" and value >= before):
            continue
        if name in automatic and value == automatic[name]:
            continue
        hint = "; steps can only grow" if name == "steps" else ""
        raise RunError(
            f"{folder} was started with {name}={before}, and a resume keeps it, so "
            f"{name}={value} cannot be given{hint}. Start a new run for other settings."
        )
    if "steps" in changes and changes["steps"] != config.steps:
        config = replace(config, steps=changes["steps"])
    return config


def _train(
    setting: Setting,
    folder: Path,
    *,
    done: int,
    seconds: float,
    max_minutes: float | None,
    watch: Watch | None,
    trackers: Sequence[TrackerSpec],
) -> Outcome:
    config, learner = setting.config, setting.learner
    checkpoint = folder / CHECKPOINT
    clock = Clock(seconds, None if max_minutes is None else 60 * max_minutes)
    terms: Mapping[str, float] = last_terms(folder)
    images = 0
    state: State = "finished"
    step = done

    def alive(what: str, done: int, total: int) -> None:
        """Whoever waits for signs of life has one, without a step."""
        if watch is not None:
            watch.step(step, 0)

    with (
        log_file(folder / "log.txt"),
        stop_on_signal() as stop,
        _watching(watch),
        _tracking(trackers, folder, config, done) as tracking,
    ):
        observers = observers_of(config, setting.dataset, setting.rows, folder, tracking, alive)
        remove_leftovers(folder)
        write_status(folder, "running", done, config.steps, seconds, 0.0, "")
        if done == 0 and config.init_from is not None:
            # From here on the run no longer depends on the one that it took its weights from.
            save_tensors(checkpoint, learner.tensors(), step=0, seconds=0.0)
        log.info("Training %s on %s, from step %d.", config.objective, config.dataset, done)
        if watch is not None:
            watch.start(config, done)
        clock.start()
        try:
            for report in setting.steps(done):
                step, learner = report.step, report.learner
                images += report.images
                last = step == config.steps
                ending = last or stop.requested or clock.is_over
                if watch is not None:
                    watch.step(step, report.images)
                if step % config.log_every == 0 or last:
                    record = learner.tracker.read()
                    check_finite(record, checkpoint, config)
                    lr = learner.lr if config.lr_changes else None
                    rate = clock.rate(images)
                    terms = append_record(folder, record, step, clock.seconds, rate, lr)
                    learner.tracker.reset()
                    tracking.record(step, record.values, lr=learner.lr, images_per_second=rate)
                    if watch is not None:
                        watch.record(step, record)
                due = [observer for observer in observers if step % observer.every == 0]
                save = step % config.checkpoint_every == 0 or ending
                if due or save:
                    check_finite(learner.tracker.read(), checkpoint, config)
                    check_weights(learner, step, checkpoint, config)
                # Before the checkpoint: a resume does not come back to what stands before it.
                with clock.pause(), learner.averaged() if due else nullcontext():
                    for observer in due:
                        observer.look(learner, step, clock.seconds)
                if save:
                    save_tensors(checkpoint, learner.tensors(), step=step, seconds=clock.seconds)
                    rate = clock.rate(images)
                    write_status(folder, "running", step, config.steps, clock.seconds, rate, "")
                if ending and not last:
                    state = "stopped"
                    break
        except Exception as error:
            kind: State = "diverged" if isinstance(error, TrainingDivergedError) else "stopped"
            tracking.state = "diverged" if kind == "diverged" else "failed"
            rate = clock.rate(images)
            # The caller is told by the error itself; this is for log.txt.
            log.info("Stopped at step %d: %s", step, error)
            _try_status(folder, kind, step, config.steps, clock.seconds, rate, str(error))
            raise
        rate = clock.rate(images)
        reason = "" if state == "finished" else stop.reason or "stopped by the time limit"
        write_status(folder, state, step, config.steps, clock.seconds, rate, reason)
        tracking.state = state
        log.info("%s at step %d of %d, %.1f images/s.", state, step, config.steps, rate)
    return Outcome(state, step, step - done, clock.seconds, rate, terms)


def _alone(folder: Path) -> AbstractContextManager[None]:
    """Keep a second training out of the folder.

    Raises:
        RunError: One is under way.
    """
    busy = f"{folder} is being trained by another process. Wait for it, or stop it first."
    return alone(folder / LOCK, busy, remove=True)


def _try_status(
    folder: Path, state: State, step: int, steps: int, seconds: float, rate: float, message: str
) -> None:
    """Write the status if the disk allows; the error that stopped the training matters more."""
    try:
        write_status(folder, state, step, steps, seconds, rate, message)
    except Exception as error:
        log.warning("status.json could not be written: %s", error)


def _tracking(
    trackers: Sequence[TrackerSpec], folder: Path, config: TrainConfig, done: int
) -> AbstractContextManager[Tracking]:
    """Tell trackers of the training in the block."""
    if not trackers:
        return nullcontext(Tracking())
    form = spec.to_dict(config)
    del form["type"]
    notes = {name: str(value) for name, value in environment().items() if name != "format"}
    return Tracking.of(
        trackers,
        folder,
        settings=flat_settings(form) | config.texts(),
        notes={"command": config.command, **notes},
        done=done,
    )


@contextmanager
def _watching(watch: Watch | None) -> Iterator[None]:
    try:
        yield
    finally:
        if watch is not None:
            watch.close()
