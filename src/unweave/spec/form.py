"""The full form of components: every field, for JSON."""

from __future__ import annotations

__all__ = ["from_dict", "to_dict"]

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


def _from_plain(value: Any, hint: Any) -> Any:
    if isinstance(value, Mapping):
        nested = families(hint)
        if nested:
            return from_dict(value, *nested)
    if isinstance(value, list):
        element = element_hint(hint)
        return tuple(_from_plain(v, element) for v in value)
    return value
