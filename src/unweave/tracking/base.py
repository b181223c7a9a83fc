"""What a tracker is: a component that says where to, and what writes there in its own process."""

from __future__ import annotations

__all__ = ["Backend", "Memory", "TrackedRun", "TrackerSpec", "is_there"]

import importlib.util
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TypeAlias, final

from unweave.errors import SpecError
from unweave.spec import Component, number

Memory: TypeAlias = dict[str, str]
"""What a tracker remembers of a run from one piece of its training to the next, such as an id."""


@final
@dataclass(frozen=True, kw_only=True)
class TrackedRun:
    """What a tracker is told of a run.

    Attributes:
        folder: The run folder, absolute.
        name: How the run is called.
        group: The study or population that it belongs to; empty for none.
        settings: Its configuration, flat: dotted names to numbers and texts.
        notes: Texts of the run: the command that trains it again, folder, versions.
        done: Optimiser steps done before this piece of the training.
    """

    folder: str
    name: str
    group: str
    settings: Mapping[str, int | float | bool | str]
    notes: Mapping[str, str]
    done: int

    def place(self, name: str) -> Path:
        """Where in the run folder a tracker keeps its data."""
        return Path(self.folder) / "tracking" / name


class Backend(ABC):
    """Writes to one tracker; made and used in a process of its own, by one thread."""

    @abstractmethod
    def scalars(self, step: int, time: float, values: Mapping[str, float]) -> None:
        """Values of a step; `time` is in seconds since the epoch.

        Args:
            step: Optimiser steps done.
            time: When, in seconds since the epoch.
            values: Numbers by their names.
        """

    @abstractmethod
    def picture(self, step: int, time: float, name: str, path: Path) -> None:
        """A PNG file of a step.

        Args:
            step: Optimiser steps done.
            time: When, in seconds since the epoch.
            name: What it is a picture of.
            path: Where it lies.
        """

    def flush(self) -> None:  # noqa: B027 - most write at once
        """Called when nothing has come for a while: write what is held back."""

    @abstractmethod
    def close(self, state: str) -> None:
        """The training has ended: `finished`, `stopped`, `diverged` or `failed`."""


class TrackerSpec(Component):
    """Where a training is tracked, beside its run folder.

    A tracker has no part in a run's configuration, since it changes nothing of its weights. One of
    your own must lie in a module that can be imported: it is opened in a process of its own.

    Class attributes:
        extra: What to install for it, as in `pip install "unweave[extra]"`.
        modules: What must be importable.
    """

    family: ClassVar[str] = "tracker"
    extra: ClassVar[str] = ""
    modules: ClassVar[tuple[str, ...]] = ()

    patience: float = number(
        default=20.0,
        low=0,
        help="Seconds that the end of a training waits for the tracker at most.",
    )

    def check(self) -> None:
        """Refuse a tracker that is not installed.

        Raises:
            SpecError: It says what to install.
        """
        missing = [name for name in self.modules if not is_there(name)]
        if missing:
            raise SpecError(
                f"The tracker {self.name} needs {' and '.join(missing)}, not installed here: "
                f'pip install "unweave[{self.extra}]".'
            )

    @classmethod
    def is_installed(cls) -> bool:
        """Whether all that it needs is there."""
        return all(map(is_there, cls.modules))

    @abstractmethod
    def open(self, run: TrackedRun, memory: Memory) -> Backend:
        """Begin, or go on.

        Args:
            run: What is trained.
            memory: What was remembered when the run was tracked before; whatever is put into it is
                remembered the next time.
        """


def is_there(module: str) -> bool:
    """Whether a module can be imported, which it is not by this."""
    try:
        return importlib.util.find_spec(module) is not None
    except (ImportError, ValueError):
        return False
