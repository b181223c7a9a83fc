"""Where a metric's random numbers come from."""

from __future__ import annotations

__all__ = ["Draws"]

from dataclasses import dataclass
from typing import final

import numpy as np

from unweave.errors import SpecError
from unweave.splits import keyed_generator


@final
@dataclass(frozen=True)
class Draws:
    """The random numbers of one metric, a pure function of seed and purpose.

    Asking twice gives the same numbers from their start.

    Attributes:
        seed: Whole number of at least 0.
        purpose: Name of the stream; metrics that share an estimate share it.
    """

    seed: int
    purpose: str

    def generator(self) -> np.random.Generator:
        """A generator keyed by seed and purpose."""
        return keyed_generator(self.seed, f"metric/{self.purpose}")

    def random_state(self) -> np.random.RandomState:
        """The same in the form that scikit-learn's estimators draw from."""
        return np.random.RandomState(int(self.generator().integers(2**32)))

    def legacy(self) -> np.random.RandomState:
        """NumPy's frozen stream of the seed alone, as disentanglement_lib begins every metric.

        Raises:
            SpecError: The seed is 2**32 or more.
        """
        if self.seed >= 2**32:
            raise SpecError(f"The seed of a published protocol is below 2**32, not {self.seed}.")
        return np.random.RandomState(self.seed)
