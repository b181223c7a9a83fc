"""A recursion carried out: begun, or gone on with."""

from __future__ import annotations

__all__ = ["check_folder", "do_again", "run_recursion"]

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from unweave.errors import RunError
from unweave.execution import EventLog, Limits, Rounds, drive
from unweave.population.folder import PopulationFolder, superfluous
from unweave.population.recursion.folder import RecursionFolder
from unweave.population.recursion.plan import RecursionOutcome, recurse
from unweave.population.recursion.spec import Recursion
from unweave.population.recursion.work import TASK
from unweave.population.rounds import RoundListener
from unweave.population.spec import Population
from unweave.population.table import Row
from unweave.rundir import LOCK, RECURSION_FILE
from unweave.studies.running import Executor, check_not_worker, engine_of
from unweave.studies.task import write_marker
from unweave.tracking import read_trackers

Listener: TypeAlias = Callable[[Mapping[str, Any]], None]


def run_recursion(
    recursion: Recursion,
    out: str | Path,
    *,
    executor: Executor = "processes",
    workers: int | None = None,
    listener: Listener | None = None,
    limits: Limits | None = None,
    **cluster: Any,
) -> tuple[RecursionFolder, RecursionOutcome]:
    """Carry out a recursion, or what is left of it.

    Leaf-runs go on side by side. What comes of it is the same wherever members are trained, and
    whatever is killed on the way. In a script, processes want the call below
    `if __name__ == "__main__":`.

    Args:
        recursion: What it is.
        out: Its folder; the same recursion that is there is gone on with. Workers on other
            machines must see it at the same path.
        executor: Where members are trained and images are labelled.
        workers: How many at once; None for as many as this machine has cores for.
        listener: Called with each event.
        limits: How often and how long an item is tried.
        **cluster: `address`, `cpus` and `gpus` for Ray, as `studies.engine_of` takes them.

    Returns:
        The folder, and how the recursion ended.

    Raises:
        SpecError: The recursion is wrong.
        RunError: The folder is in the way, an item failed, or no member has a score.
        DataError: The dataset cannot be had.
    """
    check_not_worker("run_recursion")
    # Those that UNWEAVE_TRACK names, which each worker would refuse by itself.
    read_trackers(None)
    recursion.check()
    folder = RecursionFolder(Path(out).absolute())
    check_folder(folder, recursion)
    limits = limits or Limits()
    threads = max(p.threads for p in (recursion.first, recursion.leaf, recursion.final))
    engine = engine_of(
        executor, workers=workers, seconds=limits.seconds, threads=threads, task=TASK, **cluster
    )
    with folder.alone():
        check_folder(folder, recursion)
        folder.write(recursion)
        events = folder.events
        if listener is not None:
            events.listeners.append(listener)
        known = {"root": str(folder.path)}
        if executor == "ray":
            known["marker"] = write_marker(folder.path)
        feed = Rounds(recurse(recursion, folder.path, _Keeper(folder, events), known))
        drive(feed, engine, events, limits)
    return folder, feed.result


def do_again(recursion: Recursion, out: str | Path, stage: str) -> list[str]:
    """Have a stage of a recursion done again, with all that needs it, by the next `run_recursion`.

    Args:
        recursion: What it is.
        out: Its folder.
        stage: Such as `first`, `leaf-1`, `leaf-1/level-2` or `final`.

    Returns:
        The stages that will be done again.

    Raises:
        SpecError: The recursion is wrong.
        RunError: There is no such recursion or stage, or a driver is at work on it.
    """
    recursion.check()
    folder = RecursionFolder(Path(out).absolute())
    check_folder(folder, recursion)
    # A lock would make the folder.
    folder.recursion()
    with folder.alone():
        return folder.forget(stage)


class _Keeper:
    """Writes down what the populations of a recursion do, and keeps their folders small."""

    def __init__(self, folder: RecursionFolder, events: EventLog) -> None:
        self._record = folder.recorder(events)

    def begins(self, stage: str, population: Population, folder: Path) -> RoundListener:
        place = PopulationFolder(folder)
        (folder / "rounds").mkdir(parents=True, exist_ok=True)
        place.write(population)
        record = place.recorder(place.events)

        def after_round(rounds: Sequence[Sequence[Row]], why: str) -> None:
            record(rounds, why)
            if population.keep == "best":
                for task in superfluous(rounds):
                    place.remove(task)

        return after_round

    def ended(self, stage: str, found: Mapping[str, Any]) -> None:
        self._record(stage, found)


def check_folder(folder: RecursionFolder, recursion: Recursion) -> None:
    """Refuse a folder that is something else than this recursion; nothing is written.

    Raises:
        RunError: It is, or has another recursion.
    """
    path = folder.path
    if folder.exists:
        before = folder.recursion()
        if before != recursion:
            raise RunError(
                f"{path} has another recursion than this one: {_difference(before, recursion)}. "
                "Give this one another --out."
            )
    elif path.exists() and (
        not path.is_dir()
        or any(
            entry.name not in (LOCK, ".seen") and not entry.match(f".{RECURSION_FILE}-*.tmp")
            for entry in path.iterdir()
        )
    ):
        raise RunError(f"{path} exists and is no recursion. Choose another folder with --out.")


def _difference(one: Recursion, other: Recursion) -> str:
    """The first field in which two recursions differ, in words."""
    for field in dataclasses.fields(one):
        before, now = getattr(one, field.name), getattr(other, field.name)
        if before == now:
            continue
        if isinstance(before, Population):
            for inner in dataclasses.fields(before):
                a, b = getattr(before, inner.name), getattr(now, inner.name)
                if a != b:
                    return f"{inner.name} of the {field.name} population differs"
        return f"{field.name} is {before} there and {now} here"
    return "they differ"
