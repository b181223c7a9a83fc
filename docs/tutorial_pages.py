"""A tutorial as text: its blocks of code, what stands for their sizes in tests, their outputs.

A block of Python is what stands between two fences. After it its output may stand between
`<!-- output -->` and `<!-- end -->`, and before it, unseen by readers, `<!-- mini` with the code
that takes its place where the page is carried out small.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PAGES", "PICTURES", "Cell", "Output", "cells_of", "pictures_of", "with_outputs"]

DOCS = Path(__file__).parent
PAGES = DOCS / "tutorials"
PICTURES = DOCS / "images" / "tutorials"

_BEGIN, _END = "<!-- output -->", "<!-- end -->"
_CELL = re.compile(
    r"(?:^<!-- mini\n(?P<mini>(?:(?!-->).)*?)^-->\n\n)?"
    r"^```python\n(?P<code>.*?)^```\n"
    rf"(?P<output>\n{_BEGIN}\n.*?^{_END}\n)?",
    re.S | re.M,
)
_PICTURE = re.compile(r"!\[(?P<alt>[^\]]*)\]\(\.\./images/tutorials/(?P<name>[^)]+)\)")


@dataclass(frozen=True, kw_only=True)
class Cell:
    """A block of code in a page.

    Attributes:
        line: The line of its first line of code, from 1.
        code: Its code.
        mini: The code that takes its place where the page is carried out small; None for itself.
        output: What stands between the markers after it; empty where there are none.
    """

    line: int
    code: str
    mini: str | None
    output: str


@dataclass(frozen=True, kw_only=True)
class Output:
    """What a block has given.

    Attributes:
        text: What it printed.
        pictures: Names of files.
    """

    text: str
    pictures: tuple[str, ...]


def cells_of(text: str) -> list[Cell]:
    """The blocks of a page, in order."""
    return [
        Cell(
            line=text.count("\n", 0, match.start("code")) + 1,
            code=match["code"],
            mini=match["mini"],
            output=match["output"] or "",
        )
        for match in _CELL.finditer(text)
    ]


def pictures_of(text: str) -> list[str]:
    """Names of the pictures of tutorials that a text shows, in order."""
    return [match["name"] for match in _PICTURE.finditer(text)]


def with_outputs(text: str, outputs: Sequence[Output]) -> str:
    """A page with other outputs. What is said of a picture, for those who cannot see it, stays.

    Args:
        text: The page.
        outputs: Of each of its blocks.

    Raises:
        ValueError: There are more or fewer of them than blocks, or a text would end its fence.
    """
    left = iter(outputs)

    def replaced(match: re.Match[str]) -> str:
        whole = match[0] if match["output"] is None else match[0][: -len(match["output"])]
        return whole + _written(next(left), match["output"] or "", match["code"])

    if len(outputs) != len(cells_of(text)):
        raise ValueError(f"{len(outputs)} outputs of {len(cells_of(text))} blocks.")
    return _CELL.sub(replaced, text)


def _written(output: Output, before: str, code: str) -> str:
    """An output between its markers; empty where a block has given nothing."""
    told = [match["alt"] for match in _PICTURE.finditer(before)]
    parts = []
    if lines := [line.rstrip() for line in output.text.strip("\n").splitlines()]:
        if any(line.startswith("```") or line == _END for line in lines):
            raise ValueError(f"This would end its own fence: {output.text}")
        parts.append("\n".join(["```text", *lines, "```"]))
    for place, name in enumerate(output.pictures):
        alt = told[place] if place < len(told) else code.strip().splitlines()[-1]
        parts.append(f"![{alt}](../images/tutorials/{name})")
    return "\n" + "\n\n".join([_BEGIN, *parts, _END]) + "\n" if parts else ""
