"""When a training stops: a signal, a time limit, or a value that is not finite."""

from __future__ import annotations

__all__ = ["Clock", "Stop", "check_finite", "check_weights", "stop_on_signal"]

import multiprocessing
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final, final

import torch

from unweave.errors import TrainingDivergedError
from unweave.training import Learner, TrainConfig
from unweave.training.checkpoint import load_tensors
from unweave.training.tracker import Record

_WORDS = {
    "raw": "{}",
    "weighted": "{} times its weight",
    "watched": "{}",
    "loss": "the loss of {}",
    "kl": "the KL of latent z{}",
}
"""How the groups of a record are named to people, the first cause first."""


@final
class Clock:
    """Seconds spent in training, without the observers' own work."""

    def __init__(self, before: float, limit: float | None) -> None:
        self._before = before
        self._limit = limit
        self._begun = time.monotonic()
        self._paused = 0.0

    def start(self) -> None:
        """Begin the piece now."""
        self._begun = time.monotonic()

    @contextmanager
    def pause(self) -> Iterator[None]:
        """Do not count what happens inside the block."""
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

    def rate(self, images: int) -> float:
        """Images a second, of so many in this piece."""
        return images / max(self.piece, 1e-9)

    @property
    def is_over(self) -> bool:
        """Whether the wall-clock limit of this piece has passed."""
        return self._limit is not None and time.monotonic() - self._begun >= self._limit


# A termination that comes so soon after another signal, in seconds, is the same request.
_SAME: Final = 2.0


@final
class Stop:
    """Whether somebody asked the training to stop.

    Attributes:
        requested: Whether somebody did.
        reason: What to say of it; empty where a signal is all that is known.
        since: When, in seconds of the monotonic clock.
    """

    requested = False
    reason = ""
    since = 0.0


@contextmanager
def stop_on_signal() -> Iterator[Stop]:
    """Turn the first Ctrl-C or termination into a stop after the step; a second ends at once.

    One that stops many processes, such as a scheduler or the driver of a study, often signals each
    more than once: a termination right after another signal is taken for the same request.
    """
    stop = Stop()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def request(number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if stop.requested:
            if number == signal.SIGTERM and now - stop.since < _SAME:
                return
            raise KeyboardInterrupt
        stop.requested, stop.since = True, now
        stop.reason = f"stopped by {signal.Signals(number).name}"
        if multiprocessing.parent_process() is None:
            print("Stopping at a checkpoint; once more to end at once.", file=sys.stderr)

    before = {number: signal.signal(number, request) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def check_finite(record: Record, checkpoint: Path, config: TrainConfig) -> None:
    """Refuse to go on when a term was not finite.

    Raises:
        TrainingDivergedError: It names the first step and term, and the checkpoint that is kept.
    """
    if record.first_bad:
        # The loss is the sum of the terms: name the term that broke first, not the sum.
        groups = tuple(_WORDS)
        name, step = min(
            record.first_bad.items(),
            key=lambda item: (item[1], groups.index(item[0].split("/", 1)[0])),
        )
        group, key = name.split("/", 1)
        _diverged(step, _WORDS[group].format(key), checkpoint, config)


def check_weights(learner: Learner, step: int, checkpoint: Path, config: TrainConfig) -> None:
    """Refuse to write weights, or a state of an optimiser, that are not finite.

    Raises:
        TrainingDivergedError: It names the tensor.
    """
    for name, value in learner.tensors().items():
        if not bool(torch.isfinite(value).all()):
            kind, rest = name.split("/", 1)
            what = "optimiser state" if kind == "optimizer" else "weight"
            _diverged(step, f"{what} {rest}", checkpoint, config)


def _diverged(step: int, name: str, checkpoint: Path, config: TrainConfig) -> None:
    kept = (
        f"The last good checkpoint, of step {load_tensors(checkpoint).step}, is kept"
        if checkpoint.is_file()
        else "No checkpoint had been written yet, so that there are no weights"
    )
    lr = getattr(config.at(step).optimizer, "lr", None)
    than = f" than {lr:g}" if isinstance(lr, int | float) else ""
    ways = [f"a smaller learning rate (--lr){than}"]
    ways += ["smaller weights of terms"]
    ways += [] if config.precision == "float32" else ["--precision float32"]
    raise TrainingDivergedError(
        f"Training diverged: {name} was not finite at step {step}. {kept}. To go on would diverge "
        f"again: train anew (--overwrite) with {', '.join(ways[:-1])} or {ways[-1]}."
    )
