"""What a run used, told from the files of its folder."""

from __future__ import annotations

__all__ = ["Used", "used_by_run", "used_by_settings", "used_by_study", "used_by_text"]

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, final

from unweave.citing.papers import NONE, PAPERS
from unweave.citing.sources import CODES, PROJECTS, PROTOCOLS, by_name
from unweave.errors import RunError, SpecError, nearest
from unweave.inventory import study_of
from unweave.rundir import RECURSION_FILE, is_run, read_document, read_json, read_study
from unweave.scores import load_scores

_OF_SCORES: Final = ("metric", "analysis")
_OF_POPULATIONS: Final = (
    "fitness", "prior", "exploit rule", "explore rule", "stop rule", "reduction",
)  # fmt: skip
# What a configuration of a training is made of.
_OF_TRAININGS: Final = tuple(
    family
    for family in dict.fromkeys([*PAPERS, *NONE])
    if family not in (*_OF_SCORES, *_OF_POPULATIONS)
)
_SCORED: Final = (*_OF_SCORES, "information estimator", "predictor", "probes")
_EVERY: Final = tuple(dict.fromkeys([*PAPERS, *NONE]))

_OTHERWISE: Final = (
    "Name the folder of a run, a study or a population; a preset; or a dataset, method, metric or "
    "their like as unweave data list, unweave objectives, unweave metrics and others list them."
)


@final
class Used:
    """What was used, and which entries it stands on, each told once and in order.

    Attributes:
        entries: Key of an entry -> what it is cited for, such as `metric mig`.
        without: What no paper is known of, such as `likelihood bernoulli`.
        versions: Versions of unweave.
    """

    def __init__(self) -> None:
        self.entries: dict[str, list[str]] = {}
        self.without: list[str] = []
        self.versions: list[str] = []

    def add(self, what: str, keys: tuple[str, ...] | None) -> None:
        """Note something that was used; without keys when no paper is known of it."""
        for key in keys or ():
            reasons = self.entries.setdefault(key, [])
            if what not in reasons:
                reasons.append(what)
        if not keys and what not in self.without:
            self.without.append(what)

    def component(self, name: str, families: tuple[str, ...]) -> bool:
        """Note the components of that name in these families; whether there are any."""
        found = [family for family in families if _known(family, name)]
        for family in found:
            self.add(f"{family} {name}", PAPERS.get(family, {}).get(name))
        return bool(found)

    def code(self, compat: str) -> None:
        """Note the published code that a component repeats."""
        if compat in CODES:
            self.add(f"compat {compat}", CODES[compat])

    def version(self, document: Mapping[str, Any]) -> None:
        """Note the version of unweave that a file is of."""
        version = document.get("unweave")
        if isinstance(version, str) and version not in self.versions:
            self.versions.append(version)


def used_by_run(folder: Path, used: Used) -> None:
    """Note what a run used: settings, terms, scores, its preset, and where it came from.

    Raises:
        RunError: Its files are damaged.
    """
    config = read_document(folder / "config.json")
    used.version(config)
    _walk({name: config.get(name) for name in _FIELDS}, used, _OF_TRAININGS)
    units = config.get("units")
    for term in units if isinstance(units, dict) else ():
        used.component(term, ("term",))
    if config.get("evaluate_every"):
        on_the_way = config.get("evaluate_metrics", ["mig"])
        for name in on_the_way if isinstance(on_the_way, list) else ():
            used.component(str(name), ("metric",))
    _preset(config.get("preset"), used)
    if (folder / "import.json").is_file():
        project = read_json(folder / "import.json").get("project")
        used.add(f"import from {project}", PROJECTS.get(str(project)))
    for row in load_scores(folder):
        _score(row, used)
    study = study_of(folder)
    if study is not None:
        _study(read_study(study), used, folder.name)
    _start(folder, config.get("init_from"), used)


# Fields of a configuration that hold components, in the order in which they are cited.
_FIELDS: Final = ("dataset", "objective", "architecture", "likelihood", "optimizer", "phases")


def used_by_study(folder: Path, used: Used) -> None:
    """Note what a study is, beside its runs: the publication that it repeats.

    Raises:
        RunError: Its file is damaged.
    """
    document = read_study(folder)
    used.version(document)
    _study(document, used)


def used_by_settings(file: Path, used: Used) -> None:
    """Note what a population or a recursion was asked for.

    Raises:
        RunError: The file is damaged.
    """
    document = read_document(file)
    used.version(document)
    if file.name == RECURSION_FILE:
        used.add("recursion", by_name("rpu"))
    for form in (document.get("population"), document.get("recursion")):
        if isinstance(form, dict):
            _walk(form, used, (*_OF_POPULATIONS, *_OF_TRAININGS))


def used_by_text(text: str, used: Used) -> None:
    """Note what a text names: components, a preset, a published study, or a protocol.

    Raises:
        SpecError: It names none of these.
    """
    if "/" in text and by_name(text) is not None:
        _preset(text, used)
        return
    if text in PROTOCOLS:
        used.add(f"protocol {text}", PROTOCOLS[text])
        return
    try:
        summands = _summands(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        summands = []
    names = [_name(node) for node in summands]
    if not names or None in names:
        raise SpecError(
            f"{text!r:.100} is no folder of a run, and no text of a component: name a run, or "
            "write for instance 'factor_vae(gamma=10)'."
        )
    for name in names:
        if not any(_known(family, str(name)) for family in _EVERY):
            known = {each for family in _EVERY for each in _names(family)}
            raise SpecError(
                f"There is no folder {text!r:.100}, and no component {name!r:.100}. "
                f"{nearest(str(name), [*known, *PROTOCOLS], _OTHERWISE)}"
            )
    _nodes(text, used, _EVERY)


def _known(family: str, name: str) -> bool:
    return name in PAPERS.get(family, {}) or name in NONE.get(family, ())


def _names(family: str) -> list[str]:
    return [*PAPERS.get(family, {}), *NONE.get(family, ())]


def _walk(form: Any, used: Used, families: tuple[str, ...]) -> None:
    """Note every component of a full form, outer ones first."""
    if isinstance(form, list):
        for value in form:
            _walk(value, used, families)
    if not isinstance(form, dict):
        return
    name = form.get("type")
    if isinstance(name, str):
        # Some names stand in several families, of which a place takes one: the first that fits.
        fitting = [family for family in families if _known(family, name)]
        if fitting:
            used.component(name, (fitting[0],))
    for field, value in form.items():
        if field == "compat" and isinstance(value, str):
            used.code(value)
        elif field in ("optimizer", "objective"):
            _walk(value, used, _OF_TRAININGS)
        else:
            _walk(value, used, families)


def _score(row: Mapping[str, Any], used: Used) -> None:
    """Note a row of `scores.json`: its metric with what stands in its text, protocol and data."""
    used.version(row)
    name, text = str(row.get("metric")), str(row.get("text"))
    if not used.component(name, _OF_SCORES):
        used.add(f"metric {name}", None)
    _nodes(text, used, _SCORED)
    protocol = str(row.get("protocol")).partition("/")[0]
    if PROTOCOLS.get(protocol):
        used.add(f"protocol {protocol}", PROTOCOLS[protocol])
    _nodes(str(row.get("data")), used, ("dataset",))


def _nodes(text: str, used: Used, families: tuple[str, ...]) -> None:
    """Note the components of a text, and what its fields `compat` repeat."""
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "compat":
            used.code(getattr(node.value, "id", getattr(node.value, "value", "")))
    for name in _named(tree):
        used.component(name, families)


def _named(node: ast.AST) -> Iterator[str]:
    """Names of what a text is made of, outer ones first; not those of published code."""
    if isinstance(node, ast.Call):
        yield str(_name(node))
        node = ast.Tuple([each.value for each in node.keywords if each.arg != "compat"])
    elif isinstance(node, ast.Name) and node.id != "none":
        yield node.id
    for child in ast.iter_child_nodes(node):
        yield from _named(child)


def _summands(node: ast.expr) -> list[ast.expr]:
    """The parts of a sum, from left to right."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return [*_summands(node.left), *_summands(node.right)]
    return [node]


def _name(node: ast.AST) -> str | None:
    inner = node.func if isinstance(node, ast.Call) else node
    return inner.id if isinstance(inner, ast.Name) else None


def _preset(name: Any, used: Used) -> None:
    if isinstance(name, str):
        used.add(f"settings of {name}", by_name(name))


def _study(document: Mapping[str, Any], used: Used, key: str | None = None) -> None:
    """Note the publication that a study repeats, and the presets that its runs are made of.

    Args:
        document: Content of `study.json`.
        used: Where it is noted.
        key: The one run that is asked for; None for all.
    """
    study = document["study"]
    name, about = str(study.get("name")), str(study.get("about"))
    source, _, rest = re.sub(r"-x[\d.e+-]+$", "", name).partition("-")
    published = f"{source}/{rest}"
    # Its own words say so, since anybody may give a study such a name.
    if " Source: " in about and by_name(published) is not None:
        used.add(f"study {name}", by_name(published))
    runs = [run for run in document["runs"] if run.get("key") == key]
    own = list(_presets([run.get("varied") for run in runs]))
    for preset in own or _presets(study):
        _preset(preset, used)


def _presets(form: Any) -> Iterator[Any]:
    """The values of all fields `preset`, at any depth."""
    if isinstance(form, dict):
        if "preset" in form:
            yield form["preset"]
        form = list(form.values())
    if isinstance(form, list):
        for value in form:
            yield from _presets(value)


def _start(folder: Path, origin: Any, used: Used) -> None:
    """Note what the run used whose weights this one began with, where it is still there."""
    # A run may have been trained anew from one that began with its earlier weights.
    seen = {folder.resolve()}
    while isinstance(origin, str):
        first = Path(origin)
        if not is_run(first) or first.resolve() in seen:
            return
        seen.add(first.resolve())
        try:
            config = read_document(first / "config.json")
        except RunError:
            return
        _walk({name: config.get(name) for name in _FIELDS[:3]}, used, _OF_TRAININGS)
        origin = config.get("init_from")
