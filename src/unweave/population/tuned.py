"""Tuned fields: what a population varies from member to member, and within which bounds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Sequence
from typing import ClassVar, Final, Literal, TypeAlias, final

from unweave.errors import SpecError
from unweave.population.priors import (
    Choice,
    Grid,
    Integers,
    LogIntegers,
    LogUniform,
    Prior,
    Value,
)
from unweave.population.table import Hyper
from unweave.spec import Component, number, option
from unweave.splits import keyed_generator

__all__ = ["WEIGHTS", "Rounding", "Tuned", "check_tuned", "initial", "usual", "within"]

Rounding: TypeAlias = Literal["nearest", "up"]
"""How a number becomes a whole one."""

WEIGHTS: Final = ("beta", "gamma")
"""Names of weights of an objective that are worth tuning, the one that says most first."""


@final
class Tuned(Component):
    """A field of the configuration that a population tunes.

    Its first values are drawn from the prior. Later ones stay within bounds, which are the ends
    of the prior where nothing else is said. A whole number that starts at 1 or more stays at 1 or
    more, whatever its bounds are.
    """

    name: ClassVar[str] = "tuned"
    family: ClassVar[str] = "tuned field"

    path: str = option(help="Path of the field, such as optimizer.lr or objective.beta.")
    prior: Prior = option(help="Where first values come from.")
    low: float | None = number(
        default=None, help="Bound below of later values; None for the prior's."
    )
    high: float | None = number(
        default=None, help="Bound above of later values; None for the prior's."
    )
    bounded: bool = option(
        default=True, help="Whether the prior's ends are the bounds where none are given."
    )

    def validate(self) -> None:
        """Refuse what is no path, bounds of texts, and bounds beyond which the prior draws."""
        if not all(part.isidentifier() for part in self.path.split(".")):
            raise SpecError(
                f"tuned: path takes names with dots between them, such as optimizer.lr, not "
                f"{self.path!r:.100}."
            )
        ends = self.prior.ends
        if ends is None:
            if self.low is not None or self.high is not None:
                raise SpecError(
                    f"tuned: {self.path} is one of some texts, which have no bounds: leave out "
                    f"low and high."
                )
            return
        if self.low is not None and ends[0] < self.low:
            raise SpecError(
                f"tuned: low={self.low:g} of {self.path} must not be above what {self.prior} "
                f"draws: narrow the prior, or lower the bound."
            )
        if self.high is not None and ends[1] > self.high:
            raise SpecError(
                f"tuned: high={self.high:g} of {self.path} must not be below what {self.prior} "
                f"draws: narrow the prior, or raise the bound."
            )

    @property
    def limits(self) -> tuple[float, float]:
        """Bounds of its values, infinite where there are none; of whole numbers whole ones."""
        ends = self.prior.ends or (-math.inf, math.inf)
        low, high = ends if self.bounded else (-math.inf, math.inf)
        low = low if self.low is None else self.low
        high = high if self.high is None else self.high
        if self.prior.whole:
            low = max(low, 1) if ends[0] >= 1 else low
            low = math.ceil(low) if math.isfinite(low) else low
            high = math.floor(high) if math.isfinite(high) else high
        return low, high

    def fit(self, value: float, rounding: Rounding = "nearest") -> int | float:
        """A number as this field takes it: rounded where it has whole numbers, then clipped.

        Halves are rounded up.

        Args:
            value: A finite number.
            rounding: To the nearest whole number, or up to the next one.
        """
        low, high = self.limits
        if not self.prior.whole:
            return min(max(float(value), low), high)
        whole = math.ceil(value) if rounding == "up" else math.floor(value + 0.5)
        return int(min(max(whole, low), high))


def initial(tuned: Sequence[Tuned], seed: int, member: int, round: int = 1) -> Hyper:
    """First values of a member, drawn from the priors.

    Each field has a stream of its own, so that a further field changes no draw of the others.

    Args:
        tuned: The tuned fields.
        seed: Seed of the population.
        member: Number of the member.
        round: The round in which it starts.
    """
    return {
        field.path: field.prior.draw(
            keyed_generator(seed, f"population/initial/{field.path}", round, member)
        )
        for field in tuned
    }


def usual(fields: Iterable[str], *, batch_size: bool = False) -> tuple[Tuned, ...]:
    """The fields that are worth tuning of most trainings.

    They are the learning rate, log-uniform from 1e-5 to 0.1, and each weight of the objective
    that is called beta or gamma, log-uniform from 1 to 100.

    Args:
        fields: Names of the numeric fields of the objective.
        batch_size: Whether the batch size is tuned too, among the powers of 2 from 16 to 1024.
    """
    known = set(fields)
    found = [Tuned(path="optimizer.lr", prior=LogUniform(low=1e-5, high=0.1))]
    found += [
        Tuned(path=f"objective.{name}", prior=LogUniform(low=1, high=100))
        for name in WEIGHTS
        if name in known
    ]
    if batch_size:
        sizes: tuple[Value, ...] = tuple(2**power for power in range(4, 11))
        found.append(Tuned(path="batch_size", prior=Choice(values=sizes)))
    return tuple(found)


def within(tuned: Tuned, images: int) -> Tuned:
    """A tuned field whose batches have no more images than there are; others as they are."""
    if tuned.path != "batch_size":
        return tuned
    high = tuned.high if tuned.high is None else min(tuned.high, images)
    prior: Prior = tuned.prior
    if isinstance(prior, Grid | Choice):
        kept = [v for v in prior.values if not isinstance(v, str) and v <= images]
        prior = dataclasses.replace(prior, values=tuple(kept) or (images,))
    elif isinstance(prior, Integers | LogIntegers):
        prior = dataclasses.replace(
            prior, low=min(prior.low, images), high=min(prior.high, images)
        )
    if not tuned.bounded and high is None:
        high = images
    return dataclasses.replace(tuned, prior=prior, high=high)


def check_tuned(tuned: Sequence[Tuned]) -> None:
    """Refuse no tuned fields, and a field that is tuned twice.

    Raises:
        SpecError: There are none, or two of them have one path.
    """
    if not tuned:
        raise SpecError("A population tunes at least one field, such as optimizer.lr.")
    paths = [field.path for field in tuned]
    for path in paths:
        if paths.count(path) > 1:
            raise SpecError(f"{path} is tuned twice: keep one of the two.")
