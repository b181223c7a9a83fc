"""Checking and normalising the values of fields."""

from __future__ import annotations

__all__ = ["check_range", "checked", "one_alone"]

import inspect
import math
import operator
import typing
from collections.abc import Mapping
from typing import Any, Literal

from unweave.errors import SpecError, nearest
from unweave.spec.hints import choices, element_hint, expected, flat, takes_many

_NO = object()
# What the machine counts with; Python's own whole numbers have no end, and some have no text.
_TOO_LARGE = 2**63


def checked(value: Any, hint: Any, where: str) -> Any:
    """The value, normalised to its declared type.

    Raises:
        SpecError: It has another type; the message says what is expected.
    """
    for part in flat(hint):
        result = _match(value, part, where)
        if result is not _NO:
            return result
    if isinstance(value, str) and choices(hint):
        raise SpecError(f"{where}: {value!r} is not allowed. {nearest(value, choices(hint))}")
    raise SpecError(
        f"{where} takes {expected(hint)}, not {_shown(value)}."
        f"{one_alone(value, hint, where, _shown(value))}"
    )


def one_alone(value: Any, hint: Any, where: str, text: str) -> str:
    """How one value is written where a tuple of such values is expected; else nothing.

    Args:
        value: What was given.
        hint: Declared type of the field.
        where: Component and field, such as `cvae: labels`.
        text: The value as it was written.
    """
    if not takes_many(hint):
        return ""
    try:
        checked(value, element_hint(hint), where)
    except SpecError:
        return ""
    return f" For one alone write {where.rpartition(' ')[2]}=({text},)."


def _match(value: Any, part: Any, where: str) -> Any:
    """The normalised value if it is of this type, else `_NO`."""
    origin = typing.get_origin(part)
    if part is type(None):
        return None if value is None else _NO
    if part is bool or part is str:
        return value if isinstance(value, part) else _NO
    if part is int:
        if not _is_int(value):
            return _NO
        if abs(value) >= _TOO_LARGE:
            raise SpecError(f"{where} must be a whole number of less than 64 bits.")
        return int(value)
    if part is float:
        if not _is_int(value) and not isinstance(value, float):
            return _NO
        try:
            as_float = float(value)
        except OverflowError:
            as_float = math.inf
        if not math.isfinite(as_float):
            raise SpecError(f"{where} must be finite, not {_shown(value)}.")
        return as_float + 0.0  # no -0.0: equal settings have one address
    if origin is Literal:
        # The choice itself: 2.0 equals 2, and is none.
        return next((choice for choice in typing.get_args(part) if choice == value), _NO)
    if origin is tuple:
        return _match_tuple(value, typing.get_args(part), where)
    if inspect.isclass(part):
        return value if isinstance(value, part) else _NO
    return _NO


def _match_tuple(value: Any, args: tuple[Any, ...], where: str) -> Any:
    if not isinstance(value, tuple | list):
        return _NO
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(checked(v, args[0], where) for v in value)
    if len(value) != len(args):
        return _NO
    return tuple(checked(v, arg, where) for v, arg in zip(value, args, strict=True))


def _shown(value: Any) -> str:
    """A value for a message, cut short."""
    try:
        return f"{value!r:.100}"
    except ValueError:
        # Python writes no whole number of thousands of digits.
        return "a number of thousands of digits"


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def check_range(value: Any, limits: Mapping[str, Any], where: str) -> None:
    """Compare a number, or each number of a tuple, with the declared limits.

    Raises:
        SpecError: A number is out of range; the message says which it may have.
    """
    if isinstance(value, tuple):
        for element in value:
            check_range(element, limits, where)
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    for key, text, ok in (
        ("low", "at least", operator.ge),
        ("high", "at most", operator.le),
        ("above", "more than", operator.gt),
        ("below", "less than", operator.lt),
    ):
        if key in limits and not ok(value, limits[key]):
            raise SpecError(f"{where} must be {text} {limits[key]:g}, but is {value:g}.")
