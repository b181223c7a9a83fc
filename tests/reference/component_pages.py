"""Pages of methods and metrics: where they are, and what is written in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import final

from reference.component_blocks import blocks
from reference.members import shipped
from unweave.metrics import Metric
from unweave.objectives import Method
from unweave.spec import Component

__all__ = [
    "FAMILIES_OF_PAGES",
    "FOLDER",
    "FUNCTIONS",
    "SECTIONS",
    "Page",
    "index",
    "marks",
    "mend",
    "mended",
    "page",
    "pages",
]

FOLDER = Path(__file__).parents[2] / "docs" / "reference"
FAMILIES_OF_PAGES: dict[str, type[Component]] = {"methods": Method, "metrics": Metric}
"""Folders of pages, and whose members have them."""

FUNCTIONS = {"metrics": ("udr",)}
"""Pages of a folder that are of a function and not of a member."""

SECTIONS = (
    "What it assumes",
    "Formula",
    "Symbols and code",
    "Defaults and published settings",
    "Limits",
    "Pitfalls",
    "Try it",
    "Reference",
)
"""Headings of every page, in order."""

HEAD = ["symbol", "meaning", "in the code"]
_BLOCK = re.compile(r"(<!-- (?!end )(\w+) -->\n)(.*?)(?=<!-- end -->)", re.S)
_FENCE = re.compile(r"^```.*?^```$", re.S | re.M)


@final
@dataclass(frozen=True)
class Page:
    """A page of a component.

    Attributes:
        folder: `methods` or `metrics`.
        name: Name of the component.
        text: Its Markdown.
    """

    folder: str
    name: str
    text: str

    @property
    def member(self) -> type[Component]:
        """The component that it is about."""
        return shipped(FAMILIES_OF_PAGES[self.folder])[self.name]

    @property
    def headings(self) -> list[str]:
        """Headings of its sections."""
        return re.findall(r"^## (.*)$", _FENCE.sub("", self.text), re.M)

    @property
    def marks(self) -> list[str]:
        """Names of its generated blocks, in order."""
        return marks(self.text)

    @property
    def symbols(self) -> list[tuple[str, str, list[str]]]:
        """Rows of the table of symbols: the symbol, its meaning, and names in the code."""
        rows = re.findall(r"^\|(.*)\|$", self.section("Symbols and code"), re.M)
        cells = [[cell.strip() for cell in row.split("|")] for row in rows]
        assert cells[0] == HEAD, f"{self.name}: the table of symbols begins with {cells[0]}"
        assert all(len(row) == 3 for row in cells), f"{self.name}: not three cells a row"
        return [(row[0], row[1], re.findall(r"`([^`]+)`", row[2])) for row in cells[2:]]

    def section(self, heading: str) -> str:
        """The text under a heading."""
        found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", self.text, re.S | re.M)
        assert found, f"{self.name}: no section {heading!r}"
        return found[1].strip()

    def code(self, language: str) -> str:
        """What is to be tried in a language."""
        section = self.section("Try it")
        return "\n".join(re.findall(rf"^```{language}\n(.*?)^```$", section, re.S | re.M))


def page(folder: str, name: str) -> Page:
    """The page of a component."""
    return Page(folder, name, (FOLDER / folder / f"{name}.md").read_text(encoding="utf-8"))


def pages(folder: str) -> list[Page]:
    """The pages of members in a folder."""
    names = sorted(path.stem for path in (FOLDER / folder).glob("*.md"))
    others = ("index", *FUNCTIONS.get(folder, ()))
    return [page(folder, name) for name in names if name not in others]


def index(folder: str) -> dict[str, str]:
    """The lists of a folder's pages, with the sentence that each begins with, by their marks.

    Methods are one list, `pages`; metrics are one for each room of `unweave.metrics`.
    """
    lists: dict[str, list[str]] = {}
    for each in pages(folder):
        room = each.member.__module__.split(".")[2] if folder == "metrics" else "pages"
        line = f"- [`{each.name}`]({each.name}.md): {each.text.split(chr(10) * 2)[1]}"
        lists.setdefault(room, []).append(line)
    return {room: "\n".join(lines) for room, lines in lists.items()}


def marks(text: str) -> list[str]:
    """Names of the generated blocks of a text, in order."""
    return [mark for _, mark, _ in _BLOCK.findall(text)]


def mend(text: str, made: dict[str, str]) -> str:
    """A text with its generated blocks as they are made."""
    return _BLOCK.sub(lambda found: f"{found[1]}\n{made[found[2]]}\n\n", text)


def mended(each: Page) -> str:
    """The text of a page with its generated blocks as the code gives them."""
    return mend(each.text, blocks(each.member))
