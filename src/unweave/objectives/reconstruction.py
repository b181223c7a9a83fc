"""The reconstruction term: negative log likelihood of the images."""

from __future__ import annotations

__all__ = ["Reconstruction"]

from typing import ClassVar, Literal, final

from torch import Tensor

from unweave.objectives.base import Step, WeightedTerm


@final
class Reconstruction(WeightedTerm):
    """Negative log likelihood of the images under the model's pixel likelihood.

    References:
        | Auto-Encoding Variational Bayes (Kingma and Welling, 2013)
        | https://arxiv.org/abs/1312.6114
    """

    name: ClassVar[str] = "reconstruction"
    reads: ClassVar[Literal["nothing"]] = "nothing"
    in_elbo: ClassVar[bool] = True

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the sum over pixels and channels, nats."""
        return step.model.likelihood.negative_log(step.logits, step.target).mean()
