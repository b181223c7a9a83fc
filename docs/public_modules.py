"""The modules whose names are for users, which are those that the API reference has.

They are the rooms: modules right below the package, and packages that export something. Files
within rooms are for the room, but for a few that pages and examples import from.
"""

from __future__ import annotations

import ast
from pathlib import Path

__all__ = ["BESIDE", "context", "exported", "public_modules"]

_SOURCES = Path(__file__).parents[1] / "src" / "unweave"

BESIDE = (
    "unweave.generalise.words",
    "unweave.metrics.sampling",
    "unweave.metrics.synthetic",
    "unweave.metrics.table",
    "unweave.objectives.lie_algebra",
    "unweave.population.figures",
)
"""Modules within rooms that users import from."""


def exported(path: Path) -> tuple[str, ...]:
    """What the `__all__` of a source file has."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return tuple(ast.literal_eval(node.value))
    return ()


def public_modules() -> dict[str, tuple[str, ...]]:
    """Dotted names of the public modules, in order, and what each exports."""
    found = {}
    for path in _SOURCES.rglob("*.py"):
        parts = ("unweave", *path.relative_to(_SOURCES).with_suffix("").parts)
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        if any(part.startswith("_") for part in name.split(".")):
            continue
        if is_package or len(parts) == 2 or name in BESIDE:
            found[name] = exported(path)
    return {name: names for name, names in sorted(found.items()) if names}


def context() -> dict[str, dict[str, list[str]]]:
    """For the template of a module's page: the public modules within each, by dotted name."""
    inner: dict[str, list[str]] = {}
    for name in (public := public_modules()):
        # A module of a package that exports nothing is listed by the room around that
        room = name.rpartition(".")[0]
        while room and room not in public:
            room = room.rpartition(".")[0]
        if room:
            inner.setdefault(room, []).append(name)
    return {"inner": inner}
