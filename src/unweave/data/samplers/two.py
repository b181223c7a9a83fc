"""What samplers of two images share: that they are two, and which factors never move."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from unweave.data.samplers.base import Sampler
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import option

__all__ = ["MovingSampler", "PairSampler"]


class PairSampler(Sampler):
    """Family of samplers of a first image and a further one."""

    @property
    def per_draw(self) -> int:
        """Two."""
        return 2


class MovingSampler(PairSampler):
    """Family of pairs between which factors move along their values, but for some."""

    held: tuple[str, ...] | None = option(
        default=None, help="Factors that never move; left out, the categorical ones."
    )

    def moving(self, space: FactorSpace) -> NDArray[np.int64]:
        """Columns of the factors that are not held.

        Raises:
            SpecError: A name is unknown, or all factors are held.
        """
        if self.held is None:
            still = {factor.name for factor in space.factors if factor.kind == "categorical"}
        else:
            still = {space.names[space.position(name)] for name in self.held}
        found = [
            column
            for column, factor in enumerate(space.factors)
            if factor.size > 1 and factor.name not in still
        ]
        if not found:
            raise SpecError(
                f"{self.name}: every factor is held or has one value, so none can move. Name the "
                "factors to hold: held=(...)."
            )
        return np.array(found, dtype=np.int64)
