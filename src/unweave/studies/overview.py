"""How far a study has come: from its folder alone, while it is worked on and afterwards."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from unweave import display
from unweave.execution import Progressed, replay
from unweave.inventory import last_step, seconds_a_step
from unweave.rundir import ENDED
from unweave.studies.axes import Settings
from unweave.studies.folder import StudyFolder

__all__ = ["Overview", "RunState", "RunView", "StudyState", "overview", "seconds_left", "survey"]

RunState: TypeAlias = Literal["finished", "diverged", "running", "waiting", "failed"]
StudyState: TypeAlias = Literal["finished", "running", "failed", "stopped"]

STATES: Final[tuple[RunState, ...]] = ("finished", "diverged", "running", "waiting", "failed")

# Runs at most in a notebook.
_SHOWN: Final = 50


@final
@dataclass(frozen=True)
class RunView:
    """One run of a study, as it is now.

    Attributes:
        key: Its name in the event log, and of its folder.
        folder: Where it lies, or will.
        varied: The settings in which it differs from others.
        command: What would train it alone.
        state: `diverged` is a result, and `failed` final until the study is gone on with.
        step: Optimiser steps done.
        steps: Optimiser steps in all.
        tries: How often it was started.
        seconds: How long it took, in all tries; of a run that another study had done, that one's
            time of training.
        started: When it was last started, in seconds since 1970.
        message: What last went wrong.
        log: File in which to look what happened.
    """

    key: str
    folder: str
    varied: Settings
    command: str
    state: RunState
    step: int
    steps: int
    tries: int
    seconds: float
    started: float
    message: str
    log: str

    @property
    def done(self) -> float:
        """Which part of its steps it has done, from 0 to 1."""
        return min(1.0, self.step / max(self.steps, 1))


@final
@dataclass(frozen=True)
class Overview:
    """A study as it is now.

    Attributes:
        name: What it is called.
        folder: Where it lies.
        state: `running` while a driver is at work; `finished` when all runs are, diverged ones
            among them; `failed` when some have failed and none waits; else `stopped`.
        executor: Where the last driver has its runs done; empty before the first.
        workers: How many runs it does at once.
        seconds: How long drivers have been at work, in all.
        seconds_left: How long the rest will take about, with as many workers; None if unknown.
        runs: All runs, in the order of the study.
    """

    name: str
    folder: str
    state: StudyState
    executor: str
    workers: int
    seconds: float
    seconds_left: float | None
    runs: tuple[RunView, ...]

    @property
    def counts(self) -> dict[RunState, int]:
        """How many runs are in each state."""
        found = Counter(run.state for run in self.runs)
        return {state: found[state] for state in STATES}

    def of(self, *states: RunState) -> list[RunView]:
        """The runs in some states."""
        return [run for run in self.runs if run.state in states]

    def _repr_html_(self) -> str:
        """How many runs are in each state, and the runs, for a notebook."""
        names = list(dict.fromkeys(name for run in self.runs for name in run.varied))
        rows = [
            (
                run.key,
                *(str(run.varied.get(name, "")) for name in names),
                run.state,
                f"{run.step:,}/{run.steps:,}",
                run.message,
            )
            for run in self.runs[:_SHOWN]
        ]
        counts = ", ".join(f"{count} {state}" for state, count in self.counts.items() if count)
        left = (
            None if self.seconds_left is None else f"about {self.seconds_left / 60:,.0f} minutes"
        )
        parts = [
            display.facts({"folder": self.folder, "runs": counts, "left": left}),
            display.table(("run", *names, "state", "steps", ""), rows, ("steps",)),
        ]
        if len(self.runs) > _SHOWN:
            parts.append(display.note(f"and {len(self.runs) - _SHOWN:,} more runs"))
        return display.shown(f"Study {self.name}, {self.state}", *parts)

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        form = asdict(self)
        runs = form.pop("runs")
        for run in runs:
            del run["started"]
        return form | {"counts": self.counts, "runs": runs}


def survey(folder: StudyFolder) -> Overview:
    """How far a study has come, read from its folder; nothing is written.

    Raises:
        RunError: There is no study.
    """
    form = folder.read()
    return overview(folder, form, folder.events.read(), busy=folder.busy)


def overview(
    folder: StudyFolder,
    form: Mapping[str, Any],
    events: Sequence[Mapping[str, Any]],
    *,
    busy: bool,
) -> Overview:
    """The same, of what has been read already.

    Args:
        folder: The study.
        form: What `study.json` says.
        events: All events.
        busy: Whether a driver is at work.
    """
    now, states = time.time(), replay(events)
    spent = _spent(events, now if busy else None)
    runs = tuple(
        _view(folder, run, states.get(run["key"], Progressed()), spent.get(run["key"], 0.0), busy)
        for run in form["runs"]
    )
    begun: Mapping[str, Any] = next(
        (row for row in reversed(events) if row["event"] == "begun"), {}
    )
    workers = int(begun.get("slots", 1))
    found = {run.state for run in runs}
    state: StudyState = "finished"
    if busy:
        state = "running"
    elif "waiting" in found:
        state = "stopped"
    elif "failed" in found:
        state = "failed"
    return Overview(
        name=form["study"]["name"],
        folder=str(folder.path),
        state=state,
        executor=begun.get("engine", ""),
        workers=workers,
        seconds=round(spent[""], 3),
        seconds_left=seconds_left(runs, workers),
        runs=runs,
    )


def seconds_left(runs: Iterable[RunView], workers: int) -> float | None:
    """How long the runs that are not done will take about.

    Each step is taken to last as long as those of the runs that are finished, with their scores;
    before there are any, as those of the trainings under way.

    Args:
        runs: All runs.
        workers: How many are done at once.

    Returns:
        Seconds; None where nothing is known yet.
    """
    runs = tuple(runs)
    finished = [run for run in runs if run.state == "finished" and run.step]
    left = [run for run in runs if run.state in ("running", "waiting")]
    if not left:
        return 0.0
    if finished:
        each_step = sum(run.seconds for run in finished) / sum(run.step for run in finished)
    else:
        known = [pace for run in left if (pace := seconds_a_step(Path(run.folder)))]
        if not known:
            return None
        each_step = sum(known) / len(known)
    each = [(1 - run.done) * run.steps * each_step for run in left]
    return round(max(sum(each) / max(workers, 1), *each), 3)


def _view(
    folder: StudyFolder, run: Mapping[str, Any], known: Progressed, seconds: float, busy: bool
) -> RunView:
    place = folder.run_folder(run["key"])
    state: RunState = known.state
    result = known.result or {}
    if state == "finished" and result.get("state") == "diverged":
        state = "diverged"
    if state == "running" and not busy:
        # Its driver was killed.
        state = "waiting"
    ended = state in ENDED
    step = result.get("step", 0) if ended else last_step(place) if known.tries else 0
    log = place / "log.txt"
    return RunView(
        key=run["key"],
        folder=str(place),
        varied=dict(run["varied"]),
        command=run["command"],
        state=state,
        step=step,
        steps=run["steps"],
        tries=known.tries,
        seconds=round(max(seconds, float(result.get("seconds", 0.0)) if ended else 0.0), 3),
        started=known.started,
        message=known.message or result.get("message", ""),
        # The run's own log, where it has one already.
        log=str(log if log.is_file() else folder.events.path),
    )


def _spent(events: Iterable[Mapping[str, Any]], now: float | None) -> dict[str, float]:
    """Seconds that each run was under way, by its key, and that drivers were, under ''.

    A driver that was killed, and what it had under way, has ended with its last event; `now` is
    the end of one that is still at work.
    """
    found: dict[str, float] = {"": 0.0}
    open_: dict[str, float] = {}
    last = 0.0

    def close(key: str, at: float) -> None:
        # Times of events are rounded, and clocks are set back.
        found[key] = found.get(key, 0.0) + max(0.0, at - open_.pop(key, at))

    for row in events:
        match row["event"]:
            case "begun":
                for key in list(open_):
                    close(key, last)
                open_[""] = row["time"]
            case "ended":
                for key in list(open_):
                    close(key, row["time"])
            case "started":
                open_[row["key"]] = row["time"]
            case "finished" | "failed" | "late" | "lost":
                close(row["key"], row["time"])
        last = row["time"]
    for key in list(open_):
        close(key, last if now is None else now)
    return found
