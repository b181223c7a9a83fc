"""Population based bandits: clones get the fields of which a model of all rounds expects most."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.population.explore import Explore, Perturb
from unweave.population.table import Hyper, Row
from unweave.population.tuned import Tuned
from unweave.spec import number, option
from unweave.splits import keyed_generator

if TYPE_CHECKING:
    from unweave.population.forgetting import Surrogate

__all__ = ["Change", "PopulationBasedBandits", "Scale", "score_changes"]

_Floats = NDArray[np.float64]

# The best of many points is looked for; a search that follows gradients could end elsewhere for a
# rounding error, and then a population that goes on would not repeat itself.
_POINTS = 1000
_NEAR_POINTS = 200
_SPREADS = (0.1, 0.03, 0.01)
# With fewer changes than these there is nothing to fit.
_FEWEST = 3


@final
@dataclass(frozen=True, kw_only=True)
class Change:
    """What a round changed in a score.

    Attributes:
        round: The round.
        before: The score that the member's weights had before it.
        hyper: Values of the tuned fields in it.
        change: What the score grew by; None where there is no score after it.
    """

    round: int
    before: float
    hyper: Hyper
    change: float | None


@final
@dataclass(frozen=True)
class Scale:
    """A numeric field from 0 to 1, by its logarithm where its bounds are above 0.

    Where the field has no bound, the end of its prior stands for it.

    Attributes:
        field: What is tuned.
    """

    field: Tuned

    @property
    def _ends(self) -> tuple[float, float]:
        ends = self.field.prior.ends or (0.0, 1.0)
        low, high = self.field.limits
        return low if math.isfinite(low) else ends[0], high if math.isfinite(high) else ends[1]

    def position(self, value: float) -> float:
        """Where a value lies; outside of 0 to 1 where it is beyond what stands for a bound."""
        low, high = self._ends
        if low == high:
            return 0.0
        if low > 0:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def value(self, position: float) -> int | float:
        """The value at a position, as the field takes it."""
        low, high = self._ends
        along = (high / low) ** position if low > 0 else position
        value = low * along if low > 0 else low + (high - low) * along
        # Through the logarithm and back a number may leave its ends by a rounding error.
        return self.field.fit(min(max(value, low), high))


@final
class PopulationBasedBandits(Explore):
    """Numeric fields of clones are those whose upper confidence bound is the highest.

    A Gaussian process that forgets old rounds (`forgetting.py`) is fitted to what each round
    changed in each score. Its inputs are the round, the score before the round, and the tuned
    fields between their bounds, by their logarithms. A clone gets the point with the highest
    mean + exploration * standard deviation, given the coming round and the score of the weights
    that it took. The clones of a round are dealt with one after the other, and each choice is
    taken to have brought what was expected of it before the next one is made, so that they spread
    (Desautels, Krause and Burdick, 2012, arXiv 1206.6402).

    A member whose training diverged counts as the worst change that was seen. Fields that are one
    of some values are perturbed, and so are all fields as long as there are fewer than three
    changes.

    References:
        | Provably Efficient Online Hyperparameter Optimization with Population-Based Bandits
        | Parker-Holder, Nguyen and Roberts, 2020, https://arxiv.org/abs/2002.02518
        | The forgetting: Time-Varying Gaussian Process Bandit Optimization
        | Bogunovic, Scarlett and Cevher, 2016, https://arxiv.org/abs/1601.06650
    """

    name: ClassVar[str] = "pb2"

    exploration: float = number(
        default=0.5, low=0, help="Standard deviations that are added to what is expected."
    )
    memory: int = number(
        default=400, low=3, help="How many changes are fitted, the latest ones; time is its cube."
    )
    otherwise: Perturb = option(
        default=Perturb(), help="How fields without order, and early rounds, are dealt with."
    )

    def explore(
        self,
        clones: Mapping[int, Row],
        tuned: Sequence[Tuned],
        history: Sequence[Sequence[Row]],
        seed: int,
        round: int,
    ) -> dict[int, Hyper]:
        """Perturbed fields, and over these the chosen numbers."""
        found = self.otherwise.explore(clones, tuned, history, seed, round)
        scales = [Scale(field) for field in tuned if field.prior.choices is None]
        changes = score_changes(history)[-self.memory :]
        if not clones or not scales or _scored(changes) < _FEWEST:
            return found
        search = _Search(changes, scales, round)
        chosen: dict[int, Hyper] = {}
        for member in sorted(clones):
            rng = keyed_generator(seed, "population/pb2", round, member)
            numbers = search.choose(clones[member], self.exploration, rng)
            chosen[member] = {**found[member], **numbers}
        return chosen


def score_changes(history: Sequence[Sequence[Row]]) -> list[Change]:
    """What rounds changed, the oldest first: of each member whose weights had a score before."""
    changes = []
    for before, after in itertools.pairwise(history):
        scores = {row.member: row.score for row in before}
        for row in after:
            parent = row.task.parent
            old = None if parent is None else scores.get(parent)
            if old is not None:
                changes.append(
                    Change(
                        round=row.task.round,
                        before=old,
                        hyper=row.task.hyper,
                        change=None if row.score is None else row.score - old,
                    )
                )
    return changes


@final
class _Search:
    """The search for the clones of one round."""

    def __init__(self, changes: Sequence[Change], scales: Sequence[Scale], round: int) -> None:
        # scikit-learn takes a second to load, and most populations do without it.
        from unweave.population.forgetting import Surrogate

        scores = [change.before for change in changes]
        self._least = min(scores)
        self._range = (max(scores) - self._least) or 1.0
        self._scales = scales
        self._round = round
        points = [
            [change.round, self._score(change.before), *self._positions(change.hyper)]
            for change in changes
        ]
        worst = min(change.change for change in changes if change.change is not None)
        gains = [worst if change.change is None else change.change for change in changes]
        self._surrogate: Surrogate = Surrogate(np.array(points), np.array(gains))

    def choose(self, parent: Row, exploration: float, rng: np.random.Generator) -> dict[str, Any]:
        """The numeric fields of one clone, taken into account for the next ones."""
        context = [self._round, self._score(parent.key)]

        def bound(positions: _Floats) -> _Floats:
            fixed = np.tile(context, (len(positions), 1))
            mean, deviation = self._surrogate.predict(np.hstack((fixed, positions)))
            return mean + exploration * deviation

        best = np.clip(self._positions(parent.task.hyper), 0, 1)
        points = np.vstack((best, rng.random((_POINTS, len(best)))))
        best = points[np.argmax(bound(points))]
        for spread in _SPREADS:
            steps = rng.normal(scale=spread, size=(_NEAR_POINTS, len(best)))
            points = np.vstack((best, np.clip(best + steps, 0, 1)))
            best = points[np.argmax(bound(points))]
        numbers = {
            scale.field.path: scale.value(float(position))
            for scale, position in zip(self._scales, best, strict=True)
        }
        # What is trained is the rounded value.
        self._surrogate.imagine(np.array([*context, *self._positions(numbers)]))
        return numbers

    def _score(self, score: float) -> float:
        return (score - self._least) / self._range

    def _positions(self, hyper: Hyper) -> list[float]:
        return [scale.position(hyper[scale.field.path]) for scale in self._scales]


def _scored(changes: Sequence[Change]) -> int:
    return sum(change.change is not None for change in changes)
