"""Random walks: images between which single factors move by one value."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import Sampler
from unweave.data.samplers.population import Population
from unweave.errors import DataError, SpecError
from unweave.factors import strides
from unweave.spec import number, option

__all__ = ["Walk"]

_TRIES = 20


@final
class Walk(Sampler):
    """Images along a random walk over the combinations of factors.

    The first is any image. In each move one factor goes to the next or the previous of its values,
    any of the moves that lead to an image being as likely, or in proportion to their odds. Between
    two images of a draw lies one move, or as many as `moves` says; a range is drawn from
    uniformly, anew for each. Circular factors go round, all others end.

    Source: the random walk of disent (Michlo, github.com/nmichlo/disent), where no factor goes
    round; `round_trips=False` is that. Its triplets are `walk(length=3, moves=...)`, but with one
    range for both legs.
    """

    name: ClassVar[str] = "walk"

    length: int = number(default=2, low=2, help="How many images a draw has.")
    moves: int | tuple[int, int] = option(
        default=1, help="How many moves lie between two images: a number, or a range (low, high)."
    )
    round_trips: bool = option(default=True, help="Whether circular factors go round.")

    def validate(self) -> None:
        """Refuse walks that stand still."""
        low, high = self._range()
        if not 1 <= low <= high:
            raise SpecError(
                f"{self.name}: moves must be at least 1, or a range from low to high, not "
                f"{self.moves}."
            )

    @property
    def per_draw(self) -> int:
        """As many as the walk is long."""
        return self.length

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the first images, and walk.

        Raises:
            DataError: Hardly an image has a neighbour.
        """
        low, high = self._range()
        walks = np.empty((count, self.length), dtype=np.int64)
        walks[:, 0] = self._start(images, count, rng)
        for leg in range(1, self.length):
            now = walks[:, leg - 1].copy()
            left = rng.integers(low, high + 1, count)
            while (left > 0).any():
                rows = np.flatnonzero(left > 0)
                now[rows] = self._move(images, now[rows], rng)
                left -= 1
            walks[:, leg] = now
        return walks

    def _range(self) -> tuple[int, int]:
        return self.moves if isinstance(self.moves, tuple) else (self.moves, self.moves)

    def _start(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Images with a neighbour; once a walk has begun, it can always go back."""
        start = images.any(count, rng)
        for _ in range(_TRIES):
            alone = np.flatnonzero(self._neighbours(images, start, rng) < 0)
            if len(alone) == 0:
                return start
            start[alone] = images.any(len(alone), rng)
        raise DataError(
            f"{images.text} has too few images for walks: hardly an image has another one that "
            "differs in one factor by one value. Use a dataset with more combinations."
        )

    def _move(
        self, images: Population, now: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """One move of each walk, (n,)."""
        moved = self._neighbours(images, now, rng)
        # From the second of two indices of one pose, where the first is missing, none leads back.
        return np.where(moved >= 0, moved, now)

    def _neighbours(
        self, images: Population, now: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """An image one move away of each, by its odds, (n,); -1 where there is none."""
        here = images.indices(now)
        count, total = here.shape
        moved = np.repeat(here[:, np.newaxis], 2 * total, axis=1)
        allowed = np.zeros((count, 2 * total))
        for column, factor in enumerate(images.space.factors):
            poses = factor.poses
            for side, step in enumerate((-1, 1)):
                place = 2 * column + side
                goal = here[:, column] + step
                if factor.kind == "circular" and self.round_trips:
                    allowed[:, place] = poses > 1
                    goal = goal % poses
                else:
                    allowed[:, place] = (goal >= 0) & (goal < factor.size)
                moved[:, place, column] = np.where(allowed[:, place] > 0, goal, here[:, column])
        cells = moved @ strides(images.space.sizes)
        return images.among(cells, allowed, rng)
