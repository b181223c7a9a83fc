"""First images and further ones that belong to them, drawn until they are there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.moves import MOST_LISTED
from unweave.data.samplers.population import Population
from unweave.errors import DataError

__all__ = ["Proposal", "draw_pairs"]

# How often a first image is drawn anew.
_RENEWALS: Final = 20
# How many further images are proposed at once, round by round, and how long the lists are that
# then end the search: short ones soon, since more proposals would cost more than they do.
_ROUNDS: Final = ((1, 0), (4, 0), (16, 2**12), (64, 0), (256, 0), (1024, MOST_LISTED))
_MOST_IN_ALL: Final = 2**18


class Proposal(Protocol):
    """Draws what a further image may show."""

    def propose(
        self, places: NDArray[np.int64], first: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Factors of a further image of each draw, (n, K), within the space.

        Args:
            places: Which draws, (n,).
            first: Factors of their first images, (n, K).
            rng: Where the randomness comes from.
        """

    def listed(
        self, places: NDArray[np.int64], first: NDArray[np.int64], longest: int
    ) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]]:
        """All that could be proposed.

        Args:
            places: Which draws, (n,).
            first: Factors of their first images, (n, K).
            longest: A draw of which more could be proposed is left out.

        Yields:
            Rows of `places`, (r,); all combinations of each, (r, m), as flat indices of the whole
            grid; and their chances, (r, m), None where they are alike.
        """


def draw_pairs(
    images: Population, proposal: Proposal, count: int, rng: np.random.Generator, what: str
) -> NDArray[np.int64]:
    """First images by their odds, each with a further one in proportion to its odds, (count, 2).

    Further images are proposed until one is there and is accepted by its odds; where that takes
    long, all that could be proposed are listed and one is drawn, which has the same law. A first
    image that finds none is drawn anew.

    Args:
        images: Where they come from.
        proposal: What further images may show.
        count: How many draws.
        rng: Where the randomness comes from.
        what: What is asked for, for the error.

    Raises:
        DataError: Hardly an image has such a further one.
    """
    pairs = np.full((count, 2), -1, dtype=np.int64)
    pending = np.arange(count)
    for _ in range(_RENEWALS):
        pairs[pending, 0] = images.any(len(pending), rng)
        for most, longest in _ROUNDS:
            at_once = min(most, max(1, _MOST_IN_ALL // len(pending)))
            places = np.repeat(pending, at_once)
            proposed = proposal.propose(places, images.indices(pairs[places, 0]), rng)
            found = images.accepted(proposed, rng).reshape(-1, at_once)
            first = found[np.arange(len(found)), (found >= 0).argmax(axis=1)]
            pairs[pending, 1] = first
            pending = pending[first < 0]
            if longest and len(pending) > 0:
                first_images = images.indices(pairs[pending, 0])
                for rows, cells, chances in proposal.listed(pending, first_images, longest):
                    pairs[pending[rows], 1] = images.among(cells, chances, rng)
                pending = pending[pairs[pending, 1] < 0]
            if len(pending) == 0:
                return pairs
    raise DataError(
        f"{images.text} has too few images for {what}: {_RENEWALS} first images were tried, and "
        "none of the drawn combinations that would belong to them is there. Use a dataset with "
        "more combinations, or let other factors change."
    )
