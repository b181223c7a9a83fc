"""Names of a package that are imported when they are first used."""

from __future__ import annotations

__all__ = ["lazy_names"]

import importlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any


def lazy_names(
    package: str, public: Sequence[str], homes: Mapping[str, str]
) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """What a package has as `__getattr__` and `__dir__`, so that to import it imports little.

    Type checkers must not see them: they would take every name for one that is there, misspelt
    ones as well. So they are set under `if not TYPE_CHECKING`, and all names are imported under
    `if TYPE_CHECKING`.

    Args:
        package: Its dotted name.
        public: Its `__all__`.
        homes: The module that each name is imported from; one that begins with a point is within
            the package.

    Returns:
        The two functions. The first raises `AttributeError` for a name that has no home.
    """

    def find(name: str) -> Any:
        if name in homes:
            return getattr(importlib.import_module(homes[name], package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    def names() -> list[str]:
        return list(public)

    return find, names
