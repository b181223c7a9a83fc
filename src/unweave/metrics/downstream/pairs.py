"""How well the codes of two images tell which factor has changed between them, and which way."""

from __future__ import annotations

__all__ = ["DownstreamPairs"]

import math
from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.columns import standardised
from unweave.metrics.downstream.moves import Moves, Side
from unweave.metrics.draws import Draws
from unweave.metrics.solvers import fit, random_forest
from unweave.representation import Representation
from unweave.spec import number, option


@final
class DownstreamPairs(Metric):
    """How often a forest that sees the codes of two images tells what has changed between them.

    Between the two images of a pair one factor has gone `step` values forwards or backwards, and
    nothing else has changed. A random forest is fitted to the codes of both, side by side, and
    says of other pairs which factor it was and which way it went. The value is how often it is
    right, as a mean over both ways of all factors that move; whoever guesses has one in twice
    their number, the part `pairs:chance`. A part is the mean over a factor's two ways, and the
    table has what the forest says of each.

    Every factor counts as a circle, so that a step past its end goes on at its beginning. Factors
    without an order do not move, nor do those of fewer than three poses, of which both ways are
    the same, nor those of which a table has fewer than 20 pairs of combinations either way.
    Combinations of factors are parted before pairs are drawn, and pairs lie in one part or the
    other, so that of no image that is tested one with the same factors was fitted. Of how few
    combinations the least tested move is says the part `pairs:fewest_tested`: few make the value a
    matter of chance.

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

    step: int = number(
        default=2, low=1, help="By how many values a factor moves, or by fewer if it has few."
    )
    pairs: int = number(default=10_000, low=1, help="Pairs that the forest is fitted to, at most.")
    test_pairs: int = number(
        default=5_000, low=1, help="Pairs of other combinations that it is tested on, at most."
    )
    size: int = number(default=100, low=1, help="Trees of the forest.")
    depth: int = number(default=15, low=1, help="Largest depth of a tree.")
    compat: Literal["none", "clg"] = option(
        default="none",
        help="clg: a circle whose last value is the first pose again has as many poses as values.",
    )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse tables without such pairs.

        Raises:
            DataError: No factor moves, or pairs to fit leave none to test or the other way round.
        """
        self._sides(factors, factor_space, np.random.RandomState(0))

    def score(self, representation: Representation, draws: Draws) -> Score:
        """How often the change is told, that of each factor, and what is mistaken for what.

        Raises:
            DataError: As by `check`.
        """
        from sklearn.metrics import confusion_matrix, recall_score

        state = draws.random_state()
        space = representation.factor_space
        found, fitted, tested = self._sides(np.asarray(representation.factors), space, state)
        codes = np.asarray(representation.mean)
        pairs, labels = found.draw(fitted, self.pairs, state)
        test_pairs, truth = found.draw(tested, self.test_pairs, state)
        train, test = standardised(
            *(codes[rows].reshape(len(rows), -1) for rows in (pairs, test_pairs))
        )
        forest = fit(random_forest(self.size, self.depth, len(train), state), train, labels)
        kinds = range(len(found.moves))
        told = confusion_matrix(truth, forest.predict(test), labels=kinds, normalize="true")
        right = np.diag(told)
        names = [space.names[factor] for factor, _ in found.moves]
        parts = dict(zip(names[::2], right.reshape(-1, 2).mean(axis=1).tolist(), strict=True))
        of_fitted = recall_score(labels, forest.predict(train), labels=kinds, average="macro")
        ways = tuple(
            f"{name}{'+' if step > 0 else '-'}"
            for name, (_, step) in zip(names, found.moves, strict=True)
        )
        return Score(
            value=float(right.mean()),
            parts=parts
            | {
                "pairs:train_accuracy": float(of_fitted),
                "pairs:chance": 1 / len(ways),
                "pairs:fewest_tested": float(found.fewest(tested)),
            },
            units={"pairs:fewest_tested": "pairs of combinations"},
            matrix=Matrix(
                values=told,
                rows=ways,
                columns=ways,
                label=(
                    f"share of each move, by row, that is taken for each; {len(test):,} pairs "
                    f"tested, {len(train):,} fitted"
                ),
            ),
        )

    def _sides(
        self, factors: NDArray[np.int64], space: FactorSpace, state: np.random.RandomState
    ) -> tuple[Moves, Side, Side]:
        """The moves, and the combinations that are fitted and tested."""
        # Of both sides pairs are left in proportion to the square of their shares.
        share = 1 / (1 + math.sqrt(self.test_pairs / self.pairs))
        try:
            found = Moves(factors, space, self.step, whole_circle=self.compat == "clg")
            return found, *found.sides(share, state)
        except DataError as error:
            raise DataError(
                f"{self.name} tells which factor has moved, and which way. {error}"
            ) from error
