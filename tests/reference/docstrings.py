"""What documentation strings say, and what they should, of sources that are not imported."""

from __future__ import annotations

import ast
import builtins
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import final

from reference.package_sources import Class, Function, Module, is_public, modules

__all__ = [
    "Definition",
    "assigned",
    "attributes",
    "constants",
    "definitions",
    "entries",
    "fields",
    "raised",
]


@final
@dataclass(frozen=True)
class Definition:
    """A public function, method, property or class.

    Attributes:
        module: Where it is defined.
        cls: The class that a method is of.
        node: Its definition.
    """

    module: Module
    cls: Class | None
    node: Function | ast.ClassDef

    @property
    def name(self) -> str:
        """Its dotted name."""
        owner = f"{self.cls.node.name}." if self.cls else ""
        return f"{self.module.name}.{owner}{self.node.name}"

    @property
    def text(self) -> str:
        """What it is documented with."""
        return ast.get_docstring(self.node) or ""

    @property
    def overridden(self) -> list[str]:
        """What is said of methods of ancestors that it stands in the place of."""
        found = self.cls.overridden(self.node.name) if self.cls else ()
        return [ast.get_docstring(node) or "" for node in found]

    @property
    def parameters(self) -> list[str]:
        """Names of its parameters without the instance or class; none of a class."""
        if isinstance(self.node, ast.ClassDef):
            return []
        given = self.node.args
        found = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
        return [each.arg for each in found if each and each.arg not in ("self", "cls")]


def definitions() -> Iterator[Definition]:
    """Every public one of the package; methods of classes that are not public are left out."""
    for module in modules().values():
        for node in module.tree.body:
            if not isinstance(node, Function | ast.ClassDef) or not is_public(node.name):
                continue
            yield Definition(module, None, node)
            if isinstance(node, ast.ClassDef):
                cls = module.classes[node.name]
                for method in cls.functions:
                    if is_public(method.name):
                        yield Definition(module, cls, method)


def entries(text: str, *headings: str) -> dict[str, str]:
    """What sections of a Google style documentation say of each name."""
    found: dict[str, str] = {}
    for heading in headings:
        section = re.search(rf"^{heading}:\n((?:[ \t]+.*(?:\n|\Z)|\n)*)", text, re.M)
        if section:
            told = re.findall(
                r"^    \*{0,2}([\w.]+):\s(.*?)(?=^    \S|\Z)", section[1], re.S | re.M
            )
            found |= {name: " ".join(said.split()) for name, said in told}
    return found


def _documented(body: list[ast.stmt]) -> Iterator[tuple[str, ast.stmt, bool]]:
    """Names that are assigned, and whether a string stands below them."""
    for node, below in zip(body, [*body[1:], None], strict=True):
        if isinstance(node, ast.AnnAssign):
            target: ast.expr = node.target
        elif isinstance(node, ast.Assign):
            target = node.targets[0]
        else:
            continue
        if isinstance(target, ast.Name) and is_public(target.id):
            told = isinstance(below, ast.Expr) and isinstance(below.value, ast.Constant)
            yield target.id, node, told and isinstance(below.value.value, str)


def constants(module: Module) -> dict[str, bool]:
    """Names that a module assigns, and whether each is documented."""
    return {name: told for name, _, told in _documented(module.tree.body)}


def fields(cls: Class) -> dict[str, bool]:
    """Names that a class body assigns, and whether each is documented.

    A field is told under Attributes or Args of its class or of one that it derives from, by a
    string below it there, by the property that it stands in the place of, or by the help that it
    is declared with.
    """
    told: set[str] = set()
    for each in (cls, *cls.ancestors):
        told |= set(attributes(each))
        told |= {name for name, _, below in _documented(each.node.body) if below}
        told |= {node.name for node in each.functions if ast.get_docstring(node)}
    return {name: name in told or _has_help(node) for name, node, _ in _documented(cls.node.body)}


def _has_help(node: ast.stmt) -> bool:
    value = getattr(node, "value", None)
    return isinstance(value, ast.Call) and any(word.arg == "help" for word in value.keywords)


def attributes(cls: Class) -> dict[str, str]:
    """What the documentation of a class says of its attributes."""
    text = ast.get_docstring(cls.node) or ""
    return entries(text, "Attributes", "Args", "Class attributes")


@functools.cache
def assigned(cls: Class) -> frozenset[str]:
    """Names of what a class itself has: fields, methods, and what it gives its instances."""
    found = {node.name for node in cls.functions}
    for node in ast.walk(cls.node):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            found.add(node.attr)
        elif isinstance(node, Function) and node.name == "__init__":
            found |= set(Definition(cls.module, cls, node).parameters)
    return frozenset(found)


@functools.cache
def errors() -> dict[str, frozenset[str]]:
    """Exceptions by name: those of the package and of Python, with what each also is."""
    found = {
        name: frozenset(base.__name__ for base in value.__mro__)
        for name, value in vars(builtins).items()
        if isinstance(value, type) and issubclass(value, BaseException)
    }
    own = [cls for module in modules().values() for cls in module.classes.values()]
    for cls in own:
        names = {each.node.name for each in (cls, *cls.ancestors)}
        written = {ast.unparse(base) for each in (cls, *cls.ancestors) for base in each.node.bases}
        if any(base in found or base.endswith("Error") for base in names | written):
            found[cls.node.name] = frozenset(names | written)
    return found


def raised(function: Function) -> set[str]:
    """Errors of the package that a function itself raises, and does not catch."""
    found: set[str] = set()

    def walk(node: ast.AST, caught: frozenset[str]) -> None:
        if isinstance(node, Function | ast.Lambda | ast.ClassDef):
            return
        if isinstance(node, ast.Try):
            here = frozenset(
                name.id
                for handler in node.handlers
                if handler.type
                for name in ast.walk(handler.type)
                if isinstance(name, ast.Name)
            )
            for child in node.body:
                walk(child, caught | here)
            for child in (*node.handlers, *node.orelse, *node.finalbody):
                walk(child, caught)
            return
        if isinstance(node, ast.Raise) and node.exc:
            error = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
            name = error.id if isinstance(error, ast.Name) else ""
            also = errors().get(name, frozenset())
            if "UnweaveError" in also and not also & caught:
                found.add(name)
        for child in ast.iter_child_nodes(node):
            walk(child, caught)

    for statement in function.body:
        walk(statement, frozenset())
    return found
