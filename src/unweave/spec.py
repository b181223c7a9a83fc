"""Components: frozen dataclasses without weights, and their way to and from text and JSON."""

from __future__ import annotations

__all__ = [
    "Component",
    "build",
    "from_dict",
    "member",
    "members",
    "number",
    "option",
    "parse",
    "parse_sum",
    "to_dict",
    "value_text",
]

import ast
import dataclasses
import functools
import inspect
import math
import types
import typing
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar, dataclass_transform

from unweave.errors import SpecError, nearest

C = TypeVar("C", bound="Component")

_MAX_TEXT = 10_000


def number(
    *,
    help: str,
    default: Any = dataclasses.MISSING,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
) -> Any:
    """A numeric field with its allowed range; schedules in its place are not range-checked.

    Args:
        help: One sentence for listings.
        default: Value when the field is left out; none makes the field required.
        low: Smallest allowed value.
        high: Largest allowed value.
        above: Bound that the value must exceed.
        below: Bound that the value must stay under.
    """
    limits = {"low": low, "high": high, "above": above, "below": below}
    metadata = {"help": help, **{key: v for key, v in limits.items() if v is not None}}
    return dataclasses.field(default=default, metadata=metadata)


def option(*, help: str, default: Any = dataclasses.MISSING) -> Any:
    """A field that is not a number: a choice, a text, a flag, a tuple or a nested component."""
    return dataclasses.field(default=default, metadata={"help": help})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(number, option))
class Component(ABC):
    """Base of everything that is configured but has no weights.

    Each subclass becomes a frozen, keyword-only dataclass by itself, and one that carries a `name`
    is a *member* of each family (abstract subclass) above it. Fields are checked when a component
    is made; `str` gives the short text, `to_dict` the full form.
    """

    name: ClassVar[str] = ""
    family: ClassVar[str] = "component"

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the subclass a frozen dataclass that keeps the short text as its `str`."""
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        """Check and normalise every field, then the whole."""
        hints = _hints(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            checked = _checked(value, hints[field.name], f"{self.name}: {field.name}")
            _check_range(checked, field.metadata, f"{self.name}: {field.name}")
            object.__setattr__(self, field.name, checked)
        self.validate()

    def validate(self) -> None:
        """Checks across fields; raises `SpecError`."""

    def __str__(self) -> str:
        """The short text: fields at their default are left out."""
        hints = _hints(type(self))
        given = [
            f"{field.name}={_value_text(getattr(self, field.name), hints[field.name])}"
            for field in dataclasses.fields(self)
            if not _is_default(field, getattr(self, field.name))
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name


def members(family: type[C]) -> dict[str, type[C]]:
    """All named, concrete components of a family, by name in alphabetical order."""
    found: dict[str, type[C]] = {}
    queue: list[type[C]] = [family]
    while queue:
        cls = queue.pop()
        queue.extend(cls.__subclasses__())
        if "name" in cls.__dict__ and cls.name and not inspect.isabstract(cls):
            found[cls.name] = cls
    return dict(sorted(found.items()))


def member(name: str, *families: type[Component]) -> type[Component]:
    """The component class called `name` in one of the families.

    Raises:
        SpecError: There is none; the message lists the nearest names.
    """
    known: dict[str, type[Component]] = {}
    for family in families:
        known.update(members(family))
    if name not in known:
        kinds = " or ".join(family.family for family in families)
        raise SpecError(f"Unknown {kinds} {name!r}. {nearest(name, known)}")
    return known[name]


def build(cls: type[C], fields: Mapping[str, Any]) -> C:
    """Make a component from field values, with a clear error for unknown or missing fields."""
    known = {field.name: field for field in dataclasses.fields(cls)}
    for key in fields:
        if key not in known:
            raise SpecError(f"{cls.name} has no field {key!r}. {nearest(key, known)}")
    missing = [
        field.name
        for field in known.values()
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in fields
    ]
    if missing:
        raise SpecError(f"{cls.name} needs {', '.join(missing)}: write {cls.name}({missing[0]}=...)")
    return cls(**fields)


def parse(text: str, *families: type[Component]) -> Component:
    """Read one item, such as `beta_tcvae(beta=6)`.

    Raises:
        SpecError: The text is not an item, or names something unknown or out of range.
    """
    items = parse_sum(text, *families)
    if len(items) != 1:
        kinds = " or ".join(family.family for family in families)
        raise SpecError(f"{text!r} is a sum; one {kinds} is expected here.")
    return items[0]


def parse_sum(text: str, *families: type[Component]) -> tuple[Component, ...]:
    """Read a sum of items, such as `vae + density_ratio_tc(weight=10)`, from left to right.

    The text is read as a syntax tree and never evaluated.

    Raises:
        SpecError: The text does not follow the grammar, or names something unknown.
    """
    if not isinstance(text, str) or not text.strip():
        kinds = " or ".join(family.family for family in families)
        raise SpecError(f"Expected the text of a {kinds}, but got {text!r}.")
    if len(text) > _MAX_TEXT:
        raise SpecError(f"The text has {len(text)} characters; at most {_MAX_TEXT} are read.")
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        shown = text if len(text) <= 200 else text[:200] + "..."
        raise SpecError(
            f"Cannot read {shown!r}. Write name(field=value, ...), with ' + ' between summands."
        ) from None
    items: list[Component] = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.Add):
        items.append(_item(tree.right, families, text))
        tree = tree.left
    items.append(_item(tree, families, text))
    return tuple(reversed(items))


def to_dict(component: Component) -> dict[str, Any]:
    """The full form: every field, nested components too, and the name under `"type"`."""
    form: dict[str, Any] = {"type": component.name}
    for field in dataclasses.fields(component):
        form[field.name] = _plain(getattr(component, field.name))
    return form


def from_dict(form: Any, *families: type[Component]) -> Component:
    """Read the full form back.

    Raises:
        SpecError: The form has no `"type"`, or a name or field that is unknown.
    """
    if not isinstance(form, Mapping) or not isinstance(form.get("type"), str):
        raise SpecError(f'Expected an object with a "type", but got {form!r:.200}.')
    cls = member(form["type"], *families)
    hints = _hints(cls)
    fields = {
        key: _from_plain(value, hints.get(key, object))
        for key, value in form.items()
        if key != "type"
    }
    return build(cls, fields)


def value_text(cls: type[Component], field: str, value: Any) -> str:
    """A field's value as it is written in a text."""
    return _value_text(value, _hints(cls)[field])


# --- text -> component ---------------------------------------------------------------------------


def _item(node: ast.expr, families: tuple[type[Component], ...], text: str) -> Component:
    """A bare name or a call with keywords, as a component of one of the families."""
    if isinstance(node, ast.Name):
        return build(member(node.id, *families), {})
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        raise SpecError(
            f"Cannot read {ast.unparse(node)!r} in {text!r}: expected name or name(field=value, ...)."
        )
    cls = member(node.func.id, *families)
    if node.args:
        given = ast.unparse(node.args[0])
        first = next((f.name for f in dataclasses.fields(cls)), "field")
        raise SpecError(
            f"{cls.name}: fields are given by name. Write {cls.name}({first}={given}) or the like, "
            f"not {ast.unparse(node)!r}."
        )
    hints = _hints(cls)
    fields: dict[str, Any] = {}
    for keyword in node.keywords:
        if keyword.arg is None:
            raise SpecError(f"{cls.name}: '**' is not allowed in {text!r}.")
        if keyword.arg in fields:
            raise SpecError(f"{cls.name}: {keyword.arg} is given twice in {text!r}.")
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
        inner = node.operand
        if isinstance(inner, ast.Constant) and type(inner.value) in (int, float):
            return -inner.value if isinstance(node.op, ast.USub) else inner.value
    if isinstance(node, ast.Tuple | ast.List):
        element = _element_hint(hint)
        return tuple(_value(child, element, where, text) for child in node.elts)
    nested = _families(hint)
    if isinstance(node, ast.Name) and node.id in _choices(hint):
        return node.id
    if isinstance(node, ast.Name | ast.Call) and nested:
        return _item(node, nested, text)
    if isinstance(node, ast.Name) and str in _flat(hint):
        return node.id
    if isinstance(node, ast.Name) and _choices(hint):
        raise SpecError(f"{where}: {node.id!r} is not allowed. {nearest(node.id, _choices(hint))}")
    if isinstance(node, ast.Call):
        raise SpecError(
            f"{where}: {ast.unparse(node)!r} is a call, and a call is not allowed here; "
            f"{_expected(hint)} is expected."
        )
    raise SpecError(f"{where}: cannot read {ast.unparse(node)!r}; {_expected(hint)} is expected.")


# --- checking ------------------------------------------------------------------------------------


@functools.cache
def _hints(cls: type[Component]) -> dict[str, Any]:
    """Types of the fields of a component class."""
    hints = typing.get_type_hints(cls)
    return {field.name: hints[field.name] for field in dataclasses.fields(cls)}


def _flat(hint: Any) -> tuple[Any, ...]:
    """The alternatives of a union, or the hint itself."""
    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        return tuple(part for arg in typing.get_args(hint) for part in _flat(arg))
    return (hint,)


def _families(hint: Any) -> tuple[type[Component], ...]:
    return tuple(p for p in _flat(hint) if inspect.isclass(p) and issubclass(p, Component))


def _choices(hint: Any) -> tuple[str, ...]:
    return tuple(
        value
        for part in _flat(hint)
        if typing.get_origin(part) is Literal
        for value in typing.get_args(part)
        if isinstance(value, str)
    )


def _element_hint(hint: Any) -> Any:
    """What the elements of a tuple field may be (a union over its positions)."""
    parts: list[Any] = []
    for part in _flat(hint):
        if typing.get_origin(part) is tuple:
            parts.extend(arg for arg in typing.get_args(part) if arg is not Ellipsis)
    return typing.Union[tuple(parts)] if parts else object  # noqa: UP007 - built at run time


_NO = object()


def _checked(value: Any, hint: Any, where: str) -> Any:
    """The value, normalised to its declared type.

    Raises:
        SpecError: It has another type; the message says what is expected.
    """
    for part in _flat(hint):
        result = _match(value, part, where)
        if result is not _NO:
            return result
    if isinstance(value, str) and _choices(hint):
        raise SpecError(f"{where}: {value!r} is not allowed. {nearest(value, _choices(hint))}")
    raise SpecError(f"{where} takes {_expected(hint)}, not {value!r:.100}.")


def _match(value: Any, part: Any, where: str) -> Any:
    """The normalised value if it is of this type, else `_NO`."""
    origin = typing.get_origin(part)
    if part is type(None):
        return None if value is None else _NO
    if part is bool or part is str:
        return value if isinstance(value, part) else _NO
    if part is int:
        return int(value) if _is_int(value) else _NO
    if part is float:
        if not _is_int(value) and not isinstance(value, float):
            return _NO
        try:
            as_float = float(value)
        except OverflowError:
            as_float = math.inf
        if not math.isfinite(as_float):
            raise SpecError(f"{where} must be finite, not {value!r:.40}.")
        return as_float
    if origin is Literal:
        return value if value in typing.get_args(part) else _NO
    if origin is tuple:
        return _match_tuple(value, typing.get_args(part), where)
    if inspect.isclass(part):
        return value if isinstance(value, part) else _NO
    return _NO


def _match_tuple(value: Any, args: tuple[Any, ...], where: str) -> Any:
    if not isinstance(value, tuple | list):
        return _NO
    if len(args) == 2 and args[1] is Ellipsis:
        return tuple(_checked(v, args[0], where) for v in value)
    if len(value) != len(args):
        return _NO
    return tuple(_checked(v, arg, where) for v, arg in zip(value, args, strict=True))


def _is_int(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _check_range(value: Any, limits: Mapping[str, Any], where: str) -> None:
    """Compare a number, or each number of a tuple, with the declared limits."""
    if isinstance(value, tuple):
        for element in value:
            _check_range(element, limits, where)
        return
    if not isinstance(value, int | float) or isinstance(value, bool):
        return
    for key, text, ok in (
        ("low", "at least", lambda bound: value >= bound),
        ("high", "at most", lambda bound: value <= bound),
        ("above", "more than", lambda bound: value > bound),
        ("below", "less than", lambda bound: value < bound),
    ):
        if key in limits and not ok(limits[key]):
            raise SpecError(f"{where} must be {text} {limits[key]:g}, but is {value:g}.")


def _expected(hint: Any) -> str:
    """The allowed types in words."""
    words: list[str] = []
    for part in _flat(hint):
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
            words.append(f"a tuple of {count}values, each {_expected(_element_hint(part))}")
        elif inspect.isclass(part) and issubclass(part, Component):
            names = ", ".join(members(part))
            words.append(f"a {part.family} ({names})")
        else:
            words.append(str(part))
    return " or ".join(words)


# --- component -> text and JSON --------------------------------------------------------------------


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return False


def _value_text(value: Any, hint: Any) -> str:
    if isinstance(value, Component):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple):
        element = _element_hint(hint)
        inner = ", ".join(_value_text(v, element) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str) and value in _choices(hint) and value.isidentifier():
        return value
    return repr(value)


def _plain(value: Any) -> Any:
    if isinstance(value, Component):
        return to_dict(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if isinstance(value, tuple):
        return [_plain(v) for v in value]
    return value


def _from_plain(value: Any, hint: Any) -> Any:
    if isinstance(value, Mapping):
        families = _families(hint)
        if families:
            return from_dict(value, *families)
    if isinstance(value, list):
        element = _element_hint(hint)
        return tuple(_from_plain(v, element) for v in value)
    return value
