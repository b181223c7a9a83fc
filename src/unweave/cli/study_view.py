"""How a study is shown: a live table on a terminal, lines elsewhere, tables afterwards."""

from __future__ import annotations

__all__ = ["failures", "headline", "rows", "told", "view"]

import contextlib
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, final

from unweave.cli.showing import Speaker, View, live_table
from unweave.cli.words import duration, table

if TYPE_CHECKING:
    from rich.console import RenderableType

    from unweave.studies import Overview, StudyFolder
    from unweave.studies.overview import RunView

_LARGE: Final = 100
"""Runs of a study that is not looked at anew for every event."""
_SHARE: Final = 50.0
"""How much longer than a look at it is the time to the next one."""
_MOST_ROWS: Final = 60
_LIVE_ROWS: Final = 16


@contextlib.contextmanager
def view(folder: StudyFolder) -> Iterator[View]:
    """Show a study while it is worked on, on standard error.

    Args:
        folder: The study; it need not be there before the first event.
    """
    shown = _Live(folder) if sys.stderr.isatty() else _Lines(folder)
    with shown.shown():
        yield shown


def told(settings: Mapping[str, Any]) -> str:
    """Settings in one line."""
    return ", ".join(f"{name}={value}" for name, value in settings.items()) or "the only run"


def headline(study: Overview) -> str:
    """How many runs are in which state, how long it took, and how long the rest takes."""
    counts = study.counts
    words = [f"{counts['finished'] + counts['diverged']:,} of {len(study.runs):,} runs finished"]
    states = counts | {"finished": 0}
    words += [
        f"{count:,} {'of them ' if state == 'diverged' else ''}{state}"
        for state, count in states.items()
        if count
    ]
    words.append(f"{duration(study.seconds)} so far")
    if study.seconds_left:
        workers = "one worker" if study.workers == 1 else f"{study.workers} workers"
        words.append(f"about {duration(study.seconds_left)} left with {workers}")
    return ", ".join(words)


def rows(study: Overview) -> str:
    """The runs by the settings that vary, the first of many."""
    names = list(dict.fromkeys(name for run in study.runs for name in run.varied))
    body = [
        [
            *(str(run.varied.get(name, "")) for name in names),
            run.state,
            f"{run.step:,}/{run.steps:,}",
            duration(run.seconds) if run.tries else "",
            run.key,
        ]
        for run in study.runs[:_MOST_ROWS]
    ]
    text = table([*names, "state", "step", "time", "run"], body)
    more = len(study.runs) - _MOST_ROWS
    return f"{text}\nand {more:,} more: --json" if more > 0 else text


def failures(study: Overview) -> str:
    """The runs that have failed or diverged, why, and where to look."""
    lines = []
    for run in study.of("failed", "diverged"):
        after = f" after {run.tries} tries" if run.state == "failed" and run.tries > 1 else ""
        lines += [
            f"{run.state}{after}: {told(run.varied)}",
            f"  {run.message}",
            f"  run {run.folder}",
            f"  log {run.log}",
        ]
    return "\n".join(lines)


class _Watched:
    """Knows a study from its events, without reading them again."""

    def __init__(self, folder: StudyFolder) -> None:
        self._folder = folder
        self._events: list[Mapping[str, Any]] = []
        self._form: Mapping[str, Any] | None = None
        self._seen: Overview | None = None
        self._at = self._pause = 0.0

    def __call__(self, row: Mapping[str, Any]) -> None:
        if self._form is None:
            # Everything up to this event, and what earlier drivers have written.
            form, self._events = self._folder.read(), list(self._folder.events.read())
            self._form = form
        else:
            self._events.append(row)
        self.tell(row)

    def tell(self, row: Mapping[str, Any]) -> None:
        """An event has come."""

    def now(self) -> Overview | None:
        """The study as it is, of a large one as it was just now; None before the first event."""
        from unweave.studies.overview import overview

        if self._form is None:
            return None
        before, seen = time.monotonic(), self._seen
        if seen is None or len(seen.runs) <= _LARGE or before - self._at > self._pause:
            self._seen = overview(self._folder, self._form, list(self._events), busy=True)
            self._at = time.monotonic()
            # A training in this process has to wait meanwhile.
            self._pause = _SHARE * (self._at - before)
        return self._seen


@final
class _Lines(_Watched):
    """A line an event, and one a minute."""

    def __init__(self, folder: StudyFolder) -> None:
        super().__init__(folder)
        self._speaker = Speaker(self._headline)
        self._settings: dict[str, Mapping[str, Any]] = {}
        self._started: dict[str, float] = {}
        self._ended: set[str] = set()

    def shown(self) -> AbstractContextManager[None]:
        return self._speaker.listening()

    def tell(self, row: Mapping[str, Any]) -> None:
        event, key = row["event"], row.get("key", "")
        if event == "begun":
            now = self.now()
            assert now is not None
            self._settings = {run.key: run.varied for run in now.runs}
            self._ended = {run.key for run in now.of("finished", "diverged", "failed")}
            self._speaker.say(f"{now.name} in {now.folder}: {headline(now)}")
        elif event == "started":
            self._started[key] = row["time"]
            self._ended.discard(key)
            self._say_of(key, "started")
        elif event == "finished" or row.get("final"):
            self._ended.add(key)
            result = row.get("result", {})
            took = row["time"] - self._started.get(key, row["time"])
            # Of one that another study had done, its training took longer than it took here.
            took = max(took, result.get("seconds", 0.0))
            self._say_of(key, f"{result.get('state', 'failed')} after {duration(took)}")

    def _say_of(self, key: str, what: str) -> None:
        now = self.now()
        seconds = None if now is None else now.seconds_left
        left = f", about {duration(seconds)} left" if seconds else ""
        counts = f"[{len(self._ended)}/{len(self._settings)}]"
        self._speaker.say(f"{counts} {what}: {told(self._settings.get(key, {}))}{left}")

    def _headline(self) -> str | None:
        now = self.now()
        return None if now is None else headline(now)


@final
class _Live(_Watched):
    """A table that is drawn again and again."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        with live_table(self._draw) as self.draw:
            yield

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        study = self.now()
        if study is None:
            return Text("")
        grid = Table.grid(padding=(0, 2))
        running = study.of("running")
        for run in running[:_LIVE_ROWS]:
            bar = ProgressBar(total=1.0, completed=run.done, width=20)
            took = duration(time.time() - run.started)
            grid.add_row(Text(told(run.varied)), bar, _stage(run), took)
        if len(running) > _LIVE_ROWS:
            grid.add_row(f"and {len(running) - _LIVE_ROWS} more")
        failed = Text()
        for run in study.of("failed")[-3:]:
            failed.append(f"failed: {told(run.varied)}: {run.message}\n", style="red")
        return Group(Text(f"{study.name}: {headline(study)}", style="bold"), grid, failed)


def _stage(run: RunView) -> str:
    """What a run that is under way is doing."""
    if run.step >= run.steps:
        return "scoring"
    return f"step {run.step:,}/{run.steps:,}" if run.step else "under way"
