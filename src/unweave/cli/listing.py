"""What lists of components share: what is known of each, as a line or in full."""

from __future__ import annotations

__all__ = ["Listing", "Long", "describe", "lines_of", "range_of", "text_of"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Flag

if TYPE_CHECKING:
    from unweave.spec import Component


def describe(family: type[Component]) -> list[dict[str, Any]]:
    """Name, sentence, fields with defaults and help of every member of a family."""
    import dataclasses
    import inspect

    from unweave.spec import field_hints, members, value_text

    rows = []
    for name, cls in members(family).items():
        hints = field_hints(cls)
        doc = inspect.getdoc(cls) or ""
        sources = [line.strip("| ") for line in doc.splitlines() if line.strip().startswith("|")]
        fields = [
            {
                "name": field.name,
                "default": None
                if field.default is dataclasses.MISSING
                else value_text(field.default, hints[field.name]),
                "required": field.default is dataclasses.MISSING,
                "help": field.metadata.get("help", ""),
            }
            for field in dataclasses.fields(cls)
        ]
        about = doc.split("\n\n")[0].replace("\n", " ")
        rows.append({"name": name, "about": about, "fields": fields, "source": " ".join(sources)})
    return rows


def text_of(rows: list[dict[str, Any]]) -> str:
    """What `describe` gives, as a list to read."""
    lines: list[str] = []
    for row in rows:
        lines += [row["name"], f"  {row['about']}"]
        for field in row["fields"]:
            value = "required" if field["required"] else field["default"]
            lines.append(f"    {field['name']}={value}   {field['help']}")
        if not row.get("encodes", True):
            lines.append("  Decodes only: for ground_truth_decoder, or as decode of a pair.")
        if row["source"]:
            lines.append(f"  Source: {row['source']}")
        if "range" in row:
            lines += _score_lines(row)
        lines.append("")
    return "\n".join(lines).rstrip()


def lines_of(rows: list[dict[str, Any]]) -> str:
    """A line for each of what `describe` gives: its name, and what it is in a sentence."""
    import textwrap

    width = max(len(row["name"]) for row in rows)
    return "\n".join(
        textwrap.fill(
            _sentence(row["about"]),
            80,
            initial_indent=f"{row['name']:<{width}}  ",
            subsequent_indent=" " * (width + 2),
            break_long_words=False,
            break_on_hyphens=False,
        )
        for row in rows
    )


def _sentence(text: str) -> str:
    """The first sentence of a text."""
    import re

    return re.split(r"(?<=[a-z)`]\.) (?=[A-Z`])", text, maxsplit=1)[0]


def _score_lines(row: dict[str, Any]) -> list[str]:
    """What is said of a metric or an analysis alone."""
    lines = [
        f"  from {range_of(row)}, {row['direction']} is better; needs {', '.join(row['needs'])}"
    ]
    if row["aliases"]:
        lines.append(f"  also called {', '.join(row['aliases'])}")
    lines.append(f"  takes {row['cost']}")
    lines += [f"  protocol {label}: {text}" for label, text in row["protocols"].items()]
    if row["opt_in"]:
        lines.append("  Scored only when it is asked for by name.")
    return lines


def range_of(row: dict[str, Any]) -> str:
    """The lowest and the highest value of a score, in words."""
    return " to ".join("no limit" if end is None else f"{end:g}" for end in row["range"])


@dataclass(kw_only=True)
class Listing(Common):
    """What all lists have in common."""

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[NAME ...]", help_behavior_hint="")]
    ] = ()
    """Only these; all when no name is given."""

    def chosen(self, rows: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
        """The rows that are asked for.

        Raises:
            SpecError: One of the names is not among them.
        """
        from unweave.errors import SpecError, nearest

        known = [row["name"] for row in rows]
        for name in self.names:
            if name not in known:
                raise SpecError(f"Unknown {what} {name!r:.100}. {nearest(name, known)}")
        return [row for row in rows if not self.names or row["name"] in self.names]


@dataclass(kw_only=True)
class Long(Listing):
    """What those lists have in common of which a line is said of each."""

    names: Positional[
        Annotated[tuple[str, ...], arg(metavar="[NAME ...]", help_behavior_hint="")]
    ] = ()
    """All that is known of these; a line for each that there is when no name is given."""

    full: Flag = False
    """All that is known of each that there is."""

    @property
    def whole(self) -> bool:
        """Whether all is said of what is listed."""
        return self.full or bool(self.names)

    def emit_parts(self, parts: dict[str, list[dict[str, Any]]], what: str) -> None:
        """Print several lists, each under its name, of which all or some rows are asked for."""
        chosen = self.chosen([row for part in parts.values() for row in part], what)
        kept = {name: [row for row in part if row in chosen] for name, part in parts.items()}
        write = text_of if self.whole else lines_of
        blocks = [
            f"{name.replace('_', ' ').upper()}\n\n{write(part)}"
            for name, part in kept.items()
            if part
        ]
        self.emit(kept, "\n\n".join([*blocks, *self.hint()]))

    def hint(self) -> list[str]:
        """How to see more, where only a line is said of each."""
        return [] if self.whole else ["Fields, defaults and sources: name some, or give --full."]
