"""The analytic KL term, with an optional capacity."""

from __future__ import annotations

__all__ = ["KL"]

from typing import ClassVar, Literal, final

from torch import Tensor

from unweave.objectives.base import Step, WeightedTerm
from unweave.schedules import Schedule, value_at
from unweave.spec import number, option


@final
class KL(WeightedTerm):
    r"""KL divergence of the posterior to the standard normal prior.

    .. math:: w(t) \, \mathrm{KL} \quad\text{or}\quad w(t) \, |\mathrm{KL} - C(t)|

    The second form holds with a capacity. The absolute value is taken of the batch mean.

    Where an image is decoded of several that are encoded, `posteriors` says of how many: the value
    is the mean over all, and what is weighted, or held at a capacity, their sum.

    In a sum it stands in the place of a method's own KL, where that one has its default weight of
    1: `factor_vae + kl(weight=5, capacity=linear(start=0, stop=25, steps=100000))`.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2013)
        | https://arxiv.org/abs/1312.6114
        | The capacity: Understanding disentangling in beta-VAE (Burgess et al., 2018)
        | https://arxiv.org/abs/1804.03599
    """

    name: ClassVar[str] = "kl"
    reads: ClassVar[Literal["posterior"]] = "posterior"
    in_elbo: ClassVar[bool] = True

    capacity: float | Schedule | None = number(
        default=None, low=0, help="Nats that the KL is held at; None for an ordinary KL."
    )
    compat: Literal["none", "dag"] = option(
        default="none",
        later=True,
        help="dag: of the first half of the batch, as in the FactorVAE of disent-and-gen.",
    )
    posteriors: int = number(
        default=1,
        low=1,
        later=True,
        help="How many encoded images there are to each that is decoded; their KLs are added.",
    )

    @property
    def min_batch(self) -> int:
        """An image in each half, where there are halves."""
        return 2 if self.compat == "dag" else 1

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the sum over latents, nats."""
        kl = step.gaussian.kl()
        if self.compat == "dag":
            kl = kl[: len(kl) // 2]
        return kl.sum(1).mean()

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value, or times the distance to the capacity."""
        if self.posteriors > 1:
            raw = self.posteriors * raw
        if self.capacity is not None:
            raw = (raw - value_at(self.capacity, step)).abs()
        return super().weigh(raw, step)
