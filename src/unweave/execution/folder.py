"""The folder of what a driver carries out: what was asked for in one file, and the event log."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from unweave import display
from unweave._version import __version__
from unweave.errors import RunError, SpecError
from unweave.execution.events import EventLog, replay
from unweave.rundir import (
    FORMAT,
    LOCK,
    alone,
    explain_os_error,
    is_held,
    read_document,
    write_json,
)

__all__ = ["DrivenFolder"]

T = TypeVar("T")


@dataclass(frozen=True)
class DrivenFolder:
    """What the folders of studies, populations and recursions have in common.

    Attributes:
        path: The folder.
    """

    what: ClassVar[str]
    """What it is, in words."""
    file: ClassVar[str]
    """What says of a folder that it is one, and what was asked for."""
    inside: ClassVar[str] = ""
    """Where its runs lie."""
    hint: ClassVar[str]
    """How to look at one that is worked on, and what to do; `{path}` stands for it."""

    path: Path

    @property
    def events(self) -> EventLog:
        """The event log."""
        return EventLog(self.path / "state.jsonl")

    @property
    def exists(self) -> bool:
        """Whether there is one here.

        Raises:
            RunError: It cannot be told, as of a path that is too long.
        """
        try:
            return (self.path / self.file).is_file()
        except OSError as error:
            raise RunError(
                f"{self.path} cannot be a {self.what}'s folder: {error.strerror}."
            ) from error

    def _repr_html_(self) -> str:
        """How far its work is, by the event log, for a notebook."""
        parts: list[object] = [display.facts({"folder": self.path})]
        try:
            items = replay(self.events.read()).values()
            state = "at work" if self.busy else "nobody is at work"
            counts = Counter(item.state for item in items)
            parts.append(display.note(f"{state}; of the work that has been begun:"))
            parts.append(display.table(("state", "items"), counts.items(), ("items",)))
            parts += [
                display.note(item.message)
                for item in items
                if item.state == "failed" and item.message
            ][:3]
        except Exception as error:
            parts.append(display.note(error))
        return display.shown(f"Folder of a {self.what}", *parts)

    @property
    def busy(self) -> bool:
        """Whether a driver is at work on it."""
        return is_held(self.path / LOCK)

    def read(self) -> dict[str, Any]:
        """What its file says.

        Raises:
            RunError: There is none here, or one of another format, or it is damaged.
        """
        if not self.exists:
            raise RunError(
                f"{self.path} is not the folder of a {self.what}: it has no {self.file}."
            )
        return read_document(self.path / self.file)

    def made(self, key: str, make: Callable[[Mapping[str, Any]], T]) -> T:
        """What is made of a part of its file.

        Raises:
            RunError: There is none here, or it is damaged.
        """
        form = self.read()
        try:
            return make(form[key])
        except (KeyError, TypeError, AttributeError, SpecError) as error:
            raise RunError(f"{self.path / self.file} is damaged: {error}.") from error

    def put(self, **parts: Any) -> None:
        """Write its file, atomically.

        Raises:
            UnweaveError: The folder cannot be written.
        """
        write_json(self.path / self.file, {"format": FORMAT, "unweave": __version__, **parts})

    def alone(self) -> AbstractContextManager[None]:
        """Keep a second driver out; the folder is made where there is none.

        Raises:
            RunError: One is at work.
            UnweaveError: The folder cannot be written.
        """
        try:
            (self.path / self.inside).mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise explain_os_error(error, self.path) from error
        busy = f"{self.path} is worked on by another process. {self.hint.format(path=self.path)}"
        return alone(self.path / LOCK, busy)
