"""Which kinds of figures are asked for, and what of a look they do not heed."""

from __future__ import annotations

__all__ = ["asked_kinds", "unheeded"]

from collections.abc import Sequence

from unweave.errors import SpecError, nearest
from unweave.figures.catalog import FIGURES
from unweave.figures.look import Look


def asked_kinds(kinds: Sequence[str], *, animations: bool = False) -> tuple[str, ...]:
    """Names of the kinds to draw, each once.

    Args:
        kinds: Names; `all`, or none, for the usual ones.
        animations: Whether moving ones are drawn as well, where the usual ones are.

    Raises:
        SpecError: There is no such kind.
    """
    every = not kinds or "all" in kinds
    for kind in kinds:
        if kind not in FIGURES and kind != "all":
            raise SpecError(f"Unknown figure {kind!r}. {nearest(kind, [*FIGURES, 'all'])}")
    return tuple(
        name
        for name, kind in FIGURES.items()
        if name in kinds or (every and (kind.usual or (animations and kind.animated)))
    )


def unheeded(kinds: Sequence[str], look: Look) -> list[str]:
    """What is asked for of pictures and makes no difference, a sentence for each kind.

    Args:
        kinds: Kinds that were named; of others it is said only what none of them heeds.
        look: What is asked for.
    """
    named = [kind for kind in kinds if kind != "all"]
    found = []
    for kind in named:
        if ignored := [name for name in look.asked if name not in FIGURES[kind].heeds]:
            takes = ", ".join(FIGURES[kind].heeds) or "nothing"
            found.append(
                f"The figure {kind} does not heed {', '.join(ignored)}; it heeds {takes}."
            )
    if look.cycle and look.range is not None:
        found.append(f"The cycle {look.cycle} has a range of its own; range makes no difference.")
    return found
