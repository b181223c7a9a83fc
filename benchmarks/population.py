"""What a population of eight costs: two processes against one, and all that is not training.

Eight members are trained for three rounds on all of dSprites, ranked by MIG, three times: by two
processes of one thread each; one member after the other, with two threads; and by one process of
one thread, for its memory. Each is the command line in a process of its own, started anew.

- Images a second: all images of the population by the time from the start of the command to its
  end, with all rounds' scores and copies in it. Criterion: none is set; 1.3 times as many with two
  processes has been seen.
- Orchestration: the part of the workers' time that is neither training nor scoring. It holds the
  start of Python and PyTorch in all processes, planning, copies of weights, the event log, and
  waiting at the ends of rounds. Criterion: at most 5 %.
- Memory: the most of all processes together, where pages that they share count once. Criterion:
  two workers have at most 1.3 times that of one.

    python benchmarks/population.py --out DIR [--steps 600]

writes `benchmarks/results/population_cost.md`. Without --out it takes a few steps in a temporary
folder, to show that everything works, and writes nothing.
"""

from __future__ import annotations

__all__ = ["main", "measured", "table"]

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from _machine import circumstances
from _population.watched import Watched, watched

from unweave.data import parse_dataset
from unweave.errors import UnweaveError
from unweave.population import PopulationFolder
from unweave.rundir import atomic_write

ROOT = Path(__file__).resolve().parents[1]
MEMBERS = 8
ROUNDS = 3
MOST_ORCHESTRATION = 0.05
MOST_MEMORY = 1.3


@final
@dataclass(frozen=True)
class Way:
    """A way to carry the population out."""

    name: str
    words: tuple[str, ...]
    workers: int


WAYS = (
    Way("two processes of one thread", ("--executor", "processes", "--workers", "2"), 2),
    Way("one after the other, two threads", ("--executor", "serial", "--threads", "2"), 1),
    Way("one process of one thread", ("--executor", "processes", "--workers", "1"), 1),
)


@final
@dataclass(frozen=True)
class Measured:
    """What came of one of them."""

    way: Way
    watched: Watched
    images: int
    training: float
    scoring: float

    @property
    def rate(self) -> float:
        """Images a second, of the whole command."""
        return self.images / self.watched.seconds

    @property
    def orchestration(self) -> float:
        """Part of the workers' time that is neither training nor scoring."""
        spent = self.training + self.scoring
        return 1 - spent / (self.watched.seconds * self.way.workers)


def measured(data: str, steps: int, out: Path) -> list[Measured]:
    """The population in each of the ways."""
    parse_dataset(data).open()
    found = []
    for way in WAYS:
        place = out / way.name.replace(" ", "-").replace(",", "")
        words = ["population", "run", "--data", data, "--objective", "beta_tcvae"]
        words += ["--tune", "optimizer.lr=log_uniform(low=1e-4, high=1e-3)"]
        words += ["objective.beta=log_uniform(low=1, high=10)"]
        words += ["--fitness", "mig(labels=1000)", "--population", str(MEMBERS), "--rounds"]
        words += [str(ROUNDS), "--steps-per-round", str(steps), "--share", "0", "--seed", "0"]
        got = watched([*words, *way.words, "--out", str(place)])
        print(f"{way.name}: {got.seconds:.1f} s", flush=True)
        folder = PopulationFolder(place)
        spent = [
            row["result"]["spent"] for row in folder.events.read() if row["event"] == "finished"
        ]
        images = sum(row.images for rows in folder.rounds() for row in rows)
        training = sum(each["training"] for each in spent)
        scoring = sum(each["scoring"] for each in spent)
        found.append(Measured(way, got, images, training, scoring))
    return found


def table(found: Sequence[Measured]) -> str:
    """All of it, with what is asked for."""
    two, serial, one = found
    lines = [
        "| | seconds | images a second | training | scoring | orchestration | memory |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.way.name} | {each.watched.seconds:.1f} | {each.rate:,.0f} | "
        f"{each.training:.1f} s | {each.scoring:.1f} s | {100 * each.orchestration:.1f} % | "
        f"{each.watched.memory:,.0f} MB |"
        for each in found
    ]
    memory = two.watched.memory / one.watched.memory
    lines += [
        "",
        f"Two processes against one after the other: {two.rate / serial.rate:.2f} times as many "
        "images a second.",
        f"Orchestration with two processes: {100 * two.orchestration:.1f} %, "
        f"{_met(two.orchestration <= MOST_ORCHESTRATION)} at most "
        f"{100 * MOST_ORCHESTRATION:.0f} %.",
        f"Memory of two workers: {memory:.2f} times that of one, "
        f"{_met(memory <= MOST_MEMORY)} at most {MOST_MEMORY}.",
    ]
    return "\n".join(lines) + "\n"


def _met(met: bool) -> str:
    return "which meets" if met else "which misses"


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(description="Measure what a population costs.")
    parser.add_argument("--out", type=Path, help="folder of the populations, not there yet")
    parser.add_argument("--steps", type=int, default=600, help="optimiser steps of a round")
    options = parser.parse_args(given)
    try:
        if options.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print(table(measured("dsprites(grid=(3, 6, 4, 8, 8))", 3, Path(temporary))))
            return
        if options.out.exists():
            sys.exit(f"{options.out} exists; what is trained already is not timed. Name another.")
        found = measured("dsprites", options.steps, options.out.resolve())
    except UnweaveError as error:
        sys.exit(str(error))
    lines = ["# What a population of eight costs", ""]
    lines += [f"- {name}: {value}" for name, value in circumstances()]
    lines += [
        f"- population: {MEMBERS} members, {ROUNDS} rounds of {options.steps} steps of 64 images",
        "",
        table(found),
    ]
    with atomic_write(ROOT / "benchmarks" / "results" / "population_cost.md") as handle:
        handle.write("\n".join(lines).encode())
    print(table(found))


if __name__ == "__main__":
    main()
