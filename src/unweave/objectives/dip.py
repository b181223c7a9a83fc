"""DIP-VAE I and II: covariances of the aggregate posterior that are held at the identity."""

from __future__ import annotations

__all__ = ["DIPI", "DIPII", "DIPVAEI", "DIPVAEII", "DIPCompat"]

from abc import abstractmethod
from typing import ClassVar, Literal, final

import torch
from torch import Tensor

from unweave.objectives.base import Method, Step, Term
from unweave.objectives.kl import KL
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Schedule, value_at
from unweave.spec import number, option

DIPCompat = Literal["none", "dpt"]
_OFF = "Weight of the squared covariances of different latents."
_ON = "Weight of the squared distances of the variances from 1."
_COMPAT = (
    "dpt: the mean of a few posterior variances is added to every covariance, as in the code of "
    "disentanglement-pytorch, a defect."
)
_KL = "Weight of the KL; a schedule warms it up."


class _Moments(Term):
    """The penalty on a covariance, which both kinds share."""

    unit: ClassVar[str] = ""
    min_batch: ClassVar[int] = 2

    off_diagonal: float | Schedule
    diagonal: float | Schedule

    @abstractmethod
    def covariance(self, step: Step) -> Tensor:
        """The covariance that should be the identity, (L, L)."""

    def value(self, step: Step) -> Tensor:
        """Both parts with their weights, a scalar."""
        covariance, t = self.covariance(step), step.global_step
        variances = covariance.diagonal()
        off = (covariance - torch.diag(variances)).square().sum()
        on = (variances - 1).square().sum()
        return value_at(self.off_diagonal, t) * off + value_at(self.diagonal, t) * on

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """The value, which has its weights already."""
        return raw


@final
class DIPI(_Moments):
    r"""Distance of the covariance of posterior means from the identity.

    .. math:: \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2

    C is the covariance over the batch, divided by its size. The raw value has both weights. The
    diagonal has ten times the off-diagonal weight in disentanglement_lib and in
    disentanglement-pytorch, and a tenth of it in the commutative Lie group VAE's code (10 and 1).

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations
        | (Kumar, Sattigeri and Balakrishnan, 2017)
        | https://arxiv.org/abs/1711.00848
    """

    name: ClassVar[str] = "dip_i"

    off_diagonal: float | Schedule = number(default=10.0, low=0, help=_OFF)
    diagonal: float | Schedule = number(default=100.0, low=0, help=_ON)

    def covariance(self, step: Step) -> Tensor:
        """Covariance of the means over the batch, (L, L)."""
        return _covariance(step.means)


@final
class DIPII(_Moments):
    r"""Distance of the covariance of posterior samples from the identity.

    .. math:: \lambda_{od} \sum_{i \ne j} C_{ij}^2 + \lambda_d \sum_i (C_{ii} - 1)^2

    C is the covariance of the means over the batch, divided by its size, plus the batch's mean
    posterior variances on its diagonal. The raw value has both weights. They are equal in
    disentanglement_lib; disentanglement-pytorch has ten times the weight on the diagonal, and the
    commutative Lie group VAE's code a tenth (10 and 1).

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations
        | (Kumar, Sattigeri and Balakrishnan, 2017)
        | https://arxiv.org/abs/1711.00848
    """

    name: ClassVar[str] = "dip_ii"
    reads: ClassVar[Literal["posterior"]] = "posterior"

    off_diagonal: float | Schedule = number(default=10.0, low=0, help=_OFF)
    diagonal: float | Schedule = number(default=10.0, low=0, help=_ON)
    compat: DIPCompat = option(default="none", help=_COMPAT)

    def covariance(self, step: Step) -> Tensor:
        """Covariance of the samples, by the law of total covariance, (L, L)."""
        variances = step.gaussian.logvar.exp()
        covariance = _covariance(step.means)
        if self.compat == "dpt":
            # The diagonal of the table of variances, image by latent: as many as the smaller side.
            return covariance + variances.diagonal().mean()
        return covariance + torch.diag(variances.mean(0))


@final
class DIPVAEI(Method):
    """The ELBO plus a penalty on the covariance of posterior means.

    In the published sweeps of disentanglement_lib `diagonal` is ten times `off_diagonal`.

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations
        | (Kumar, Sattigeri and Balakrishnan, 2017)
        | https://arxiv.org/abs/1711.00848
    """

    name: ClassVar[str] = "dip_vae_i"

    off_diagonal: float | Schedule = number(default=10.0, low=0, help=_OFF)
    diagonal: float | Schedule = number(default=100.0, low=0, help=_ON)
    kl: float | Schedule = number(default=1.0, low=0, help=_KL)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL and the penalty."""
        return (
            Reconstruction(),
            KL(weight=self.kl),
            DIPI(off_diagonal=self.off_diagonal, diagonal=self.diagonal),
        )


@final
class DIPVAEII(Method):
    """The ELBO plus a penalty on the covariance of posterior samples.

    In the published sweeps of disentanglement_lib `diagonal` is equal to `off_diagonal`.

    References:
        | Variational Inference of Disentangled Latent Concepts from Unlabeled Observations
        | (Kumar, Sattigeri and Balakrishnan, 2017)
        | https://arxiv.org/abs/1711.00848
    """

    name: ClassVar[str] = "dip_vae_ii"

    off_diagonal: float | Schedule = number(default=10.0, low=0, help=_OFF)
    diagonal: float | Schedule = number(default=10.0, low=0, help=_ON)
    kl: float | Schedule = number(default=1.0, low=0, help=_KL)
    compat: DIPCompat = option(default="none", help=_COMPAT)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL and the penalty."""
        return (
            Reconstruction(),
            KL(weight=self.kl),
            DIPII(off_diagonal=self.off_diagonal, diagonal=self.diagonal, compat=self.compat),
        )


def _covariance(codes: Tensor) -> Tensor:
    """Covariance over the batch (B, L), divided by B, (L, L)."""
    centred = codes - codes.mean(0)
    return centred.T @ centred / len(codes)
