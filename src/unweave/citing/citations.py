"""Citations: entries with what each is cited for, as BibTeX, as text and as JSON."""

from __future__ import annotations

__all__ = ["Citations", "Cited", "citations_of"]

import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, final

from unweave._version import __version__
from unweave.citing.bibliography import bibliography
from unweave.citing.entry import Entry
from unweave.citing.used import Used

_WIDTH: Final = 96


@final
@dataclass(frozen=True)
class Cited:
    """An entry of the bibliography, and what it is cited for.

    Attributes:
        entry: The entry.
        reasons: What stands on it, such as `method factor_vae`.
    """

    entry: Entry
    reasons: tuple[str, ...]

    @property
    def key(self) -> str:
        """The key of the entry."""
        return self.entry.key


@final
@dataclass(frozen=True)
class Citations:
    """What to cite, in the order in which it was used; printing gives BibTeX.

    Attributes:
        of: What was asked for: folders and texts.
        cited: The entries, unweave itself first.
        without: What no paper is known of, such as `likelihood bernoulli`.
    """

    of: tuple[str, ...]
    cited: tuple[Cited, ...]
    without: tuple[str, ...]

    def __iter__(self) -> Iterator[Cited]:
        """The entries."""
        return iter(self.cited)

    def __len__(self) -> int:
        """Number of entries."""
        return len(self.cited)

    def __str__(self) -> str:
        """The same as `bibtex`."""
        return self.bibtex()

    @property
    def keys(self) -> tuple[str, ...]:
        """Keys of the entries."""
        return tuple(each.key for each in self.cited)

    def bibtex(self) -> str:
        """BibTeX, with what each entry is cited for, and where it was confirmed, beside it."""
        head = [f"What to cite for {', '.join(self.of)}, by unweave cite."]
        if self.without:
            head.append(f"Nothing is known to be cited for: {', '.join(self.without)}.")
        blocks = ["\n".join(_comment(line) for line in head)]
        for each in self.cited:
            cited_for = _comment(f"Cited for: {'; '.join(each.reasons)}.")
            confirmed = _comment(f"Confirmed: {each.entry.confirmed}.")
            blocks.append(f"{cited_for}\n{confirmed}\n{each.entry.bibtex()}")
        return "\n\n".join(blocks)

    def text(self) -> str:
        """A list of references, with what each is cited for."""
        lines = [
            f"{each.entry.text()}\n    For: {'; '.join(each.reasons)}." for each in self.cited
        ]
        if self.without:
            lines.append(f"Nothing is known to be cited for: {', '.join(self.without)}.")
        return "\n\n".join(lines)

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "of": list(self.of),
            "entries": [
                {
                    "key": each.key,
                    "kind": each.entry.kind,
                    "fields": dict(each.entry.fields),
                    "confirmed": each.entry.confirmed,
                    "cited_for": list(each.reasons),
                    "text": each.entry.text(),
                }
                for each in self.cited
            ],
            "without": list(self.without),
        }


def citations_of(used: Used, of: tuple[str, ...]) -> Citations:
    """The citations of what was used, those of unweave itself first.

    Args:
        used: What was used.
        of: What was asked for.
    """
    known = bibliography()
    versions = used.versions or [__version__]
    word = "Version" if len(versions) == 1 else "Versions"
    note = {"note": f"{word} {', '.join(versions)}"}
    own = replace(known["unweave"], fields=dict(known["unweave"].fields) | note)
    others = [Cited(known[key], tuple(reasons)) for key, reasons in used.entries.items()]
    return Citations(of, (Cited(own, ("unweave itself",)), *others), tuple(used.without))


def _comment(text: str) -> str:
    """Lines of a comment. An @ begins an entry for BibTeX wherever it stands."""
    body = text.replace("@", "(at)")
    return textwrap.fill(
        body,
        _WIDTH,
        initial_indent="% ",
        subsequent_indent="%   ",
        break_long_words=False,
        break_on_hyphens=False,
    )
