"""Which images are in the batch of a step."""

from __future__ import annotations

import operator
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import SpecError
from unweave.splits import keyed_permutation, keyed_uniform

__all__ = ["Batches"]


@final
class Batches:
    """Batches that walk through a keyed permutation of the images, one permutation an epoch.

    Within an epoch no image comes twice. A batch may span the border of two epochs, so that every
    batch is full; batches are a pure function of the arguments and the step.

    With weights, every image of every batch is drawn anew with these odds; an epoch is then as
    many draws as there are images.

    Args:
        images: How many images there are, or the indices of those to draw from, (n,).
        batch_size: Images in a batch.
        seed: Whole number of at least 0.
        purpose: Different purposes give independent orders, such as that of a second batch.
        weights: How often each image is drawn, (n,), at least 0; None for once an epoch.

    Raises:
        SpecError: A number is out of range, a batch has more images than there are, or no weight
            is above 0.
    """

    def __init__(
        self,
        images: int | NDArray[np.int64],
        batch_size: int,
        seed: int,
        purpose: str = "batches",
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        """Check the arguments; nothing is drawn yet."""
        self._chosen = None if isinstance(images, int) else np.asarray(images, dtype=np.int64)
        self.num_images = images if isinstance(images, int) else len(images)
        self.batch_size = operator.index(batch_size)
        self.seed = seed
        self.purpose = purpose
        self._cached: tuple[int, NDArray[np.int64]] | None = None
        self._odds = None if weights is None else _cumulated(weights, self.num_images)
        if self.batch_size < 1:
            raise SpecError(f"batch_size must be at least 1, but is {batch_size}.")
        if self.batch_size > self.num_images:
            raise SpecError(
                f"batch_size is {batch_size}, but there are only {self.num_images} images to "
                "train on: give a smaller batch_size or a larger dataset."
            )

    def epoch(self, step: int) -> int:
        """How many epochs were finished before the first image of a step's batch.

        Raises:
            SpecError: The step is below 1.
        """
        return self._start(step) // self.num_images

    def indices(self, step: int) -> NDArray[np.int64]:
        """Flat indices of the images in the batch of a step, (batch_size,) int64.

        Args:
            step: The first step is 1.

        Raises:
            SpecError: The step is below 1.
        """
        start = self._start(step)
        if self._odds is not None:
            draws = keyed_uniform(self.batch_size, self.seed, f"{self.purpose} by weight", step)
            batch = np.searchsorted(self._odds, draws, side="right").astype(np.int64, copy=False)
            return batch if self._chosen is None else self._chosen[batch]
        epoch, offset = divmod(start, self.num_images)
        batch = self._order(epoch)[offset : offset + self.batch_size]
        if len(batch) < self.batch_size:
            rest = self._order(epoch + 1)[: self.batch_size - len(batch)]
            batch = np.concatenate([batch, rest])
        return batch.copy() if self._chosen is None else self._chosen[batch]

    def _start(self, step: int) -> int:
        """How many images came before a step."""
        if step < 1:
            raise SpecError(f"The first step is 1; there is no step {step}.")
        return (step - 1) * self.batch_size

    def _order(self, epoch: int) -> NDArray[np.int64]:
        """The permutation of an epoch; the latest is kept, since the next step mostly needs it."""
        if self._cached is None or self._cached[0] != epoch:
            order = keyed_permutation(self.num_images, self.seed, self.purpose, epoch)
            self._cached = (epoch, order)
        return self._cached[1]


def _cumulated(weights: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Upper ends of each image's share of 0 to 1, (n,)."""
    if weights.shape != (count,) or not (weights >= 0).all() or not weights.sum() > 0:
        raise SpecError(
            f"weights must be {count} numbers of at least 0, some of them above 0, one an image."
        )
    ends = np.cumsum(weights / weights.sum())
    # Rounding must not leave a gap at the end, where the last image that counts would be missed.
    ends[np.flatnonzero(weights)[-1] :] = 1.0
    return np.asarray(ends)
