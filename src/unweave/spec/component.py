"""Components: frozen dataclasses without weights, whose fields are their configuration."""

from __future__ import annotations

__all__ = ["Component", "build", "member", "members", "number", "option", "value_text"]

import dataclasses
import inspect
import keyword
from abc import ABC
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, dataclass_transform

from unweave import display
from unweave.errors import SpecError, nearest
from unweave.spec.checking import check_range, checked
from unweave.spec.hints import choices, element_hint, families, field_hints, flat, named_subclasses

C = TypeVar("C", bound="Component")


def number(
    *,
    help: str,
    default: Any = dataclasses.MISSING,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    below: float | None = None,
    later: bool = False,
) -> Any:
    """A numeric field with its allowed range; schedules in its place are not range-checked.

    Args:
        help: One sentence for listings.
        default: Value when the field is left out; none makes the field required.
        low: Smallest allowed value.
        high: Largest allowed value.
        above: Bound that the value must exceed.
        below: Bound that the value must stay under.
        later: Whether the field came after runs had been named by their configurations. Its
            default then has no part in `identity`.
    """
    limits = {"low": low, "high": high, "above": above, "below": below}
    metadata = {"help": help, **{key: v for key, v in limits.items() if v is not None}}
    return dataclasses.field(default=default, metadata=metadata | {"later": later})


def option(*, help: str, default: Any = dataclasses.MISSING, later: bool = False) -> Any:
    """A field that is not a number: a choice, a text, a flag, a tuple or a nested component.

    Args:
        help: One sentence for listings.
        default: Value when the field is left out; none makes the field required.
        later: As for `number`.
    """
    return dataclasses.field(default=default, metadata={"help": help, "later": later})


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(number, option))
class Component(ABC):
    """Base of everything that is configured but has no weights.

    Each subclass becomes a frozen, keyword-only dataclass by itself, and one that carries a `name`
    is a *member* of each family (abstract subclass) above it. Fields are checked when a component
    is made; `str` gives the short text, `to_dict` the full form.

    Class attributes:
        name: What a member is called in texts; empty for a family.
        family: What members of the family are called in lists and messages.
    """

    name: ClassVar[str] = ""
    family: ClassVar[str] = "component"
    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Make the subclass a frozen dataclass that keeps the short text as its `str`."""
        super().__init_subclass__(**kwargs)
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        """Check and normalise every field, then the whole."""
        hints = field_hints(type(self))
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            where = f"{self.name}: {field.name}"
            value = checked(value, hints[field.name], where)
            check_range(value, field.metadata, where)
            object.__setattr__(self, field.name, value)
        self.validate()

    def validate(self) -> None:  # noqa: B027 - most components need no check across fields
        """Checks across fields; raises `SpecError`.

        Raises:
            SpecError: Fields do not go together, or one has a value that no declared range rules
                out.
        """

    def __str__(self) -> str:
        """The short text: fields at their default are left out."""
        hints = field_hints(type(self))
        given = [
            f"{field.name}={value_text(getattr(self, field.name), hints[field.name])}"
            for field in dataclasses.fields(self)
            if not _is_default(field, getattr(self, field.name))
        ]
        return f"{self.name}({', '.join(given)})" if given else self.name

    def _repr_html_(self) -> str:
        """Its text, what it is, and every field, for a notebook."""
        hints = field_hints(type(self))
        rows = [
            (
                field.name,
                value_text(getattr(self, field.name), hints[field.name]),
                "" if _is_default(field, getattr(self, field.name)) else "set",
                field.metadata.get("help", ""),
            )
            for field in dataclasses.fields(self)
        ]
        parts = [display.note(line) for line in (_first_sentences(type(self)),) if line]
        if rows:
            parts.append(display.table(("field", "value", "", "what it is"), rows))
        return display.shown(f"{self.family.capitalize()} {self}", *parts)


def members(family: type[C]) -> dict[str, type[C]]:
    """All named, concrete components of a family, by name in alphabetical order."""
    return {cls.name: cls for cls in named_subclasses(family)}


def member(name: str, *kinds: type[Component]) -> type[Component]:
    """The component class called `name` in one of the families.

    Raises:
        SpecError: There is none; the message lists the nearest names.
    """
    known: dict[str, type[Component]] = {}
    for family in kinds:
        known.update(members(family))
    if name not in known:
        words = " or ".join(family.family for family in kinds)
        other = members(Component).get(name)
        if other is not None:
            raise SpecError(
                f"Unknown {words} {name!r:.100}: it is {_article(other.family)}, and "
                f"{_article(words)} is expected."
            )
        raise SpecError(f"Unknown {words} {name!r:.100}. {nearest(name, known)}")
    return known[name]


def build(cls: type[C], fields: Mapping[str, Any]) -> C:
    """Make a component from field values, with a clear error for unknown or missing fields.

    Raises:
        SpecError: A field is unknown or missing, or its value is wrong.
    """
    known = {field.name: field for field in dataclasses.fields(cls)}
    for key in fields:
        if key not in known:
            raise SpecError(f"{cls.name} has no field {key!r:.100}. {nearest(key, known)}")
    missing = [
        field.name
        for field in known.values()
        if field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
        and field.name not in fields
    ]
    if missing:
        raise SpecError(
            f"{cls.name} needs {', '.join(missing)}: write {cls.name}({missing[0]}=...)"
        )
    return cls(**fields)


def value_text(value: Any, hint: Any) -> str:
    """A value as it is written in a text."""
    if isinstance(value, Component):
        return str(value)
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, tuple):
        element = element_hint(hint)
        inner = ", ".join(value_text(v, element) for v in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    if isinstance(value, str) and _is_plain(value, hint):
        return value
    return repr(value)


def _is_plain(value: str, hint: Any) -> bool:
    """Whether a text is read back as it is when it stands without quotes."""
    if not (value.isascii() and value.isidentifier()) or keyword.iskeyword(value):
        return False
    return value in choices(hint) or (str in flat(hint) and not families(hint))


def _first_sentences(cls: type[Component]) -> str:
    """What a component is, by its documentation."""
    found = " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())
    return found.replace("`", "")


def _article(words: str) -> str:
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


def _is_default(field: dataclasses.Field[Any], value: Any) -> bool:
    if field.default is not dataclasses.MISSING:
        return bool(value == field.default)
    if field.default_factory is not dataclasses.MISSING:
        return bool(value == field.default_factory())
    return False
