"""What kind of condition a split is, found from the combinations that are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.condition import Kind
from unweave.conditions.showing import ranges
from unweave.data.views.table import Table
from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import step_of, values_of

__all__ = ["Cells", "Finding", "find_kind", "numbered"]

# A gap that is this share of a step below half a circle counts as half of it.
_NEAR = 0.01


@final
@dataclass(frozen=True)
class Finding:
    """What a split asks of a model.

    Attributes:
        kind: What it is, by the combinations that are trained on.
        reason: Why, a sentence.
    """

    kind: Kind
    reason: str


@final
class Cells:
    """Which combinations of factors are trained on, and which are held out.

    Of a full grid, whose images go by the factors that the rules compare, there are the
    combinations of these alone: an axis of the arrays has one place where nothing goes by it.

    Args:
        table: What is known of all images.
        trained: Whether each image is trained on, (N,).
        held_out: Whether each is held out, (N,).
        compared: Positions of the factors that the rules compare, ascending.

    Attributes:
        space: The factors.
        compared: As above.
    """

    def __init__(
        self,
        table: Table,
        trained: NDArray[np.bool_],
        held_out: NDArray[np.bool_],
        compared: tuple[int, ...],
    ) -> None:
        """Take what is needed of the images."""
        assert table.space is not None
        self.space: FactorSpace = table.space
        self.compared = compared
        self._grid = table.labels is None
        if self._grid:
            sizes = self.space.sizes
            place = tuple(
                slice(None) if position in compared else slice(0, 1)
                for position in range(len(sizes))
            )
            self._trained = trained.reshape(sizes)[place]
            self._held_out = held_out.reshape(sizes)[place]
        else:
            self._rows = [table.indices(np.flatnonzero(each)) for each in (trained, held_out)]

    def occurring(self, position: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Whether each value of a factor is trained on, and whether it is held out, (size,)."""
        size = self.space.sizes[position]
        if self._grid:
            others = tuple(axis for axis in range(self._trained.ndim) if axis != position)
            one, other = (each.any(axis=others) for each in (self._trained, self._held_out))
            return np.broadcast_to(one, size), np.broadcast_to(other, size)
        one, other = (np.bincount(rows[:, position], minlength=size) > 0 for rows in self._rows)
        return one, other

    def beside(self, position: int) -> NDArray[np.bool_]:
        """Whether each value of a factor is trained on where the others are as if held out.

        Args:
            position: The factor; the others are the further ones that are compared.

        Returns:
            (size,).
        """
        if self._grid:
            held = self._held_out.any(axis=position, keepdims=True)
            others = tuple(axis for axis in range(held.ndim) if axis != position)
            return np.asarray((self._trained & held).any(axis=others))
        rest = [other for other in self.compared if other != position]
        trained, held_codes = (self._codes(rows, rest) for rows in self._rows)
        near = self._rows[0][np.isin(trained, held_codes), position]
        return np.bincount(near, minlength=self.space.sizes[position]) > 0

    def all_seen(self, positions: Iterable[int]) -> bool:
        """Whether every held-out combination of some factors is in training, with any others."""
        chosen = list(positions)
        if self._grid:
            away = tuple(axis for axis in range(self._trained.ndim) if axis not in chosen)
            trained = self._trained.any(axis=away, keepdims=True)
            held = self._held_out.any(axis=away, keepdims=True)
            return not bool((held & ~trained).any())
        trained_codes, held_codes = (self._codes(rows, chosen) for rows in self._rows)
        return bool(np.isin(held_codes, trained_codes).all())

    def varying(self) -> list[int]:
        """Positions of the factors that have more than one value among these images."""
        found = []
        for position in range(len(self.space.sizes)):
            if self._grid and position not in self.compared:
                several = self.space.sizes[position] > 1
            else:
                trained, held = self.occurring(position)
                several = int((trained | held).sum()) > 1
            if several:
                found.append(position)
        return found

    def depends_on(self, position: int) -> bool:
        """Whether it can matter which value a factor has; no where a grid never compares it."""
        return not self._grid or position in self.compared

    def _codes(self, rows: NDArray[np.int64], positions: list[int]) -> NDArray[np.int64]:
        """A number for each combination of some factors, (n,)."""
        return numbered(rows[:, positions], [self.space.sizes[each] for each in positions])


def numbered(indices: NDArray[np.int64], sizes: Sequence[int]) -> NDArray[np.int64]:
    """A number for each combination, (n, k) factor indices to (n,), in C order of the sizes."""
    codes = np.zeros(len(indices), np.int64)
    for column, size in zip(indices.T, sizes, strict=True):
        codes = codes * size + column
    return codes


def find_kind(cells: Cells, circles: dict[str, float]) -> Finding:
    """What kind of condition it is.

    - Where a value of some factor is never trained on, it is an interpolation if every such value
      lies between two that are, and else an extrapolation. On a circle a value lies between two
      others if it is on the shorter way from one to the other; of a category it never does.
    - Where every combination of the values of all factors but one is trained on, with some value
      of that one, it is a recombination to an element.
    - Else it is a recombination to a range: there are factors whose values are trained on, but
      never in these combinations, whatever the others are.

    Factors with one value count for nothing.

    Args:
        cells: What is trained on and what is held out.
        circles: Name of a circular factor: its period, in its values.

    Source: the definitions of Montero et al. (2021), OpenReview qbH974jKUVy.
    """
    missing = list(_missing(cells))
    if missing:
        beyond = [
            (factor, lost)
            for factor, seen, lost in missing
            if not _all_between(factor, seen, lost, circles.get(factor.name))
        ]
        shown = beyond or [(factor, lost) for factor, _, lost in missing]
        values = " and ".join(f"{factor.name} {ranges(factor, lost)}" for factor, lost in shown)
        if beyond:
            return Finding(
                "extrapolation", f"never trained on, and not between values that are: {values}"
            )
        return Finding("interpolation", f"never trained on, but between values that are: {values}")
    varying = cells.varying()
    if all(
        cells.depends_on(left) and cells.all_seen(p for p in varying if p != left)
        for left in varying
    ):
        return Finding(
            "recombination_to_element",
            "whichever factor is set aside, all others are trained on together as they are "
            "held out",
        )
    names = [cells.space.names[position] for position in _unseen(cells)]
    return Finding(
        "recombination_to_range",
        f"every value is trained on, but {' and '.join(names)} never together as they are held "
        "out",
    )


def _missing(
    cells: Cells,
) -> Iterator[tuple[Factor, NDArray[np.bool_], NDArray[np.bool_]]]:
    """Factors with values that are held out and never trained on; which are, and which are not."""
    for position in filter(cells.depends_on, range(len(cells.space.sizes))):
        trained, held = cells.occurring(position)
        lost = held & ~trained
        if lost.any():
            yield cells.space.factors[position], trained, lost


def _unseen(cells: Cells) -> tuple[int, ...]:
    """The fewest factors of which a held-out combination is never trained on."""
    varying = [position for position in cells.varying() if cells.depends_on(position)]
    for count in range(2, len(varying)):
        for chosen in combinations(varying, count):
            if not cells.all_seen(chosen):
                return chosen
    return tuple(varying)


def _all_between(
    factor: Factor, seen: NDArray[np.bool_], lost: NDArray[np.bool_], period: float | None
) -> bool:
    """Whether every lost value lies between two that are seen."""
    if factor.kind == "categorical":
        return False
    values = values_of(factor, index=False)
    known, near = np.sort(values[seen]), _NEAR * step_of(factor, index=False)
    if factor.kind == "ordinal" or period is None:
        return bool((known[0] < values[lost]).all() and (values[lost] < known[-1]).all())
    for value in values[lost]:
        ahead = np.mod(known - value, period)
        behind = np.mod(value - known, period)
        if ahead.min() + behind.min() >= period / 2 - near:
            return False
    return True
