"""A population carried out: begun, or gone on with."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from unweave.errors import RunError
from unweave.execution import Limits, Rounds, drive
from unweave.population.asynchronous import Asynchronous
from unweave.population.folder import PopulationFolder, superfluous
from unweave.population.rounds import Outcome, evolve
from unweave.population.spec import Population
from unweave.population.stored import Members, storage_of
from unweave.population.table import Row, Task
from unweave.population.task import TASK
from unweave.rundir import LOCK, POPULATION_FILE
from unweave.spec import Component
from unweave.studies.running import Executor, check_not_worker, engine_of
from unweave.studies.storage import open_storage
from unweave.studies.task import write_marker
from unweave.tracking import read_trackers
from unweave.training import TrainConfig

__all__ = ["run_population"]

log = logging.getLogger("unweave")

Listener: TypeAlias = Callable[[Mapping[str, Any]], None]


def run_population(
    population: Population,
    out: str | Path,
    *,
    executor: Executor = "processes",
    workers: int | None = None,
    listener: Listener | None = None,
    limits: Limits | None = None,
    storage: str | None = None,
    **cluster: Any,
) -> tuple[PopulationFolder, Outcome]:
    """Carry out a population, or what is left of it.

    Everything that can be wrong is checked before the first member begins. The table of members
    is the same wherever they are trained, and whatever is killed on the way, unless the population
    is asynchronous. In a script, processes want the call below `if __name__ == "__main__":`.

    Args:
        population: What it is.
        out: Its folder; a population that is there is gone on with, if it is the same one or has
            fewer rounds.
        executor: Where the members are trained.
        workers: How many at once; None for as many as this machine has cores for.
        listener: Called with each event.
        limits: How often and how long a member's round is tried.
        storage: Where workers keep the runs of members, and from where finished ones come into the
            folder: an fsspec URL, such as `s3://BUCKET/FOLDER`. None for the one with which the
            population was begun; one without lies where all workers see its folder.
        **cluster: `address`, `cpus` and `gpus` for Ray, as `studies.engine_of` takes them.

    Returns:
        The folder, and how the population ended.

    Raises:
        SpecError: The population is wrong.
        RunError: The folder is in the way, or a member failed, or none has a score.
        DataError: The dataset cannot be had.
    """
    check_not_worker("run_population")
    # Those that UNWEAVE_TRACK names, which each worker would refuse by itself.
    read_trackers(None)
    population.check()
    folder = PopulationFolder(Path(out).absolute())
    check_folder(folder, population)
    limits = limits or Limits()
    engine = engine_of(
        executor,
        workers=workers,
        seconds=limits.seconds,
        threads=population.threads,
        task=TASK,
        **cluster,
    )
    if storage is not None:
        open_storage(storage)
    with folder.alone():
        check_folder(folder, population)
        folder.write(population)
        url = storage_of(folder.path, storage)
        members = None if url is None else Members(url, folder.path)
        if members is not None:
            engine = members.collecting(engine)
        events = folder.events
        if listener is not None:
            events.listeners.append(listener)

        record = folder.recorder(events)

        def after_round(rounds: Sequence[Sequence[Row]], why: str) -> None:
            record(rounds, why)
            if not population.asynchronous:
                discard(superfluous(rounds))

        def discard(tasks: Iterable[Task]) -> None:
            for task in tasks:
                if population.keep == "best":
                    folder.remove(task)
                if members is not None:
                    members.remove(task)

        known = _known(folder.path, url, executor)
        told: dict[str, Any] = {"after_round": after_round, "known": known}
        feed: Asynchronous | Rounds[Outcome]
        if population.asynchronous:
            feed = Asynchronous(population, folder.path, events, discard=discard, **told)
        else:
            feed = Rounds(evolve(population, folder.path, **told))
        drive(feed, engine, events, limits)
    return folder, feed.result


def _known(root: Path, url: str | None, executor: str) -> dict[str, str]:
    """What workers are told that may not see the folder of the population."""
    if url is not None:
        return {"root": str(root), "storage": url}
    return {"root": str(root), "marker": write_marker(root)} if executor == "ray" else {}


def check_folder(folder: PopulationFolder, population: Population) -> None:
    """Refuse a folder that is something else than this population; nothing is written.

    Raises:
        RunError: It is, or has another population.
    """
    path = folder.path
    if folder.exists:
        before = folder.population()
        if _apart_from_length(before) != _apart_from_length(population):
            raise RunError(
                f"{path} has another population than this one: {_difference(before, population)}. "
                "Give this one another --out."
            )
        done = len(folder.rounds())
        if population.rounds < done:
            raise RunError(
                f"{path} has {done} rounds already. Give as many or more, or another --out."
            )
    elif path.exists():
        known = (LOCK, "rounds", ".seen")
        strange = not path.is_dir() or any(
            entry.name not in known and not entry.match(f".{POPULATION_FILE}-*.tmp")
            for entry in path.iterdir()
        )
        if strange:
            raise RunError(
                f"{path} exists and is no population. Choose another folder with --out."
            )


def _apart_from_length(population: Population) -> Population:
    """A population but for its number of rounds, and what is kept."""
    return dataclasses.replace(population, rounds=1, keep="best")


def _difference(one: Component, other: Component) -> str:
    """The first field in which two populations, or what their members train, differ."""
    for field in dataclasses.fields(one):
        before, now = getattr(one, field.name), getattr(other, field.name)
        if before != now and field.name not in ("rounds", "keep"):
            if isinstance(before, TrainConfig):
                return _difference(before, now)
            return f"{field.name} is {_text(before)} there and {_text(now)} here"
    return "they differ"


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(str, value))})"
    return str(value)
