"""Members of component families that the package has; tests define some of their own."""

from __future__ import annotations

from unweave.spec import Component, members

__all__ = ["shipped"]


def shipped(*families: type[Component]) -> dict[str, type[Component]]:
    """Those of the package alone, by name."""
    return {
        name: cls
        for family in families
        for name, cls in members(family).items()
        if cls.__module__.startswith("unweave.")
    }
