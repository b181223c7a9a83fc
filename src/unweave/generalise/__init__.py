"""Generalisation: what models make of combinations of factors that they were not trained on.

A run is trained on what a condition leaves of a dataset, and scored on images like those and on
those that were held out (`requests_of`); `read_run` gathers what is known of one run, `groups_of`
sets runs of one condition and one model beside each other, and `write_page` shows them.
`generalisation_study` has studies of such runs by name.
"""

from __future__ import annotations

__all__ = [
    "COLUMNS",
    "FILE",
    "HOLDOUT",
    "REGIONS",
    "Found",
    "GeneralisationStudy",
    "Group",
    "Kind",
    "Region",
    "Relation",
    "carry_out",
    "generalisation_study",
    "groups_of",
    "kind_of",
    "read_run",
    "relations_of",
    "requests_of",
    "requests_of_kinds",
    "score_run",
    "write_page",
]

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from unweave.generalise.asking import (
        HOLDOUT,
        REGIONS,
        Region,
        requests_of,
        requests_of_kinds,
    )
    from unweave.generalise.carrying import FILE, carry_out, score_run
    from unweave.generalise.page import write_page
    from unweave.generalise.presets import GeneralisationStudy, generalisation_study
    from unweave.generalise.reading import Found, read_run
    from unweave.generalise.summary import COLUMNS, Group, Relation, groups_of, relations_of
    from unweave.objectives.kinds import Kind, kind_of

_HOMES: Final = {
    "COLUMNS": "generalise.summary",
    "FILE": "generalise.carrying",
    "HOLDOUT": "generalise.asking",
    "REGIONS": "generalise.asking",
    "Found": "generalise.reading",
    "GeneralisationStudy": "generalise.presets",
    "Group": "generalise.summary",
    "Kind": "objectives.kinds",
    "Region": "generalise.asking",
    "Relation": "generalise.summary",
    "carry_out": "generalise.carrying",
    "generalisation_study": "generalise.presets",
    "groups_of": "generalise.summary",
    "kind_of": "objectives.kinds",
    "read_run": "generalise.reading",
    "relations_of": "generalise.summary",
    "requests_of": "generalise.asking",
    "requests_of_kinds": "generalise.asking",
    "score_run": "generalise.carrying",
    "write_page": "generalise.page",
}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used: studies are listed without any plotting."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"unweave.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Public names."""
    return __all__
