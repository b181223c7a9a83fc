"""A rule on the factors of a space: read once, then asked of many combinations."""

from __future__ import annotations

import math
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import Columns, Comparison, Numbers, Truth, values_of
from unweave.rules.reading import Reader
from unweave.rules.syntax import read_tree, refuse

__all__ = ["Rule", "check_rule"]

# Of more combinations of the factors that it compares, a rule is not asked to be described.
_MOST_COUNTED = 2**24


def check_rule(text: str) -> None:
    """Whether a text has the form of a rule; its names and values need factors, as `Rule` has.

    Raises:
        SpecError: It has not.
    """
    read_tree(text)


@final
class Rule:
    """A rule on the factors of a space, read once and then asked of many combinations.

    A rule is an expression of Python in which only factors are compared. It is read as a syntax
    tree and never evaluated. Factors are compared by

    - value: `pos_x > 0.5`, `0.2 < scale <= 0.8`, `orientation < 2 * pi / 3`;
    - name, where the values have labels: `shape == 'heart'`, `shape in ('square', 'heart')`;
    - index: `index(pos_x) >= 16`, `index(object_hue) % 2 == 1`.

    Comparisons are joined with `and`, `or` and `not`; numbers with `+`, `-`, `*`, `/`, `%` and
    `abs`, also those of several factors: `abs(x_1 - x_2) > 0.2`.

    A number within a hundredth of a step of a value stands for that value, so that `scale > 0.6`
    leaves out the value that is 0.6000000000000001 in the computer. A factor cannot be equal to a
    number that none of its values is near. Exact values, which may lie between those of the
    factor, are put in order as they are.

    Args:
        text: The rule.
        space: The factors.

    Attributes:
        text: The rule as given.
        space: The factors.

    Raises:
        SpecError: The text is no rule, or has a factor, name or value that the space has not; the
            message names the nearest.

    Example:
        >>> space = FactorSpace((Factor("shape", 2, labels=("disc", "bar")), Factor("pos_x", 4)))
        >>> Rule("shape == 'bar' and pos_x >= 2", space).grid()
        array([False, False, False, False, False, False,  True,  True])
        >>> print(Rule("pos_x > 0.5", space).describe())
        pos_x > 0.5: 6 of 8 combinations
          pos_x > 0.5 takes 1 to 3; leaves 0
    """

    def __init__(self, text: str, space: FactorSpace) -> None:
        """Read the text."""
        self.text = text
        self.space = space
        try:
            self._tree = Reader(text, space).truth(read_tree(text))
        except RecursionError:
            raise refuse(text, "it is nested too deeply") from None

    def __repr__(self) -> str:
        """The rule's text."""
        return f"Rule({self.text!r})"

    def grid(self) -> NDArray[np.bool_]:
        """Whether the rule takes each combination of the space, (size,) in C order."""
        return np.array(np.broadcast_to(self._answers(), self.space.sizes)).reshape(-1)

    def rows(
        self, indices: NDArray[np.int64], values: NDArray[np.float64] | None = None
    ) -> NDArray[np.bool_]:
        """Whether the rule takes each of some combinations, (n,).

        Args:
            indices: Factor indices, (n, K).
            values: Exact values, (n, K), where they are finer than the indices; they are compared
                in place of the values of the indices.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        rows = self.space.check_indices(indices)

        def column(position: int, index: bool) -> Numbers:
            if values is not None and not index:
                return np.asarray(values[:, position], np.float64)
            return values_of(self.space.factors[position], index)[rows[:, position]]

        return np.array(
            np.broadcast_to(self._tree.of(Columns(column, values is not None)), len(rows))
        )

    @property
    def compared(self) -> tuple[int, ...]:
        """Positions of the factors that it compares, ascending; on the others nothing depends."""
        return tuple(sorted(set().union(*(part.factors() for part in self._tree.comparisons()))))

    def describe(self) -> str:
        """How many combinations it takes, and of each comparison the values at its borders."""
        lines = [f"{self.text}: {self._count()} of {self.space.size:,} combinations"]
        for part in self._tree.comparisons():
            positions = sorted(part.factors())
            if len(positions) > 1:
                names = " and ".join(self.space.names[position] for position in positions)
                lines.append(f"  {part.text} goes by {names} together")
                continue
            factor = self.space.factors[positions[0]]
            table = _table(part, factor)
            lines.append(
                f"  {part.text} takes {_runs(factor, table)}; leaves {_runs(factor, ~table)}"
            )
        return "\n".join(lines)

    def _answers(self) -> Truth:
        """Whether it takes each combination, with an axis of 1 for each factor not compared."""
        sizes = self.space.sizes

        def column(position: int, index: bool) -> Numbers:
            shape = [1] * len(sizes)
            shape[position] = sizes[position]
            return values_of(self.space.factors[position], index).reshape(shape)

        return self._tree.of(Columns(column))

    def _count(self) -> str:
        """How many combinations it takes; a space may have more of them than can be listed."""
        total = math.prod(self.space.sizes[position] for position in self.compared)
        if total > _MOST_COUNTED:
            return "some"
        return f"{int(self._answers().sum()) * (self.space.size // total):,}"


def _table(part: Comparison, factor: Factor) -> Truth:
    """Whether a comparison takes each index of the one factor that it compares."""
    columns = Columns(lambda _, index: values_of(factor, index))
    return np.broadcast_to(part.of(columns), factor.size)


def _shown(factor: Factor, place: int) -> str:
    """An index, and what it stands for."""
    if factor.labels is not None:
        return f"{place} ({factor.labels[place]!r})"
    return f"{place}" if factor.values is None else f"{place} ({factor.values[place]:.6g})"


def _runs(factor: Factor, table: Truth) -> str:
    """The indices where a table is true, as ranges with what stands at their ends."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], table, [False]])))
    runs = [
        _shown(factor, first) + (f" to {_shown(factor, stop - 1)}" if stop - first > 1 else "")
        for first, stop in edges.reshape(-1, 2).tolist()
    ]
    if not runs:
        return "none"
    return ", ".join(runs if len(runs) <= 6 else [*runs[:3], "...", runs[-1]])
