"""A recursion as a plan: the first population, leaf-runs side by side, the final population."""

from __future__ import annotations

__all__ = ["LeafRun", "LevelFound", "Observer", "RecursionOutcome", "recurse"]

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, final

from unweave import spec
from unweave.data.views.listed import Listed
from unweave.errors import RunError, SpecError
from unweave.execution import Item, Plan, together
from unweave.population.folder import PopulationFolder
from unweave.population.recursion.folder import CELL_FILE
from unweave.population.recursion.labelling import pack
from unweave.population.recursion.merging import Merged, merge_labels
from unweave.population.recursion.spec import Recursion
from unweave.population.rounds import NoScoreError, Outcome, RoundListener, evolve
from unweave.population.spec import Population
from unweave.population.stop import Hopeless
from unweave.population.surrogate_labels import read_labels, write_labels
from unweave.population.table import ranked


class Observer(Protocol):
    """What is told of the populations of a recursion."""

    def begins(self, stage: str, population: Population, folder: Path) -> RoundListener:
        """A population begins, or is gone on with; what it returns is told of each round."""

    def ended(self, stage: str, found: Mapping[str, Any]) -> None:
        """A stage is over."""


@final
@dataclass(frozen=True)
class LevelFound:
    """A level of a leaf-run.

    Attributes:
        number: From 0, that of all images.
        population: How it was learned; None of level 0, whose model is the first population's.
        found: What `labelling.label` says; None where nothing was labelled.
        why: Why there is no further level; empty where there is one.
    """

    number: int
    population: Outcome | None
    found: Mapping[str, Any] | None
    why: str


@final
@dataclass(frozen=True)
class LeafRun:
    """A leaf-run.

    Attributes:
        number: From 1.
        levels: From level 0 on.
        file: Its labels; None where there are none.
        merged: Labels that are left out, since others say the same.
    """

    number: int
    levels: tuple[LevelFound, ...]
    file: Path | None
    merged: tuple[Merged, ...] = ()


@final
@dataclass(frozen=True)
class RecursionOutcome:
    """How a recursion ended.

    Attributes:
        first: The first population.
        leaves: The leaf-runs.
        final: The final population; None where no leaf-run has labels.
        why: Why there is no final population; empty where there is one.
    """

    first: Outcome
    leaves: tuple[LeafRun, ...]
    final: Outcome | None
    why: str


def recurse(
    recursion: Recursion, folder: Path, observer: Observer, known: Mapping[str, Any]
) -> Plan[RecursionOutcome]:
    """All of a recursion.

    Args:
        recursion: What it is.
        folder: Its folder.
        observer: Told of populations and stages.
        known: Further fields of each payload.

    Raises:
        RunError: An item failed for good, or no member of the first or of the final population
            has a score.
    """
    first = yield from _population(recursion.first, folder, "first", observer, known)
    if _is_hopeless(recursion.first, first):
        why = f"the models of the first population do not agree: {first.why}"
        observer.ended("final", {"why": why})
        return RecursionOutcome(first, (), None, why)
    model = PopulationFolder(folder / "first").run_of(first.best)
    leaves = yield from together(
        *(
            _leaf_run(recursion, folder, number, model, observer, known)
            for number in range(1, recursion.leaf_runs + 1)
        )
    )
    leaves = tuple(_merged(recursion, leaf) for leaf in leaves)
    for leaf in leaves:
        merged = [[each.label.level, each.label.column] for each in leaf.merged]
        observer.ended(f"leaf-{leaf.number}/merged", {"merged": merged})
    files = tuple(str(leaf.file) for leaf in leaves if leaf.file is not None)
    if not files:
        why = "no leaf-run has labels, so that nothing ranks a final population"
        observer.ended("final", {"why": why})
        return RecursionOutcome(first, leaves, None, why)
    population = recursion.of_labels(files)
    final = yield from _population(population, folder, "final", observer, known)
    return RecursionOutcome(first, leaves, final, "")


def _population(
    population: Population,
    folder: Path,
    stage: str,
    observer: Observer,
    known: Mapping[str, Any],
) -> Plan[Outcome]:
    """A population that is a stage of its own."""
    place = folder / stage
    listener = observer.begins(stage, population, place)
    prefix = f"{stage.replace('/', '-')}-"
    outcome = yield from evolve(
        population, place, prefix=prefix, after_round=listener, known=known
    )
    best = outcome.best
    told = {
        "rounds": len(outcome.rounds),
        "why": outcome.why,
        "score": best.score,
        "hyper": dict(best.task.hyper),
        "run": str(PopulationFolder(place).run_of(best)),
        "judged": outcome.judged,
    }
    observer.ended(stage, told)
    return outcome


def _leaf_run(
    recursion: Recursion,
    folder: Path,
    number: int,
    model: Path,
    observer: Observer,
    known: Mapping[str, Any],
) -> Plan[LeafRun]:
    """One way down: label, choose a cell, learn what is left in it, and again."""
    name = f"leaf-{number}"
    whole = recursion.dataset
    rows: str | None = None
    outcome: Outcome | None = None
    levels: list[LevelFound] = []
    for level in range(recursion.levels + 1):
        stage = f"{name}/level-{level}"
        if level:
            cell = levels[-1].found["cell"] if levels[-1].found else None
            assert cell is not None
            # Where it lies now: the folder may have been moved since.
            rows = str(folder / name / f"level-{level - 1}" / CELL_FILE)
            data = Listed(data=whole, file=rows, digest=cell["digest"])
            try:
                population = recursion.of_level(data, number, level)
                outcome = yield from _population(population, folder, stage, observer, known)
            except (NoScoreError, SpecError) as error:
                levels.append(LevelFound(level, None, None, str(error)))
                observer.ended(stage, {"why": str(error)})
                break
            model = PopulationFolder(folder / stage).run_of(outcome.best)
            if _is_hopeless(population, outcome):
                levels.append(LevelFound(level, outcome, None, outcome.why))
                observer.ended(f"{stage}/labels", {"labels": [], "cell": None, "why": outcome.why})
                break
        found = yield from _label(recursion, folder, stage, model, rows, level, number, known)
        why = found["why"]
        if not why and level == recursion.levels:
            why = f"there are {recursion.levels} levels at most"
        levels.append(LevelFound(level, outcome, found, why))
        observer.ended(f"{stage}/labels", {**found, "why": why})
        if why:
            break
    file = folder / name / "labels.npz"
    places = [folder / name / f"level-{each.number}" for each in levels]
    labelled = [
        place / "labels.npz"
        for place, each in zip(places, levels, strict=True)
        if each.found is not None and each.found["labels"]
    ]
    if not labelled:
        return LeafRun(number, tuple(levels), None)
    if not file.is_file():
        pack(labelled, file, whole, {"leaf_run": number, "reduction": str(recursion.reduction)})
    return LeafRun(number, tuple(levels), file)


def _is_hopeless(population: Population, outcome: Outcome) -> bool:
    """Whether it ended because its models do not agree: what they have learned says nothing."""
    bests = [ranked(rows)[0].score for rows in outcome.rounds]
    return any(isinstance(rule, Hopeless) and rule.ends(bests) for rule in population.stop)


def _label(
    recursion: Recursion,
    folder: Path,
    stage: str,
    model: Path,
    rows: str | None,
    level: int,
    number: int,
    known: Mapping[str, Any],
) -> Plan[Mapping[str, Any]]:
    key = f"{stage.replace('/', '-')}-labels"
    models = (recursion.leaf if level else recursion.first).models
    payload = {
        "do": "label",
        "dataset": spec.to_dict(recursion.dataset),
        "reduction": spec.to_dict(recursion.reduction),
        "run": str(model),
        "siblings": [str(model.with_name(str(k))) for k in range(models) if str(k) != model.name],
        "rows": rows,
        "folder": str(folder / stage),
        "level": level,
        "rank": number - 1,
    }
    ends = yield [Item(key, payload | dict(known))]
    end = ends[key]
    if end.state != "finished" or end.result is None:
        raise RunError(
            f"Labelling {stage} failed: {end.message} The recursion stands as it is; mend that, "
            "and give the same command again to go on."
        )
    result: Mapping[str, Any] = end.result
    return result


def _merged(recursion: Recursion, leaf: LeafRun) -> LeafRun:
    """A leaf-run whose file has no labels that say what others of it say.

    Labels of different leaf-runs are not compared: they are to agree, each file by itself.
    """
    if recursion.merge is None or leaf.file is None:
        return leaf
    labels = read_labels(leaf.file, size=recursion.dataset.count, dataset=str(recursion.dataset))
    merging = merge_labels([labels], threshold=recursion.merge)
    place = leaf.file.with_name("merged.npz")
    if not place.is_file():
        write_labels(place, merging.apply([labels])[0])
    return dataclasses.replace(leaf, file=place, merged=merging.merged)
