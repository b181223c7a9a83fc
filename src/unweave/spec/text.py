"""From text to components, read as a syntax tree and never evaluated."""

from __future__ import annotations

__all__ = ["parse", "parse_sum", "parse_tuple"]

import ast
import typing
import warnings
from collections.abc import Callable
from typing import Any

from unweave.errors import SpecError, nearest
from unweave.spec.checking import one_alone
from unweave.spec.component import Component, build, member, members
from unweave.spec.hints import (
    choices,
    element_hint,
    expected,
    families,
    field_hints,
    flat,
    takes_many,
)

_MAX_TEXT = 10_000
_MAX_SHOWN = 200


def parse(text: str, *kinds: type[Component]) -> Component:
    """Read one item, such as `beta_tcvae(beta=6)`.

    Raises:
        SpecError: The text is not an item, or names something unknown or out of range.
    """
    items = parse_sum(text, *kinds)
    if len(items) != 1:
        words = " or ".join(family.family for family in kinds)
        raise SpecError(f"{_cut(text)!r} is a sum; one {words} is expected here.")
    return items[0]


def parse_sum(text: str, *kinds: type[Component]) -> tuple[Component, ...]:
    """Read a sum of items, such as `vae + density_ratio_tc(weight=10)`, from left to right.

    The text is read as a syntax tree and never evaluated.

    Raises:
        SpecError: The text does not follow the grammar, or names something unknown.
    """
    return _read(text, kinds, lambda tree: _items(tree, kinds, text))


def parse_tuple(text: str, *kinds: type[Component]) -> tuple[Component, ...]:
    """Read several items, such as `(phase(start=10, ...), phase(start=20, ...))`, or one.

    Raises:
        SpecError: The text does not follow the grammar, or names something unknown.
    """

    def items(tree: ast.expr) -> tuple[Component, ...]:
        several = tree.elts if isinstance(tree, ast.Tuple | ast.List) else [tree]
        return tuple(_item(node, kinds, text) for node in several)

    return _read(text, kinds, items)


def _read(
    text: str,
    kinds: tuple[type[Component], ...],
    read: Callable[[ast.expr], tuple[Component, ...]],
) -> tuple[Component, ...]:
    """What `read` makes of the text's syntax tree."""
    if not text.strip():
        words = " or ".join(family.family for family in kinds)
        article = "an" if words[0] in "aeiou" else "a"
        raise SpecError(f"Expected the text of {article} {words}, but got {text!r}.")
    if len(text) > _MAX_TEXT:
        raise SpecError(f"The text has {len(text)} characters; at most {_MAX_TEXT} are read.")
    try:
        with warnings.catch_warnings():
            # Python warns of a backslash that escapes nothing, as in a path; it is kept as it is.
            warnings.simplefilter("ignore")
            tree = ast.parse(text.strip(), mode="eval").body
        return read(tree)
    except SpecError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise SpecError(
            f"Cannot read {_cut(text)!r}. Write name(field=value, ...), with ' + ' between "
            f"summands."
        ) from None


def _items(tree: ast.expr, kinds: tuple[type[Component], ...], text: str) -> tuple[Component, ...]:
    """The summands of a sum, from left to right."""
    items: list[Component] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        items.append(_item(tree.right, kinds, text))
        tree = tree.left
    items.append(_item(tree, kinds, text))
    return tuple(reversed(items))


def _item(node: ast.expr, kinds: tuple[type[Component], ...], text: str) -> Component:
    """A bare name or a call with keywords, as a component of one of the families."""
    if isinstance(node, ast.Name):
        return build(member(node.id, *kinds), {})
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise SpecError(
            f"Cannot read {_source(node)!r} in {_cut(text)!r}: name or name(field=value, ...) is "
            f"expected."
        )
    cls = member(node.func.id, *kinds)
    if node.args:
        given = _source(node.args[0])
        first = next(iter(field_hints(cls)), "field")
        raise SpecError(
            f"{cls.name}: fields are given by name. Write {cls.name}({first}={given}) or the "
            f"like, not {_source(node)!r}."
        )
    hints = field_hints(cls)
    fields: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise SpecError(f"{cls.name}: '**' is not allowed in {_cut(text)!r}.")
        if keyword.arg in fields:
            raise SpecError(f"{cls.name}: {keyword.arg:.100} is given twice in {_cut(text)!r}.")
        if keyword.arg not in hints:
            build(cls, {keyword.arg: None})
        where = f"{cls.name}: {keyword.arg}"
        fields[keyword.arg] = _value(keyword.value, hints[keyword.arg], where, text)
    return build(cls, fields)


def _value(node: ast.expr, hint: Any, where: str, text: str) -> Any:
    """A literal, a tuple, a bare choice or a nested item."""
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub | ast.UAdd):
        inner = node.operand.value if isinstance(node.operand, ast.Constant) else None
        if isinstance(inner, int | float) and not isinstance(inner, bool):
            return -inner if isinstance(node.op, ast.USub) else inner
    if isinstance(node, ast.Tuple | ast.List):
        element = element_hint(hint)
        _check_nesting(node, element, hint, where)
        return tuple(_value(child, element, where, text) for child in node.elts)
    nested = families(hint)
    if isinstance(node, ast.Name) and node.id in choices(hint):
        return node.id
    named = node.func if isinstance(node, ast.Call) else node
    if nested and isinstance(named, ast.Name):
        known = {name for family in nested for name in members(family)}
        if named.id not in known:
            given = _source(node)
            raise SpecError(
                f"{where} takes {expected(hint)}, not {given!r}. {nearest(named.id, known)}"
            )
        return _item(node, nested, text)
    if isinstance(node, ast.Name) and str in flat(hint):
        return node.id
    if isinstance(node, ast.Name) and choices(hint):
        raise SpecError(f"{where}: {node.id!r} is not allowed. {nearest(node.id, choices(hint))}")
    if isinstance(node, ast.Call):
        raise SpecError(
            f"{where}: {_source(node)!r} is a call, and a call is not allowed here; "
            f"{expected(hint)} is expected.{_alone(node, hint, where, text)}"
        )
    raise SpecError(
        f"{where}: cannot read {_source(node)!r}; {expected(hint)} is expected."
        f"{_as_python(node) or _alone(node, hint, where, text)}"
    )


def _alone(node: ast.expr, hint: Any, where: str, text: str) -> str:
    """How one name or call is written where a tuple of these is expected."""
    if not takes_many(hint):
        return ""
    try:
        value = _value(node, element_hint(hint), where, text)
    except SpecError:
        return ""
    return one_alone(value, hint, where, _source(node))


def _as_python(node: ast.expr) -> str:
    """How Python writes true, false and none, for those who write them in small letters."""
    words = {"true": "True", "false": "False", "none": "None"}
    word = words.get(node.id.lower()) if isinstance(node, ast.Name) else None
    return "" if word is None else f" Write {word}, with a capital letter."


def _check_nesting(node: ast.Tuple | ast.List, element: Any, hint: Any, where: str) -> None:
    """Refuse (a, b) where ((a, b),) is expected, with what to write."""
    if not all(typing.get_origin(part) is tuple for part in flat(element)):
        return
    inner = [isinstance(child, ast.Tuple | ast.List) for child in node.elts]
    if not all(inner):
        field, given = where.rpartition(" ")[2], _source(node)
        how = "" if any(inner) else f" For one alone write {field}=({given},)."
        raise SpecError(f"{where} takes {expected(hint)}, not {given}.{how}")


def _source(node: ast.expr) -> str:
    return _cut(ast.unparse(node))


def _cut(text: str) -> str:
    """A text for a message, at most so long that the message stays a paragraph."""
    return text if len(text) <= _MAX_SHOWN else text[:_MAX_SHOWN] + "..."
