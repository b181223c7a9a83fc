"""Configurations as columns, under the paths by which studies set their fields."""

from __future__ import annotations

__all__ = ["ASIDE", "Cell", "config_columns", "default_fields", "natural"]

import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from unweave.rundir import ASIDE, BESIDE

Cell: TypeAlias = str | int | float | bool | None
"""What a column holds."""


def config_columns(form: Mapping[str, Any]) -> dict[str, Cell]:
    """The columns of a configuration.

    A component is a column with its text, `optimizer`, and one for each of its fields,
    `optimizer.lr`, to any depth; its name is `optimizer.type`. `objective.beta` is the field of
    the first summand that has it, and in a sum each summand's fields are there under its name,
    too: `objective.total_correlation.weight`.

    Args:
        form: What `config.json` says.
    """
    texts = form.get("text")
    texts = texts if isinstance(texts, Mapping) else {}
    columns: dict[str, Cell] = {}
    for name, value in form.items():
        if name in BESIDE:
            continue
        columns[name] = (
            texts.get(name, _text(value)) if isinstance(value, Mapping) else _cell(value)
        )
        if isinstance(value, Mapping):
            if name == "objective":
                columns |= _objective(value)
            else:
                _add_fields(columns, name, value)
    return columns


def default_fields(columns: Mapping[str, Sequence[Cell]]) -> tuple[str, ...]:
    """What tells configurations apart: settings that differ, apart from the seed.

    Args:
        columns: Each column of the configurations, one value a run.

    Returns:
        The objective, and further names without a dot, in the order of the columns.
    """
    differing = [
        name
        for name, values in columns.items()
        if "." not in name and name not in (*ASIDE, "objective") and len(set(values)) > 1
    ]
    return ("objective", *differing)


def natural(value: Cell) -> tuple[Any, ...]:
    """A key that sorts as people do: numbers within texts by size, nothing before everything."""
    if value is None:
        return (0,)
    if isinstance(value, int | float):
        return (1, value)
    pieces = re.split(r"(\d+(?:\.\d+)?)", value)
    return (2, *((float(piece), "") if i % 2 else (0.0, piece) for i, piece in enumerate(pieces)))


def _objective(form: Mapping[str, Any]) -> dict[str, Cell]:
    """The fields of all summands."""
    listed = form.get("items") if form.get("type") == "sum" else None
    items = [item for item in listed if isinstance(item, Mapping)] if listed else [form]
    columns: dict[str, Cell] = {"objective.type": " + ".join(str(i.get("type")) for i in items)}
    for item in items:
        own: dict[str, Cell] = {}
        _add_fields(own, "objective", item)
        columns = own | columns
        if len(items) > 1:
            _add_fields(columns, f"objective.{item.get('type')}", item)
            del columns[f"objective.{item.get('type')}.type"]
    return columns


def _add_fields(columns: dict[str, Cell], path: str, form: Mapping[str, Any]) -> None:
    for name, value in form.items():
        place = f"{path}.{name}"
        if isinstance(value, Mapping):
            columns[place] = _text(value)
            _add_fields(columns, place, value)
        else:
            columns[place] = _cell(value)


def _cell(value: Any) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else _text(value)


def _text(value: Any) -> str:
    """A full form in the grammar of components."""
    if isinstance(value, Mapping):
        fields = [f"{name}={_text(part)}" for name, part in value.items() if name != "type"]
        return (
            f"{value.get('type', '')}({', '.join(fields)})" if fields else str(value.get("type"))
        )
    if isinstance(value, list):
        inner = ", ".join(_text(part) for part in value)
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return value if isinstance(value, str) else repr(value)
