"""From a dataset that is trained on back to the condition that left it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import final

from unweave.conditions.condition import Condition, Modifier
from unweave.conditions.registry import conditions_of, find_condition, modifiers_of
from unweave.data import DatasetSpec, parse_dataset
from unweave.data.views import Only, Without
from unweave.errors import SpecError

__all__ = ["Recovered", "recover"]


@final
@dataclass(frozen=True)
class Recovered:
    """What left a dataset to train on.

    Attributes:
        condition: What is held out; named by its rule where it is no published one.
        data: The whole dataset.
        modifier: Which of its images take part at all; None for all of them.
    """

    condition: Condition
    data: DatasetSpec
    modifier: Modifier | None = None

    @property
    def held_out_text(self) -> str:
        """Text of the dataset of the images that are held out."""
        return self.condition.test_text(str(self.data), self.modifier and self.modifier.rule)


def recover(trained: DatasetSpec | str) -> Recovered:
    """The condition under which a dataset is what there is to train on.

    Of `without(data=X, where=R)` it is R on X, under its published name if it has one. Of
    `only(...)` it is a published condition whose images to train on are these, without a
    modifier, with a published one or with two; the images that it does not take are not all held
    out.

    Args:
        trained: The dataset that is trained on, or its text.

    Raises:
        SpecError: The dataset says nothing of what is held out; the message says what to give.
    """
    spec = parse_dataset(trained) if isinstance(trained, str) else trained
    if isinstance(spec, Only | Without):
        for condition in conditions_of(spec.data):
            for modifier in (None, *_modifiers(spec.data)):
                text = condition.train_text(str(spec.data), modifier and modifier.rule)
                if text == str(spec):
                    return Recovered(condition, spec.data, modifier)
    if isinstance(spec, Without):
        return Recovered(find_condition(spec.where, spec.data), spec.data)
    if isinstance(spec, Only):
        raise SpecError(
            f"{spec} says which images are trained on, and no published condition with these is "
            "known, so that it is not known which others are held out. Name them with --data, or "
            f'train on what is left without them: without(data={spec.data}, where="...").'
        )
    raise SpecError(
        f"Nothing is held out of {spec}. Train on a part of it, such as "
        f'without(data={spec}, where="..."), or name the images with --data; unweave generalise '
        "splits lists what published studies hold out."
    )


def _modifiers(data: DatasetSpec) -> list[Modifier]:
    """The published modifiers, and every two of them together, as published trainings have."""
    each = modifiers_of(data)
    both = [
        replace(one, name=f"{one.name} and {other.name}", rule=f"{one.rule} and {other.rule}")
        for one, other in combinations(each, 2)
    ]
    return [*each, *both]
