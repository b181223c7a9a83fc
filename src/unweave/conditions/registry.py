"""Conditions and modifiers by name, and from what a user writes to one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, TypeAlias, TypeVar

from unweave.conditions.condition import Condition, Modifier, is_name
from unweave.conditions.montero2021 import OLD_NAMES, conditions_2021
from unweave.conditions.montero2022 import conditions_2022, modifiers_2022
from unweave.data import DatasetSpec, parse_dataset
from unweave.data.kinds.derived import DerivedSpec
from unweave.errors import SpecError, nearest

__all__ = [
    "CONDITIONS",
    "MODIFIERS",
    "conditions_of",
    "find_condition",
    "find_modifier",
    "fitting",
    "modifiers_of",
    "root_of",
]

CONDITIONS: Final = (*conditions_2021(), *conditions_2022())
"""All published conditions: dataset and name together are of one alone."""

MODIFIERS: Final = modifiers_2022()
"""All published modifiers."""

Data: TypeAlias = DatasetSpec | str
_Named = TypeVar("_Named", Condition, Modifier)


def find_condition(text: str, data: Data | None = None) -> Condition:
    """The condition that a user writes: a published one by name, or any rule.

    A name may say its kind, too, as `recomb2range/shape2tx` or `extrapolation/blank_side`.

    Args:
        text: A name, or a rule of what is held out.
        data: The dataset, or its text; a name that several datasets have needs it, and a rule.

    Raises:
        SpecError: No condition has this name, or none of the dataset; the message names the
            nearest. Several datasets have one, or a rule has no dataset; or the text is no rule.

    Example:
        >>> find_condition("sqr2tx").held_out
        "shape == 'square' and pos_x > 0.5"
    """
    if not is_name(text):
        if data is None:
            raise SpecError(
                f"Of which dataset does {text!r:.100} hold images out? Give it, too (--data)."
            )
        return Condition(name=text.strip(), dataset=str(_spec(data)), held_out=text.strip())
    found = fitting(text, data)
    if len(found) > 1:
        raise SpecError(
            f"{text} is a condition of {_listed([each.dataset for each in found])}: say of which "
            f"(--data)."
        )
    return found[0]


def fitting(text: str, data: Data | None = None) -> list[Condition]:
    """All conditions with a name, at least one.

    Raises:
        SpecError: There is none; the message names the nearest.
    """
    named = [each for each in CONDITIONS if text.strip() in each.names]
    found = _of(named, data)
    if found:
        return found
    if named:
        raise SpecError(_elsewhere(text, named, _of(CONDITIONS, data), data))
    raise SpecError(f"Unknown condition {text!r:.100}. {_hint(text.strip(), data)}")


def conditions_of(data: Data) -> list[Condition]:
    """The published conditions of a dataset, also of a part or a smaller grid of it."""
    return _of(CONDITIONS, data)


def modifiers_of(data: Data) -> list[Modifier]:
    """The published modifiers of a dataset, also of a part or a smaller grid of it."""
    return _of(MODIFIERS, data)


def find_modifier(text: str, data: Data) -> Modifier:
    """The modifier that a user writes: a published one by name, or any rule.

    Args:
        text: A name, or a rule of the images that take part.
        data: The dataset, or its text.

    Raises:
        SpecError: No modifier of the dataset has this name, or the text is no rule.
    """
    text = text.strip()
    if not is_name(text):
        return Modifier(name=text, dataset=str(_spec(data)), rule=text)
    named = [each for each in MODIFIERS if each.name == text]
    found = _of(named, data)
    if found:
        return found[0]
    if named:
        raise SpecError(_elsewhere(text, named, _of(MODIFIERS, data), data))
    known = [each.name for each in _of(MODIFIERS, data)]
    raise SpecError(f"Unknown modifier {text!r:.100}. {nearest(text, known)}")


def root_of(spec: DatasetSpec) -> DatasetSpec:
    """The dataset that a part, or whatever else is made of others, comes from in the end."""
    while isinstance(spec, DerivedSpec):
        spec = spec.bases[0]
    return spec


def _of(named: Sequence[_Named], data: Data | None) -> list[_Named]:
    """Those of a dataset."""
    if data is None:
        return list(named)
    root = root_of(_spec(data)).name
    return [each for each in named if each.dataset.partition("(")[0] == root]


def _spec(data: Data) -> DatasetSpec:
    return parse_dataset(data) if isinstance(data, str) else data


def _elsewhere(
    text: str, named: Sequence[_Named], here: Sequence[_Named], data: Data | None
) -> str:
    """That a name is there, but for other datasets; `here` are those of the dataset."""
    assert data is not None
    spec = _spec(data)
    what = type(named[0]).__name__.lower()
    own = f"; those of {root_of(spec).name} are {_listed([each.name for each in here])}"
    return (
        f"{text} is a {what} of {_listed([each.dataset for each in named])}, not of {spec}. Give "
        f"a rule in its place{own if here else ''}."
    )


def _hint(text: str, data: Data | None) -> str:
    """What may be meant by an unknown name."""
    if text in OLD_NAMES:
        now = OLD_NAMES[text]
        if now is None:
            return "It is an old name of the source, whose rule is not known: write the rule."
        return f"It is an old name of {now}."
    known = {name for each in _of(CONDITIONS, data) for name in each.names if "/" not in name}
    if not known:
        return "The dataset has no published condition; give a rule."
    return f'{nearest(text, known)} Or give a rule, such as "index(pos_x) >= 16".'


def _listed(names: Sequence[str]) -> str:
    """Names without repeats, in one line."""
    different = list(dict.fromkeys(names))
    return " and ".join([", ".join(different[:-1])] * (len(different) > 1) + different[-1:])
