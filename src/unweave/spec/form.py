"""The full form of components: every field, for JSON."""

from __future__ import annotations

__all__ = ["from_dict", "identity", "to_dict"]

import dataclasses
from collections.abc import Mapping
from typing import Any

from unweave.errors import SpecError
from unweave.spec.component import Component, build, member
from unweave.spec.hints import element_hint, families, field_hints


def to_dict(component: Component) -> dict[str, Any]:
    """The full form: every field, nested components too, and the name under `"type"`."""
    form: dict[str, Any] = {"type": component.name}
    for name in field_hints(type(component)):
        form[name] = _plain(getattr(component, name))
    return form


def identity(component: Component) -> dict[str, Any]:
    """The full form without fields that came later and are at their default.

    A name that is made of it, such as the address of a configuration, stays the same when a
    component gets a further field that changes nothing by default.
    """
    form: dict[str, Any] = {"type": component.name}
    for field in dataclasses.fields(component):
        value = getattr(component, field.name)
        if not (field.metadata.get("later") and value == field.default):
            form[field.name] = _identity(value)
    return form


def from_dict(form: Any, *kinds: type[Component]) -> Component:
    """Read the full form back.

    Raises:
        SpecError: The form has no `"type"`, or a name or field that is unknown.
    """
    if not isinstance(form, Mapping) or not isinstance(form.get("type"), str):
        raise SpecError(f'Expected an object with a "type", but got {form!r:.200}.')
    cls = member(form["type"], *kinds)
    hints = field_hints(cls)
    fields = {
        key: _from_plain(value, hints.get(key, object))
        for key, value in form.items()
        if key != "type"
    }
    return build(cls, fields)


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return to_dict(value)
    own_form = getattr(value, "to_dict", None)
    if own_form is not None:
        return own_form()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _identity(value: Any) -> Any:
    if isinstance(value, Component):
        return identity(value)
    own_form = getattr(value, "identity", None)
    if own_form is not None:
        return own_form()
    if isinstance(value, tuple):
        return [_identity(v) for v in value]
    return _plain(value)


def _from_plain(value: Any, hint: Any) -> Any:
    if isinstance(value, Mapping):
        nested = families(hint)
        if nested:
            return from_dict(value, *nested)
    if isinstance(value, list):
        element = element_hint(hint)
        return tuple(_from_plain(v, element) for v in value)
    return value
