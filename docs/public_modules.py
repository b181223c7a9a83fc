"""The modules whose names are for users, which are those that the API reference has.

They are the rooms: modules right below the package, and packages that export something. Files
within rooms are for the room, but for a few that pages and examples import from. All is read from
the sources, without importing them.
"""

from __future__ import annotations

import ast
import functools
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

__all__ = ["BESIDE", "Constant", "constants_of", "context", "public_modules"]

BESIDE = (
    "unweave.generalise.words",
    "unweave.metrics.sampling",
    "unweave.metrics.synthetic",
    "unweave.metrics.table",
    "unweave.objectives.lie_algebra",
    "unweave.population.figures",
)
"""Modules within rooms that users import from."""

_SOURCES = Path(__file__).parents[1] / "src"
# Characters of a value that is told beside the name.
_SHORT = 70


@final
@dataclass(frozen=True)
class Constant:
    """A name that is neither class nor function.

    Attributes:
        name: What it is called.
        value: Its source, where that is short; else empty.
        text: What is written below it; empty where nothing is.
    """

    name: str
    value: str
    text: str


@functools.cache
def _read(module: str) -> ast.Module | None:
    """The source of a module of the package, by its dotted name."""
    place = _SOURCES.joinpath(*module.split("."))
    for path in (place / "__init__.py", place.with_suffix(".py")):
        if path.is_file():
            return ast.parse(path.read_text(encoding="utf-8"))
    return None


def _exported(module: str) -> tuple[str, ...]:
    tree = _read(module)
    assert tree is not None
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return tuple(ast.literal_eval(node.value))
    return ()


@functools.cache
def public_modules() -> dict[str, tuple[str, ...]]:
    """Dotted names of the public modules, in order, and what each exports."""
    found = {}
    for path in sorted(_SOURCES.rglob("*.py")):
        parts = path.relative_to(_SOURCES).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if any(part.startswith("_") for part in name.split(".")):
            continue
        if is_package or len(parts) == 2 or name in BESIDE:
            found[name] = _exported(name)
    return {name: names for name, names in sorted(found.items()) if names}


def constants_of(module: str) -> list[Constant]:
    """The constants that a public module exports, wherever they are assigned.

    Args:
        module: Its dotted name.
    """
    found = (_constant(module, name, name) for name in public_modules()[module])
    return [each for each in found if each is not None]


def _constant(module: str, there: str, name: str) -> Constant | None:
    """What a name of a module is, where it is assigned there or in the one that it comes from."""
    tree = _read(module)
    if tree is None:
        return None
    for node, below in zip(tree.body, [*tree.body[1:], None], strict=True):
        targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
        if getattr(targets[0], "id", None) == there:
            text = below.value if isinstance(below, ast.Expr) else None
            told = text.value if isinstance(text, ast.Constant) else ""
            return Constant(name, _short(node.value), inspect.cleandoc(str(told)))
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                if (alias.asname or alias.name) == there:
                    return _constant(node.module, alias.name, name)
    return None


def _short(value: ast.expr) -> str:
    """The source of a value that says something by itself: a literal, or a type."""
    text = ast.unparse(value)
    kinds = ast.Call | ast.GeneratorExp | ast.DictComp | ast.ListComp | ast.Starred
    made = any(isinstance(node, kinds) for node in ast.walk(value))
    names = [node.id for node in ast.walk(value) if isinstance(node, ast.Name)]
    others = any(name.startswith("_") or name.isupper() for name in names)
    return "" if made or others or len(text) > _SHORT else text


def context() -> dict[str, Any]:
    """For the template of the page of a module, what each public module has, by dotted name.

    Returns:
        `inner`, the public modules within it, by their names there, and `constants`, with their
        texts indented.
    """
    public = public_modules()
    inner: dict[str, list[str]] = {}
    for name in public:
        # A module of a package that exports nothing is listed by the room around that
        room = name.rpartition(".")[0]
        while room and room not in public:
            room = room.rpartition(".")[0]
        if room:
            inner.setdefault(room, []).append(name.removeprefix(f"{room}."))
    constants = {
        name: [
            (each.name, each.value, textwrap.indent(each.text, "   "))
            for each in constants_of(name)
        ]
        for name in public
    }
    return {"inner": inner, "constants": constants}
