"""The folder of a population: what was asked for, every event, and the runs of its members."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Final, final

from unweave.execution import DrivenFolder, EventLog
from unweave.population.rounds import RoundListener, best_of, member_folder
from unweave.population.spec import Population
from unweave.population.table import Row, Task
from unweave.population.task import model_folder
from unweave.rundir import POPULATION_FILE, work_lock
from unweave.spec import to_dict

__all__ = ["PopulationFolder", "superfluous"]

_ROUND: Final = "round"


@final
@dataclass(frozen=True)
class PopulationFolder(DrivenFolder):
    """A population on disk.

    `population.json` says what was asked for; `state.jsonl` is the event log, with one record a
    round; `rounds/NNN/mID/models/K` are the run folders.

    Attributes:
        path: The folder.
    """

    what: ClassVar[str] = "population"
    file: ClassVar[str] = POPULATION_FILE
    inside: ClassVar[str] = "rounds"
    hint: ClassVar[str] = "Look with 'unweave population status {path}', or stop it first."

    def population(self) -> Population:
        """The population, as it was last asked for.

        Raises:
            RunError: There is none here, or it is damaged.
        """
        return self.made("population", Population.from_dict)

    def write(self, population: Population) -> None:
        """Write down what is asked for.

        Raises:
            UnweaveError: The folder cannot be written.
        """
        self.put(population=to_dict(population))

    def rounds(self) -> list[list[Row]]:
        """What each member did in each round that is over, by the event log."""
        found: dict[int, list[Row]] = {}
        for event in self.events.read():
            if event["event"] == _ROUND:
                found[event["round"]] = [Row.from_dict(row) for row in event["rows"]]
        return [found[number] for number in sorted(found)]

    def recorder(self, events: EventLog) -> RoundListener:
        """What writes the record of each round that has none; the log is read here alone."""
        recorded = len(self.rounds())

        def record(rounds: Sequence[Sequence[Row]], why: str) -> None:
            nonlocal recorded
            if len(rounds) <= recorded:
                return
            recorded = len(rounds)
            best = best_of(rounds)
            events.add(
                _ROUND,
                round=recorded,
                rows=[row.to_dict() for row in rounds[-1]],
                best={"round": best.task.round, "member": best.member, "score": best.score},
                ended=why,
            )

        return record

    def run_of(self, row: Row) -> Path:
        """The run folder of a member's best model."""
        return model_folder(member_folder(self.path, row.task), row.best)

    def remove(self, task: Task) -> None:
        """Remove what a member has of a round."""
        place = member_folder(self.path, task)
        shutil.rmtree(place, ignore_errors=True)
        work_lock(place).unlink(missing_ok=True)
        # The others of the round may still be there.
        with contextlib.suppress(OSError):
            place.parent.rmdir()


def superfluous(rounds: Sequence[Sequence[Row]]) -> list[Task]:
    """What is neither of the last round nor the best member so far.

    Members of the round that comes next go on from those of the last one.
    """
    best = best_of(rounds).task
    tasks = [row.task for rows in rounds[:-1] for row in rows]
    return [task for task in tasks if (task.round, task.member) != (best.round, best.member)]
