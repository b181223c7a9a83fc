"""Axes of a sweep: each a list of settings, which are combined with those of all others."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any, Final, TypeAlias

import numpy as np

from unweave.errors import SpecError, nearest
from unweave.splits import keyed_generator

__all__ = ["Settings", "axis_of", "combined", "flattened", "seed_axis"]

Settings: TypeAlias = dict[str, Any]

_KINDS: Final = ("grid", "zip", "list", "random")
_LAWS: Final = ("choice", "uniform", "log", "integers")
_OF_RANDOM: Final = ("samples", "seed")
# A study with more runs than this is a slip, and would fill the memory before it is noticed.
_MOST: Final = 100_000
# Beyond these ends, 64 bits do not hold a whole number, and a float not every one.
_WHOLE: Final = 2**53


def axis_of(form: Mapping[str, Any], place: str) -> list[Settings]:
    """The settings that one `[[sweep]]` table stands for.

    Args:
        form: One of `grid` (all combinations of the values of each field, the first slowest),
            `zip` (first values together, then second ones), `list` (settings as they are) and
            `random` (`samples` of them, by `seed`; each field has `choice`, `uniform`, `log` or
            `integers`).
        place: What the table is called in messages.

    Raises:
        SpecError: It is empty, repeats itself, or is none of these.
    """
    kinds = [kind for kind in _KINDS if kind in form]
    unknown = [key for key in form if key not in _KINDS]
    if unknown:
        raise SpecError(f"{place} has no {unknown[0]!r}. {nearest(unknown[0], _KINDS)}")
    if len(kinds) != 1:
        found = "none" if not kinds else " and ".join(kinds)
        raise SpecError(f"{place} takes one of {', '.join(_KINDS)}, and has {found}.")
    kind = kinds[0]
    reader = {"grid": _grid, "zip": _zip, "list": _list, "random": _random}[kind]
    settings = reader(form[kind], f"{place}, {kind}")
    if not settings:
        raise SpecError(f"{place}, {kind}, is empty: it stands for no run at all. Leave it out.")
    if kind == "random":
        # By chance, few choices come more than once.
        return list({_key(entry): entry for entry in settings}.values())
    _check_distinct(settings, f"{place}, {kind}")
    return settings


def seed_axis(seeds: Any) -> list[Settings]:
    """The axis of seeds: so many, from 0 on, or those given.

    Raises:
        SpecError: It is neither a number of at least 1 nor a list.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int | list):
        raise SpecError(
            f"seeds takes a number, such as 5, or a list, such as [0, 1], not {seeds!r}."
        )
    if isinstance(seeds, int):
        _check_count(seeds, "seeds")
    given = list(range(seeds)) if isinstance(seeds, int) else seeds
    if not given:
        raise SpecError("seeds is empty: it stands for no run at all. Leave it out.")
    axis = [{"seed": seed} for seed in given]
    _check_distinct(axis, "seeds")
    return axis


def combined(axes: list[list[Settings]]) -> Iterator[Settings]:
    """All combinations, the first axis slowest.

    Raises:
        SpecError: Two axes set the same field, or there are too many combinations.
    """
    _check_count(math.prod(len(axis) for axis in axes), "The study")
    seen: dict[str, int] = {}
    for place, axis in enumerate(axes):
        for name in {name: None for settings in axis for name in settings}:
            if name in seen:
                raise SpecError(f"{name} is set by more than one part of the sweep; give it once.")
            seen[name] = place
    for choice in itertools.product(*axes):
        yield {name: value for settings in choice for name, value in settings.items()}


def flattened(table: Mapping[str, Any], before: str = "") -> Settings:
    """Tables within tables as paths: TOML reads `objective.beta = 4` as one."""
    flat: Settings = {}
    for name, value in table.items():
        if isinstance(value, Mapping) and not _is_law(value):
            flat |= flattened(value, f"{before}{name}.")
        else:
            flat[f"{before}{name}"] = value
    return flat


def _is_law(value: Any) -> bool:
    """Whether a table says how a field is drawn, rather than holding fields."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in _LAWS


def _columns(form: Any, place: str) -> dict[str, list[Any]]:
    """Fields with a list of values each."""
    if not isinstance(form, Mapping):
        raise SpecError(
            f"{place} takes a table of fields with lists of values, not {form!r:.100}."
        )
    columns = flattened(form)
    for name, values in columns.items():
        if not isinstance(values, list):
            raise SpecError(f"{place}: {name} takes a list of values, such as [{values!r:.50}].")
        if not values:
            raise SpecError(f"{place}: {name} has no values, so that there is no run at all.")
    return columns


def _grid(form: Any, place: str) -> list[Settings]:
    columns = _columns(form, place)
    if not columns:
        return []
    _check_count(math.prod(len(values) for values in columns.values()), place)
    return [dict(zip(columns, row, strict=True)) for row in itertools.product(*columns.values())]


def _zip(form: Any, place: str) -> list[Settings]:
    columns = _columns(form, place)
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        told = ", ".join(f"{name} has {count}" for name, count in lengths.items())
        raise SpecError(f"{place} needs equally many values of each field, but {told}.")
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def _list(form: Any, place: str) -> list[Settings]:
    if not isinstance(form, list) or not all(isinstance(entry, Mapping) for entry in form):
        raise SpecError(f"{place} takes a list of tables of settings, not {form!r:.100}.")
    return [flattened(entry) for entry in form]


def _random(form: Any, place: str) -> list[Settings]:
    if not isinstance(form, Mapping):
        raise SpecError(f"{place} takes a table, not {form!r:.100}.")
    fields = flattened({name: law for name, law in form.items() if name not in _OF_RANDOM})
    samples, seed = form.get("samples"), form.get("seed", 0)
    for name, value, least in (("samples", samples, 1), ("seed", seed, 0)):
        if isinstance(value, bool) or not isinstance(value, int) or value < least:
            raise SpecError(
                f"{place}: {name} takes a whole number of at least {least}, not {value!r}."
            )
    if not fields:
        return []
    assert isinstance(samples, int)
    _check_count(samples, place)
    # A stream of its own for each field: another field, or more samples, change no draw.
    draws = {
        name: _draws(law, samples, keyed_generator(seed, f"study {name}"), f"{place}: {name}")
        for name, law in fields.items()
    }
    return [{name: values[i] for name, values in draws.items()} for i in range(samples)]


def _draws(law: Any, samples: int, generator: np.random.Generator, place: str) -> list[Any]:
    """Values of one field."""
    if not _is_law(law):
        raise SpecError(
            f"{place} takes one of {', '.join(_LAWS)}, such as {{log = [1e-4, 1e-2]}}."
        )
    ((kind, given),) = law.items()
    if not isinstance(given, list) or not given:
        raise SpecError(f"{place}: {kind} takes a list, not {given!r:.100}.")
    if kind == "choice":
        return [given[i] for i in generator.integers(len(given), size=samples)]
    if len(given) != 2 or not all(_is_finite(end) for end in given) or not given[0] < given[1]:
        raise SpecError(f"{place}: {kind} takes the lower and the upper end, not {given!r:.100}.")
    low, high = given
    if kind == "integers":
        if not all(isinstance(end, int) and abs(end) <= _WHOLE for end in given):
            raise SpecError(
                f"{place}: integers takes two whole numbers of at most 2**53, not {given!r:.100}."
            )
        return [int(value) for value in generator.integers(low, high, size=samples, endpoint=True)]
    if kind == "uniform":
        return [float(value) for value in generator.uniform(low, high, size=samples)]
    if low <= 0:
        raise SpecError(f"{place}: log takes ends above 0, not {given!r}.")
    return [
        float(v) for v in np.exp(generator.uniform(math.log(low), math.log(high), size=samples))
    ]


def _is_finite(value: Any) -> bool:
    """Whether it is a number, and a float can be as large."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        # The difference of two ends must be finite, too.
        return math.isfinite(2.0 * value)
    except OverflowError:
        return False


def _check_count(runs: int, place: str) -> None:
    if runs > _MOST:
        raise SpecError(
            f"{place} stands for {runs:,} runs; a study has at most {_MOST:,}. Vary less, or draw "
            "from it with random."
        )


def _check_distinct(axis: list[Settings], place: str) -> None:
    seen: set[str] = set()
    for settings in axis:
        key = _key(settings)
        if key in seen:
            raise SpecError(f"{place} has {settings} twice; give it once.")
        seen.add(key)


def _key(settings: Settings) -> str:
    return json.dumps(settings, sort_keys=True, default=str)
