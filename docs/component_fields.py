"""Descriptions of components have their fields, by the help that these are declared with."""

from __future__ import annotations

import dataclasses
from typing import Any

from sphinx.application import Sphinx

__all__ = ["arguments"]


def arguments(cls: type[Any]) -> list[str]:
    """Lines of documentation about the fields of a component; none of any other class.

    Args:
        cls: The class.
    """
    if not dataclasses.is_dataclass(cls):
        return []
    told = [
        f"    {field.name}: {field.metadata['help']}"
        for field in dataclasses.fields(cls)
        if field.init and "help" in field.metadata
    ]
    return ["", "Args:", *told] if told else []


def _add(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    if what == "class" and isinstance(obj, type) and "Args:" not in lines:
        lines += arguments(obj)


def _skip(app: Sphinx, what: str, name: str, obj: Any, skip: bool, options: Any) -> bool | None:
    """Leave out fields of named tuples, which the documentation of their class tells."""
    return True if type(obj).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before the sections of documentation are read."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("autodoc-process-docstring", _add, priority=100)
    app.connect("autodoc-skip-member", _skip)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
