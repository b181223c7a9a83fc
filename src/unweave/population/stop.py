"""Stop rules: when a population has no further round."""

from __future__ import annotations

import itertools
from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar, TypeAlias, final

from unweave.spec import Component, number

__all__ = ["BestScores", "Hopeless", "Plateau", "Reached", "StopRule", "why_ended"]

BestScores: TypeAlias = Sequence[float | None]
"""The best score of each round so far; None of a round in which no member has one."""


class StopRule(Component):
    """Whether a population ends after a round."""

    family: ClassVar[str] = "stop rule"

    @abstractmethod
    def ends(self, best_scores: BestScores) -> str:
        """Why the last round was the last one, in words; empty if it was not.

        Args:
            best_scores: The best score of each round so far, not the best until then.
        """


@final
class Plateau(StopRule):
    """The best scores of rounds have stopped changing.

    It ends once the last `patience` differences between the best scores of two rounds in
    succession are all smaller than `change`, in either direction; so not before round
    `patience + 1`.

    References:
        | Robust Disentanglement of a Few Factors at a Time (Estermann, Marks and Yanik, 2020)
        | https://arxiv.org/abs/2010.13527
    """

    name: ClassVar[str] = "plateau"

    patience: int = number(default=6, low=1, help="Number of differences that must be small.")
    change: float = number(default=0.005, above=0, help="What a difference must be smaller than.")

    def ends(self, best_scores: BestScores) -> str:
        """Why, where the last scores hardly differ."""
        last = best_scores[-(self.patience + 1) :]
        if len(last) <= self.patience:
            return ""
        for one, other in itertools.pairwise(last):
            if one is None or other is None or not abs(other - one) < self.change:
                return ""
        return (
            f"the best score changed by less than {self.change:g} in each of the last "
            f"{self.patience} rounds"
        )


@final
class Hopeless(StopRule):
    """The best score of a round is below `below`, or no member of it has a score."""

    name: ClassVar[str] = "hopeless"

    below: float = number(default=0.1, help="What the best score must reach.")

    def ends(self, best_scores: BestScores) -> str:
        """Why, where the last best score is too low."""
        if not best_scores:
            return ""
        best = best_scores[-1]
        if best is None:
            return "no member has a score"
        return f"the best score, {best:.4g}, is below {self.below:g}" if best < self.below else ""


@final
class Reached(StopRule):
    """The best score of a round is `score` or more."""

    name: ClassVar[str] = "reached"

    score: float = number(help="What ends the population.")

    def ends(self, best_scores: BestScores) -> str:
        """Why, where the last best score is high enough."""
        best = best_scores[-1] if best_scores else None
        if best is None or best < self.score:
            return ""
        return f"the best score, {best:.4g}, has reached {self.score:g}"


def why_ended(rules: Iterable[StopRule], best_scores: BestScores) -> str:
    """What the first rule says that ends the population; empty if none does."""
    return next(filter(None, (rule.ends(best_scores) for rule in rules)), "")
