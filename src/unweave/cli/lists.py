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
    "describe",
    "text_of",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common

if TYPE_CHECKING:
    from unweave.spec import Component


def describe(family: type[Component]) -> list[dict[str, Any]]:
    """Name, sentence, fields with defaults and help of every member of a family."""
    import dataclasses
    import inspect

    from unweave.spec import field_hints, members, value_text

    rows = []
    for name, cls in members(family).items():
        hints = field_hints(cls)
        doc = inspect.getdoc(cls) or ""
        sources = [line.strip("| ") for line in doc.splitlines() if line.strip().startswith("|")]
        fields = [
            {
                "name": field.name,
                "default": None
                if field.default is dataclasses.MISSING
                else value_text(field.default, hints[field.name]),
                "required": field.default is dataclasses.MISSING,
                "help": field.metadata.get("help", ""),
            }
            for field in dataclasses.fields(cls)
        ]
        about = doc.split("\n\n")[0].replace("\n", " ")
        rows.append({"name": name, "about": about, "fields": fields, "source": " ".join(sources)})
    return rows


def text_of(rows: list[dict[str, Any]]) -> str:
    """What `describe` gives, as a list to read."""
    lines: list[str] = []
    for row in rows:
        lines += [row["name"], f"  {row['about']}"]
        for field in row["fields"]:
            value = "required" if field["required"] else field["default"]
            lines.append(f"    {field['name']}={value}   {field['help']}")
        if not row.get("encodes", True):
            lines.append("  Decodes only: for ground_truth_decoder, or as decode of a pair.")
        if row["source"]:
            lines.append(f"  Source: {row['source']}")
        if "range" in row:
            lines += _score_lines(row)
        lines.append("")
    return "\n".join(lines).rstrip()


def _score_lines(row: dict[str, Any]) -> list[str]:
    """What is said of a metric or an analysis alone."""
    lines = [
        f"  from {_range(row)}, {row['direction']} is better; needs {', '.join(row['needs'])}"
    ]
    if row["aliases"]:
        lines.append(f"  also called {', '.join(row['aliases'])}")
    lines.append(f"  takes {row['cost']}")
    lines += [f"  protocol {label}: {text}" for label, text in row["protocols"].items()]
    if row["opt_in"]:
        lines.append("  Scored only when it is asked for by name.")
    return lines


def _range(row: dict[str, Any]) -> str:
    return " to ".join("no limit" if end is None else f"{end:g}" for end in row["range"])


def _overview(rows: list[dict[str, Any]]) -> str:
    """One line for each metric or analysis."""
    width = max(len(row["name"]) for row in rows) + 2
    lines = [f"{'name':<{width}}{'range':<22}{'better':<8}{'scored':<13}needs"]
    lines += [
        f"{row['name']:<{width}}{_range(row):<22}{row['direction']:<8}"
        f"{'when named' if row['opt_in'] else 'by default':<13}{', '.join(row['needs'])}"
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
    return "more than about 2 s for 10,000 rows of 10 latents"


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


@dataclass(kw_only=True)
class Listing(Common):
    """What all lists have in common."""

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[NAME ...]", help_behavior_hint="")]
    ] = ()
    """Only these; all when no name is given."""

    def chosen(self, rows: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
        """The rows that are asked for.

        Raises:
            SpecError: One of the names is not among them.
        """
        from unweave.errors import SpecError, nearest

        known = [row["name"] for row in rows]
        for name in self.names:
            if name not in known:
                raise SpecError(f"Unknown {what} {name!r:.100}. {nearest(name, known)}")
        return [row for row in rows if not self.names or row["name"] in self.names]

    def emit_parts(self, parts: dict[str, list[dict[str, Any]]], what: str) -> None:
        """Print several lists, each under its name, of which all or some rows are asked for."""
        chosen = self.chosen([row for part in parts.values() for row in part], what)
        kept = {name: [row for row in part if row in chosen] for name, part in parts.items()}
        blocks = [
            f"{name.replace('_', ' ').upper()}\n\n{text_of(part)}"
            for name, part in kept.items()
            if part
        ]
        self.emit(kept, "\n\n".join(blocks))


@final
@dataclass(kw_only=True)
class Objectives(Listing):
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
class Architectures(Listing):
    """List architectures: encoders with decoders, and decoders alone."""

    def run(self) -> int:
        """Print the list."""
        from unweave.nn import Architecture
        from unweave.spec import members

        known = members(Architecture)
        rows = self.chosen(describe(Architecture), "architecture")
        for row in rows:
            row["encodes"] = known[row["name"]].encodes
        self.emit({"architectures": rows}, text_of(rows))
        return 0


@final
@dataclass(kw_only=True)
class Optimizers(Listing):
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
class Metrics(Listing):
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
        told = "\n".join(f"  {protocol['label']}: {protocol['about']}" for protocol in protocols)
        whole = f"{_overview(rows)}\n\n{text_of(rows)}\n\nPROTOCOLS\n\n{told}"
        self.emit(
            {"metrics": rows, "protocols": protocols}, text_of(rows) if self.names else whole
        )
        return 0


@final
@dataclass(kw_only=True)
class Presets(Listing):
    """List presets: published trainings, populations and recursions by name."""

    def run(self) -> int:
        """Print the list."""
        from unweave.population.presets import POPULATION_PRESETS
        from unweave.population.recursion.presets import RECURSION_PRESETS
        from unweave.presets import NUMBERED, PRESETS, preset

        chosen = [preset(name) for name in self.names] or list(PRESETS.values())
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
        for row in numbered:
            numbers = f"NUMBER is {row['first']} to {row['last']}"
            lines += [row["name"], f"  {row['about']}", f"  {numbers}; name one to see all of it."]
        result = {"presets": rows, "numbered": numbered}
        if not self.names:
            abouts = {name: each.about for name, each in POPULATION_PRESETS.items()}
            for key, command, found in (
                ("populations", "unweave population run --preset NAME", abouts),
                ("recursions", "unweave population recurse --preset NAME", RECURSION_PRESETS),
            ):
                result[key] = [{"name": n, "about": about} for n, about in found.items()]
                lines += ["", f"{key.upper()}: {command}", ""]
                lines += [line for n, about in found.items() for line in (n, f"  {about}")]
        self.emit(result, "\n".join(lines))
        return 0


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
