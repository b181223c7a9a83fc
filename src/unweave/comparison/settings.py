"""What differs between configurations, and which of them differ in their seed alone."""

from __future__ import annotations

__all__ = ["Differing", "Setting", "differing_settings", "groups_of"]

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from unweave.results.fields import Cell, config_columns
from unweave.rundir import ASIDE

# What people ask for first, of settings that all runs share.
_FIRST: Final = (
    "dataset", "objective", "steps", "latents", "architecture", "likelihood", "optimizer",
    "batch_size", "seed", "holdout",
)  # fmt: skip
# A shared setting with these values says nothing.
_NOTHING: Final = (None, "()", 0, False)
_LEFT_OUT: Final = "absent"


@final
@dataclass(frozen=True)
class Setting:
    """A setting in which runs differ.

    Attributes:
        name: Its path, such as `objective.beta`.
        values: That of each run; `absent` of a run whose configuration has no such field.
        aside: Whether it leaves what is trained as it is, such as how often is logged.
    """

    name: str
    values: tuple[Cell, ...]
    aside: bool


@final
@dataclass(frozen=True)
class Differing:
    """The configurations of several runs beside one another.

    Attributes:
        settings: Those in which runs differ; those that leave what is trained as it is come last.
        shared: Name and value of each further setting, that all runs share and that is not empty;
            components as their text.
    """

    settings: tuple[Setting, ...]
    shared: tuple[tuple[str, Cell], ...]


def differing_settings(forms: Sequence[Mapping[str, Any]]) -> Differing:
    """Compare configurations, setting by setting.

    A component is one setting by its text, and so is each of its fields that two or more runs
    have and in which they differ: of two objectives with different fields, only what they have in
    common.

    Args:
        forms: What each `config.json` says.
    """
    columns = [config_columns(form) for form in forms]
    names = _ordered(columns)
    heads = [name for name in names if "." not in name]
    found: list[Setting] = []
    for head in heads:
        values = tuple(column.get(head, _LEFT_OUT) for column in columns)
        inner = [name for name in names if name.startswith(f"{head}.")]
        fields = [field for name in inner if (field := _field(name, columns))]
        if not _same(values) or fields:
            # Texts leave out fields at their default, which may differ from version to version.
            found.append(Setting(head, values, head in ASIDE and head != "seed"))
            found += fields
    differing = {setting.name for setting in found}
    shared = [
        (head, columns[0][head])
        for head in sorted(heads, key=lambda h: _FIRST.index(h) if h in _FIRST else len(_FIRST))
        if head not in differing and head not in ASIDE[1:] and columns[0][head] not in _NOTHING
    ]
    return Differing(tuple(sorted(found, key=lambda setting: setting.aside)), tuple(shared))


def groups_of(
    forms: Sequence[Mapping[str, Any]], steps: Sequence[int]
) -> tuple[tuple[int, ...], ...]:
    """Places of runs that differ in nothing but their seed, or in what leaves the model as it is.

    A run that is not finished is in no group with those that are.

    Args:
        forms: What each `config.json` says.
        steps: Steps of the weights of each run.

    Returns:
        Each run in one group, in the order of their first runs.
    """
    groups: dict[tuple[Any, ...], list[int]] = {}
    for place, (form, done) in enumerate(zip(forms, steps, strict=True)):
        columns = config_columns(form)
        key = (
            done,
            *(
                (name, repr(value))
                for name, value in sorted(columns.items())
                if name.partition(".")[0] not in ASIDE
            ),
        )
        groups.setdefault(key, []).append(place)
    return tuple(tuple(group) for group in groups.values())


def _ordered(columns: Sequence[Mapping[str, Cell]]) -> list[str]:
    """Names of all columns, those of one component together, in the order of configurations."""
    every = list(dict.fromkeys(name for column in columns for name in column))
    heads = list(dict.fromkeys(name.partition(".")[0] for name in every))
    return sorted(every, key=lambda name: heads.index(name.partition(".")[0]))


def _field(name: str, columns: Sequence[Mapping[str, Cell]]) -> Setting | None:
    """A field of a component in which runs that have it differ."""
    if name.endswith(".type") or sum(name in column for column in columns) < 2:
        return None
    known = [column[name] for column in columns if name in column]
    if _same(known):
        return None
    return Setting(name, tuple(column.get(name, _LEFT_OUT) for column in columns), False)


def _same(values: Sequence[Cell]) -> bool:
    # True is no 1 here.
    return len({(type(value) is bool, value) for value in values}) == 1
