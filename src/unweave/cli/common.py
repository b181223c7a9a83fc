"""Options that every command has, and how commands speak."""

from __future__ import annotations

__all__ = [
    "Common",
    "Flag",
    "Float",
    "Int",
    "OutputError",
    "Protocol",
    "Text",
    "as_asked",
    "bar",
    "check_json",
    "minutes_of",
    "names_of",
    "say",
    "to_number",
    "writing",
]

import json
import logging
import math
import sys
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from tyro.conf import arg

from unweave.errors import SpecError

if TYPE_CHECKING:
    from unweave.data import Progress


Flag = Annotated[bool, arg(help_behavior_hint="")]
Text = Annotated[str | None, arg(metavar="TEXT", help_behavior_hint="")]
Protocol = Annotated[str, arg(metavar="TEXT", help_behavior_hint="")]
# Numbers are read by `to_number`, so that a wrong one gets the same kind of message as all else.
Int = Annotated[str | None, arg(metavar="INT", help_behavior_hint="")]
Float = Annotated[str | None, arg(metavar="FLOAT", help_behavior_hint="")]


def to_number(flag: str, text: str | None, kind: type[int] | type[float]) -> Any:
    """A flag's number, or None when it was not given.

    Raises:
        SpecError: The text is not a finite number of that kind.
    """
    if text is None:
        return None
    try:
        value = kind(text)
    except ValueError:
        value = math.nan
    # A whole number of any length is finite, and may be too long for a float.
    if isinstance(value, float) and not math.isfinite(value):
        what = "a whole number" if kind is int else "a number"
        raise SpecError(f"{flag} takes {what}, not {text!r:.100}.")
    return value


def minutes_of(text: str | None) -> float | None:
    """What --max-minutes gives, or None when it was not given.

    Raises:
        SpecError: It is no number above 0.
    """
    minutes: float | None = to_number("--max-minutes", text, float)
    if minutes is not None and not minutes > 0:
        raise SpecError(f"--max-minutes must be more than 0, but is {minutes:g}.")
    return minutes


def names_of(metrics: str | None, flag: str = "--metrics") -> tuple[str, ...] | None:
    """The names that a flag gives, with commas between, or None when it was not given.

    Raises:
        SpecError: It is empty.
    """
    if metrics is None:
        return None
    names = tuple(name.strip() for name in metrics.split(",") if name.strip())
    if not names:
        examples = {"--metrics": "mig", "--evaluate-metrics": "mig", "--group-by": "objective"}
        example = examples.get(flag, "3,55")
        raise SpecError(f"{flag} is empty; give names such as {example}, or leave it out.")
    return names


def check_json(out: str | None, kind: str, keys: Set[str]) -> None:
    """Refuse an --out that is no JSON file, or another one than is written, before any work.

    Args:
        out: What --out gives.
        kind: What is written, such as `ranking`. A file of that kind that is there is replaced.
        keys: By which of its keys such a file is known.

    Raises:
        SpecError: The name does not end in .json, or is that of a folder, or of another file.
        UnweaveError: What is there cannot be read.
    """
    from unweave.rundir import check_replaceable, json_keys

    if out is None:
        return
    if Path(out).is_dir():
        raise SpecError(f"--out must be a file, but {out} is a folder.")
    if not out.lower().endswith(".json"):
        raise SpecError(f"--out must end in .json, but is {out!r:.100}.")
    check_replaceable(Path(out), kind, lambda handle: json_keys(handle) >= keys)


def as_asked(forms: Mapping[str, Any], asked: tuple[str, ...] | None) -> dict[str, Any]:
    """Scores by the names that were asked for, which may be aliases of the metrics' own."""
    from unweave.metrics.protocols import names_of as own_names

    names = dict(zip(own_names(asked), asked, strict=True)) if asked else {}
    return {names.get(name, name): form for name, form in forms.items()}


@dataclass(kw_only=True)
class Common:
    """Options of every command."""

    json: Flag = False
    """Print one JSON object, for scripts; what is said beside it goes to standard error."""

    log_level: Literal["debug", "info", "warning", "error"] = "warning"
    """How much is said on standard error."""

    def start(self) -> int:
        """Set up logging and run the command."""
        level = getattr(logging, self.log_level.upper())
        handler = logging.StreamHandler(sys.stderr)
        handler.setLevel(level)
        handler.setFormatter(logging.Formatter("%(levelname)s %(message)s"))
        logging.basicConfig(level=level, handlers=[handler])
        self._check_out()
        return self.run()

    def _check_out(self) -> None:
        """Refuse an empty --out, which would stand for the working directory.

        Raises:
            SpecError: It is empty.
        """
        if getattr(self, "out", None) == "":
            needed = any(f.name == "out" and f.default is MISSING for f in fields(self))
            leave = "" if needed else ", or leave it out"
            raise SpecError(f"--out is empty; give a path{leave}.")

    @abstractmethod
    def run(self) -> int:
        """Do the work; the exit code.

        Raises:
            UnweaveError: What is asked for cannot be done; it is printed, and the exit code is its
                own.
        """

    def emit(self, result: dict[str, Any], text: str) -> None:
        """Print the result: JSON when asked for, else the text."""
        with writing():
            print(json.dumps(result, allow_nan=False) if self.json else text, flush=True)


class OutputError(Exception):
    """Standard output cannot be written, as on a full disk; what was to be done is done."""


@contextmanager
def writing() -> Iterator[None]:
    """A block that writes to standard output, and to nothing else.

    Raises:
        OutputError: It cannot be written.
        BrokenPipeError: Who reads it has enough of it.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(
            f"Standard output cannot be written: {error.strerror or error}."
        ) from error


def say(text: str) -> None:
    """Tell the user something that is not a result."""
    print(text, file=sys.stderr)


@contextmanager
def bar() -> Iterator[Progress | None]:
    """A progress bar with time left for callbacks (what, done, total); None without a terminal."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f}"),
        TimeRemainingColumn(),
    )
    progress = Progress(*columns, console=Console(stderr=True), transient=True)
    tasks: dict[str, TaskID] = {}

    def advance(what: str, done: int, total: int) -> None:
        # Shown only while something is under way: a training draws a bar of its own afterwards.
        if what not in tasks:
            tasks[what] = progress.add_task(what, total=total)
            progress.start()
        progress.update(tasks[what], completed=done, total=total)
        if done >= total:
            progress.remove_task(tasks.pop(what))
            if not tasks:
                progress.stop()

    try:
        yield advance
    finally:
        progress.stop()
