"""Triplets of a reference, a transform, and the reference with one factor of the transform."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.samplers.base import Sampler, varying
from unweave.data.samplers.further import draw_pairs
from unweave.data.samplers.lines import Lines, lines_of
from unweave.data.samplers.moves import Moves
from unweave.data.samplers.population import Population
from unweave.errors import DataError
from unweave.spec import option

__all__ = ["Composition", "drawn_pairs"]


@final
class Composition(Sampler):
    """A reference, a transform, and a target: the reference with one factor of the transform.

    The factor is any that may change, the reference any image. The target differs from the
    reference in that factor alone, where it has any other value; the transform is any image with
    the target's value of that factor. All three are images of the dataset, so that of a dataset
    with a hole no triplet shows a combination that was left out. A factor in which alone no two
    images differ is never chosen, nor is a reference without a target. Each draw takes as long,
    however many images there are.

    Source: the composition task of Montero et al. (2021), "The role of disentanglement in
    generalisation".
    """

    name: ClassVar[str] = "composition"

    factors: tuple[str, ...] = option(
        default=(), help="Names of the factors that may change; left out, all."
    )

    @property
    def per_draw(self) -> int:
        """Three: reference, transform, target."""
        return 3

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the factors, then reference and target, then transforms.

        Raises:
            SpecError: No factor can change.
            DataError: There are no such pairs of reference and target.
        """
        columns = varying(self, images.space, self.factors)
        if images.is_grid and not images.weighted:
            actions, pairs = self._of_grid(images, columns, count, rng)
        else:
            actions, pairs = self._of_lines(images, columns, count, rng)
        values = images.indices(pairs[:, 1])[np.arange(count), actions]
        transforms = images.with_value(actions, values, rng)
        return np.stack([pairs[:, 0], transforms, pairs[:, 1]], axis=1)

    def _of_grid(
        self,
        images: Population,
        columns: NDArray[np.int64],
        count: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Factors, (n,), and pairs, (n, 2), where every combination is there: no table is made."""
        offsets = tuple(np.arange(min(1, size - 1), size) for size in images.sizes.tolist())
        one = np.ones(count, dtype=np.int64)
        moves = Moves(images.space, columns, one, offsets, images.sizes, rng)
        pairs = draw_pairs(images, moves, count, rng, "references and targets")
        return moves.moved.argmax(axis=1), pairs

    def _of_lines(
        self,
        images: Population,
        columns: NDArray[np.int64],
        count: int,
        rng: np.random.Generator,
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Factors, (n,), and pairs, (n, 2), of any images."""
        lines = {column: lines_of(images, column) for column in columns.tolist()}
        if not any(each.count for each in lines.values()):
            names = ", ".join(images.space.names[column] for column in lines)
            raise DataError(
                f"{images.text} has too few images for references and targets: no two of them "
                f"differ in one of {names} alone. Use a dataset with more combinations, or let "
                "other factors change."
            )
        return drawn_pairs(lines, count, rng)

    def actions(self, dataset: Dataset, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which factor is taken from the transform, as its column, (count, 3) to (count,)."""
        reference, target = dataset.factors(drawn[:, 0]), dataset.factors(drawn[:, 2])
        return np.asarray((reference != target).argmax(axis=1), dtype=np.int64)


def drawn_pairs(
    lines: Mapping[int, Lines], count: int, rng: np.random.Generator
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Factors, each of those that have pairs being as likely, and a pair along each.

    Args:
        lines: Pairs by the column of their factor; at least one factor has some.
        count: How many draws.
        rng: Where the randomness comes from.

    Returns:
        Columns, (n,), and flat indices of first and second images, (n, 2).
    """
    there = np.array([column for column, each in lines.items() if each.count], dtype=np.int64)
    actions = there[rng.integers(0, len(there), count)]
    pairs = np.empty((count, 2), dtype=np.int64)
    for column in there.tolist():
        rows = np.flatnonzero(actions == column)
        pairs[rows] = np.stack(lines[column].draw(len(rows), rng), axis=1)
    return actions, pairs
