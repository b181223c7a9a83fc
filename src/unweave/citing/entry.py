"""One entry of the bibliography, as BibTeX and as text."""

from __future__ import annotations

__all__ = ["Entry", "plain"]

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

# What LaTeX puts over or under the letter that follows.
_MARKS: Final = {
    "`": "\u0300", "'": "\u0301", "^": "\u0302", "~": "\u0303", '"': "\u0308", "=": "\u0304",
    ".": "\u0307", "u": "\u0306", "v": "\u030c", "H": "\u030b", "r": "\u030a", "c": "\u0327",
    "k": "\u0328",
}  # fmt: skip
_ACCENT = re.compile(r"""\\([`'^~"=.]|[uvHrck](?![a-zA-Z]))\s*\{?([a-zA-Z])\}?""")


@final
@dataclass(frozen=True)
class Entry:
    """A paper, a dataset or a piece of software.

    Attributes:
        kind: The BibTeX type, such as `inproceedings`.
        key: What it is cited by.
        fields: Field -> value, with LaTeX letters, in the order of the file.
        confirmed: Where its facts were read: public addresses.
    """

    kind: str
    key: str
    fields: Mapping[str, str]
    confirmed: str

    def __post_init__(self) -> None:
        """Close the fields: all callers share them."""
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))

    @property
    def surnames(self) -> tuple[str, ...]:
        """Surnames of the authors, in order and without LaTeX."""
        return tuple(plain(name.partition(",")[0]) for name in self._authors())

    @property
    def years(self) -> frozenset[int]:
        """The years by which it is cited: its own, and that of its arXiv number."""
        found = {int(self.fields["year"])} if "year" in self.fields else set()
        if "eprint" in self.fields:
            found.add(2000 + int(self.fields["eprint"][:2]))
        return frozenset(found)

    def bibtex(self) -> str:
        """The entry as BibTeX reads it."""
        lines = [f"  {name} = {{{value}}}," for name, value in self.fields.items()]
        return "\n".join([f"@{self.kind}{{{self.key},", *lines, "}"])

    def text(self) -> str:
        """The entry as a line of a list of references."""
        year = f" ({self.fields['year']})" if "year" in self.fields else ""
        title = plain(self.fields["title"])
        parts = [f"{self._told_authors()}{year}", title if title[-1] in "?!" else f"{title}."]
        place = self.fields.get("booktitle") or self.fields.get("journal")
        if place is not None:
            parts.append(f"{plain(place)}{self._number()}.")
        if "note" in self.fields:
            parts.append(f"{plain(self.fields['note'])}.")
        if "eprint" in self.fields:
            parts.append(f"arXiv {self.fields['eprint']}.")
        if "doi" in self.fields:
            parts.append(f"https://doi.org/{self.fields['doi']}")
        elif "url" in self.fields:
            parts.append(self.fields["url"])
        parts[0] += "."
        return " ".join(parts)

    def _authors(self) -> list[str]:
        return (
            re.split(r"\s+and\s+", self.fields["author"])
            if self._names_people()
            else [self.fields["author"]]
        )

    def _names_people(self) -> bool:
        """Whether the authors are people; a group stands in braces of its own."""
        author = self.fields["author"]
        return not (author.startswith("{") and author.endswith("}"))

    def _told_authors(self) -> str:
        names = []
        for name in self._authors():
            surname, _, given = (plain(part).strip() for part in name.partition(","))
            names.append(f"{given} {surname}" if given else surname)
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"

    def _number(self) -> str:
        """Volume, number and pages, as far as they are known."""
        volume, number = self.fields.get("volume"), self.fields.get("number")
        told = "" if volume is None else f" {volume}" + (f"({number})" if number else "")
        pages = self.fields.get("pages")
        return told if pages is None else f"{told}, {pages.replace('--', '-')}"


def plain(text: str) -> str:
    """LaTeX as plain text: its accents as letters, and no braces."""
    text = text.replace(r"{\ss}", "ß").replace(r"{\o}", "ø").replace(r"{\O}", "Ø")
    text = _ACCENT.sub(lambda found: found[2] + _MARKS[found[1]], text)
    return unicodedata.normalize("NFC", re.sub(r"[{}]", "", text))
