"""No public name is undocumented, and documentation speaks of what is there."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from reference.docstrings import (
    assigned,
    attributes,
    constants,
    definitions,
    entries,
    errors,
    fields,
    raised,
)
from reference.package_sources import Class, Module, is_public, modules

ROOT = Path(__file__).parents[1]
# From so many parameters on a sentence does not tell them apart.
SEVERAL = 3


@pytest.fixture(scope="module")
def listed() -> Iterator[ModuleType]:
    """The file of the documentation that says which modules are public."""
    spec = importlib.util.spec_from_file_location(
        "listed_public_modules", ROOT / "docs" / "public_modules.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look for their module there.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def classes() -> Iterator[tuple[Module, Class]]:
    for module in modules().values():
        for name, cls in module.classes.items():
            if is_public(name):
                yield module, cls


def test_every_module_class_function_and_property_says_what_it_is():
    found = list(definitions())
    assert len(found) > 3000
    assert [m.name for m in modules().values() if not ast.get_docstring(m.tree)] == []
    assert [each.name for each in found if not each.text.strip()] == []


def test_every_field_is_told():
    missing = [
        f"{module.name}.{cls.node.name}.{name}"
        for module, cls in classes()
        for name, told in fields(cls).items()
        if not told
    ]
    assert missing == []


def test_every_constant_that_a_public_module_exports_is_told(listed: ModuleType):
    missing = []
    for room, names in listed.public_modules().items():
        for name in names:
            found = modules()[room].origin(name)
            if found and not constants(found[0]).get(found[1], True):
                missing.append(f"{found[0].name}.{found[1]}")
    assert sorted(set(missing)) == []


def test_attributes_that_are_told_are_there():
    wrong = []
    for module, cls in classes():
        there = {name for each in (cls, *cls.ancestors) for name in assigned(each)}
        told = set(attributes(cls)) - there
        wrong += [f"{module.name}.{cls.node.name}.{name}" for name in told]
    assert sorted(wrong) == []


def test_parameters_that_are_told_are_those_there_are():
    wrong = {}
    for each in definitions():
        told = entries(each.text, "Args")
        if told and not isinstance(each.node, ast.ClassDef) and list(told) != each.parameters:
            wrong[each.name] = set(told) ^ set(each.parameters) or "another order"
    assert wrong == {}


def test_several_parameters_of_what_users_call_are_told(listed: ModuleType):
    public = set()
    for room, names in listed.public_modules().items():
        for name in names:
            found = modules()[room].origin(name)
            public |= {(found[0].name, found[1])} if found else set()
    missing = [
        each.name
        for each in definitions()
        if (each.module.name, each.cls.node.name if each.cls else each.node.name) in public
        and len(each.parameters) >= SEVERAL
        and not each.overridden
        and not entries(each.text, "Args")
    ]
    assert missing == []


def test_errors_that_a_function_raises_are_told():
    missing = []
    for each in definitions():
        if isinstance(each.node, ast.ClassDef):
            continue
        told = {name for text in (each.text, *each.overridden) for name in entries(text, "Raises")}
        missing += [
            f"{each.name}: {name}" for name in raised(each.node) if not errors()[name] & told
        ]
    assert missing == []


def test_errors_that_are_told_are_errors():
    wrong = [
        f"{each.name}: {name}"
        for each in definitions()
        for name in entries(each.text, "Raises")
        if name not in errors()
    ]
    assert wrong == []


def test_pages_and_examples_import_from_public_modules_alone(listed: ModuleType):
    public = listed.public_modules()
    texts = {page: page.read_text("utf-8") for page in sorted(ROOT.glob("examples/**/*.py"))}
    for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]:
        if "_build" not in page.parts:
            text = page.read_text("utf-8")
            texts[page] = "\n".join(re.findall(r"^```python\n(.*?)^```$", text, re.S | re.M))
    wrong = {}
    for page, text in texts.items():
        named = re.findall(r"^\s*from (unweave[\w.]*) import", text, re.M)
        named += re.findall(r"^\s*import (unweave[\w.]*)", text, re.M)
        inner = sorted(set(named) - set(public))
        if inner:
            wrong[str(page.relative_to(ROOT))] = inner
    assert wrong == {}


def _module(source: str) -> Module:
    return Module("unweave.made", False, ast.parse(source))


def test_what_is_not_told_is_found():
    [cls] = _module(
        """
class Made(Base):
    '''A class.

    Attributes:
        told: By the class.
    '''
    told: int
    below: int
    '''By a string.'''
    helped: int = number(default=1, help="By its help.")
    untold: int
    _hidden: int
"""
    ).classes.values()
    assert fields(cls) == {"told": True, "below": True, "helped": True, "untold": False}
    module = _module("A = 1\nB = 2\n'''Told.'''\n_C = 3\n")
    assert constants(module) == {"A": False, "B": True}


def test_raised_errors_are_those_that_leave_the_function():
    [function] = _module(
        """
def made(x):
    try:
        raise SpecError("caught")
    except UnweaveError:
        raise DataError("raised anew") from None
    def inner():
        raise RunError("later")
    raise ValueError("not of the package")
"""
    ).tree.body
    assert isinstance(function, ast.FunctionDef)
    assert raised(function) == {"DataError"}


def test_entries_end_where_the_section_does():
    text = "Do it.\n\nArgs:\n    a: One\n        more.\n    *b: Two.\n\nRaises:\n    E: No.\n"
    assert entries(text, "Args") == {"a": "One more.", "b": "Two."}
    assert entries(text, "Raises", "Attributes") == {"E": "No."}
