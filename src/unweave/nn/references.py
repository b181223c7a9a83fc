"""Texts that name classes and functions of the user's own, and what they stand for.

A text is `package.module:Name` or `path/file.py:Name`. What it names is imported only once this
process has been told that it may be: a run folder from elsewhere names code, too.
"""

from __future__ import annotations

__all__ = ["ALLOW", "allow", "check_reference", "find", "is_allowed", "reference_of", "told"]

import functools
import hashlib
import importlib
import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from unweave.errors import SpecError

ALLOW: Final = "UNWEAVE_ALLOW_OWN"
"""The environment variable that, set to 1, lets every text be imported."""

_MAIN: Final = "__main__"

# What this process may import, and what it was given as objects.
_allowed: set[str] = set()
_given: dict[str, Callable[..., Any]] = {}


def check_reference(text: str, where: str) -> None:
    """Refuse a text that cannot name anything; nothing is imported.

    Raises:
        SpecError: The text has another form.
    """
    place, _, name = text.rpartition(":")
    fits = all(part.isidentifier() for part in name.split("."))
    if not fits or not (
        place.endswith(".py") or all(part.isidentifier() for part in place.split("."))
    ):
        raise SpecError(
            f"{where} names a class or function as 'package.module:Name' or 'path/file.py:Name', "
            f"but is {text!r:.200}."
        )


def reference_of(thing: Any) -> str:
    """The text by which a class or function is found again; it may be imported from then on.

    Raises:
        SpecError: It cannot be found again: it has no name of its own in a module.
    """
    module, name = getattr(thing, "__module__", None), getattr(thing, "__qualname__", None)
    if not callable(thing) or not isinstance(module, str) or not isinstance(name, str):
        raise SpecError(
            f"{thing!r:.200} cannot be found again by name. Give the class of a network, not one "
            f"made of it; or a function at the top of a module that makes the network."
        )
    if "<" in name or _attribute(sys.modules.get(module), name) is not thing:
        raise SpecError(
            f"{name} cannot be found again: it is defined within a function, or its name in "
            f"{module} stands for something else. Define it at the top of a module, with class or "
            f"def."
        )
    text = f"{module}:{name}"
    _given[_key(text)] = thing
    return text


def allow(text: str) -> None:
    """Let a text be imported by this process, since the user asked for it."""
    _allowed.add(_key(text))


def is_allowed(text: str) -> bool:
    """Whether a text may be imported, or is known already."""
    key = _key(text)
    return key in _given or key in _allowed or os.environ.get(ALLOW) == "1"


def find(text: str) -> Callable[..., Any]:
    """What a text stands for; its module is imported where that has not been done.

    Raises:
        SpecError: It may not be imported, cannot be, or there is no such thing.
    """
    key = _key(text)
    if key in _given:
        return _given[key]
    if not is_allowed(text):
        raise SpecError(
            f"The network {text} is code of its own, which is not run unasked. If you trust it, "
            f"set {ALLOW}=1; or, in Python, name it first: unweave.own_architecture(encoder=..., "
            f"decoder=...) with the same classes or texts."
        )
    place, _, name = text.rpartition(":")
    try:
        module = _load(Path(place).resolve()) if place.endswith(".py") else _module(place)
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(
            f"The network {text} cannot be had: importing {place} fails with {told(error)}."
        ) from error
    found = _attribute(module, name)
    if not callable(found):
        raise SpecError(f"The network {text} cannot be had: {place} has no {name}.{_why(place)}")
    thing: Callable[..., Any] = found
    return thing


def told(error: Exception) -> str:
    """An error of the user's code in one line."""
    return f"{type(error).__name__}: {' '.join(str(error).split())}".removesuffix(".")


def _module(place: str) -> ModuleType:
    try:
        return importlib.import_module(place)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{place}.".startswith(f"{error.name}."):
            raise
        raise SpecError(
            f"There is no module {error.name} to import a network from. Put its folder on "
            f"PYTHONPATH, or name the file: 'path/file.py:Name'."
        ) from error


@functools.cache
def _load(path: Path) -> ModuleType:
    """A file as a module of its own; files beside it can be imported by it."""
    if not path.is_file():
        raise SpecError(f"There is no file {path} to import a network from.")
    name = f"unweave_own_{hashlib.sha256(str(path).encode()).hexdigest()[:16]}"
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Classes look themselves up by the name of their module.
    sys.modules[name] = module
    sys.path.append(str(path.parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module


def _attribute(module: Any, name: str) -> Any:
    """What a dotted name stands for in a module, or None."""
    for part in name.split("."):
        module = getattr(module, part, None)
    return module


def _why(place: str) -> str:
    if place != _MAIN:
        return ""
    return (
        " It was defined in a script or notebook. Define it in this one, too, and name it with "
        "unweave.own_architecture; or train with a class that lies in a file of its own, which "
        "can be found from everywhere."
    )


def _key(text: str) -> str:
    """The text with a whole path."""
    place, _, name = text.rpartition(":")
    return f"{Path(place).resolve()}:{name}" if place.endswith(".py") else text
