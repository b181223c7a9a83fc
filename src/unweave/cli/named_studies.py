"""Studies by name, for commands: published ones, and unweave's own."""

from __future__ import annotations

__all__ = ["named_studies", "named_study", "scale_of", "scales_of"]

from typing import TYPE_CHECKING, TypeAlias

from unweave.cli.common import to_number
from unweave.errors import SpecError, nearest

if TYPE_CHECKING:
    from unweave.generalise import GeneralisationStudy
    from unweave.studies import Study
    from unweave.studies.published import PublishedStudy

    _Named: TypeAlias = PublishedStudy | GeneralisationStudy


def named_studies() -> tuple[_Named, ...]:
    """All of them, published ones first."""
    from unweave.generalise.presets import STUDIES
    from unweave.studies.published import published_studies

    return (*published_studies(), *STUDIES.values())


def named_study(name: str) -> _Named:
    """The one of that name.

    Raises:
        SpecError: There is none.
    """
    known = {study.name: study for study in named_studies()}
    if name not in known:
        raise SpecError(f"Unknown study {name!r:.100}. {nearest(name, known)}")
    return known[name]


def scales_of(study: _Named) -> tuple[str, ...]:
    """Scales of a study that have a name; a number is one of every study."""
    from unweave.generalise.presets import SCALES, STUDIES

    return tuple(SCALES) if study.name in STUDIES else ()


def scale_of(study: _Named, scale: str) -> Study:
    """A study at the scale that is given: a number, or the name of one that it has.

    Raises:
        SpecError: It has no such scale.
    """
    from unweave.generalise import GeneralisationStudy

    names = scales_of(study)
    try:
        number: float = to_number("--scale", scale, float)
    except SpecError as error:
        if isinstance(study, GeneralisationStudy) and scale in names:
            return study.study(scale)
        also = f", or one of {', '.join(names)}" if names else ""
        raise SpecError(
            f"--scale of {study.name} takes a number above 0, such as 0.01{also}, not "
            f"{scale!r:.100}."
        ) from error
    return study.study(number)
