"""Pages of source code link back to a page that describes what is defined there.

A name that two rooms export is described on two pages. The extension that makes the pages of
source code knows one room a module and the page that it saw last, which need not be of that room.
"""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from public_modules import public_modules
from sphinx.application import Sphinx

__all__ = ["room_of"]

_Entry = tuple[str, dict[str, Any], dict[str, str], str]


def room_of(rooms: Iterable[str], names: Collection[str], described: Collection[str]) -> str:
    """The room in which most names of a module are described; of several the first.

    Args:
        rooms: Those that export something of the module.
        names: What the module defines, `Class` or `Class.method`.
        described: Full names that have a description.
    """
    return max(rooms, key=lambda room: sum(f"{room}.{name}" in described for name in names))


def _rooms(module: str, names: Iterable[str]) -> list[str]:
    """Rooms that export something which is defined in a module, under its name."""
    defined = {name for name in names if "." not in name}
    return [
        room
        for room, exported in public_modules().items()
        if room in sys.modules
        and any(
            getattr(getattr(sys.modules[room], name), "__module__", None) == module
            for name in defined.intersection(exported)
        )
    ]


def _drop_stale(place: Path, room: str, names: Iterable[str]) -> None:
    """Remove a page of an earlier build that lacks names; a newer one is made in its place."""
    page = place.with_suffix(".html")
    if page.is_file():
        text = page.read_text(encoding="utf-8")
        if not all(f'id="{name}"' in text and f'#{room}.{name}"' in text for name in names):
            page.unlink()


def _mend(app: Sphinx) -> list[Any]:
    """Let each module link back to one room, and each name to the page that it is on there."""
    objects: Mapping[str, Any] = app.env.domaindata["py"]["objects"]
    modules: dict[str, _Entry | bool] = getattr(app.env, "_viewcode_modules", {})
    for module, entry in modules.items():
        if not isinstance(entry, tuple):
            continue
        code, tags, used, _ = entry
        rooms = _rooms(module, used)
        if rooms:
            room = room_of(rooms, used, objects)
            for name in used:
                if f"{room}.{name}" in objects:
                    used[name] = objects[f"{room}.{name}"].docname
            modules[module] = code, tags, used, room
            _drop_stale(Path(app.outdir, "_modules", *module.split(".")), room, used)
    return []


def setup(app: Sphinx) -> dict[str, Any]:
    """Come before the pages of source code are made."""
    app.connect("html-collect-pages", _mend, priority=100)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
