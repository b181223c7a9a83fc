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

from typing import TYPE_CHECKING, Final

from unweave._lazy import lazy_names

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
    "COLUMNS": ".summary",
    "FILE": ".carrying",
    "HOLDOUT": ".asking",
    "REGIONS": ".asking",
    "Found": ".reading",
    "GeneralisationStudy": ".presets",
    "Group": ".summary",
    "Kind": "unweave.objectives.kinds",
    "Region": ".asking",
    "Relation": ".summary",
    "carry_out": ".carrying",
    "generalisation_study": ".presets",
    "groups_of": ".summary",
    "kind_of": "unweave.objectives.kinds",
    "read_run": ".reading",
    "relations_of": ".summary",
    "requests_of": ".asking",
    "requests_of_kinds": ".asking",
    "score_run": ".carrying",
    "write_page": ".page",
}

if not TYPE_CHECKING:
    # Studies are listed without any plotting.
    __getattr__, __dir__ = lazy_names(__name__, __all__, _HOMES)
