"""Conditions of generalisation: which combinations of factors are held out of training.

A condition is a rule, published or one's own (`Condition`); a modifier says which images take part
at all. `split_of` says what they leave of a dataset: flat indices, the texts of the datasets to
train and to test on, the kind of generalisation that is asked for, and the values at the borders.
"""

from unweave.conditions.condition import KINDS, Condition, Kind, Modifier
from unweave.conditions.held_out import HELD_OUT_DATA, held_out_text, named_data
from unweave.conditions.kinds import Finding
from unweave.conditions.leaks import Copies, Leaks, copies_of, leaks_of
from unweave.conditions.registry import (
    CONDITIONS,
    MODIFIERS,
    conditions_of,
    find_condition,
    find_modifier,
    fitting,
    modifiers_of,
)
from unweave.conditions.split import Split, split_of
from unweave.conditions.symmetries import Twins, twins_of
from unweave.conditions.writing import write_split

__all__ = [
    "CONDITIONS",
    "HELD_OUT_DATA",
    "KINDS",
    "MODIFIERS",
    "Condition",
    "Copies",
    "Finding",
    "Kind",
    "Leaks",
    "Modifier",
    "Split",
    "Twins",
    "conditions_of",
    "copies_of",
    "find_condition",
    "find_modifier",
    "fitting",
    "held_out_text",
    "leaks_of",
    "modifiers_of",
    "named_data",
    "split_of",
    "twins_of",
    "write_split",
]
