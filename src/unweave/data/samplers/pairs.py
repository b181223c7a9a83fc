"""Pairs of images that differ in a number of factors."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import varying
from unweave.data.samplers.further import draw_pairs
from unweave.data.samplers.moves import Moves
from unweave.data.samplers.population import Population
from unweave.data.samplers.two import PairSampler
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import option

__all__ = ["Pairs"]


@final
class Pairs(PairSampler):
    """Two images that differ in some factors and agree in all others.

    The first is any image. How many factors change, and which, is drawn uniformly; each of them
    gets another value than it had, uniformly, and so differs for sure. On `changed=random`, from
    one factor to all but one, these are the UNI pairs of Klindt et al. (2021), "Towards nonlinear
    disentanglement in natural data with temporal sparse coding", arXiv 2007.10930.

    The code of Locatello et al. (2020), "Weakly-supervised disentanglement without compromises",
    draws otherwise, and `compat=dlib` follows it: when k factors are asked for, a pair changes one
    or k, with equal chances, and a factor is drawn from all its values, so that it may keep its
    own and a pair may be two times the same image.

    Which factors change is never drawn again, also where a dataset lacks combinations or has odds,
    so that their number and their choice have the law above; the images and values are.
    """

    name: ClassVar[str] = "pairs"

    changed: int | tuple[int, int] | Literal["random"] = option(
        default="random",
        help="How many factors change: a number, a range (low, high), or random for 1 to all but "
        "one.",
    )
    factors: tuple[str, ...] = option(
        default=(), help="Names of the factors that may change; left out, all."
    )
    compat: Literal["dlib"] | None = option(
        default=None, help="dlib: one factor or k, each perhaps with the value that it had."
    )

    def validate(self) -> None:
        """Refuse numbers below 1, and a range where the published code has none."""
        if isinstance(self.changed, str):
            return
        low, high = (
            self.changed if isinstance(self.changed, tuple) else (self.changed, self.changed)
        )
        if not 1 <= low <= high:
            raise SpecError(
                f"{self.name}: changed must be at least 1, a range from low to high, or random, "
                f"not {self.changed}."
            )
        if self.compat is not None and isinstance(self.changed, tuple):
            raise SpecError(f"{self.name}: compat={self.compat} has no range: give a number.")

    def choose(
        self, images: Population, count: int, rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """Draw the factors that change, then the images.

        Raises:
            SpecError: More factors are to change than there are.
            DataError: There are no such pairs.
        """
        columns = varying(self, images.space, self.factors)
        low, high = self._range(images.space, columns)
        numbers = rng.integers(low, high + 1, count)
        if self.compat == "dlib":
            numbers = np.where(rng.random(count) < 0.5, 1, numbers)
        least = 0 if self.compat == "dlib" else 1
        offsets = tuple(np.arange(min(least, size - 1), size) for size in images.sizes.tolist())
        moves = Moves(images.space, columns, numbers, offsets, images.sizes, rng)
        what = f"pairs of which {low if low == high else f'{low} to {high}'} factors differ"
        return draw_pairs(images, moves, count, rng, what)

    def _range(self, space: FactorSpace, columns: NDArray[np.int64]) -> tuple[int, int]:
        """The least and the largest number of factors that change."""
        if isinstance(self.changed, str):
            return 1, max(1, len(columns) - 1)
        low, high = (
            self.changed if isinstance(self.changed, tuple) else (self.changed, self.changed)
        )
        if high > len(columns):
            names = ", ".join(space.names[column] for column in columns.tolist())
            raise SpecError(
                f"{self.name}: changed is {self.changed}, but only {len(columns)} factors can "
                f"change: {names}."
            )
        return low, high
