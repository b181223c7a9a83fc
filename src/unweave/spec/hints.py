"""What the declared type of a field allows."""

from __future__ import annotations

__all__ = [
    "choices",
    "element_hint",
    "expected",
    "families",
    "field_hints",
    "flat",
    "is_component",
    "takes_many",
]

import functools
import inspect
import types
import typing
from dataclasses import fields
from typing import Any, Literal


@functools.cache
def field_hints(cls: Any) -> dict[str, Any]:
    """Types of the fields of a component class."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in fields(cls)}


def is_component(part: Any) -> bool:
    """Whether a type is a component or a family of components."""
    return inspect.isclass(part) and hasattr(part, "family") and hasattr(part, "validate")


def named_subclasses(family: type[Any]) -> list[type[Any]]:
    """Concrete classes with a name below a family, in the order of their names."""
    found: dict[str, type[Any]] = {}
    queue = [family]
    while queue:
        cls = queue.pop()
        queue.extend(cls.__subclasses__())
        if cls.__dict__.get("name") and not inspect.isabstract(cls):
            found[cls.name] = cls
    return [found[name] for name in sorted(found)]


def flat(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the hint itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(part for arg in typing.get_args(hint) for part in flat(arg))
    return (hint,)


def families(hint: Any) -> tuple[type[Any], ...]:
    """The component classes among the alternatives."""
    return tuple(part for part in flat(hint) if is_component(part))


def choices(hint: Any) -> tuple[str, ...]:
    """The texts that a `Literal` allows."""
    return tuple(
        value
        for part in flat(hint)
        if typing.get_origin(part) is Literal
        for value in typing.get_args(part)
        if isinstance(value, str)
    )


def element_hint(hint: Any) -> Any:
    """What the elements of a tuple field may be (a union over its positions)."""
    parts: list[Any] = []
    for part in flat(hint):
        if typing.get_origin(part) is tuple:
            parts.extend(arg for arg in typing.get_args(part) if arg is not Ellipsis)
    return typing.Union[tuple(parts)] if parts else object  # noqa: UP007 - built at run time


def takes_many(hint: Any) -> bool:
    """Whether a tuple of any length is among the alternatives."""
    return any(
        typing.get_origin(part) is tuple and typing.get_args(part)[-1] is Ellipsis
        for part in flat(hint)
    )


def expected(hint: Any) -> str:
    """The allowed types in words."""
    words: list[str] = []
    for part in flat(hint):
        origin = typing.get_origin(part)
        if part is type(None):
            words.append("None")
        elif part is bool:
            words.append("True or False")
        elif part is int:
            words.append("a whole number")
        elif part is float:
            words.append("a number")
        elif part is str:
            words.append("a text in quotes")
        elif origin is Literal:
            words.append("one of " + ", ".join(map(str, typing.get_args(part))))
        elif origin is tuple:
            args = typing.get_args(part)
            count = "" if args[-1] is Ellipsis else f"{len(args)} "
            words.append(f"a tuple of {count}values, each {expected(element_hint(part))}")
        elif is_component(part):
            names = ", ".join(cls.name for cls in named_subclasses(part))
            article = "an" if part.family[0] in "aeiou" else "a"
            words.append(f"{article} {part.family} ({names})")
        else:
            words.append(str(part))
    return " or ".join(words)
