"""A training that is watched in a notebook: one line below the cell, which is written over."""

from __future__ import annotations

__all__ = ["AskedWatch", "summary", "watch_of"]

import time
from typing import Literal, TypeAlias, final

from unweave.notebook import Cell, in_notebook
from unweave.session import Watch
from unweave.training import TrainConfig
from unweave.training.tracker import Record

AskedWatch: TypeAlias = Watch | Literal["auto"] | None
"""What watches a training; `auto` for a line in a notebook, and nothing elsewhere."""


def watch_of(asked: AskedWatch) -> Watch | None:
    """What watches a training, made of what was asked for."""
    if isinstance(asked, str):
        return _Line() if in_notebook() else None
    return asked


def summary(record: Record) -> str:
    """The loss and the unweighted terms in a few words."""
    values = record.values
    raw = [(n.removeprefix("raw/"), v) for n, v in values.items() if n.startswith("raw/")]
    words = [f"loss {values['loss/model']:.1f}", *(f"{name} {value:.2f}" for name, value in raw)]
    return "  ".join(words)


@final
class _Line(Watch):
    """Bar, steps, time left, images a second, loss and terms; at last how long it took."""

    def __init__(self) -> None:
        self._cell = Cell()
        self._steps = 1
        self._first = self._step = self._images = 0
        self._begun = 0.0
        self._terms = ""

    def start(self, config: TrainConfig, done: int) -> None:
        self._steps, self._first, self._step = config.steps, done, done
        self._begun = time.monotonic()

    def step(self, step: int, images: int) -> None:
        self._images += images
        self._step = step
        passed = max(time.monotonic() - self._begun, 1e-9)
        left = passed * (self._steps - step) / max(step - self._first, 1)
        self._say(f"{_clock(left)} left", passed)

    def record(self, step: int, record: Record) -> None:
        self._terms = summary(record)

    def close(self) -> None:
        if self._begun:
            passed = max(time.monotonic() - self._begun, 1e-9)
            self._say(f"in {_clock(passed)}", passed, now=True)

    def _say(self, words: str, passed: float, *, now: bool = False) -> None:
        rate = f"{self._images / passed:,.0f} images/s"
        text = f"step {self._step:,}/{self._steps:,}  {words}  {rate}  {self._terms}".rstrip()
        self._cell.write(text, self._step / self._steps, now=now)


def _clock(seconds: float) -> str:
    minutes, left = divmod(int(seconds), 60)
    return f"{minutes}:{left:02d}"
