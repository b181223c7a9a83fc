"""`unweave objectives`, `architectures`, `optimizers`, `metrics` and the like: what there is."""

from __future__ import annotations

__all__ = [
    "Architectures",
    "Listing",
    "Metrics",
    "Objectives",
    "Optimizers",
    "Presets",
    "StudyList",
]

from dataclasses import dataclass
from typing import Any, final

from unweave.cli.listing import Listing, Long, describe, lines_of, range_of, text_of


def _overview(rows: list[dict[str, Any]]) -> str:
    """One line for each metric or analysis."""
    width = max(len(row["name"]) for row in rows) + 2
    lines = [f"{'name':<{width}}{'range':<21}{'better':<7}{'scored':<11}needs"]
    lines += [
        f"{row['name']:<{width}}{range_of(row):<21}{row['direction']:<7}"
        f"{'when named' if row['opt_in'] else 'by default':<11}{', '.join(row['needs'])}"
        for row in rows
    ]
    return "\n".join(lines)


def _cost(cls: type[Any]) -> str:
    """How long scoring takes, as far as it can be said without a table."""
    from unweave.metrics import Metric

    if not issubclass(cls, Metric):
        return f"a pass of {_passed(cls)} through the model"
    if not cls.opt_in:
        return "at most about 2 s for 10,000 rows of 10 latents"
    if cls.cost is not Metric.cost:
        return "seconds to hours, said before it begins"
    return "a few seconds"


def _passed(cls: type[Any]) -> str:
    """What an analysis at its defaults takes through the model."""
    triplets = getattr(cls, "triplets", None)
    if triplets is not None:
        return f"{triplets:,} triplets at most of each regime"
    most = getattr(cls, "images", None)
    if most is None:
        return "all images"
    trained = getattr(cls, "train_images", None)
    beside = f", and {trained:,} that were trained on," if trained else ""
    return f"{most:,} images at most{beside}"


@final
@dataclass(kw_only=True)
class Objectives(Long):
    """List methods and terms, and their kernels, label losses and labellers, with sources."""

    def run(self) -> int:
        """Print the list."""
        from unweave.data.samplers import Labeller
        from unweave.objectives import Kernel, LabelLoss, Method, Term

        families = {
            "methods": Method,
            "terms": Term,
            "kernels": Kernel,
            "label_losses": LabelLoss,
            "labellers": Labeller,
        }
        parts = {name: describe(family) for name, family in families.items()}
        self.emit_parts(parts, "method or term")
        return 0


@final
@dataclass(kw_only=True)
class Architectures(Long):
    """List architectures: encoders with decoders, and decoders alone."""

    def run(self) -> int:
        """Print the list."""
        from unweave.nn import Architecture
        from unweave.spec import members

        known = members(Architecture)
        rows = self.chosen(describe(Architecture), "architecture")
        for row in rows:
            row["encodes"] = known[row["name"]].encodes
        write = text_of if self.whole else lines_of
        self.emit({"architectures": rows}, "\n\n".join([write(rows), *self.hint()]))
        return 0


@final
@dataclass(kw_only=True)
class Optimizers(Long):
    """List optimisers, learning rates that change, and schedules of weights."""

    def run(self) -> int:
        """Print the list."""
        from unweave.schedules import Schedule
        from unweave.training import LearningRate, Optimizer

        parts = {
            "optimizers": describe(Optimizer),
            "learning_rates": describe(LearningRate),
            "schedules": describe(Schedule),
        }
        self.emit_parts(parts, "optimizer, learning rate or schedule")
        return 0


@final
@dataclass(kw_only=True)
class Metrics(Long):
    """List metrics and analyses: range, direction, needs, source, cost and protocols.

    UDR compares several runs: see `unweave rank --help`.
    """

    def run(self) -> int:
        """Print the list."""
        from unweave.analysis import Analysis, analyses_of
        from unweave.metrics import PROTOCOLS, Metric
        from unweave.spec import members

        rows = describe(Metric) + describe(Analysis)
        classes: dict[str, type[Metric] | type[Analysis]] = {
            **members(Metric),
            **members(Analysis),
        }
        for row in rows:
            cls = classes[row["name"]]
            row["family"] = cls.family
            row["range"] = list(cls.bounds)
            row["higher_is_better"] = cls.higher_is_better
            row["direction"] = "higher" if cls.higher_is_better else "lower"
            row["aliases"] = list(getattr(cls, "aliases", ()))
            row["cost"] = _cost(cls)
            row["needs"] = list(cls.needs)
            row["source"] = cls.source
            # Every analysis is.
            row["opt_in"] = not issubclass(cls, Metric) or cls.opt_in
            row["protocols"] = {
                protocol.label: str(component)
                for protocol in PROTOCOLS.values()
                for component in (*protocol.metrics, *analyses_of(protocol))
                if component.name == row["name"]
            }
        by_alias = {alias: row["name"] for row in rows for alias in row["aliases"]}
        self.names = tuple(by_alias.get(name, name) for name in self.names)
        rows = self.chosen(rows, "metric or analysis")
        protocols = [
            {"name": protocol.name, "label": protocol.label, "about": protocol.about}
            for protocol in PROTOCOLS.values()
        ]
        told = lines_of([{**each, "name": each["label"]} for each in protocols])
        blocks = [text_of(rows)]
        if not self.names:
            each = blocks if self.full else []
            blocks = [_overview(rows), *each, f"PROTOCOLS\n\n{told}", *self.hint()]
        self.emit({"metrics": rows, "protocols": protocols}, "\n\n".join(blocks))
        return 0


@final
@dataclass(kw_only=True)
class Presets(Long):
    """List presets: published trainings, populations and recursions by name.

    The name of a source, such as disvae, stands for all of its presets. `unweave train --preset
    NAME` trains one, and `unweave train --preset NAME --dry-run` says how long that takes.
    """

    def run(self) -> int:
        """Print the list."""
        from unweave.cli.population_lists import is_one, preset_lines, preset_rows, wrapped
        from unweave.presets import NUMBERED, PRESETS, presets_of

        others = [name for name in self.names if is_one(name)]
        trainings = [name for name in self.names if name not in others]
        named = {each.name: each for name in trainings for each in presets_of(name)}
        chosen = list((named if self.names else PRESETS).values())
        rows: list[dict[str, Any]] = [
            {
                "name": each.name,
                "about": each.about,
                "dataset": each.dataset,
                "objective": each.objective,
                "settings": dict(each.settings),
                "after": each.after,
                "scoring": [
                    {
                        "protocol": asked.protocol,
                        "metrics": None if asked.metrics is None else list(asked.metrics),
                        "data": asked.data,
                        "command": asked.command,
                    }
                    for asked in each.scoring
                ],
            }
            for each in chosen
        ]
        numbered: list[dict[str, Any]] = [
            {"name": each.name, "about": each.about, "first": 0, "last": each.count - 1}
            for each in ([] if self.names else NUMBERED.values())
        ]
        lines = [line for row in rows for line in _preset_lines(row)]
        if not self.whole:
            lines = _by_source([row["name"] for row in rows])
        for row in numbered:
            numbers = f"NUMBER is {row['first']} to {row['last']}"
            lines += [row["name"], *wrapped(row["about"])]
            lines.append(f"  {numbers}; name one to see all of it.")
        result: dict[str, Any] = {"presets": rows, "numbered": numbered}
        if others or not self.names:
            further = preset_rows(others)
            result |= further
            lines += preset_lines(further)[0 if lines else 1 :]
        self.emit(result, "\n".join([*lines, *([] if self.whole else ["", *self.hint()])]))
        return 0

    def hint(self) -> list[str]:
        """How to see more, where only names are said."""
        if self.whole:
            return []
        return ["What one trains: unweave presets NAME; all of a source: unweave presets disvae."]


def _by_source(names: list[str]) -> list[str]:
    """Names of presets under the sources that they begin with, in columns."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.partition("/")[0], []).append(name)
    lines = []
    for source, own in groups.items():
        count = "one preset" if len(own) == 1 else f"{len(own)} presets"
        width = max(map(len, own)) + 2
        text = "".join(f"{name:<{width}}" for name in own)
        columns = max(1, 78 // width)
        body = [text[at : at + columns * width] for at in range(0, len(text), columns * width)]
        lines += [f"{source}: {count}", *(f"  {row.rstrip()}" for row in body), ""]
    return lines


def _preset_lines(row: dict[str, Any]) -> list[str]:
    """A preset in a few lines."""
    lines = [
        row["name"],
        f"  {row['about']}",
        f"  {row['dataset']}  {row['objective']}  "
        + ", ".join(f"{key}={value}" for key, value in row["settings"].items()),
    ]
    if row["after"] is not None:
        lines.append(
            f"  Goes on from the weights of {row['after']}: train that first, and give its run "
            "as --init-from."
        )
    return [*lines, *(f"  Scored by: {asked['command']}" for asked in row["scoring"])]


@final
@dataclass(kw_only=True)
class StudyList(Listing):
    """List studies by name, how many of their runs can be done, and what the others wait for."""

    def run(self) -> int:
        """Print the list."""
        from unweave.cli.named_studies import named_studies, named_study, scales_of
        from unweave.studies.published import ready

        chosen = [named_study(name) for name in self.names] or named_studies()
        rows: list[dict[str, Any]] = []
        for each in chosen:
            study = each.study()
            part, waiting = ready(study)
            rows.append(
                {
                    "name": each.name,
                    "about": each.about,
                    "source": each.source,
                    "runs": each.runs,
                    "ready": len(part.combinations()),
                    "waiting": waiting,
                    "settings": dict(study.settings),
                    "varied": list(study.varied),
                    "scales": list(scales_of(each)),
                }
            )
        self.emit({"studies": rows}, "\n\n".join(map(_study_text, rows)))
        return 0


def _study_text(row: dict[str, Any]) -> str:
    """A study in a few lines."""
    runs = "one run" if row["runs"] == 1 else f"{row['runs']:,} runs"
    done = "all can be done" if row["ready"] == row["runs"] else f"{row['ready']:,} can be done"
    waits = [f"{count:,} for {what}" for what, count in row["waiting"].items()]
    lines = [f"{row['name']}: {runs}, {done}", f"  {row['about']}", f"  Source: {row['source']}."]
    if row["scales"]:
        lines.append(f"  Scales: {', '.join(row['scales'])}, or a number.")
    return "\n".join([*lines, *([f"  Waiting: {'; '.join(waits)}."] if waits else [])])
