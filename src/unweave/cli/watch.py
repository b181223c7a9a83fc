"""The live view of a training on a terminal."""

from __future__ import annotations

__all__ = ["make_watch"]

import sys
import time
from collections.abc import Iterable
from typing import final

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    Progress,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from unweave.run.watching import summary
from unweave.session import Watch
from unweave.training import TrainConfig
from unweave.training.tracker import Record

_LOG_SECONDS = 30.0


def make_watch() -> Watch:
    """A progress bar on a terminal, a line every half minute elsewhere."""
    return _Bar() if sys.stderr.isatty() else _Lines()


@final
class _TwoLines(Progress):
    """A progress bar with a line of text below it, which may be as long as it likes."""

    below = ""

    def get_renderables(self) -> Iterable[RenderableType]:
        """The bar, and the text."""
        yield self.make_tasks_table(self.tasks)
        yield Text(self.below, style="dim")


@final
class _Bar(Watch):
    """Bar, steps, time left, images a second, and the terms below."""

    def __init__(self) -> None:
        self._progress = _TwoLines(
            TextColumn("[bold]step {task.completed:,.0f}/{task.total:,.0f}"),
            BarColumn(bar_width=20),
            TaskProgressColumn(),
            TimeRemainingColumn(),
            TextColumn("left  {task.fields[rate]}"),
            console=Console(stderr=True),
            refresh_per_second=4,
        )
        self._images = 0
        self._begun = 0.0

    def start(self, config: TrainConfig, done: int) -> None:
        self._task = self._progress.add_task("", total=config.steps, rate="")
        self._progress.update(self._task, completed=done)
        self._progress.start()
        self._begun = time.monotonic()

    def step(self, step: int, images: int) -> None:
        self._images += images
        rate = self._images / max(time.monotonic() - self._begun, 1e-9)
        self._progress.update(self._task, completed=step, rate=f"{rate:,.0f} images/s")

    def record(self, step: int, record: Record) -> None:
        self._progress.below = summary(record)

    def close(self) -> None:
        self._progress.stop()


@final
class _Lines(Watch):
    """A line on standard error every half minute and at the end."""

    def __init__(self) -> None:
        self._steps = 0
        self._first = 0
        self._images = 0
        self._begun = self._said = time.monotonic()

    def start(self, config: TrainConfig, done: int) -> None:
        self._steps, self._first = config.steps, done
        self._begun = self._said = time.monotonic()

    def step(self, step: int, images: int) -> None:
        self._images += images

    def record(self, step: int, record: Record) -> None:
        now = time.monotonic()
        if now - self._said < _LOG_SECONDS and step != self._steps:
            return
        self._said = now
        passed = max(now - self._begun, 1e-9)
        left = passed * (self._steps - step) / max(step - self._first, 1)
        print(
            f"step {step:,}/{self._steps:,}  {self._images / passed:,.0f} images/s  "
            f"{int(left) // 60}:{int(left) % 60:02d} left  {summary(record)}",
            file=sys.stderr,
        )

    def close(self) -> None:
        sys.stderr.flush()
