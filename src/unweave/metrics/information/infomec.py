"""Modularity and compactness of the latents that are in use."""

from __future__ import annotations

__all__ = ["InfoC", "InfoM", "InfoMECMetric", "concentrations", "is_discrete"]

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.base import Score
from unweave.metrics.draws import Draws
from unweave.metrics.information.active import ACTIVE_HELP, ActiveRule, active_latents
from unweave.metrics.information.estimators import (
    Distinct,
    NearestNeighbours,
)
from unweave.metrics.information.matrix import InformationMatrix
from unweave.metrics.information.metric import (
    SAMPLES_HELP,
    InformationBase,
    factor_parts,
    information_table,
    latent_parts,
)
from unweave.representation import Representation
from unweave.spec import number, option

CodeKind = Literal["auto", "continuous", "discrete"]
CODES_HELP = (
    "Whether latents are taken as continuous or discrete; auto: discrete where each takes at most "
    "256 values and a quarter as many as there are rows."
)
# A quantised latent has some ten values, a continuous one about as many as there are rows.
_MOST_VALUES, _MOST_SHARE = 256, 0.25


def is_discrete(codes: NDArray[np.floating], kind: CodeKind = "auto") -> bool:
    """Whether codes (N, L) are taken as discrete."""
    if kind != "auto":
        return kind == "discrete"
    most = min(_MOST_VALUES, len(codes) * _MOST_SHARE)
    return all(len(np.unique(column)) <= most for column in codes.T)


def concentrations(shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """The largest entry of each row relative to its sum, from 0 for all equal to 1, (rows,).

    A row without any mass is as one whose entries are all equal. With a single column, a row with
    mass scores 1 and one without 0.
    """
    columns = shares.shape[1]
    total = shares.sum(axis=1)
    known = total > 0
    largest = shares.max(axis=1) / np.where(known, total, 1.0)
    if columns == 1:
        return np.where(known, 1.0, 0.0)
    scaled = (largest - 1 / columns) / (1 - 1 / columns)
    return np.where(known, np.clip(scaled, 0.0, 1.0), 0.0)


class InfoMECMetric(InformationBase):
    """A score of the latents that are in use.

    Discrete latents have plug-in information, continuous ones, standardised, that of nearest
    neighbours. What is left of the estimate where there is nothing to know would have as good a
    share as real information, and on random codes all of it; so shares below `least` are none.
    """

    source: ClassVar[str] = "Hsu et al., 2023, arXiv 2305.18378"
    # A latent of small range does not count.
    invariant_to: ClassVar[tuple[str, ...]] = ("order", "sign")

    neighbours: int = number(default=10, low=1, help="Neighbours, where latents are continuous.")
    codes: CodeKind = option(default="auto", help=CODES_HELP)
    active: ActiveRule = option(default="range20", help=ACTIVE_HELP)
    least: float = number(
        default=0.02,
        low=0,
        below=1,
        help="Least share of a factor's entropy that counts as knowing of it; as published 0.",
    )
    samples: int | None = number(default=10_000, low=2, help=SAMPLES_HELP)

    def known(self, found: InformationMatrix) -> NDArray[np.float64]:
        """Information as a share of each factor's entropy, without what may be chance, (L, K)."""
        return np.where(found.relative >= self.least, found.relative, 0.0)

    def in_use(
        self, representation: Representation, draws: Draws
    ) -> tuple[InformationMatrix, NDArray[np.bool_]]:
        """The information matrix, and which latents are active, (L,)."""
        table = self.sample(representation, draws)
        codes = np.asarray(table.mean)
        discrete = is_discrete(codes, self.codes)
        estimator = Distinct() if discrete else NearestNeighbours(neighbours=self.neighbours)
        found = self.estimated(representation, draws, estimator)
        return found, active_latents(codes, self.active, discrete)


@final
class InfoM(InfoMECMetric):
    r"""Whether each active latent knows of one factor alone, relative to what it knows at all.

    .. math:: \frac{\overline{r} - 1/K}{1 - 1/K}, \qquad
        r_j = \frac{\max_k R_{jk}}{\sum_k R_{jk}}, \quad R_{jk} = I(z_j; v_k) / H(v_k)

    with the mean over active latents. One that knows nothing counts as one that knows as much of
    each factor. Where only one factor varies, a latent that knows of it scores 1. Without active
    latents the score is 0.

    References:
        | Disentanglement via Latent Quantization (Hsu et al., 2023)
        | https://arxiv.org/abs/2305.18378
    """

    name: ClassVar[str] = "info_m"

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The mean over active latents, and the score of each.

        Raises:
            DataError: Every factor is constant.
        """
        found, active = self.in_use(representation, draws)
        values = concentrations(self.known(found)[:, found.varies])
        parts = latent_parts(values, active)
        value = float(np.mean(list(parts.values()))) if parts else 0.0
        return Score(value=value, parts=parts, matrix=information_table(found, representation))


@final
class InfoC(InfoMECMetric):
    r"""Whether each factor is known to one active latent alone.

    .. math:: \frac{\overline{r} - 1/n}{1 - 1/n}, \qquad
        r_k = \frac{\max_j R_{jk}}{\sum_j R_{jk}}, \quad R_{jk} = I(z_j; v_k) / H(v_k)

    with maximum and sum over the n active latents and the mean over factors. A factor that none of
    them knows counts as one that all know as well. With one active latent, where the formula is
    0/0, each factor that it knows scores 1 and each other 0. Without any the score is 0.

    References:
        | Disentanglement via Latent Quantization (Hsu et al., 2023)
        | https://arxiv.org/abs/2305.18378
    """

    name: ClassVar[str] = "info_c"

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The mean over the factors that vary, and the score of each.

        Raises:
            DataError: Every factor is constant.
        """
        found, active = self.in_use(representation, draws)
        values = np.zeros(len(found.varies))
        if active.any():
            values = concentrations(self.known(found)[active].T)
        parts = factor_parts(values, found, representation)
        return Score(
            value=float(np.mean(list(parts.values()))),
            parts=parts,
            matrix=information_table(found, representation),
        )
