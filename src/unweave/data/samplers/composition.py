"""Triplets of a reference, a sample, and the reference with one factor taken from the sample."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset
from unweave.data.samplers.base import Sampler, varying
from unweave.data.samplers.further import draw_pairs
from unweave.data.samplers.moves import Moves
from unweave.data.samplers.population import Population
from unweave.spec import option

__all__ = ["Composition"]


@final
class Composition(Sampler):
    """A reference, a sample, and a target: the reference with one factor taken from the sample.

    The reference is any image, the factor any that may change. The target differs from the
    reference in that factor alone, where it has any other value; the sample is any image with the
    target's value of that factor. All three are images of the dataset, so that of a dataset with a
    hole no triplet shows a combination that was left out.

    Source: the composition task of Montero et al. (2021), "The role of disentanglement in
    generalisation".
    """

    name: ClassVar[str] = "composition"

    factors: tuple[str, ...] = option(
        default=(), help="Names of the factors that may change; left out, all."
    )

    @property
    def per_draw(self) -> int:
        """Three: reference, sample, target."""
        return 3

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the factors, then reference and target, then samples.

        Raises:
            SpecError: No factor can change.
            DataError: There are no such pairs of reference and target.
        """
        columns = varying(self, images.space, self.factors)
        offsets = tuple(np.arange(min(1, size - 1), size) for size in images.sizes.tolist())
        one = np.ones(count, dtype=np.int64)
        moves = Moves(images.space, columns, one, offsets, images.sizes, rng)
        pairs = draw_pairs(images, moves, count, rng, "references and targets")
        actions = moves.moved.argmax(axis=1)
        values = images.indices(pairs[:, 1])[np.arange(count), actions]
        samples = images.with_value(actions, values, rng)
        return np.stack([pairs[:, 0], samples, pairs[:, 1]], axis=1)

    def actions(self, dataset: Dataset, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which factor is taken from the sample, as its column, (count, 3) to (count,)."""
        reference, target = dataset.factors(drawn[:, 0]), dataset.factors(drawn[:, 2])
        return np.asarray((reference != target).argmax(axis=1), dtype=np.int64)
