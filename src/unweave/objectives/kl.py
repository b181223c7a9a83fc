"""The analytic KL term, with an optional capacity."""

from __future__ import annotations

__all__ = ["KL"]

from typing import ClassVar, Literal, final

from torch import Tensor

from unweave.objectives.base import Step, Term
from unweave.schedules import Schedule, value_at
from unweave.spec import number


@final
class KL(Term):
    r"""KL divergence of the posterior to the standard normal prior.

    .. math:: w(t) \, \mathrm{KL} \quad\text{or}\quad w(t) \, |\mathrm{KL} - C(t)|

    The second form holds with a capacity. The absolute value is taken of the batch mean.
    """

    name: ClassVar[str] = "kl"
    reads: ClassVar[Literal["posterior"]] = "posterior"
    in_elbo: ClassVar[bool] = True

    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")
    capacity: float | Schedule | None = number(
        default=None, low=0, help="Nats that the KL is held at; None for an ordinary KL."
    )

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the sum over latents, nats."""
        return step.gaussian.kl().sum(1).mean()

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value, or times the distance to the capacity."""
        if self.capacity is not None:
            raw = (raw - value_at(self.capacity, step)).abs()
        return value_at(self.weight, step) * raw
