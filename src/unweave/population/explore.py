"""Exploration: how the tuned fields of members with copied weights are changed."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, final

import numpy as np

from unweave.errors import SpecError
from unweave.population.priors import Value
from unweave.population.table import Hyper, Row
from unweave.population.tuned import Rounding, Tuned
from unweave.spec import Component, number, option
from unweave.splits import keyed_generator

__all__ = ["Explore", "Perturb"]


class Explore(Component):
    """How members that took the weights of others get tuned fields of their own."""

    family: ClassVar[str] = "explore rule"

    @abstractmethod
    def explore(
        self,
        clones: Mapping[int, Row],
        tuned: Sequence[Tuned],
        history: Sequence[Sequence[Row]],
        seed: int,
        round: int,
    ) -> dict[int, Hyper]:
        """Values of the tuned fields of each clone in the coming round.

        Args:
            clones: For each member with copied weights what their owner did in the round before.
            tuned: The tuned fields.
            history: All rounds before the coming one, with all of their members.
            seed: Seed of the population.
            round: The coming round.
        """


@final
class Perturb(Explore):
    """Each field is multiplied by a random one of some factors, within its bounds.

    This is a step in the logarithm of the field. Whole numbers are rounded; rounded to the
    nearest one they move by at least 1 where the factor is not 1 and a bound does not forbid it.
    Fields that are one of some numbers move to the next lower or higher of these, and fields that
    are one of some texts to any other.

    References:
        | Population Based Training of Neural Networks (Jaderberg et al., 2017)
        | https://arxiv.org/abs/1711.09846
    """

    name: ClassVar[str] = "perturb"

    factors: tuple[float, ...] = number(
        default=(0.8, 1.25), above=0, help="Factors, all equally likely."
    )
    resample: float = number(
        default=0.0, low=0, high=1, help="Odds of a field to be drawn from its prior instead."
    )
    rounding: Rounding = option(
        default="nearest", help="How whole numbers are rounded: nearest or up."
    )

    def validate(self) -> None:
        """Refuse no factors."""
        if not self.factors:
            raise SpecError("perturb: factors takes at least one, such as factors=(0.8, 1.25).")

    def explore(
        self,
        clones: Mapping[int, Row],
        tuned: Sequence[Tuned],
        history: Sequence[Sequence[Row]],
        seed: int,
        round: int,
    ) -> dict[int, Hyper]:
        """Each field of each clone changed for itself."""
        del history
        return {
            member: {
                field.path: self.step(field, parent.task.hyper[field.path], seed, round, member)
                for field in tuned
            }
            for member, parent in clones.items()
        }

    def step(self, field: Tuned, value: Any, seed: int, round: int, member: int) -> Value:
        """A new value of one field; its draws are the same whatever other fields there are.

        Args:
            field: What is changed.
            value: Its value until now.
            seed: Of the population.
            round: Which round begins.
            member: Which member gets it.
        """
        rng = keyed_generator(seed, f"population/explore/{field.path}", round, member)
        if rng.random() < self.resample:
            return field.prior.draw(rng)
        if field.prior.choices is not None:
            return _neighbour(field.prior.choices, value, rng)
        return self.scaled(field, value, self.factors[int(rng.integers(len(self.factors)))])

    def scaled(self, field: Tuned, value: float, factor: float) -> int | float:
        """A number multiplied by a factor, as its field takes it.

        Args:
            field: What is changed.
            value: Its value until now.
            factor: What it is multiplied by.
        """
        result = field.fit(value * factor, self.rounding)
        if field.prior.whole and self.rounding == "nearest" and factor != 1 and result == value:
            # Down only where the number itself gets less; 0 follows the factor.
            up = value * factor > value if value else factor > 1
            return field.fit(value + 1 if up else value - 1)
        return result


def _neighbour(values: Sequence[Value], value: Value, rng: np.random.Generator) -> Value:
    """The next lower or higher number, or another text; the value itself if it is alone."""
    if isinstance(value, str):
        others = [other for other in values if other != value]
    else:
        lower = [other for other in values if not isinstance(other, str) and other < value]
        higher = [other for other in values if not isinstance(other, str) and other > value]
        others = [*lower[-1:], *higher[:1]]
    return others[int(rng.integers(len(others)))] if others else value
