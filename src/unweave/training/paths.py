"""Fields of components within components, by path, such as `objective.beta`."""

from __future__ import annotations

__all__ = ["read_value", "replaced", "tupled", "value_at"]

import dataclasses
from typing import Any

from unweave.errors import SpecError, nearest
from unweave.objectives import Objective
from unweave.spec import Component, build, field_hints, parse
from unweave.spec.hints import choices, families, flat


def replaced(owner: Any, rest: list[str], value: Any, path: str) -> Any:
    """A component or an objective with one field of it, or of what is in it, replaced.

    Args:
        owner: The component, or the objective.
        rest: Names on the way to the field: a field of the method, or a summand and its field, for
            an objective; else a field, and fields of the component in it.
        value: The new value; a text is read where a component is expected.
        path: The whole path, for messages.

    Raises:
        SpecError: There is no such field, or it does not take the value.
    """
    if isinstance(owner, Objective):
        return _in_objective(owner, rest, value, path)
    if not isinstance(owner, Component):
        raise SpecError(f"{path!r} leads nowhere: there is no component of which it is a field.")
    name, *deeper = rest
    fields = {field.name: getattr(owner, field.name) for field in dataclasses.fields(owner)}
    if name not in fields:
        raise SpecError(f"{path!r}: {owner.name} has no field {name!r}. {nearest(name, fields)}")
    if deeper:
        new = replaced(fields[name], deeper, value, path)
    else:
        new = read_value(value, field_hints(type(owner))[name])
    return build(type(owner), fields | {name: new})


def value_at(owner: Any, rest: list[str], path: str) -> Any:
    """The value of the field that `replaced` would replace.

    Args:
        owner: The component, or the objective.
        rest: Names on the way to the field.
        path: The whole path, for messages.

    Raises:
        SpecError: There is no such field.
    """
    if isinstance(owner, Objective):
        place, rest = _placed(owner, rest, path)
        return value_at(owner.items[place], rest, path)
    if not isinstance(owner, Component):
        raise SpecError(f"{path!r} leads nowhere: there is no component of which it is a field.")
    name, *deeper = rest
    fields = [field.name for field in dataclasses.fields(owner)]
    if name not in fields:
        raise SpecError(f"{path!r}: {owner.name} has no field {name!r}. {nearest(name, fields)}")
    value = getattr(owner, name)
    return value_at(value, deeper, path) if deeper else value


def _in_objective(objective: Objective, rest: list[str], value: Any, path: str) -> Objective:
    """An objective with a field of one of its summands replaced."""
    items = list(objective.items)
    place, rest = _placed(objective, rest, path)
    items[place] = replaced(items[place], rest, value, path)
    return Objective(tuple(items))


def _placed(objective: Objective, rest: list[str], path: str) -> tuple[int, list[str]]:
    """Which summand of an objective a path leads to, and the names that are left of it."""
    items = objective.items
    names = [item.name for item in items]
    if rest[0] in names and len(rest) > 1:
        return names.index(rest[0]), rest[1:]
    # Without a name it is the first summand that has such a field, mostly the method.
    for place, item in enumerate(items):
        if rest[0] in {field.name for field in dataclasses.fields(item)}:
            return place, rest
    known = [f"{item.name}.{field.name}" for item in items for field in dataclasses.fields(item)]
    raise SpecError(f"{path!r}: {objective} has no field {rest[0]!r}. {nearest(rest[0], known)}")


def read_value(value: Any, hint: Any) -> Any:
    """A value as a field takes it: lists as tuples, texts of components read.

    Args:
        value: What is given.
        hint: Declared type of the field.

    Raises:
        SpecError: A text is none of the components.
    """
    if isinstance(value, str) and families(hint):
        try:
            return parse(value, *families(hint))
        except SpecError:
            if not _takes_text(hint):
                raise
    return tupled(value)


def _takes_text(hint: Any) -> bool:
    return str in flat(hint) or bool(choices(hint))


def tupled(value: Any) -> Any:
    """Lists, as JSON and TOML have them, as the tuples that fields take."""
    return tuple(tupled(part) for part in value) if isinstance(value, list) else value
