"""A training configuration from settings by path, such as `objective.beta` or `optimizer.lr`."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from unweave.errors import SpecError, nearest
from unweave.objectives import Objective
from unweave.presets import preset
from unweave.settings import make_config
from unweave.spec import Component, build, field_hints, parse
from unweave.spec.hints import choices, families, flat
from unweave.training import TrainConfig

__all__ = ["config_of"]


def config_of(settings: Mapping[str, Any]) -> TrainConfig:
    """The configuration that settings describe.

    Args:
        settings: Arguments of `unweave.train` by name, and `preset`; and fields of components by
            path: `objective.beta` is a field of the method, `objective.NAME.weight` of the term or
            method of that name, `dataset.grid` and `optimizer.lr` of those components, to any
            depth. Texts are read where a component is expected.

    Raises:
        SpecError: A name or a value is wrong, or something is missing, such as the run whose
            weights a preset goes on from.
    """
    plain = {path: value for path, value in settings.items() if "." not in path}
    if "preset" in plain:
        if not isinstance(plain["preset"], str):
            raise SpecError(f"preset takes the name of one, not {plain['preset']!r:.100}.")
        entry = preset(plain.pop("preset"))
        entry.check_start(plain)
        plain = entry.overridden(plain)
    for name in ("dataset", "objective"):
        if name not in plain:
            raise SpecError(
                f'A run has no {name}: write for instance {name} = "{_EXAMPLE[name]}".'
            )
    known = {field.name for field in dataclasses.fields(TrainConfig)} | {"epochs", "lr", "preset"}
    for name in plain:
        if name not in known:
            raise SpecError(f"There is no setting {name!r}. {nearest(name, known)}")
    plain = {name: _tupled(value) for name, value in plain.items()}
    config = make_config(plain.pop("dataset"), plain.pop("objective"), **plain)
    changed: dict[str, Any] = {}
    for path, value in settings.items():
        if "." in path:
            head, *rest = path.split(".")
            if head not in known:
                raise SpecError(f"There is no setting {path!r}. {nearest(head, known)}")
            before = changed.get(head, getattr(config, head, None))
            changed[head] = _replaced(before, rest, value, path)
    if not changed:
        return config
    form = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return build(TrainConfig, form | changed)


_EXAMPLE = {"dataset": "dsprites", "objective": "beta_tcvae(beta=6)"}


def _replaced(owner: Any, rest: list[str], value: Any, path: str) -> Any:
    """A component or an objective with one field of it, or of what is in it, replaced."""
    if isinstance(owner, Objective):
        return _in_objective(owner, rest, value, path)
    if not isinstance(owner, Component):
        raise SpecError(f"{path!r} leads nowhere: there is no component of which it is a field.")
    name, *deeper = rest
    fields = {field.name: getattr(owner, field.name) for field in dataclasses.fields(owner)}
    if name not in fields:
        raise SpecError(f"{path!r}: {owner.name} has no field {name!r}. {nearest(name, fields)}")
    if deeper:
        new = _replaced(fields[name], deeper, value, path)
    else:
        new = _read(value, field_hints(type(owner))[name])
    return build(type(owner), fields | {name: new})


def _in_objective(objective: Objective, rest: list[str], value: Any, path: str) -> Objective:
    """An objective with a field of one of its summands replaced."""
    items = list(objective.items)
    names = [item.name for item in items]
    if rest[0] in names and len(rest) > 1:
        place, rest = names.index(rest[0]), rest[1:]
    else:
        # Without a name it is the first summand that has such a field, mostly the method.
        having = [
            place
            for place, item in enumerate(items)
            if rest[0] in {field.name for field in dataclasses.fields(item)}
        ]
        if not having:
            known = [
                f"{item.name}.{field.name}" for item in items for field in dataclasses.fields(item)
            ]
            raise SpecError(
                f"{path!r}: {objective} has no field {rest[0]!r}. {nearest(rest[0], known)}"
            )
        place = having[0]
    items[place] = _replaced(items[place], rest, value, path)
    return Objective(tuple(items))


def _read(value: Any, hint: Any) -> Any:
    """A value as a field takes it: lists as tuples, texts of components read."""
    if isinstance(value, str) and families(hint):
        try:
            return parse(value, *families(hint))
        except SpecError:
            if not _takes_text(hint):
                raise
    return _tupled(value)


def _takes_text(hint: Any) -> bool:
    return str in flat(hint) or bool(choices(hint))


def _tupled(value: Any) -> Any:
    return tuple(_tupled(part) for part in value) if isinstance(value, list) else value
