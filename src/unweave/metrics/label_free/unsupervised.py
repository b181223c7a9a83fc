"""How far latents are from independent of each other, without a word of factors."""

from __future__ import annotations

__all__ = [
    "Unsupervised",
    "gaussian_total_correlation",
    "gaussian_wasserstein_correlation",
    "mean_pairwise_information",
]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.plug_in import discretise, mutual_information
from unweave.metrics.sampling import COMPAT_HELP, Compat, grid_rows, sampler
from unweave.representation import Representation
from unweave.spec import number, option

# Eigenvalues of a correlation matrix below this are beyond what single precision can tell.
_RESOLUTION = float(np.finfo(np.float32).eps)
# Products of four codes are finite up to here.
_LARGEST = 1e70


def gaussian_total_correlation(covariance: NDArray[np.float64], floor: float = 0.0) -> float:
    r"""KL from a Gaussian of this covariance to the product of its marginals.

    .. math:: -\frac{1}{2} \log \det R

    with the correlation matrix R. Constant variables, which have no correlation with others, are
    left out.

    Args:
        covariance: (L, L).
        floor: Eigenvalues of R count at least this; above 0 it keeps the result finite where
            variables determine each other.

    Returns:
        Nats; infinite without a floor where variables determine each other.
    """
    deviations = np.sqrt(np.diag(covariance))
    varying = deviations > 0
    deviations = deviations[varying]
    correlation = covariance[np.ix_(varying, varying)] / np.outer(deviations, deviations)
    eigenvalues = np.maximum(np.linalg.eigvalsh(correlation), floor)
    with np.errstate(divide="ignore"):
        return max(0.0, float(-0.5 * np.log(np.maximum(eigenvalues, 0)).sum()))


def gaussian_wasserstein_correlation(covariance: NDArray[np.float64]) -> float:
    r"""Squared 2-Wasserstein distance of the same two Gaussians, in squared units of the codes.

    .. math:: 2 \operatorname{tr} \Sigma
        - 2 \operatorname{tr} (D^{1/2} \Sigma D^{1/2})^{1/2}

    with the diagonal matrix D of the variances.

    Args:
        covariance: (L, L).
    """
    deviations = np.sqrt(np.diag(covariance))
    inner = np.linalg.eigvalsh(covariance * np.outer(deviations, deviations))
    cross = np.sqrt(np.maximum(inner, 0)).sum()
    return max(0.0, float(2 * np.trace(covariance) - 2 * cross))


def mean_pairwise_information(information: NDArray[np.float64]) -> float:
    """Mean mutual information of two different latents.

    Args:
        information: Mutual information of each pair of latents, (L, L); the diagonal is not read.
    """
    latents = len(information)
    return float((information.sum() - np.trace(information)) / (latents**2 - latents))


@final
class Unsupervised(Metric):
    """Gaussian total correlation of the codes, and three further measures of dependence.

    The value and the part `gaussian_total_correlation` are the total correlation of a Gaussian
    with the covariance of the codes, in nats. It counts linear dependence alone, and a collapsed
    representation has none: low is good only beside a score that reads factors. The other parts
    are `gaussian_wasserstein_correlation`, in squared units of the codes, the same divided by
    their total variance (`..._norm`), and `mutual_info_score`, the mean mutual information of two
    latents in `bins` equally wide bins, in nats. The matrix holds that of each pair; on its
    diagonal are entropies.

    Constant latents depend on nothing and are left out of the first three. The correlation
    matrix's eigenvalues count at least single precision's resolution, so that each exact linear
    dependence adds 8 nats at most instead of an infinite number.

    With `compat`, `parts` has the total correlation as the reference rounds it: where a latent all
    but follows from others that is a number of its rounding alone, and where it is none, because a
    latent is constant or a copy, it is left out. The value is the one above.

    References:
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "unsupervised"
    aliases: ClassVar[tuple[str, ...]] = ("unsupervised_metrics",)
    source: ClassVar[str] = "Locatello et al., 2019, arXiv 1811.12359"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, None)
    higher_is_better: ClassVar[bool] = False
    needs: ClassVar[tuple[str, ...]] = ("codes",)
    invariant_to: ClassVar[tuple[str, ...]] = ("order", "sign")

    bins: int = number(default=20, low=2, help="Equally wide bins for each latent.")
    samples: int | None = number(
        default=None, low=2, help="Rows drawn without replacement; None for all rows."
    )
    compat: Compat = option(default="none", help=COMPAT_HELP)

    def validate(self) -> None:
        """Refuse the reference's draws without a number of them."""
        if self.compat != "none" and self.samples is None:
            raise SpecError(
                f"unsupervised: compat={self.compat} draws samples, so give their number."
            )

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse a single latent.

        Raises:
            DataError: There is only one, or `compat` needs the full grid and this is not one.
        """
        if self.compat != "none":
            grid_rows(factors, factor_space)
        if latents < 2:
            raise DataError(
                "Unsupervised scores compare latents, but the representation has only one."
            )

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The Gaussian total correlation.

        Raises:
            DataError: There is only one latent, a code is beyond 1e70, or `compat` needs the full
                grid and this is not one.
        """
        table = representation
        self.check(np.asarray(table.factors), table.factor_space, table.latents)
        codes = table.mean
        if self.samples is not None:
            codes = codes[sampler(table, draws, self.compat).sample(self.samples)]
        largest = float(np.abs(codes).max())
        if largest > _LARGEST:
            raise DataError(
                f"unsupervised multiplies codes with one another, so they must lie within "
                f"{_LARGEST:g}, but the largest is {largest:g}: divide all by one number."
            )
        varying = codes.max(axis=0) > codes.min(axis=0)
        covariance = _covariance(codes[:, varying])
        value = gaussian_total_correlation(covariance, floor=_RESOLUTION)
        distance = gaussian_wasserstein_correlation(covariance)
        binned = discretise(codes, self.bins, rounded=self.compat == "dlib2019")
        information = mutual_information(binned, binned, self.bins, (self.bins,) * table.latents)
        parts = {
            "gaussian_total_correlation": value,
            "gaussian_wasserstein_correlation": distance,
            "gaussian_wasserstein_correlation_norm": _ratio(distance, np.trace(covariance)),
            "mutual_info_score": mean_pairwise_information(information),
        }
        if self.compat != "none":
            published = _published_total_correlation(codes)
            parts["gaussian_total_correlation"] = published
            if not np.isfinite(published):
                del parts["gaussian_total_correlation"]
        names = tuple(f"z{j}" for j in range(table.latents))
        return Score(
            value=value,
            parts=parts,
            matrix=Matrix(information, names, names, "mutual information (nats)"),
            unit="nats",
            units={
                "gaussian_wasserstein_correlation": "squared code units",
                "gaussian_wasserstein_correlation_norm": "",
            },
        )


def _published_total_correlation(codes: NDArray[np.floating]) -> float:
    """The total correlation in the arithmetic of disentanglement_lib, of constant latents too."""
    covariance = np.cov(codes.T)
    with np.errstate(divide="ignore", invalid="ignore"):
        marginal = np.log(np.diag(covariance)).sum()
        found = 0.5 * (marginal - np.linalg.slogdet(covariance)[1])
    return float(np.maximum(found, 0.0))


def _covariance(codes: NDArray[np.floating]) -> NDArray[np.float64]:
    """Sample covariance of the columns in double precision, (L, L), also of none or one."""
    centred = codes - codes.mean(axis=0, dtype=np.float64)
    return np.asarray(centred.T @ centred / max(1, len(codes) - 1), np.float64)


def _ratio(part: float, whole: float) -> float:
    """Part over the whole; 0 of nothing."""
    return float(part / whole) if whole > 0 else 0.0
