"""The event log: one line an event, never changed, from which the state of all items is told."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, final

from unweave.errors import RunError
from unweave.jsonlines import append_line, read_lines
from unweave.rundir import explain_os_error, flush

__all__ = ["EventLog", "Progressed", "State", "apply", "replay"]

State: TypeAlias = Literal["waiting", "running", "finished", "failed"]


@final
@dataclass
class Progressed:
    """How far an item has come.

    Attributes:
        state: `failed` is final until the next driver begins.
        tries: How often it was started.
        errors: How often it failed or was late since the last driver began.
        losses: How often it was lost since then.
        result: What its task gave.
        message: What last went wrong.
        started: When it was last started, in seconds since 1970.
        seconds: How long the try took that finished it.
    """

    state: State = "waiting"
    tries: int = 0
    errors: int = 0
    losses: int = 0
    result: Mapping[str, Any] | None = None
    message: str = ""
    started: float = 0.0
    seconds: float = 0.0


@final
@dataclass
class EventLog:
    """A file of events, `state.jsonl`; each is on the disk before `add` returns.

    Attributes:
        path: The file, which need not exist yet.
        listeners: Called with each event that is added.
    """

    path: Path
    listeners: list[Any] = field(default_factory=list)

    def read(self) -> list[dict[str, Any]]:
        """All events; a last line that a kill has torn is passed over.

        Raises:
            RunError: A line is no event.
        """
        rows = read_lines(self.path)
        for number, row in enumerate(rows, 1):
            if not _is_event(row):
                raise RunError(
                    f"{self.path} is damaged: line {number} is no event. Remove that line; what "
                    "it said is found out again from the folders of the runs."
                )
        return rows

    def add(self, event: str, **fields: Any) -> dict[str, Any]:
        """Write an event, with the time.

        Raises:
            UnweaveError: The disk is full or the file cannot be written.
        """
        row = {"event": event, "time": round(time.time(), 3), **fields}
        self._mend()
        append_line(self.path, row, durable=True)
        for listener in self.listeners:
            listener(row)
        return row

    def _mend(self) -> None:
        """Cut off a torn last line, so that the next event stands on a line of its own."""
        if not self.path.is_file():
            return
        try:
            with self.path.open("rb+") as handle:
                size = handle.seek(0, os.SEEK_END)
                handle.seek(max(size - 1, 0))
                if handle.read() in (b"\n", b""):
                    return
                handle.seek(0)
                handle.truncate(handle.read().rfind(b"\n") + 1)
                flush(handle)
        except OSError as error:
            raise explain_os_error(error, self.path) from error


_FIELDS: Final = {
    "started": {"key"},
    "reopened": {"key"},
    "finished": {"key", "result"},
    **{event: {"key", "message", "final"} for event in ("failed", "late", "lost")},
}


def _is_event(row: Any) -> bool:
    """Whether a line has what it must have to be replayed."""
    return (
        isinstance(row, dict)
        and isinstance(row.get("event"), str)
        and isinstance(row.get("time"), int | float)
        and row.keys() >= _FIELDS.get(row["event"], set())
    )


def replay(events: Iterable[Mapping[str, Any]]) -> dict[str, Progressed]:
    """How far each item has come that any event names, by its key.

    What a driver had under way when it ended is `waiting` again once the next one begins. Then,
    too, items that had failed are tried anew: what stood in their way may be gone.
    """
    items: dict[str, Progressed] = {}
    for row in events:
        apply(items, row)
    return items


def apply(items: dict[str, Progressed], row: Mapping[str, Any]) -> None:
    """Bring the states up to date with one more event."""
    event = row["event"]
    if event in ("begun", "ended"):
        for item in items.values():
            if item.state == "running" or (event == "begun" and item.state == "failed"):
                item.state = "waiting"
            if event == "begun":
                item.errors = item.losses = 0
        return
    if "key" not in row:
        return
    item = items.setdefault(row["key"], Progressed())
    match event:
        case "started":
            item.state = "running"
            item.tries += 1
            item.started = row["time"]
        case "finished":
            item.state = "finished"
            item.result = row["result"]
            item.seconds = row["time"] - item.started
            item.message = ""
        case "reopened":
            item.state = "waiting"
        case "failed" | "late" | "lost":
            item.state = "failed" if row["final"] else "waiting"
            item.message = row["message"]
            if event == "lost":
                item.losses += 1
            else:
                item.errors += 1
