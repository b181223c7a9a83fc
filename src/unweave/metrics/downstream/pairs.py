"""How well the codes of two images tell which factor has changed between them, and which way."""

from __future__ import annotations

__all__ = ["DownstreamPairs", "Move", "moves", "sides"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import standardised
from unweave.metrics.downstream.interventions import Neighbours
from unweave.metrics.draws import Draws
from unweave.metrics.solvers import WORTH_JOBS, fit
from unweave.metrics.threads import cores_for
from unweave.representation import Representation
from unweave.spec import number, option

Rows = NDArray[np.int64]
# How often a small table is parted anew where a part of it lacks pairs of a factor.
_TRIES, _SMALL = 20, 1_000


@final
@dataclass(frozen=True, eq=False)
class Move:
    """One factor that goes by some values, one way.

    Attributes:
        factor: Its number.
        step: By how many values, negative for backwards.
        first: Rows from which it can, (n,).
        second: For each of them a row that differs in this move alone, (n,).
    """

    factor: int
    step: int
    first: Rows
    second: Rows


@final
class DownstreamPairs(Metric):
    """How often a forest that sees the codes of two images tells what has changed between them.

    Between the two images of a pair one factor has gone `step` values forwards or backwards, and
    nothing else has changed. A random forest is fitted to the codes of both, side by side, and
    says of other pairs which factor it was and which way it went. The value is the share of these
    that it has right; a part says how often it is for a factor's own pairs, and the table what it
    says of them instead. Whoever guesses is right once in twice the number of factors that move.

    Every factor counts as a circle, so that a step past its end goes on at its beginning. Factors
    without an order do not move, nor do those of less than three values, of which both ways are
    the same. The rows are parted first, and pairs lie in one part or the other, so that no image
    that is tested was fitted. In a small table a factor moves if each part has pairs both ways.

    References:
        | The code of Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu & Tao, 2021),
        | which defines it
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "downstream_pairs"
    source: ClassVar[str] = (
        "Commutative Lie Group VAE, its code (Zhu et al., 2021, arXiv 2106.03375)"
    )
    aliases: ClassVar[tuple[str, ...]] = ("downstream_rep",)
    opt_in: ClassVar[bool] = True
    of_all_rows: ClassVar[bool] = True

    step: int = number(default=2, low=1, help="By how many values a factor moves.")
    pairs: int = number(default=10_000, low=1, help="Pairs that the forest is fitted to.")
    test_pairs: int = number(default=5_000, low=1, help="Other pairs that it is tested on.")
    size: int = number(default=100, low=1, help="Trees of the forest.")
    depth: int = number(default=15, low=1, help="Largest depth of a tree.")
    compat: Literal["none", "clg"] = option(
        default="none",
        help="clg: a circle whose last value is the first pose again has as many poses as values.",
    )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse tables without such pairs.

        Raises:
            DataError: No factor moves.
        """
        self._sides(np.asarray(factors), factor_space, np.random.RandomState(0))

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The share of test pairs whose change is told, of each factor, and what is mistaken.

        Raises:
            DataError: No factor moves.
        """
        state = np.random.RandomState(int(draws.generator().integers(2**32)))
        space = representation.factor_space
        fitted, tested = self._sides(np.asarray(representation.factors), space, state)
        codes = np.asarray(representation.mean)
        pairs, labels = draw(fitted, self.pairs, state)
        test_pairs, truth = draw(tested, self.test_pairs, state)
        train, test = standardised(
            *(codes[rows].reshape(len(rows), -1) for rows in (pairs, test_pairs))
        )
        forest = fit(self._forest(len(train), state), train, labels)
        told = np.asarray(forest.predict(test), np.int64)
        counts = np.zeros((len(fitted), len(fitted)))
        np.add.at(counts, (truth, told), 1)
        of_move = counts.sum(axis=1)
        # Forwards and backwards are neighbours.
        right = np.diag(counts).reshape(-1, 2).sum(axis=1) / of_move.reshape(-1, 2).sum(axis=1)
        names = [space.names[move.factor] for move in fitted]
        parts = dict(zip(names[::2], right.tolist(), strict=True))
        names = [f"{n}{'+' if m.step > 0 else '-'}" for n, m in zip(names, fitted, strict=True)]
        parts["train_accuracy"] = float(np.mean(forest.predict(train) == labels))
        parts["chance"] = 1 / len(fitted)
        return Score(
            value=float(np.mean(told == truth)),
            parts=parts,
            matrix=Matrix(
                values=counts / of_move[:, None],
                rows=tuple(f"moved {name}" for name in names),
                columns=tuple(f"told {name}" for name in names),
                label=f"share of test pairs, {len(train):,} pairs fitted",
            ),
        )

    def _sides(
        self, factors: Rows, space: FactorSpace, state: np.random.RandomState
    ) -> tuple[list[Move], list[Move]]:
        share = self.pairs / (self.pairs + self.test_pairs)
        found = sides(factors, space, self.step, share, state, whole_circle=self.compat == "clg")
        if not found[0]:
            raise DataError(
                f"{self.name} needs rows that differ in nothing but one factor, by {self.step} of "
                f"its values or half of them, and there are too few of a factor with an order and "
                f"three values or more. Score all rows of a dataset, not a sample of them."
            )
        return found

    def _forest(self, rows: int, state: np.random.RandomState) -> Any:
        from sklearn.ensemble import RandomForestClassifier

        return RandomForestClassifier(
            n_estimators=self.size,
            max_depth=self.depth,
            n_jobs=cores_for(self.size * rows, WORTH_JOBS),
            random_state=state,
        )


def sides(
    factors: Rows,
    space: FactorSpace,
    step: int,
    share: float,
    state: np.random.RandomState,
    *,
    whole_circle: bool = False,
) -> tuple[list[Move], list[Move]]:
    """The moves within a part of the rows, to fit, and the same ones within the rest, to test.

    Args:
        factors: Factor indices of the rows, (N, K).
        space: Names and sizes of the factors.
        step: By how many values.
        share: Of the rows to fit.
        state: Parts the rows; small tables again, while one part lacks moves that are in another.
        whole_circle: Whether a circle whose last value is its first pose again counts both.
    """
    count = len(factors)
    cut = min(max(1, round(count * share)), count - 1)
    best: tuple[list[Move], list[Move]] = ([], [])
    for _ in range(_TRIES if count < _SMALL else 1):
        order = state.permutation(count)
        one, other = (
            [
                Move(each.factor, each.step, rows[each.first], rows[each.second])
                for each in moves(factors[rows], space, step, state, whole_circle=whole_circle)
            ]
            for rows in (order[:cut], order[cut:])
        )
        both = {move.factor for move in one} & {move.factor for move in other}
        found = tuple([move for move in part if move.factor in both] for part in (one, other))
        if len(found[0]) > len(best[0]):
            best = (found[0], found[1])
        if len(one) == len(other) == len(found[0]):
            break
    return best


def moves(
    factors: NDArray[np.int64],
    space: FactorSpace,
    step: int,
    state: np.random.RandomState,
    *,
    whole_circle: bool = False,
) -> list[Move]:
    """The moves of which a table has pairs, two of each factor, forwards first.

    A factor whose circle is too short goes by the largest number of values of which forwards and
    backwards are two places.

    Args:
        factors: Factor indices of the rows, (N, K).
        space: Names and sizes of the factors.
        step: By how many values.
        state: Chooses among rows that have the same factors.
        whole_circle: Whether a circle whose last value is its first pose again counts both.
    """
    if len(factors) == 0:
        return []
    rows, neighbours = np.asarray(factors), Neighbours(factors, space)
    found = []
    for k, factor in enumerate(space.factors):
        poses = factor.size if whole_circle else factor.poses
        length = min(step, (poses - 1) // 2)
        if factor.kind == "categorical" or length == 0:
            continue
        ways = []
        for way in (length, -length):
            first, second = neighbours.of(k, (rows[:, k] + way) % poses, state)
            ways.append(Move(factor=k, step=way, first=first, second=second))
        if all(len(way.first) for way in ways):
            found += ways
    return found


def draw(found: Sequence[Move], count: int, state: np.random.RandomState) -> tuple[Rows, Rows]:
    """Pairs of a part of the rows, and of which move each is.

    Each pair's move is drawn, then different pairs of it, at least one. A move with fewer pairs
    than are asked for gives all that it has.

    Args:
        found: The moves, a pair or more each.
        count: How many pairs.
        state: Where they are drawn from.

    Returns:
        Rows of both images, (n, 2), and the number of the move in `found`, (n,).
    """
    wanted = np.bincount(state.randint(len(found), size=count), minlength=len(found))
    drawn = []
    for move, number_of_pairs in zip(found, np.maximum(wanted, 1).tolist(), strict=True):
        places = state.permutation(len(move.first))[:number_of_pairs]
        drawn.append(np.stack([move.first[places], move.second[places]], axis=1))
    labels = np.repeat(np.arange(len(found)), [len(pairs) for pairs in drawn])
    return np.concatenate(drawn), labels
