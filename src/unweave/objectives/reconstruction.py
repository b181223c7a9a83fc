"""The reconstruction term: negative log likelihood of the images."""

from __future__ import annotations

__all__ = ["Reconstruction"]

from typing import ClassVar, Literal, final

from torch import Tensor

from unweave.objectives.base import Step, Term
from unweave.schedules import Schedule, value_at
from unweave.spec import number


@final
class Reconstruction(Term):
    """Negative log likelihood of the images under the model's pixel likelihood."""

    name: ClassVar[str] = "reconstruction"
    reads: ClassVar[Literal["nothing"]] = "nothing"
    in_elbo: ClassVar[bool] = True

    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the sum over pixels and channels, nats."""
        return step.model.likelihood.negative_log(step.logits, step.target).mean()

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value."""
        return value_at(self.weight, step) * raw
