"""Labels as few-label studies have them: exact, coarse, noisy, permuted or partial."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import Component, number

__all__ = ["Binned", "LabelTable", "Labeller", "Noisy", "Partial", "Perfect", "Permuted"]


@final
@dataclass(frozen=True, eq=False)
class LabelTable:
    """Labels of images.

    Args:
        labels: (n, L) whole numbers from 0.
        names: The factor that each column is of, (L,).
        sizes: How many different labels each column may have, (L,).
    """

    labels: NDArray[np.int64]
    names: tuple[str, ...]
    sizes: tuple[int, ...]


class Labeller(Component):
    """Family of ways to label images whose factors are known.

    Source: Locatello et al. (2020), "Disentangling factors of variation using few labels".
    """

    family: ClassVar[str] = "labeller"

    @abstractmethod
    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """Label images.

        Args:
            indices: Their factor indices, (n, K).
            space: The factors.
            rng: Where the randomness comes from.

        Raises:
            SpecError: A field does not fit the factors.
        """


@final
class Perfect(Labeller):
    """Every factor's index.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "perfect"

    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """The indices themselves."""
        return LabelTable(indices.copy(), space.names, space.sizes)


@final
class Binned(Labeller):
    """Indices in a few bins: a factor of more values than bins has as many labels as bins.

    Index i of a factor of n values, more than the bins, becomes the whole part of i * bins / n.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "binned"

    bins: int = number(default=5, low=1, help="How many different labels a factor has at most.")

    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """The bin of each index."""
        sizes = np.array(space.sizes)
        binned = np.where(sizes > self.bins, indices * self.bins // sizes, indices)
        return LabelTable(binned, space.names, tuple(np.minimum(sizes, self.bins).tolist()))


@final
class Noisy(Labeller):
    """Indices of which some are replaced: each with a chance, by any value of its factor.

    The value may be the right one, so that fewer labels are wrong than are replaced.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "noisy"

    probability: float = number(
        default=0.1, low=0, high=1, help="The chance of each label to be replaced."
    )

    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """The indices, some of them drawn."""
        replaced = rng.random(indices.shape) < self.probability
        drawn = rng.integers(0, space.sizes, size=indices.shape)
        return LabelTable(np.where(replaced, drawn, indices), space.names, space.sizes)


@final
class Permuted(Labeller):
    """Indices in another order: the values of each factor are numbered at random.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "permuted"

    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """The number of each index in one permutation a factor."""
        labels = np.stack(
            [rng.permutation(size)[indices[:, column]] for column, size in enumerate(space.sizes)],
            axis=1,
        )
        return LabelTable(labels.astype(np.int64, copy=False), space.names, space.sizes)


@final
class Partial(Labeller):
    """Indices of some factors alone; the others are not labelled.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "partial"

    observed: int = number(
        default=2, low=1, help="How many factors are labelled, drawn at random."
    )

    def label(
        self, indices: NDArray[np.int64], space: FactorSpace, rng: np.random.Generator
    ) -> LabelTable:
        """The columns of some factors, in their order.

        Raises:
            SpecError: There are fewer factors.
        """
        total = len(space.factors)
        if self.observed > total:
            raise SpecError(
                f"{self.name}: observed is {self.observed}, but there are {total} factors: "
                f"{', '.join(space.names)}."
            )
        columns = np.sort(rng.permutation(total)[: self.observed]).tolist()
        return LabelTable(
            indices[:, columns],
            tuple(space.names[column] for column in columns),
            tuple(space.sizes[column] for column in columns),
        )
