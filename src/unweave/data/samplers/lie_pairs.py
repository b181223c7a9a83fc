"""Pairs of images between which one factor takes a step of a fixed length."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.further import draw_pairs
from unweave.data.samplers.moves import Moves
from unweave.data.samplers.population import Population
from unweave.data.samplers.two import MovingSampler
from unweave.spec import number, option

__all__ = ["LiePairs"]


@final
class LiePairs(MovingSampler):
    """Two images of which one factor differs by a fixed step, forwards or backwards.

    One factor that is not held, each as likely, moves by the step, or by half its values where the
    step is longer. Every factor is taken for a circle, so that a step past its end goes on at its
    beginning, as befits actions of a cyclic group. A circular factor whose last value is the first
    pose again has one pose less than values; the published code counts both, and `compat=clg`
    follows it.

    Source: the pairs of the code of Zhu, Xu and Tao (2021), "Commutative Lie group VAE for
    disentanglement learning", arXiv 2106.03375.
    """

    name: ClassVar[str] = "lie_pairs"

    step: int = number(default=2, low=1, help="By how many values the factor moves.")
    compat: Literal["clg"] | None = option(
        default=None, help="clg: a circle has as many poses as values."
    )

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the factors, then the images.

        Raises:
            SpecError: Every factor is held.
            DataError: There are no such pairs.
        """
        columns = self.moving(images.space)
        poses = np.array(
            [
                factor.size if self.compat == "clg" else factor.poses
                for factor in images.space.factors
            ]
        )
        steps = [min(self.step, max(size // 2, 1)) for size in images.sizes.tolist()]
        offsets = tuple(np.array([-step, step]) for step in steps)
        one = np.ones(count, dtype=np.int64)
        moves = Moves(images.space, columns, one, offsets, poses, rng)
        return draw_pairs(
            images, moves, count, rng, f"pairs of which one factor moves {self.step}"
        )
