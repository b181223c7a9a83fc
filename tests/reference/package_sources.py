"""The package as its sources have it, without importing it: modules, classes, their bases."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import final

__all__ = ["SOURCES", "Class", "Module", "is_public", "modules"]

SOURCES = Path(__file__).parents[2] / "src" / "unweave"

Function = ast.FunctionDef | ast.AsyncFunctionDef


def is_public(name: str) -> bool:
    """Whether a name is for others: it does not begin with an underscore."""
    return not name.startswith("_")


@final
@dataclass(frozen=True, eq=False)
class Class:
    """A class of the package.

    Attributes:
        module: Where it is defined.
        node: Its definition.
    """

    module: Module
    node: ast.ClassDef

    @functools.cached_property
    def ancestors(self) -> tuple[Class, ...]:
        """Classes of the package that it derives from, the nearest first."""
        found: list[Class] = []
        for base in self.node.bases:
            named = base.value if isinstance(base, ast.Subscript) else base
            if isinstance(named, ast.Name) and (cls := self.module.find(named.id)):
                found += [cls, *cls.ancestors]
        return tuple(dict.fromkeys(found))

    @property
    def functions(self) -> Iterator[Function]:
        """Its methods and properties."""
        return (node for node in self.node.body if isinstance(node, Function))

    def overridden(self, name: str) -> tuple[Function, ...]:
        """What a method stands in the place of, the nearest first."""
        return tuple(node for cls in self.ancestors for node in cls.functions if node.name == name)


@final
@dataclass(frozen=True, eq=False)
class Module:
    """A module of the package.

    Attributes:
        name: Its dotted name.
        is_package: Whether it is the `__init__` of a folder.
        tree: Its source.
    """

    name: str
    is_package: bool
    tree: ast.Module

    @functools.cached_property
    def exported(self) -> tuple[str, ...]:
        """What its `__all__` has; nothing where it has none."""
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
                return tuple(ast.literal_eval(node.value))
        return ()

    @functools.cached_property
    def imports(self) -> dict[str, tuple[str, str]]:
        """Names that it imports, anywhere: from which module, and their names there."""
        return {
            alias.asname or alias.name: (node.module, alias.name)
            for node in ast.walk(self.tree)
            if isinstance(node, ast.ImportFrom) and node.module
            for alias in node.names
        }

    @functools.cached_property
    def classes(self) -> dict[str, Class]:
        """Classes that are defined here, by name."""
        return {n.name: Class(self, n) for n in self.tree.body if isinstance(n, ast.ClassDef)}

    def origin(self, name: str) -> tuple[Module, str] | None:
        """The module of the package in which something is defined, and what it is called there."""
        if name not in self.imports or name in self.classes:
            return self, name
        source, there = self.imports[name]
        return modules()[source].origin(there) if source in modules() else None

    def find(self, name: str) -> Class | None:
        """The class of the package that a name stands for here, if it is one."""
        found = self.origin(name)
        return found[0].classes.get(found[1]) if found else None


@functools.cache
def modules() -> dict[str, Module]:
    """Every module of the package by its dotted name."""
    found = {}
    for path in sorted(SOURCES.rglob("*.py")):
        parts = ("unweave", *path.relative_to(SOURCES).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(name, is_package, ast.parse(path.read_text(encoding="utf-8")))
    return found
