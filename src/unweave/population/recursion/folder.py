"""The folder of a recursion: what was asked for, every event, and its stages."""

from __future__ import annotations

import math
import re
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final, final

from unweave.errors import RunError
from unweave.execution import DrivenFolder, EventLog
from unweave.population.recursion.spec import Recursion
from unweave.rundir import POPULATION_FILE, RECURSION_FILE
from unweave.spec import to_dict

__all__ = ["CELL_FILE", "RecursionFolder", "depends_on", "stage_of"]

CELL_FILE: Final = "cell.npy"
"""Flat indices of the images of the next level, in the folder of a level."""

_STAGE: Final = "stage"
_KEY: Final = re.compile(r"(first|final|leaf-\d+)(?:-(level-\d+))?(?:-(labels)$)?")


def depends_on(stage: str, other: str) -> bool:
    """Whether a stage needs what another one, or that one itself, gives.

    Args:
        stage: Such as `leaf-1/level-2`, `leaf-1/level-2/labels` or `final`.
        other: One of them.
    """
    if stage == other or other == "first":
        return True
    if other == "final" or stage == "first":
        return False
    if stage == "final":
        return True
    return stage.split("/")[0] == other.split("/")[0] and _place(stage) >= _place(other)


def _order(stage: str) -> tuple[float, float, int]:
    """Where a stage stands among all."""
    if not stage.startswith("leaf-"):
        return (0 if stage == "first" else math.inf, 0, 0)
    return (int(stage.split("/")[0].removeprefix("leaf-")), *_place(stage))


def _place(stage: str) -> tuple[float, int]:
    """Where in its leaf-run a stage stands: its level, and whether it labels."""
    parts = stage.split("/")
    if parts[-1] == "merged":
        return math.inf, 0
    level = int(parts[1].rpartition("-")[2]) if len(parts) > 1 else 0
    return level, int(len(parts) > 2)


@final
@dataclass(frozen=True)
class RecursionFolder(DrivenFolder):
    """A recursion on disk.

    `recursion.json` says what was asked for; `state.jsonl` is the event log of all items, with one
    record a stage; `first`, `leaf-K/level-I` and `final` are folders of populations, or of labels.

    Attributes:
        path: The folder.
    """

    what: ClassVar[str] = "recursion"
    file: ClassVar[str] = RECURSION_FILE
    hint: ClassVar[str] = "Look with 'unweave population status {path}', or stop it first."

    def recursion(self) -> Recursion:
        """The recursion, as it was last asked for.

        Raises:
            RunError: There is none here, or one of another format, or it is damaged.
        """
        return self.made("recursion", Recursion.from_dict)

    def write(self, recursion: Recursion) -> None:
        """Write down what is asked for.

        Raises:
            UnweaveError: The folder cannot be written.
        """
        self.put(recursion=to_dict(recursion))

    def stages(self) -> dict[str, dict[str, Any]]:
        """What is told of each stage that is over, by its name, in the order of their ends."""
        found: dict[str, dict[str, Any]] = {}
        for row in self.events.read():
            if row["event"] == _STAGE:
                found.pop(row["stage"], None)
                if row["found"] is not None:
                    found[row["stage"]] = row["found"]
        return found

    def recorder(self, events: EventLog) -> Callable[[str, Mapping[str, Any]], None]:
        """What writes the record of each stage that has not this one; the log is read here alone.

        It takes the name of a stage, and what is told of it.
        """
        recorded = self.stages()

        def record(stage: str, found: Mapping[str, Any]) -> None:
            if recorded.get(stage) != found:
                recorded[stage] = dict(found)
                events.add(_STAGE, stage=stage, found=recorded[stage])

        return record

    def needing(self, stage: str) -> list[str]:
        """A stage and all that need what it gives, of those that have begun; nothing is changed.

        Args:
            stage: `first`, `leaf-K`, `leaf-K/level-I`, `leaf-K/level-I/labels` or `final`.

        Raises:
            RunError: There is no such stage.
        """
        begun = self._begun() | {stage_of(key) for key in self._finished()}
        known = sorted(begun | self.stages().keys(), key=_order)
        if stage not in {part for name in known for part in _parts(name)}:
            raise RunError(
                f"{self.path} has no stage {stage!r:.100}. It has {', '.join(known) or 'none'}."
            )
        return [name for name in known if depends_on(name, stage)]

    def forget(self, stage: str) -> list[str]:
        """Have a stage done again, with all that needs what it gives.

        Args:
            stage: As `needing` takes it.

        Returns:
            The stages that will be done again.

        Raises:
            RunError: There is no such stage.
        """
        again, events = self.needing(stage), self.events
        # First all is said to be open, then files go: what is said to be done has its files.
        for key in sorted(key for key in self._finished() if stage_of(key) in again):
            events.add("reopened", key=key)
        for name in again:
            events.add(_STAGE, stage=name, found=None)
        for name in again:
            leaf = self.path / name.split("/")[0]
            for file in ("labels.npz", "merged.npz"):
                leaf.joinpath(file).unlink(missing_ok=True)
            if name.endswith("/labels"):
                for file in ("labels.npz", CELL_FILE):
                    (self.path / name).parent.joinpath(file).unlink(missing_ok=True)
            else:
                shutil.rmtree(self.path / name, ignore_errors=True)
        return again

    def _finished(self) -> set[str]:
        """Keys of the items that were finished at some time."""
        return {row["key"] for row in self.events.read() if row["event"] == "finished"}

    def _begun(self) -> set[str]:
        """Stages of populations that have a folder."""
        files = self.path.rglob(POPULATION_FILE)
        return {str(file.parent.relative_to(self.path)) for file in files}


def stage_of(key: str) -> str:
    """The stage of an item: of a population, or of labels."""
    found = _KEY.match(key)
    assert found is not None
    return "/".join(part for part in found.groups() if part)


def _parts(stage: str) -> list[str]:
    """A stage and the leaf-run that it is of."""
    return [stage, stage.split("/")[0], "/".join(stage.split("/")[:2])]
