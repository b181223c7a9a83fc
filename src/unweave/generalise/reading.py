"""What the folder of a run says of how it generalises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, final

from unweave.analysis import Analysis
from unweave.conditions import Split, split_of
from unweave.conditions.recovering import Recovered, recover
from unweave.errors import RunError, SpecError
from unweave.generalise.asking import DCI, REGIONS, Region, own_part
from unweave.metrics.protocols import DEFAULT, protocol
from unweave.objectives.kinds import Kind, kind_of
from unweave.rundir import read_state, read_status
from unweave.scores import load_scores
from unweave.session import read_config
from unweave.spec import members
from unweave.training import TrainConfig

__all__ = ["Found", "read_run"]

_BY_DEFINITION: Final = 1.0
"""Disentanglement of a decoder that is given true factors."""


@final
@dataclass(frozen=True, kw_only=True)
class Found:
    """How one run generalises, as far as it has been scored.

    Attributes:
        folder: The run.
        config: What was trained.
        recovered: What was held out, and of what.
        split: The images on either side.
        state: How far the training is.
        disentanglement: DCI with lasso of the images that were trained on; 1 of a decoder of
            true factors, by definition; None where it was not scored.
        metrics: Further metrics of the images that were trained on, by name.
        scores: Region -> name of the analysis -> its value, under the name `value`, and its parts.
        composition: Value and parts of the analysis of a composer; empty where there is none.
        maps: Region -> mean excess of reconstructions by combination of two factors, in the form
            of `Matrix.to_dict` with None for no image; of the regions of which it was scored.
    """

    folder: Path
    config: TrainConfig
    recovered: Recovered
    split: Split
    state: str
    disentanglement: float | None
    metrics: Mapping[str, float]
    scores: Mapping[Region, Mapping[str, Mapping[str, float]]]
    composition: Mapping[str, float]
    maps: Mapping[Region, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def kind(self) -> Kind:
        """What kind of model it is."""
        return kind_of(self.config.objective.expand())

    @property
    def condition(self) -> str:
        """Name of the condition, or its rule, with its modifier if it has one."""
        modifier = self.recovered.modifier
        name = self.recovered.condition.name
        return name if modifier is None else f"{name} of {modifier.name}"

    @property
    def scored(self) -> bool:
        """Whether anything is known of what was held out."""
        return bool(self.scores["held_out"] or self.composition)

    def number(self, region: Region, analysis: str, part: str = "value") -> float | None:
        """One number; None where it is not known.

        Args:
            region: Images like those that were trained on, or with what was held out.
            analysis: Name of the analysis or metric.
            part: Which part of its score.
        """
        return self.scores[region].get(analysis, {}).get(part)

    def gap(self, analysis: str, part: str = "value") -> float | None:
        """How much more it is of what was held out; None where one of both is not known."""
        inside, outside = (self.number(region, analysis, part) for region in REGIONS)
        return None if inside is None or outside is None else outside - inside

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        apart = self.config.dataset.count - self.config.num_train
        return {
            "run": str(self.folder),
            "dataset": str(self.recovered.data),
            "condition": self.condition,
            "kind": self.split.kind,
            "predicate": self.recovered.condition.held_out,
            "num_train": self.config.num_train,
            "num_in_distribution": apart or self.config.num_train,
            "num_held_out": len(self.split.held_out),
            "num_discarded": len(self.split.discarded),
            "objective": str(self.config.objective),
            "architecture": str(self.config.architecture),
            "seed": self.config.seed,
            "steps": self.config.steps,
            "state": self.state,
            "disentanglement": self.disentanglement,
            "metrics": dict(self.metrics),
            "regions": {
                region: {name: dict(parts) for name, parts in found.items()}
                for region, found in self.scores.items()
            },
            "gap": {
                name: {part: gap for part in parts if (gap := self.gap(name, part)) is not None}
                for name, parts in self.scores["held_out"].items()
            },
            "composition": dict(self.composition),
            "maps": {region: dict(found) for region, found in self.maps.items()},
        }


def read_run(folder: str | Path) -> Found:
    """Read how a run generalises from its configuration and its scores.

    Scores count if they are of the weights as they are, as `requests_of` asks for them.

    Raises:
        RunError: It is no run, or nothing was held out of what it was trained on.
    """
    folder = Path(folder)
    config = read_config(folder)
    try:
        recovered = recover(config.dataset)
    except SpecError as error:
        raise RunError(f"{folder}: {error}") from error
    data, modifier = recovered.data, recovered.modifier
    split = split_of(recovered.condition, data, modifier)
    # Of the weights as they are, with the seed that requests have.
    step = read_status(folder)["step"]
    rows = [
        row
        for row in load_scores(folder)
        if (row["step"], row["codes"], row["seed"]) == (step, "mean", 0)
    ]
    own = str(config.dataset)
    trained, apart = own_part(config), "holdout" if config.holdout else "all"
    inside = [row for row in rows if row["data"] == own]
    outside = [row for row in rows if row["data"] == recovered.held_out_text]
    kind = kind_of(config.objective.expand())
    dci = _scores(inside, DCI[0], trained).get(DCI[1], {})
    default = _scores(inside, DEFAULT, trained)
    seen, unseen = _scores(inside, DEFAULT, apart), _scores(outside, DEFAULT, "all")
    composition = _scores(inside, DEFAULT, "all").get("composition", {})
    # Composed images are nothing to compare with reconstructions.
    others = {"composition"}
    others |= {"reconstruction_nll", "factor_errors"} if kind == "composer" else set()
    known = (seen.keys() | unseen.keys()) & (set(members(Analysis)) - others)
    return Found(
        folder=folder,
        config=config,
        recovered=recovered,
        split=split,
        state=read_state(folder) or "",
        disentanglement=_BY_DEFINITION if kind == "decoder" else dci.get("value"),
        metrics={
            name: score["value"]
            for name, score in default.items()
            if name not in members(Analysis)
        },
        scores={
            "in_distribution": {name: seen[name] for name in sorted(known & seen.keys())},
            "held_out": {name: unseen[name] for name in sorted(known & unseen.keys())},
        },
        composition=composition,
        maps={} if kind == "composer" else _maps(inside, outside, apart),
    )


def _scores(
    rows: Sequence[Mapping[str, Any]], protocol_name: str, part: str
) -> dict[str, dict[str, float]]:
    """Values and parts of one protocol and one part of the images, by name; later rows count."""
    label = protocol(protocol_name).label
    return {
        row["metric"]: {"value": row["value"], **_with_placed(row["parts"])}
        for row in rows
        if (row["protocol"], row["part"]) == (label, part) and row["value"] is not None
    }


def _with_placed(parts: Mapping[str, float]) -> Mapping[str, float]:
    """Parts with `excess_placed`, which is a sum of two others, where a score was made without."""
    if "excess_placed" in parts or not {"recovered", "excess_swapped"} <= parts.keys():
        return parts
    return {**parts, "excess_placed": parts["recovered"] + parts["excess_swapped"]}


def _maps(
    inside: Sequence[Mapping[str, Any]], outside: Sequence[Mapping[str, Any]], apart: str
) -> dict[Region, Mapping[str, Any]]:
    """The newest table by values of factors of each region, where there is one."""
    label = protocol(DEFAULT).label
    found: dict[Region, Mapping[str, Any]] = {}
    for region, rows, part in zip(REGIONS, (inside, outside), (apart, "all"), strict=True):
        for row in rows:
            told = (row["metric"], row["protocol"], row["part"])
            matrix = row.get("matrix")
            if told == ("reconstruction_nll", label, part) and matrix and matrix.get("axes"):
                found[region] = matrix
    return found
