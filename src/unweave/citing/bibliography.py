"""The bibliography of the package: entries by key, read from `bibliography.bib`."""

from __future__ import annotations

__all__ = ["bibliography", "read_entries"]

import functools
import importlib.resources
import re
from collections.abc import Mapping
from types import MappingProxyType

from unweave.citing.entry import Entry
from unweave.errors import UnweaveError

_HEAD = re.compile(r"@(\w+)\{([\w-]+),")
_FIELD = re.compile(r"  (\w+) = \{(.*)\},")


@functools.cache
def bibliography() -> Mapping[str, Entry]:
    """All entries, by key in alphabetical order."""
    file = importlib.resources.files("unweave.citing") / "bibliography.bib"
    entries = read_entries(file.read_text(encoding="utf-8"))
    return MappingProxyType({entry.key: entry for entry in sorted(entries, key=_key)})


def read_entries(text: str) -> list[Entry]:
    """The entries of a bibliography in our own narrow form of BibTeX.

    An entry begins with `@kind{key,` in a line and ends with `}` in a line; between them stands a
    field a line, `  name = {value},`. Comments stand outside of entries, after `%`.

    Args:
        text: Content of the file.

    Raises:
        UnweaveError: A line is neither; an entry has no author, title or `confirmed`, or comes
            twice.
    """
    entries: dict[str, Entry] = {}
    head: re.Match[str] | None = None
    fields: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), 1):
        field = _FIELD.fullmatch(line)
        if head is None and (not line or line.startswith("%")):
            continue
        if head is None and (head := _HEAD.fullmatch(line)):
            fields = {}
        elif head is not None and field is not None and field[1] not in fields:
            fields[field[1]] = field[2]
        elif head is not None and line == "}":
            entry = _entry(head[1], head[2], fields)
            if entry.key in entries:
                raise UnweaveError(f"The bibliography has {entry.key} twice.")
            entries[entry.key] = entry
            head = None
        else:
            raise UnweaveError(f"Line {number} of the bibliography cannot be read: {line!r:.100}.")
    if head is not None:
        raise UnweaveError(f"The entry {head[2]} of the bibliography has no end.")
    return list(entries.values())


def _entry(kind: str, key: str, fields: dict[str, str]) -> Entry:
    missing = [name for name in ("author", "title", "confirmed") if not fields.get(name)]
    if missing:
        raise UnweaveError(f"The entry {key} of the bibliography has no {missing[0]}.")
    confirmed = fields.pop("confirmed")
    return Entry(kind, key, fields, confirmed)


def _key(entry: Entry) -> str:
    return entry.key
