"""Runs of a study that wait for something which unweave, or this machine, does not have yet."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from unweave.data import DatasetSpec, parse_dataset
from unweave.errors import DataError, SpecError
from unweave.likelihoods import Likelihood
from unweave.nn import Architecture
from unweave.objectives import Method, Term
from unweave.presets import preset
from unweave.spec import Component, field_hints, members, parse_sum
from unweave.spec.hints import choices, element_hint, families
from unweave.studies.axes import Settings, combined
from unweave.studies.spec import Study
from unweave.training import Optimizer

__all__ = ["missing", "ready", "waits_for"]

_FAMILIES: Final[dict[str, tuple[type[Component], ...]]] = {
    "dataset": (DatasetSpec,),
    "objective": (Method, Term),
    "architecture": (Architecture,),
    "likelihood": (Likelihood,),
    "optimizer": (Optimizer,),
}


def ready(study: Study) -> tuple[Study, dict[str, int]]:
    """The part of a study that can be done now, and what the rest of it waits for.

    A run waits when a text of its settings names a component, or gives one a field, that is not
    there; or when the files of its dataset are neither here nor to be downloaded. A name that is
    misspelt waits, too, for nobody: this is meant for published studies, whose texts are known.

    Args:
        study: Any study.

    Returns:
        The study with the runs that wait for nothing (the same object where none waits, and one
        without any run where all do), and for each thing that is waited for the number of runs
        that wait for it. A run that waits for several things counts for each of them.

    Raises:
        SpecError: A text is wrong in another way.
    """
    known: dict[tuple[str, str], tuple[str, ...]] = {}

    def waiting(settings: Settings) -> tuple[str, ...]:
        return _of_settings(settings, known, files=True)

    counts: Counter[str] = Counter()
    kept: list[Settings] = []
    for settings in study.combinations():
        found = waiting(settings)
        counts.update(found)
        if not found:
            kept.append({name: settings[name] for name in study.varied if name in settings})
    if not counts:
        return study, {}
    # Mostly whole entries of an axis wait, and what is left is a grid again.
    axes = tuple(tuple(entry for entry in axis if not waiting(entry)) for axis in study.axes)
    if list(combined([list(axis) for axis in axes])) != kept:
        axes = (tuple(kept),)
    return replace(study, axes=axes), dict(sorted(counts.items()))


def waits_for(study: Study) -> tuple[str, ...]:
    """What runs of a study name that unweave does not have yet, in alphabetical order.

    Unlike `ready`, this does not depend on which files are on this machine.

    Raises:
        SpecError: A text is wrong in another way.
    """
    known: dict[tuple[str, str], tuple[str, ...]] = {}
    entries = [dict(study.settings), *(entry for axis in study.axes for entry in axis)]
    return tuple(
        sorted({name for entry in entries for name in _of_settings(entry, known, files=False)})
    )


def missing(text: str, *kinds: type[Component]) -> tuple[str, ...]:
    """What a text names that is not there, each once, in the order of the text.

    Args:
        text: One item or a sum.
        kinds: The families it should be of.

    Returns:
        Such as `architecture kim`, `method or term cvae`, `adam(decay)` for a field, or
        `adam(lr=plateau)` for a component in a field that takes none; empty where all is there.

    Raises:
        SpecError: The text is wrong in another way.
    """
    try:
        parse_sum(text, *kinds)
    except SpecError:
        try:
            tree = ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            tree = None
        found = () if tree is None else tuple(dict.fromkeys(_unknown(tree, kinds)))
        if not found:
            raise
        return found
    return ()


def _unknown(node: ast.expr, kinds: tuple[type[Component], ...]) -> Iterator[str]:
    """Names and fields in a sum, an item, or what is in one, that are not there."""
    if isinstance(node, ast.BinOp):
        yield from _unknown(node.left, kinds)
        yield from _unknown(node.right, kinds)
        return
    item = node.func if isinstance(node, ast.Call) else node
    if not isinstance(item, ast.Name):
        return
    known = {name: cls for family in kinds for name, cls in members(family).items()}
    cls = known.get(item.id)
    if cls is None:
        yield f"{' or '.join(family.family for family in kinds)} {item.id}"
    hints = {} if cls is None else field_hints(cls)
    for keyword in node.keywords if isinstance(node, ast.Call) else []:
        if cls is not None and keyword.arg not in hints:
            yield f"{item.id}({keyword.arg})"
        else:
            hint = hints.get(keyword.arg or "", Any)
            yield from _unknown_value(keyword.value, hint, f"{item.id}({keyword.arg}")


def _unknown_value(node: ast.expr, hint: Any, field: str) -> Iterator[str]:
    """The same in the value of a field, of which the hint says what it takes; Any for unknown."""
    if isinstance(node, ast.Tuple | ast.List):
        inner = Any if hint is Any else element_hint(hint)
        for element in node.elts:
            yield from _unknown_value(element, inner, field)
    elif hint is Any or (families(hint) and not _is_choice(node, hint)):
        # In what is not there itself, a name alone can be a choice, and is not looked at.
        if hint is not Any or isinstance(node, ast.Call):
            yield from _unknown(node, (Component,) if hint is Any else families(hint))
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield f"{field}={node.func.id})"


def _is_choice(node: ast.expr, hint: Any) -> bool:
    return isinstance(node, ast.Name) and node.id in choices(hint)


def _of_settings(
    settings: Mapping[str, Any], known: dict[tuple[str, str], tuple[str, ...]], *, files: bool
) -> tuple[str, ...]:
    """What settings wait for; `known` remembers it for each text."""
    if "preset" in settings:
        rest = {name: value for name, value in settings.items() if name != "preset"}
        settings = preset(settings["preset"]).overridden(rest)
    found: dict[str, None] = {}
    for name, kinds in _FAMILIES.items():
        text = settings.get(name)
        if isinstance(text, str):
            if (name, text) not in known:
                known[name, text] = missing(text, *kinds) or _files(name, text, files)
            found |= dict.fromkeys(known[name, text])
    return tuple(found)


def _files(name: str, text: str, files: bool) -> tuple[str, ...]:
    """The dataset's files, where they cannot be had."""
    if name != "dataset" or not files:
        return ()
    dataset = parse_dataset(text)
    try:
        dataset.check_loadable()
    except DataError:
        return (f"files of {dataset}",)
    return ()
