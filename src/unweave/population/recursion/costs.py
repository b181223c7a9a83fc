"""What a recursion would cost, said before anything is trained or written."""

from __future__ import annotations

__all__ = ["RecursionForecast", "forecast_recursion"]

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

from unweave.inventory import size_of
from unweave.population.costs import Forecast, Measured, forecast
from unweave.population.folder import PopulationFolder
from unweave.population.overview import survey
from unweave.population.recursion.folder import RecursionFolder
from unweave.population.recursion.spec import Recursion
from unweave.population.spec import Population
from unweave.progress import Progress
from unweave.studies.costs import free_bytes


@final
@dataclass(frozen=True)
class RecursionForecast:
    """What a recursion would cost at most, or what is left of it.

    Leaf-runs may end before their last level, and levels have fewer images than there are.

    Attributes:
        parts: What populations cost: `first`, `level` (each of a leaf-run), `final`; those that
            are over are left out.
        leaf_runs: How many leaf-runs there are.
        levels: How many levels each has at most.
        levels_left: How many of all these are not over.
        workers: How many members are trained at once.
        seconds_serial: What the trainings take one after the other, without scores and labels.
        seconds: What they take with so many workers; leaf-runs go on side by side.
        disk_bytes: What is kept in the end.
        disk_peak_bytes: What it takes at most while it is worked on.
        disk_taken_bytes: What of this is there already.
        free_bytes: What is free where it lies, or would.
    """

    parts: Mapping[str, Forecast]
    leaf_runs: int
    levels: int
    levels_left: int
    workers: int
    seconds_serial: float
    seconds: float
    disk_bytes: int
    disk_peak_bytes: int
    disk_taken_bytes: int
    free_bytes: int

    @property
    def fits(self) -> bool:
        """Whether the disk has room for what is not there yet."""
        return self.disk_peak_bytes - self.disk_taken_bytes <= self.free_bytes

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return asdict(self)


def forecast_recursion(
    recursion: Recursion,
    workers: int,
    progress: Progress | None = None,
    *,
    folder: RecursionFolder,
    again: Collection[str] = (),
    measured: Measured | None = None,
) -> RecursionForecast:
    """What is left of a recursion costs at most.

    Args:
        recursion: What it is.
        workers: How many members are trained at once.
        progress: Told how many batch sizes of each population are measured.
        folder: Where it lies, or would.
        again: Stages that are to be done again.
        measured: How long steps take, where that is known already.
    """
    stages = folder.stages() if folder.exists else {}
    over = {name: found for name, found in stages.items() if name not in again}

    def of(population: Population, name: str = "") -> Forecast:
        place = PopulationFolder(folder.path / name)
        begun = place.exists and name and name not in again
        return forecast(
            population,
            workers,
            progress,
            measured=measured,
            folder=folder.path,
            begun=survey(place, population) if begun else None,
        )

    parts: dict[str, Forecast] = {}
    left = [0 if "final" in over else _left(recursion, run, over)
            for run in range(1, recursion.leaf_runs + 1)]  # fmt: skip
    if "first" not in over:
        parts["first"] = of(recursion.first, "first")
    if any(left):
        parts["level"] = of(recursion.of_level(recursion.dataset, 1, 1))
    if "final" not in over:
        parts["final"] = of(recursion.final, "final")
    counts = {"level": sum(left)}
    serial = sum(counts.get(name, 1) * part.seconds_serial for name, part in parts.items())
    seconds = sum(part.seconds for name, part in parts.items() if name != "level")
    if "level" in parts:
        level = parts["level"]
        # Members of leaf-runs that go on side by side share the workers.
        seconds += max(sum(left) * level.seconds_serial / workers, max(left) * level.seconds)
    taken = size_of(folder.path).bytes if folder.exists else 0
    # What populations that are over have is there already.
    there = sum(part.disk_taken_bytes for part in parts.values())
    kept = taken - there + sum(counts.get(n, 1) * part.disk_bytes for n, part in parts.items())
    beside = [
        (sum(map(bool, left)) if name == "level" else 1) * (part.disk_peak_bytes - part.disk_bytes)
        for name, part in parts.items()
    ]
    return RecursionForecast(
        parts=parts,
        leaf_runs=recursion.leaf_runs,
        levels=recursion.levels,
        levels_left=sum(left),
        workers=workers,
        seconds_serial=serial,
        seconds=seconds,
        disk_bytes=kept,
        disk_peak_bytes=kept + max(beside, default=0),
        disk_taken_bytes=taken,
        free_bytes=free_bytes(folder.path),
    )


def _left(recursion: Recursion, run: int, over: Mapping[str, Mapping[str, Any]]) -> int:
    """How many levels a leaf-run has before it at most."""
    done = 0
    for level in range(recursion.levels + 1):
        stage = f"leaf-{run}/level-{level}"
        if level and stage in over:
            done += 1
            if "run" not in over[stage]:
                return 0
        if over.get(f"{stage}/labels", {}).get("why"):
            return 0
    return recursion.levels - done
