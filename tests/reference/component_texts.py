"""What docstrings and declarations say of components, in the words of reference pages."""

from __future__ import annotations

import dataclasses
import inspect
import re

from unweave.citing import PAPERS, bibliography
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.nn import Architecture, Kim, LieGroup
from unweave.objectives import Method, Plan, Setup, Term
from unweave.spec import Component, field_hints, value_text
from unweave.spec.hints import choices

__all__ = ["about", "fields", "linked", "needs", "references", "source"]


def about(cls: type[Component]) -> str:
    """The first paragraph of a docstring."""
    return " ".join((inspect.getdoc(cls) or "").split("\n\n")[0].split())


def source(cls: type[Component]) -> str:
    """Authors, years and arXiv numbers of the references in a docstring."""
    entries: list[str] = []
    ended = True
    for line in (inspect.getdoc(cls) or "").splitlines():
        if not line.strip().startswith("|"):
            continue
        text = line.strip("| ")
        if ended and not text.startswith("https:"):
            entries.append(text)
        else:
            entries[-1] += f" {text}"
        # A title may go on in the next line; authors or an address end it.
        ended = ")" in entries[-1] or "https:" in entries[-1]
    return "; ".join(map(_cited, entries))


def references(cls: type[Component]) -> str:
    """A list of the papers that a component stands on, the one that it is known by first."""
    keys = PAPERS.get(cls.family, {}).get(cls.name, ())
    if not keys:
        return "No single paper is cited for it."
    known = bibliography()
    return "\n".join(f"- {linked(known[key].text())}" for key in keys)


def linked(text: str) -> str:
    """A text whose addresses are links."""
    return re.sub(r"https?://[^\s,;]*[^\s,;.]", lambda found: f"<{found[0]}>", text)


def _cited(entry: str) -> str:
    text, _, address = entry.partition("https://")
    named = re.search(r"\(([^()]*[a-z][^()]*)\)(.*)", text)
    told = f"{named[1]}{named[2]}" if named else text
    # What a reference is for, such as "The capacity: ", stays.
    purpose = re.match(r"The \w+: ", text)
    if purpose:
        told = f"{purpose[0].lower()}{told.removeprefix(purpose[0])}"
    told = told.strip().rstrip(",")
    if not address:
        return told
    number = address.strip().removeprefix("arxiv.org/abs/")
    assert re.fullmatch(r"\d{4}\.\d{5}|\d{4}\.\d{4}", number), entry
    return f"{told}, [{number}](https://arxiv.org/abs/{number})"


def fields(cls: type[Component]) -> str:
    """Fields with their defaults, own ones first; none that came later; what `compat` repeats."""
    hints = field_hints(cls)
    own = inspect.get_annotations(cls)
    found = {
        field.name: field
        for field in sorted(dataclasses.fields(cls), key=lambda field: field.name not in own)
    }
    compat = found.pop("compat", None)
    told = [
        f"`{field.name}={value_text(field.default, hints[field.name])}`"
        for field in found.values()
        if not field.metadata["later"]
    ]
    if compat is not None:
        codes = [choice for choice in choices(hints["compat"]) if choice != "none"]
        told.append(f"`compat` of {', '.join(f'`{code}`' for code in codes)}")
    return ", ".join(told)


def _setup(architecture: Architecture, method: Method | None) -> Setup:
    space = parse_dataset("dsprites").factor_space
    given = None if method is None else method.given(space)
    return Setup(
        architecture=architecture,
        image_shape=(64, 64, 1),
        latents=10 if given is None else given.width,
        factors=space,
    )


def needs(source: Plan | Term) -> list[str]:
    """What a plan or term needs beside images, in words."""
    asked = source.needs
    method = source.method if isinstance(source, Plan) else None
    found = [
        words
        for words, needed in {
            "pairs": asked.per_draw == 2,
            "triplets": asked.per_draw == 3,
            "labels of all images": asked.factors or asked.codes is not None,
            "a few labels": asked.labelled is not None,
            "a second batch": asked.second,
        }.items()
        if needed
    ]
    try:
        source.check(_setup(Kim(), method))
    except SpecError:
        source.check(_setup(LieGroup(), method))
        found.append("the architecture `lie_group`")
    return found
