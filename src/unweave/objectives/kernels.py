"""Kernels on latents, as functions of squared distances."""

from __future__ import annotations

__all__ = ["InverseMultiquadratic", "Kernel", "RadialBasis"]

from abc import abstractmethod
from typing import ClassVar, final

import torch
from torch import Tensor

from unweave.errors import SpecError
from unweave.spec import Component, number


class Kernel(Component):
    """How alike two latent vectors are, by their squared distance."""

    family: ClassVar[str] = "kernel"

    @abstractmethod
    def value(self, squared: Tensor, latents: int) -> Tensor:
        """The kernel, elementwise.

        Args:
            squared: Squared Euclidean distances, of any shape.
            latents: Number of latents L of the vectors.
        """


@final
class RadialBasis(Kernel):
    """Gaussian of the distance, exp(-r / (2 variance)) of the squared distance r.

    Without a variance it is exp(-r / L^2), the kernel of the InfoVAE term in
    disentanglement-pytorch.

    References:
        | Disentanglement-PyTorch (2019)
        | https://arxiv.org/abs/1912.05184
    """

    name: ClassVar[str] = "rbf"

    variance: float | None = number(
        default=None, above=0, help="Its variance; None for half the squared number of latents."
    )

    def value(self, squared: Tensor, latents: int) -> Tensor:
        """The kernel of squared distances."""
        twice = latents**2 if self.variance is None else 2 * self.variance
        return torch.exp(squared / -twice)


@final
class InverseMultiquadratic(Kernel):
    """Sum over scales c of c S / (c S + r), of the squared distance r and a base S.

    It falls slowly, so that codes far from the prior are still drawn to it.

    References:
        | Wasserstein Auto-Encoders (Tolstikhin, Bousquet, Gelly and Schoelkopf, 2017)
        | https://arxiv.org/abs/1711.01558
    """

    name: ClassVar[str] = "imq"

    base: float = number(default=10.0, above=0, help="Squared distance S that scales multiply.")
    scales: tuple[float, ...] = number(
        default=(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0), above=0, help="Multiples c of the base."
    )

    def validate(self) -> None:
        """Refuse a sum over no scales."""
        if not self.scales:
            raise SpecError("imq: scales takes at least one number, such as scales=(1,).")

    def value(self, squared: Tensor, latents: int) -> Tensor:
        """The kernel of squared distances."""
        total = torch.zeros_like(squared)
        for scale in self.scales:
            own = scale * self.base
            total = total + own / (own + squared)
        return total
