"""How far a recursion has come: from its folder alone, while it is worked on and afterwards."""

from __future__ import annotations

__all__ = ["RecursionOverview", "StageState", "StageView", "survey", "told"]

import dataclasses
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

from unweave.execution import WorkClock, replay
from unweave.population.folder import PopulationFolder
from unweave.population.recursion.folder import RecursionFolder, stage_of
from unweave.population.rounds import best_of

StageState: TypeAlias = Literal["finished", "running", "waiting"]


@final
@dataclass(frozen=True)
class StageView:
    """A stage, as it is now.

    Attributes:
        name: Such as `first`, `leaf-1/level-0/labels`, `leaf-1/level-1`, `leaf-1/merged` or
            `final`.
        state: `running` where items of it are done or under way; `waiting` otherwise.
        needs: The stages whose results it takes.
        rounds: Rounds that are over, of a population.
        score: Best score so far, of a population.
        run: Run of the best member so far, of a population.
        found: What is told of a finished stage; empty before.
    """

    name: str
    state: StageState
    needs: tuple[str, ...]
    rounds: int | None = None
    score: float | None = None
    run: str | None = None
    found: Mapping[str, Any] = dataclasses.field(default_factory=dict)


@final
@dataclass(frozen=True)
class RecursionOverview:
    """A recursion as it is now.

    Attributes:
        folder: Where it lies.
        state: `running` while a driver is at work, `finished`, `stopped`, or `failed`.
        stages: Those that are known, in the order in which they are to be done.
        seconds: How long drivers have been at work, in all.
        error: Why the last driver ended, where it ended with an error.
    """

    folder: str
    state: Literal["running", "finished", "stopped", "failed"]
    stages: tuple[StageView, ...]
    seconds: float
    error: str

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        form = dataclasses.asdict(self)
        form["stages"] = [
            dict(vars(stage)) | {"needs": list(stage.needs)} for stage in self.stages
        ]
        return form | told({stage.name: stage.found for stage in self.stages if stage.found})


def survey(folder: RecursionFolder) -> RecursionOverview:
    """Look at a recursion; nothing is changed.

    Raises:
        RunError: There is none, or it is damaged.
    """
    recursion = folder.recursion()
    found = folder.stages()
    events = folder.events.read()
    items = replay(events)
    names = ["first"]
    for leaf in range(1, recursion.leaf_runs + 1):
        names.append(f"leaf-{leaf}/level-0/labels")
        for level in range(1, recursion.levels + 1):
            stage = f"leaf-{leaf}/level-{level}"
            if found.get(names[-1], {}).get("cell") is None:
                break
            names.append(stage)
            if stage not in found or "run" not in found[stage]:
                break
            names.append(f"{stage}/labels")
        if f"leaf-{leaf}/merged" in found:
            names.append(f"leaf-{leaf}/merged")
    names.append("final")
    if "final" in found:
        # What it has not taken is not waited for.
        names = [name for name in names if name in found]
    stages = tuple(_view(folder, name, found, items, names) for name in names)
    busy, clock = folder.busy, WorkClock()
    for event in events:
        clock.tell(event)
    if busy:
        state: Literal["running", "finished", "stopped", "failed"] = "running"
    elif "final" in found:
        state = "finished"
    else:
        state = "failed" if clock.error else "stopped"
    seconds = clock.seconds(time.time() if busy else None)
    error = "" if state == "finished" else clock.error
    return RecursionOverview(str(folder.path), state, stages, seconds, error)


def told(stages: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What came of a recursion: its labels, and the scores of its final model.

    Args:
        stages: What is told of each stage.

    Returns:
        `labels`: of each label its leaf-run, level, what `labelling.summary` says, and whether it
        was merged into another one; `scores` of the final model by metric, with true labels,
        empty where there are none; `best`, its run.
    """
    labels = []
    files: dict[str, int] = {}
    for name, found in stages.items():
        if name.endswith("/labels") and found.get("labels"):
            leaf, level, _ = name.split("/")
            place = files[leaf] = files.get(leaf, -1) + 1
            merged = stages.get(f"{leaf}/merged", {}).get("merged", [])
            where = {"leaf_run": _number(leaf), "level": _number(level)}
            labels += [
                {**where, **label, "merged": [place, column] in merged}
                for column, label in enumerate(found["labels"])
            ]
    final = stages.get("final", {})
    judged = final.get("judged") or {}
    scores = {name: score["value"] for name, score in judged.get("scores", {}).items()}
    return {"labels": labels, "scores": scores, "best": final.get("run")}


def _number(word: str) -> int:
    return int(word.rpartition("-")[2])


def _view(
    folder: RecursionFolder,
    name: str,
    found: Mapping[str, Mapping[str, Any]],
    items: Mapping[str, Any],
    names: list[str],
) -> StageView:
    begun = any(
        state.state in ("running", "finished")
        for key, state in items.items()
        if stage_of(key) == name
    )
    state: StageState = "finished" if name in found else "running" if begun else "waiting"
    needs = _needs(name, names)
    if name.endswith(("/labels", "/merged")):
        return StageView(name, state, needs, found=found.get(name, {}))
    rounds = PopulationFolder(folder.path / name).rounds()
    if not rounds:
        return StageView(name, state, needs, rounds=0, found=found.get(name, {}))
    best = best_of(rounds)
    run = str(PopulationFolder(folder.path / name).run_of(best))
    return StageView(name, state, needs, len(rounds), best.score, run, found.get(name, {}))


def _needs(name: str, names: list[str]) -> tuple[str, ...]:
    """The stages that come right before one."""
    if name == "first":
        return ()
    if name == "final":
        leaves = dict.fromkeys(each.split("/")[0] for each in names if each.startswith("leaf-"))
        last = tuple([n for n in names if n.split("/")[0] == leaf][-1] for leaf in leaves)
        return last or ("first",)
    leaf, level, *labels = name.split("/")
    if level == "merged":
        return (names[names.index(name) - 1],)
    if labels:
        return ("first",) if _number(level) == 0 else (f"{leaf}/{level}",)
    return (f"{leaf}/level-{_number(level) - 1}/labels",)
