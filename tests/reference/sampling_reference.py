"""What disentanglement_lib draws, one call for one factor of one batch; slow on purpose."""

from __future__ import annotations

import numpy as np

__all__ = ["Plain"]


class Plain:
    """Factor indices in the order of the reference; goes on with the same stream."""

    def __init__(self, sizes, seed):
        self.sizes = tuple(sizes)
        self.state = np.random.RandomState(seed)

    def factors(self, count):
        """Combinations, (count, K)."""
        found = np.zeros((count, len(self.sizes)), int)
        for k, size in enumerate(self.sizes):
            found[:, k] = self.state.randint(size, size=count)
        return found

    def sample(self, count, chunk=16):
        """Combinations in chunks, (count, K)."""
        found = []
        while count > 0:
            found.extend(self.factors(min(chunk, count)))
            count -= chunk
        return np.array(found)

    def pair(self, batch):
        """The factor that both sides share, and their combinations."""
        shared = self.state.randint(len(self.sizes))
        first = self.factors(batch)
        second = self.factors(batch)
        second[:, shared] = first[:, shared]
        return shared, first, second

    def group(self, batch):
        """The factor that is fixed, and combinations that have its first value."""
        fixed = self.state.randint(len(self.sizes))
        found = self.factors(batch)
        found[:, fixed] = found[0, fixed]
        return fixed, found
