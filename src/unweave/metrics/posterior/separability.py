"""What single latents tell of an image that no other does."""

from __future__ import annotations

__all__ = ["WINDIN", "WSEPIN", "Separability", "separability"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.draws import Draws
from unweave.metrics.posterior.metric import checked_logvar, sampling_cost
from unweave.metrics.prepared import PreparedMetric
from unweave.representation import Representation
from unweave.spec import number

if TYPE_CHECKING:
    from unweave.progress import Progress

# Densities of one latent in a block; those of all latents stay in the cache of a core.
_BLOCK = 2**14


@final
@dataclass(frozen=True, eq=False)
class Separability:
    """Information of latents about the image behind them, nats.

    Attributes:
        alone: I(x; z_j), (L,).
        beyond: I(x; z_j | the others), (L,).
        shared: I(z_j; the others), (L,).
    """

    alone: NDArray[np.float64]
    beyond: NDArray[np.float64]
    shared: NDArray[np.float64]


def separability(
    mean: NDArray[np.floating],
    logvar: NDArray[np.floating],
    *,
    samples: int,
    components: int | None,
    rng: np.random.Generator,
    progress: Progress | None = None,
) -> Separability:
    r"""Estimate it by draws of z, with q(z) the mean of the posteriors of all images.

    With :math:`q_j` the marginal of latent j, :math:`q_{-j}` that of all others and x the image
    behind a draw, the three are means of :math:`\log q_j(z_j|x) - \log q_j(z_j)`,
    :math:`\log q_j(z_j|x) - \log q(z) + \log q_{-j}(z_{-j})` and :math:`\log q(z) - \log q_j(z_j)
    - \log q_{-j}(z_{-j})`.

    With fewer components than images, the image behind a draw counts with its true weight and a
    random choice of the others for all of them: given the draw, each density is unbiased. Its
    logarithm is biased downwards, the more latents the more.

    Args:
        mean: Posterior means, (N, L).
        logvar: Logarithms of the posterior variances, (N, L).
        samples: Draws of z.
        components: Most posteriors in each density; None for all.
        rng: Source of the draws.
        progress: Shows how many draws have been evaluated.
    """
    count, latents = mean.shape
    centres, logvars = np.asarray(mean, np.float64), np.asarray(logvar, np.float64)
    rows = rng.integers(count, size=samples)
    centre, spread = centres[rows], logvars[rows]
    points = centre + np.exp(0.5 * spread) * rng.standard_normal((samples, latents))
    own_log = _normal(points, centre, spread, np.exp(-spread))
    chosen = np.arange(count)
    if components is not None and components < count:
        chosen = np.sort(rng.choice(count, components, replace=False))
    centres, logvars = centres[chosen].T[:, None], logvars[chosen].T[:, None]
    precision = np.exp(-logvars)
    marginal = np.empty((samples, latents))
    others = np.empty((samples, latents))
    whole = np.empty(samples)
    step = max(1, _BLOCK // len(chosen))
    for start in range(0, samples, step):
        part = slice(start, min(start + step, samples))
        single = _normal(points[part].T[:, :, None], centres, logvars, precision)
        mine = rows[part, None] == chosen
        # Those that stand for the images other than the draw's own.
        standing = np.maximum(len(chosen) - mine.sum(axis=1, keepdims=True), 1)
        weight = np.where(mine, -np.inf, np.log(max(count - 1, 1) / count) - np.log(standing))
        own, share = own_log[part], -np.log(count)
        for j in range(latents):
            marginal[part, j] = _mix(single[j] + weight, own[:, j] + share)
        # Sums of what is left without one latent, not differences, which would lose it.
        after = np.zeros_like(single)
        for j in range(latents - 2, -1, -1):
            np.add(after[j + 1], single[j + 1], out=after[j])
        before, own_total = weight, own.sum(axis=1)
        for j in range(latents):
            rest = np.delete(own, j, axis=1).sum(axis=1)
            others[part, j] = _mix(before + after[j], rest + share)
            before = before + single[j]
        whole[part] = _mix(before, own_total + share)
        if progress is not None:
            progress("draws", part.stop, samples)
    joint = whole[:, None]
    return Separability(
        alone=(own_log - marginal).mean(axis=0),
        beyond=(own_log - joint + others).mean(axis=0),
        shared=(joint - marginal - others).mean(axis=0),
    )


class SeparabilityMetric(PreparedMetric[Separability]):
    """A score of what latents tell of an image; all such metrics share one estimate."""

    needs: ClassVar[tuple[str, ...]] = ("codes", "logvar")
    source: ClassVar[str] = "Do and Tran, 2020"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)
    opt_in: ClassVar[bool] = True
    stream: ClassVar[str] = "separability"

    samples: int = number(default=2_000, low=1, help="Draws of z.")
    components: int | Literal["all"] = number(
        default=10_000,
        low=2,
        help="Most posteriors that stand for each density; all for every image, which is exact.",
    )

    def measure_cost(self, representation: Representation) -> str | None:
        """Densities and time; None when it is neither exact nor long."""
        checked_logvar(representation, self.name)
        most = len(representation) if self._most is None else self._most
        densities = self.samples * min(most, len(representation))
        # Marginals, what is left without each latent, and the whole.
        return sampling_cost(
            densities * (2 * representation.latents + 1), 1, exact=self._most is None
        )

    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> Separability:
        """The estimate.

        Raises:
            DataError: There are no logvars, or absurd ones.
        """
        return separability(
            np.asarray(representation.mean),
            checked_logvar(representation, self.name),
            samples=self.samples,
            components=self._most,
            rng=draws.generator(),
            progress=progress,
        )

    @property
    def _most(self) -> int | None:
        return None if self.components == "all" else self.components


@final
class WSEPIN(SeparabilityMetric):
    r"""What each latent tells of an image beyond all others, weighted by what it tells alone.

    .. math:: \sum_j \rho_j \, I(x; z_j | z_{-j}), \qquad \rho_j = I(x; z_j) / \sum_i I(x; z_i)

    In nats; it needs posteriors and no labels. An estimate below 0 counts as 0, and where no
    latent tells anything the score is 0.

    References:
        Do and Tran, 2020, who propose it.
    """

    name: ClassVar[str] = "wsepin"

    def read(self, representation: Representation, prepared: Separability) -> Score:
        """The weighted mean, and what each latent tells beyond the others, in nats."""
        return _weighted(prepared.beyond, prepared)


@final
class WINDIN(SeparabilityMetric):
    r"""What each latent tells of an image less what it shares with the others, weighted likewise.

    .. math:: \sum_j \rho_j \left( I(x; z_j) - I(z_j; z_{-j}) \right), \qquad
        \rho_j = I(x; z_j) / \sum_i I(x; z_i)

    Where latents are independent given the image, as those of a Gaussian posterior with a diagonal
    covariance are, both terms make up :math:`I(x; z_j | z_{-j})`, and the score is that of
    `wsepin`; both are here since both are reported.

    References:
        Do and Tran, 2020, who propose it.
    """

    name: ClassVar[str] = "windin"

    def read(self, representation: Representation, prepared: Separability) -> Score:
        """The weighted mean, and what is each latent's own, in nats."""
        return _weighted(prepared.alone - prepared.shared, prepared)


def _weighted(values: NDArray[np.float64], found: Separability) -> Score:
    values, weight = np.maximum(values, 0.0), np.maximum(found.alone, 0.0)
    total = weight.sum()
    value = float((weight * values).sum() / total) if total > 0 else 0.0
    parts = {f"z{j}": float(own) for j, own in enumerate(values)}
    return Score(value=value, parts=parts, unit="nats")


def _normal(
    points: NDArray[np.float64],
    mean: NDArray[np.float64],
    logvar: NDArray[np.float64],
    precision: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Log density of normal distributions."""
    # Far away the square exceeds every number, and the density is 0 as it should be.
    with np.errstate(over="ignore"):
        squares = (points - mean) ** 2 * precision
    return np.asarray(-0.5 * (squares + logvar + np.log(2 * np.pi)))


def _mix(block: NDArray[np.float64], own: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the sum of each row's densities, (S, M), and of its own, (S,)."""
    peak = np.maximum(block.max(axis=1), own)
    summed = np.exp(block - peak[:, None]).sum(axis=1) + np.exp(own - peak)
    return np.asarray(peak + np.log(summed))
