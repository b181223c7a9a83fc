"""What metrics of sampled information have in common: settings, checks, cost, one estimate."""

from __future__ import annotations

__all__ = ["SampledMetric", "checked_logvar", "sampling_cost"]

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Score
from unweave.metrics.costs import duration
from unweave.metrics.draws import Draws
from unweave.metrics.plug_in import entropies
from unweave.metrics.posterior.disvae import check_grid, count_disvae_densities, disvae_entropies
from unweave.metrics.posterior.entropies import Entropies, count_densities, sampled_entropies
from unweave.metrics.posterior.mixtures import seconds_per_density
from unweave.metrics.prepared import PreparedMetric
from unweave.metrics.threads import cores
from unweave.representation import Representation
from unweave.spec import number, option

if TYPE_CHECKING:
    from unweave.progress import Progress

_WORTH_SAYING = 30.0
# Variances from 1e-217 to 1e217: beyond them lies a broken encoder, and the end of float64.
_LARGEST_LOGVAR = 500.0


class SampledMetric(PreparedMetric[Entropies]):
    """A metric of the information between latents and factors, sampled from q(z).

    Metrics with equal settings draw from one stream and share one estimate.
    """

    needs: ClassVar[tuple[str, ...]] = ("codes", "factors", "logvar")
    opt_in: ClassVar[bool] = True
    stream: ClassVar[str] = "sampled information"

    samples: int = number(default=10_000, low=1, help="Draws of z for each entropy.")
    components: int | Literal["all"] = number(
        default=10_000,
        low=2,
        help="Most posteriors that stand for each density; all for every image, which is exact.",
    )
    compat: Literal["none", "disvae"] = option(
        default="none", help="disvae: the entropies of the disentangling-vae code, defect and all."
    )

    def validate(self) -> None:
        """Refuse a compatibility that is not as published."""
        if self.compat == "disvae" and self.components != "all":
            raise SpecError(
                f"{self.name}: compat=disvae sums over every image; give components=all with it."
            )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse a single latent, factors that are all constant, and what `compat` cannot score.

        Raises:
            DataError: The message says which.
        """
        if latents < 2:
            raise DataError(f"{self.name} compares two latents, but there is only one.")
        if not (factors != factors[:1]).any():
            raise DataError(
                f"{self.name} needs a factor that varies, but every factor is constant here."
            )
        if self.compat == "disvae":
            check_grid(factors, factor_space, self.samples)

    def measure_cost(self, representation: Representation) -> str | None:
        """Densities and time of the estimate; None when it is neither exact nor long."""
        self._checked(representation)
        latents = representation.latents
        densities = latents * self._densities(representation)
        return sampling_cost(densities, latents, exact=self.components == "all")

    def read(self, representation: Representation, prepared: Entropies) -> Score:
        """The mean over the factors that vary, their parts, and the information in nats."""
        information = prepared.information
        space = representation.factor_space
        entropy = entropies(np.asarray(representation.factors), space.sizes)
        # No latent knows less than nothing; nor more than there is, though as published it may.
        most = entropy if self.compat == "none" else np.inf
        ranked = np.clip(-np.sort(-information, axis=0), 0.0, most)
        parts = {
            name: self.part(ranked[:, k], float(entropy[k]))
            for k, name in enumerate(space.names)
            if entropy[k] > 0
        }
        what = "as disentangling-vae computes it" if self.compat == "disvae" else "sampled"
        matrix = Matrix(
            values=information,
            rows=tuple(f"z{j}" for j in range(representation.latents)),
            columns=space.names,
            label=f"mutual information, {what} (nats)",
        )
        return Score(value=float(np.mean(list(parts.values()))), parts=parts, matrix=matrix)

    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> Entropies:
        """Entropies of each latent, and given each factor.

        Raises:
            DataError: There are no logvars or absurd ones, or `check` refuses the rows.
        """
        logvar = self._checked(representation)
        if self.compat == "disvae":
            return disvae_entropies(
                np.asarray(representation.mean),
                logvar,
                np.asarray(representation.factors),
                samples=self.samples,
                rng=draws.generator(),
                progress=progress,
            )
        return sampled_entropies(
            np.asarray(representation.mean),
            logvar,
            np.asarray(representation.factors),
            samples=self.samples,
            components=self._most_components,
            rng=draws.generator(),
            progress=progress,
        )

    @abstractmethod
    def part(self, ranked: NDArray[np.float64], entropy: float) -> float:
        """The score of one factor.

        Args:
            ranked: What each latent knows of it in nats, the largest first, none below 0, (L,).
            entropy: Entropy of the factor in the sample, nats, above 0.
        """

    def _densities(self, representation: Representation) -> int:
        if self.compat == "disvae":
            return count_disvae_densities(representation.factors, self.samples)
        return count_densities(representation.factors, self.samples, self._most_components)

    @property
    def _most_components(self) -> int | None:
        return None if self.components == "all" else self.components

    def _checked(self, representation: Representation) -> NDArray[np.float32]:
        """The logvars of a table that can be scored."""
        factors = np.asarray(representation.factors)
        self.check(factors, representation.factor_space, representation.latents)
        return checked_logvar(representation, self.name)


def checked_logvar(representation: Representation, name: str) -> NDArray[np.float32]:
    """The logvars of a table that can be sampled from, (N, L).

    Raises:
        DataError: There are none, or absurd ones; the message begins with `name`.
    """
    if representation.logvar is None:
        raise DataError(f"{name} samples from posteriors, but the representation has no logvars.")
    logvar = np.asarray(representation.logvar)
    # A comparison with NaN is false.
    fine = np.abs(logvar) <= _LARGEST_LOGVAR
    if not fine.all():
        row = int(np.argmin(fine.all(axis=1)))
        raise DataError(
            f"{name} needs logvars from {-_LARGEST_LOGVAR:g} to {_LARGEST_LOGVAR:g}, "
            f"but row {row} is {logvar[row]}."
        )
    return logvar


def sampling_cost(densities: int, workers: int, exact: bool) -> str | None:
    """What the evaluation of so many densities takes; None when it is neither exact nor long.

    Args:
        densities: How many.
        workers: Most threads that share the work.
        exact: Whether every image counts, which is said in any case.
    """
    seconds = densities * seconds_per_density() / min(cores(), workers)
    if not exact and seconds < _WORTH_SAYING:
        return None
    return f"{densities:.2g} densities to evaluate, about {duration(seconds)}"
