"""Generalisation: what models make of combinations of factors that they were not trained on.

A run is trained on what a condition leaves of a dataset, and scored on images like those and on
those that were held out (`requests_of`); `read_run` gathers what is known of one run, `groups_of`
sets runs of one condition and one model beside each other, and `write_page` shows them.
"""

from unweave.generalise.asking import HOLDOUT, REGIONS, Kind, Region, kind_of, requests_of
from unweave.generalise.carrying import FILE, carry_out, score_run
from unweave.generalise.page import write_page
from unweave.generalise.reading import Found, read_run
from unweave.generalise.summary import COLUMNS, Group, Relation, groups_of, relations_of

__all__ = [
    "COLUMNS",
    "FILE",
    "HOLDOUT",
    "REGIONS",
    "Found",
    "Group",
    "Kind",
    "Region",
    "Relation",
    "carry_out",
    "groups_of",
    "kind_of",
    "read_run",
    "relations_of",
    "requests_of",
    "score_run",
    "write_page",
]
