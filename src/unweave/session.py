"""One training in one run folder: started, watched, checkpointed, stopped, resumed."""

from __future__ import annotations

__all__ = ["Outcome", "Watch", "begin", "continue_run", "read_config", "training_rows"]

import logging
import platform
import shutil
import signal
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import Any, Literal, Protocol, final

import numpy as np
import torch

from unweave import spec
from unweave._version import __version__
from unweave.data import Dataset, Progress
from unweave.errors import RunError, SpecError, TrainingDivergedError
from unweave.observers import Observer, observers_of
from unweave.rundir import (
    FORMAT,
    append_line,
    explain_os_error,
    is_run,
    read_json,
    read_lines,
    trim_lines,
    write_json,
)
from unweave.splits import holdout
from unweave.training import Learner, TrainConfig, fit
from unweave.training.checkpoint import load_tensors, save_tensors
from unweave.training.precision import resolve, use_threads
from unweave.training.source import ImageSource
from unweave.training.tracker import Record

log = logging.getLogger("unweave")

State = Literal["finished", "stopped", "running", "diverged"]


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
        seconds: Seconds spent in training steps, over all pieces.
        images_per_second: Images encoded a second in this piece.
        terms: Last means of the unweighted terms.
    """

    state: State
    step: int
    seconds: float
    images_per_second: float
    terms: Mapping[str, float]


@final
@dataclass(frozen=True)
class _Setting:
    """A training that is ready to run."""

    config: TrainConfig
    dataset: Dataset
    rows: np.ndarray
    learner: Learner
    source: ImageSource


def begin(
    config: TrainConfig,
    folder: Path,
    *,
    overwrite: bool = False,
    max_minutes: float | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
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

    Raises:
        RunError: The folder is in the way.
        SpecError: The configuration cannot be trained here.
        DataError: The dataset cannot be had.
        TrainingDivergedError: A term or weight stopped being finite.
    """
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        _check_may_replace(folder, overwrite)
    config = resolve(config)
    initial = None if config.init_from is None else _initial_weights(Path(config.init_from))
    use_threads(config)
    setting = _prepare(config, progress)
    if initial is not None:
        _copy_weights(setting.learner, initial, str(config.init_from))
    made = not folder.exists()
    try:
        _write_new(folder, setting)
    except Exception:
        if made:
            shutil.rmtree(folder, ignore_errors=True)
        raise
    return _train(setting, folder, done=0, seconds=0.0, max_minutes=max_minutes, watch=watch)


def continue_run(
    folder: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    max_minutes: float | None = None,
    watch: Watch | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Go on with a run from its checkpoint; the result equals that of an uninterrupted run.

    Args:
        folder: The run.
        changes: Settings given again. They must equal those of the run, except `steps`, which may
            be more than before.
        max_minutes: Stop at a checkpoint after this long.
        watch: Shows the training.
        progress: Shows the preparation of the dataset.

    Raises:
        RunError: Not a run, or other settings than the run's.
    """
    config = read_config(folder)
    config = _with_changes(config, changes or {}, folder)
    if config.device != "cpu":
        resolve(config)
    use_threads(config)
    path = folder / "checkpoint" / "state.safetensors"
    checkpoint = load_tensors(path) if path.is_file() else None
    done = 0 if checkpoint is None else checkpoint.step
    seconds = 0.0 if checkpoint is None else checkpoint.seconds
    if done >= config.steps:
        log.info("%s is finished: %d steps.", folder, done)
        status = read_json(folder / "status.json")
        rate = float(status.get("images_per_second", 0.0))
        return Outcome("finished", done, seconds, rate, _last_terms(folder))
    setting = _prepare(config, progress)
    if checkpoint is not None:
        try:
            setting.learner.restore(checkpoint.tensors)
        except (KeyError, RuntimeError) as error:
            raise RunError(f"{path} does not fit the run's configuration: {error}.") from error
    elif config.init_from is not None:
        weights = _initial_weights(Path(config.init_from))
        _copy_weights(setting.learner, weights, config.init_from)
    trim_lines(folder / "metrics.jsonl", lambda row: row.get("step", 0) <= done)
    write_json(folder / "config.json", _config_form(config))
    return _train(
        setting, folder, done=done, seconds=seconds, max_minutes=max_minutes, watch=watch
    )


def read_config(folder: Path) -> TrainConfig:
    """The configuration of a run.

    Raises:
        RunError: The folder is not a run, or is of a format that this version does not read.
    """
    if not folder.exists():
        raise RunError(f"{folder} does not exist. Name the folder of a run.")
    if not is_run(folder):
        raise RunError(f"{folder} is not a run folder: it has no config.json.")
    form = read_json(folder / "config.json")
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        found = form.get("format") if isinstance(form, dict) else type(form).__name__
        raise RunError(
            f"{folder / 'config.json'} has format {found!r}, and this version reads {FORMAT}."
        )
    beside = {"format", "unweave", "address", "text", "command"}
    try:
        return TrainConfig.from_dict({k: v for k, v in form.items() if k not in beside})
    except SpecError as error:
        raise RunError(f"{folder / 'config.json'} cannot be read: {error}") from error


def training_rows(config: TrainConfig, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Flat indices of the images trained on and of those held out."""
    if config.holdout == 0:
        return np.arange(count, dtype=np.int64), np.empty(0, np.int64)
    return holdout(count, config.holdout, config.seed)


# --- before the first step ------------------------------------------------------------------------


def _check_may_replace(folder: Path, overwrite: bool) -> None:
    if not folder.is_dir() or not is_run(folder):
        raise RunError(f"{folder} exists and is not a run folder; choose another name with --out.")
    if not overwrite:
        raise RunError(
            f"{folder} exists. Go on with it (--resume), replace it (--overwrite), or choose "
            f"another name (--out)."
        )


def _prepare(config: TrainConfig, progress: Progress | None) -> _Setting:
    dataset = config.dataset.open(progress)
    rows, _ = training_rows(config, len(dataset))
    learner = Learner(config, dataset.image_shape, len(rows))
    chosen = None if len(rows) == len(dataset) else rows
    source = ImageSource(dataset, chosen, config, second=learner.plan.batch == "second")
    return _Setting(config, dataset, rows, learner, source)


def _initial_weights(run: Path) -> dict[str, torch.Tensor]:
    read_config(run)
    return load_tensors(run / "checkpoint" / "state.safetensors").tensors


@torch.no_grad()
def _copy_weights(learner: Learner, tensors: Mapping[str, torch.Tensor], origin: str) -> None:
    """Copy the weights of another run's model and of the parts that both have."""
    for name, value in learner.weights().items():
        if name not in tensors:
            if name.startswith("part/"):
                continue
            raise RunError(f"--init-from {origin}: it has no weights for {name}.")
        if tensors[name].shape != value.shape:
            raise RunError(
                f"--init-from {origin}: {name} has shape {tuple(tensors[name].shape)} there and "
                f"{tuple(value.shape)} here; architecture, image shape and latents must agree."
            )
        value.copy_(tensors[name])


def _config_form(config: TrainConfig) -> dict[str, Any]:
    form = spec.to_dict(config)
    form.pop("type")
    return {
        "format": FORMAT,
        "unweave": __version__,
        "address": config.address,
        "text": config.texts(),
        "command": config.command,
        **form,
    }


def _environment() -> dict[str, Any]:
    packages = ("torch", "numpy", "scipy", "scikit-learn", "matplotlib", "safetensors")
    return {
        "format": FORMAT,
        "unweave": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        **{package: version(package) for package in packages},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()


def _write_new(folder: Path, setting: _Setting) -> None:
    if folder.exists():
        shutil.rmtree(folder)
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    write_json(folder / "environment.json", _environment())
    _write_status(folder, "running", 0, setting.config.steps, 0.0, 0.0, "")
    write_json(folder / "config.json", _config_form(setting.config))


def _with_changes(config: TrainConfig, changes: Mapping[str, Any], folder: Path) -> TrainConfig:
    automatic = {"device": "auto", "precision": "auto", "threads": None}
    for name, value in changes.items():
        before = getattr(config, name)
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
        form = spec.to_dict(config) | {"steps": changes["steps"]}
        config = TrainConfig.from_dict(form)
    return config


# --- the training itself ----------------------------------------------------------------------------


def _train(
    setting: _Setting,
    folder: Path,
    *,
    done: int,
    seconds: float,
    max_minutes: float | None,
    watch: Watch | None,
) -> Outcome:
    config, learner = setting.config, setting.learner
    checkpoint = folder / "checkpoint" / "state.safetensors"
    observers = observers_of(config, setting.dataset, setting.rows, folder)
    clock = _Clock(seconds, None if max_minutes is None else 60 * max_minutes)
    terms: Mapping[str, float] = _last_terms(folder)
    images = 0
    state: State = "finished"
    step = done
    with _log_file(folder / "log.txt"), _stop_on_signal() as stop, _watching(watch):
        log.info("Training %s on %s, from step %d.", config.objective, config.dataset, done)
        if watch is not None:
            watch.start(config, done)
        clock.start()
        try:
            for report in fit(learner, setting.source, start=done, stop=config.steps):
                step = report.step
                images += report.images
                last = step == config.steps
                ending = last or stop.requested or clock.is_over
                if watch is not None:
                    watch.step(step, report.images)
                if step % config.log_every == 0 or last:
                    record = learner.tracker.read()
                    _check_finite(record, checkpoint)
                    terms = _write_record(folder, record, step, clock.seconds, images, clock.piece)
                    learner.tracker.reset()
                    if watch is not None:
                        watch.record(step, record)
                if step % config.checkpoint_every == 0 or ending:
                    _check_finite(learner.tracker.read(), checkpoint)
                    _check_weights(learner, step, checkpoint)
                    save_tensors(checkpoint, learner.tensors(), step=step, seconds=clock.seconds)
                _look(observers, learner, step, clock)
                if ending and not last:
                    state = "stopped"
                    break
        except Exception as error:
            kind: State = "diverged" if isinstance(error, TrainingDivergedError) else "stopped"
            rate = images / max(clock.piece, 1e-9)
            log.error("Stopped at step %d: %s", step, error)
            _try_status(folder, kind, step, config.steps, clock.seconds, rate, str(error))
            raise
        rate = images / max(clock.piece, 1e-9)
        _write_status(folder, state, step, config.steps, clock.seconds, rate, stop.reason)
        log.info("%s at step %d of %d, %.1f images/s.", state, step, config.steps, rate)
    return Outcome(state, step, clock.seconds, rate, terms)


@final
class _Clock:
    """Seconds spent in training, without the observers' own work."""

    def __init__(self, before: float, limit: float | None) -> None:
        self._before = before
        self._limit = limit
        self._begun = time.monotonic()
        self._paused = 0.0

    def start(self) -> None:
        self._begun = time.monotonic()

    @contextmanager
    def pause(self) -> Iterator[None]:
        begun = time.monotonic()
        try:
            yield
        finally:
            self._paused += time.monotonic() - begun

    @property
    def piece(self) -> float:
        """Seconds of training in this piece."""
        return time.monotonic() - self._begun - self._paused

    @property
    def seconds(self) -> float:
        """Seconds of training over all pieces."""
        return self._before + self.piece

    @property
    def is_over(self) -> bool:
        """Whether the wall-clock limit of this piece has passed."""
        return self._limit is not None and time.monotonic() - self._begun >= self._limit


@final
class _Stop:
    """Whether somebody asked the training to stop."""

    requested = False
    reason = ""


def _look(observers: list[Observer], learner: Learner, step: int, clock: _Clock) -> None:
    due = [observer for observer in observers if step % observer.every == 0]
    if due:
        with clock.pause():
            for observer in due:
                observer.look(learner, step, clock.seconds)


def _write_record(
    folder: Path, record: Record, step: int, seconds: float, images: int, piece: float
) -> dict[str, float]:
    groups: dict[str, dict[str, float]] = {"loss": {}, "raw": {}, "weighted": {}, "kl": {}}
    for name, value in record.values.items():
        group, key = name.split("/", 1)
        groups[group][key] = value
    line = {
        "event": "train",
        "step": step,
        "seconds": round(seconds, 3),
        "images_per_second": round(images / max(piece, 1e-9), 1),
        "loss": groups["loss"],
        "raw": groups["raw"],
        "weighted": groups["weighted"],
        "kl": list(groups["kl"].values()),
    }
    try:
        with (folder / "metrics.jsonl").open("a", encoding="utf-8") as handle:
            append_line(handle, line)
    except OSError as error:
        raise explain_os_error(error, folder / "metrics.jsonl") from error
    return groups["raw"]


def _check_finite(record: Record, checkpoint: Path) -> None:
    if record.first_bad:
        step = min(record.first_bad.values())
        # The loss is the sum of the terms: name the term that broke first, not the sum.
        order = sorted(
            record.first_bad.items(), key=lambda item: (item[1], not item[0].startswith("raw/"))
        )
        _diverged(step, order[0][0].split("/", 1)[1] if order else "loss", checkpoint)


def _check_weights(learner: Learner, step: int, checkpoint: Path) -> None:
    for name, value in learner.weights().items():
        if not bool(torch.isfinite(value).all()):
            _diverged(step, f"weight {name.split('/', 1)[1]}", checkpoint)


def _diverged(step: int, name: str, checkpoint: Path) -> None:
    kept = (
        f"The last good checkpoint, of step {load_tensors(checkpoint).step}, is kept"
        if checkpoint.is_file()
        else "No checkpoint had been written yet"
    )
    raise TrainingDivergedError(
        f"Training diverged: {name} was not finite at step {step}. {kept}. "
        f"Try a smaller learning rate (--lr), smaller weights, or --precision float32."
    )


def _write_status(
    folder: Path, state: State, step: int, steps: int, seconds: float, rate: float, message: str
) -> None:
    status = {
        "format": FORMAT,
        "state": state,
        "step": step,
        "steps": steps,
        "seconds": round(seconds, 3),
        "images_per_second": round(rate, 1),
        "message": message,
    }
    write_json(folder / "status.json", status)


def _try_status(
    folder: Path, state: State, step: int, steps: int, seconds: float, rate: float, message: str
) -> None:
    """Write the status if the disk allows; the error that stopped the training matters more."""
    try:
        _write_status(folder, state, step, steps, seconds, rate, message)
    except Exception as error:
        log.warning("status.json could not be written: %s", error)


def _last_terms(folder: Path) -> dict[str, float]:
    rows = [row for row in read_lines(folder / "metrics.jsonl") if row.get("event") == "train"]
    raw: dict[str, float] = rows[-1]["raw"] if rows else {}
    return raw


@contextmanager
def _watching(watch: Watch | None) -> Iterator[None]:
    try:
        yield
    finally:
        if watch is not None:
            watch.close()


@contextmanager
def _log_file(path: Path) -> Iterator[None]:
    handler = logging.FileHandler(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.setLevel(logging.INFO)
    before = log.level
    if log.getEffectiveLevel() > logging.INFO:
        log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        handler.close()
        log.setLevel(before)


@contextmanager
def _stop_on_signal() -> Iterator[_Stop]:
    """Turn the first Ctrl-C or termination into a stop after the step; a second one ends at once."""
    stop = _Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: FrameType | None) -> None:
        if stop.requested:
            raise KeyboardInterrupt
        stop.requested = True
        stop.reason = f"stopped by {signal.Signals(number).name}"
        print("Stopping at a checkpoint; once more to end at once.", file=sys.stderr)

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
