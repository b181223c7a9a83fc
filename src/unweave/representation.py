"""A table of codes: what an encoder says of the images of a dataset, and their factors."""

from __future__ import annotations

__all__ = ["Representation"]

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from unweave import display
from unweave.errors import DataError
from unweave.factors import FactorSpace

T = TypeVar("T")

# Rows at most whose numbers a notebook shows, so that it takes no time to look at a table.
_SHOWN_ROWS = 50_000


@final
@dataclass(frozen=True, eq=False)
class Representation:
    """Posteriors and factors of N images, row by row; the arrays may be memory maps.

    Attributes:
        mean: Posterior means, the codes, (N, L) float32; float64 of arrays that were given so.
        factors: Factor indices, (N, K) int64; (N, 0) where none are known.
        logvar: Logarithms of the posterior variances, (N, L) float32, or None.
        factor_space: Names and sizes of the factors; `FactorSpace.unknown()` where none are known.

    Raises:
        DataError: The arrays do not fit together, or a code is not finite.
    """

    mean: NDArray[np.float32]
    factors: NDArray[np.int64]
    factor_space: FactorSpace
    logvar: NDArray[np.float32] | None = None
    _shared: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        """Check shapes and values."""
        if self.mean.ndim != 2 or self.mean.shape[1] < 1:
            raise DataError(f"Codes have shape (N, L), not {self.mean.shape}.")
        expected = (len(self.mean), len(self.factor_space.factors))
        if self.factors.shape != expected:
            raise DataError(f"Factors have shape {self.factors.shape}; {expected} is expected.")
        if self.logvar is not None and self.logvar.shape != self.mean.shape:
            raise DataError(f"Logvars have shape {self.logvar.shape}, codes {self.mean.shape}.")
        if not np.isfinite(self.mean).all():
            row = int(np.argmin(np.isfinite(self.mean).all(axis=1)))
            raise DataError(f"Codes must be finite, but row {row} is {self.mean[row]}.")

    def __len__(self) -> int:
        """Number of rows N."""
        return len(self.mean)

    @property
    def labelled(self) -> bool:
        """Whether factors are known."""
        return bool(self.factor_space.factors)

    @property
    def latents(self) -> int:
        """Number of latents L."""
        return int(self.mean.shape[1])

    def _repr_html_(self) -> str:
        """How many rows it has, and how each latent is distributed, for a notebook."""
        step = -(-len(self) // _SHOWN_ROWS)
        mean = np.asarray(self.mean[::step], np.float64)
        spread = mean.std(axis=0), mean.min(axis=0), mean.max(axis=0)
        columns = dict(zip(("sd", "least", "largest"), spread, strict=True))
        columns = {"mean": mean.mean(axis=0), **columns}
        if self.logvar is not None:
            columns["KL (nats)"] = self.subset(np.arange(0, len(self), step)).kl()
        rows = [
            (f"z{j}", *(display.number(float(values[j]), 3) for values in columns.values()))
            for j in range(self.latents)
        ]
        of = "" if step == 1 else f"Numbers are of one row in {step}."
        factors = ", ".join(self.factor_space.names) or "not known"
        return display.shown(
            f"Codes of {len(self):,} images, {self.latents} latents",
            display.facts({"factors": factors, "type": str(self.mean.dtype)}),
            display.table(("latent", *columns), rows, columns),
            *([display.note(of)] if of else []),
        )

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value that several metrics share, computed at most once for this table.

        The key holds all that the value depends on besides the table: settings, and the state of
        a generator if the value is drawn.
        """
        if key not in self._shared:
            self._shared[key] = make()
        value: T = self._shared[key]
        return value

    def kl(self) -> NDArray[np.float64]:
        """Mean KL of each latent to the standard normal prior in nats, (L,).

        Raises:
            DataError: The representation has no logvars.
        """
        if self.logvar is None:
            raise DataError("The KL of latents needs posterior variances, and there are none.")
        mean = self.mean.astype(np.float64)
        logvar = self.logvar.astype(np.float64)
        kl: NDArray[np.float64] = 0.5 * (mean**2 + np.exp(logvar) - 1 - logvar).mean(axis=0)
        return kl

    def subset(self, rows: NDArray[np.int64]) -> Representation:
        """The chosen rows, in the order given."""
        logvar = None if self.logvar is None else self.logvar[rows]
        return Representation(
            mean=self.mean[rows],
            factors=self.factors[rows],
            factor_space=self.factor_space,
            logvar=logvar,
        )
