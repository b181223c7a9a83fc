"""Small populations for tests, really trained."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from session.runs import folder_for_runs
from unweave.execution import Item
from unweave.population.fitness import parse_fitness
from unweave.population.folder import PopulationFolder
from unweave.population.priors import Choice, LogUniform
from unweave.population.rounds import Outcome
from unweave.population.running import run_population
from unweave.population.spec import Population
from unweave.population.tuned import Tuned
from unweave.settings import make_config

TESTS = Path(__file__).parents[1]
MINI = "dsprites(grid=(3, 2, 4, 4, 4))"
TUNED = (
    Tuned(path="optimizer.lr", prior=LogUniform(low=1e-4, high=1e-2)),
    Tuned(path="objective.beta", prior=LogUniform(low=1, high=20)),
)
TINY = {"batch_size": 8, "latents": 3, "threads": 1, "precision": "float32", "log_every": 5}


def config_of(objective: str = "beta_vae", dataset: str = MINI, **settings: Any):
    return make_config(dataset, objective, steps=1, **{**TINY, **settings})


def population_of(config: Any = None, **fields: Any) -> Population:
    """Four members, three rounds of five steps, ranked by MIG of 100 images with labels."""
    usual: dict[str, Any] = {
        "config": config or config_of(),
        "tuned": TUNED,
        "fitness": "mig(labels=100)",
        "members": 4,
        "rounds": 3,
        "metrics": ("mig",),
        "seed": 1,
    }
    if not {"steps", "images"} & fields.keys():
        usual["steps"] = 5
    given = usual | fields
    if isinstance(given["fitness"], str):
        given["fitness"] = parse_fitness(given["fitness"])
    return Population(**given)


# Of its first three members one has batches of 2 images, and takes 32 times as many steps.
UNEVEN = (Tuned(path="batch_size", prior=Choice(values=(2, 64))), TUNED[0])


def uneven() -> Population:
    """Members of which some take much longer than others, and none waits."""
    return population_of(
        tuned=UNEVEN, members=3, images=256, seed=18, asynchronous=True, keep="all"
    )


def table(outcome: Outcome) -> list[list[dict[str, Any]]]:
    """What each member did in each round, but for the time it took."""
    rounds = [[row.to_dict() for row in rows] for rows in outcome.rounds]
    for rows in rounds:
        for row in rows:
            del row["seconds"]
    return rounds


@functools.cache
def whole() -> tuple[Path, Outcome]:
    """The usual population, carried out serially; it is shared and must not be changed."""
    place = folder_for_runs() / "whole"
    folder, outcome = run_population(population_of(keep="all"), place, executor="serial")
    return folder.path, outcome


SCRIPT = """
import sys
from reference import populations
from unweave.population.running import run_population

if __name__ == "__main__":
    population = getattr(populations, sys.argv[4])()
    run_population(population, sys.argv[1], executor=sys.argv[2], workers=int(sys.argv[3]))
"""


def driver_of(tmp_path, place, executor="processes", workers=2, population="population_of"):
    """A driver in a process of its own."""
    script = tmp_path / "driver.py"
    script.write_text(SCRIPT)
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    command = [sys.executable, str(script), str(place), executor, str(workers), population]
    return subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)


def finished(place):
    """Keys of the items that have finished, by the log."""
    return [
        row["key"] for row in PopulationFolder(place).events.read() if row["event"] == "finished"
    ]


def move(monkeypatch, engine, place, nowhere):
    """Have workers see no folder at the path of the population, as on other machines."""
    real = engine.submit

    def submit(self, item):
        payload = json.dumps(item.payload).replace(str(place), str(nowhere))
        real(self, Item(item.key, json.loads(payload)))

    monkeypatch.setattr(engine, "submit", submit)
