"""All published studies, and how they are looked up."""

from __future__ import annotations

__all__ = ["published", "published_studies", "published_study"]

import functools

from unweave.errors import SpecError, nearest
from unweave.studies.published.base import PublishedStudy
from unweave.studies.published.clg import clg_studies
from unweave.studies.published.dag import dag_studies
from unweave.studies.published.disvae import disvae_studies
from unweave.studies.published.dlib import dlib_studies
from unweave.studies.published.dpt import dpt_studies
from unweave.studies.spec import Study


@functools.cache
def published_studies() -> tuple[PublishedStudy, ...]:
    """Every published study, source by source."""
    return (
        *disvae_studies(),
        *dlib_studies(),
        *dag_studies(),
        *clg_studies(),
        *dpt_studies(),
    )


def published_study(name: str) -> PublishedStudy:
    """The entry of that name, which says from whom the study is and what it waits for.

    Raises:
        SpecError: There is none.
    """
    known = {study.name: study for study in published_studies()}
    if name not in known:
        raise SpecError(f"Unknown published study {name!r}. {nearest(name, known)}")
    return known[name]


def published(name: str, scale: float = 1.0) -> Study:
    """The published study of that name, at full length or a multiple of it.

    Some of its runs may wait for what unweave does not have yet; `ready` leaves them out.

    Args:
        name: Such as `disvae/train_all`.
        scale: Of the lengths of trainings, as in `PublishedStudy.study`.

    Raises:
        SpecError: There is no such study, or the scale is not above 0.

    Example:
        >>> published("disvae/metrics_all", scale=0.01).axes[0][4]["epochs"]
        0.3
    """
    return published_study(name).study(scale)
