"""Total correlation by the density-ratio trick: a discriminator trains beside the model."""

from __future__ import annotations

__all__ = ["DensityRatioTC"]

from typing import ClassVar, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.nn import LatentDiscriminator
from unweave.objectives.base import Player, PlayerOptimizer, Step, Term
from unweave.objectives.needs import Needs, Setup
from unweave.schedules import Schedule, value_at
from unweave.spec import number

_PART = "discriminator"


@final
class DensityRatioTC(Term):
    """Total correlation as the mean difference of a discriminator's two logits.

    The discriminator tells samples of q(z) from a second batch's samples whose latents are
    permuted independently across the batch. It minimises half the sum of the two
    cross-entropies with an Adam of its own; neither player's loss reaches the other's parameters.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018), Algorithm 2
        | https://arxiv.org/abs/1802.05983
    """

    name: ClassVar[str] = "density_ratio_tc"
    min_batch: ClassVar[int] = 2

    weight: float | Schedule = number(default=1.0, low=0, help="Weight of the term.")
    lr: float = number(default=1e-4, above=0, help="Learning rate of the discriminator.")

    @property
    def needs(self) -> Needs:
        """A second batch."""
        return Needs(second=True)

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The discriminator."""
        return {_PART: LatentDiscriminator(setup.latents)}

    def players(self) -> tuple[Player, ...]:
        """The discriminator's side."""
        optimizer = PlayerOptimizer(lr=self.lr, beta1=0.5, beta2=0.9)
        return (Player(_PART, (_PART,), discriminator_loss, optimizer),)

    def value(self, step: Step) -> Tensor:
        """Estimate in nats."""
        logits = _logits_of_samples(step)
        return (logits[:, 0] - logits[:, 1]).mean()

    def weigh(self, raw: Tensor, step: int) -> Tensor:
        """Weight times value."""
        return value_at(self.weight, step) * raw


def discriminator_loss(step: Step) -> Tensor:
    """Half the sum of the cross-entropies of the two classes, nats."""
    own = _logits_of_samples(step)
    permuted = _discriminate(step, permuted_samples(step))
    first = torch.zeros(len(own), dtype=torch.int64, device=own.device)
    second = torch.ones(len(permuted), dtype=torch.int64, device=own.device)
    return 0.5 * (F.cross_entropy(own, first) + F.cross_entropy(permuted, second))


@torch.no_grad()
def permuted_samples(step: Step) -> Tensor:
    """Samples of the second batch, each latent permuted across the batch, without a gradient."""
    second, factors = step.batch.second, step.batch.second_factors
    assert second is not None
    condition = None if factors is None else step.model.condition(factors)
    posterior = step.model.encode(second, condition)
    z = posterior.sample(step.streams.normal("second posterior", *posterior.mean.shape))
    order = step.streams.permutations("permuted latents", *z.shape)
    return z.gather(0, order)


def _logits_of_samples(step: Step) -> Tensor:
    return step.once("discriminator/own", lambda: _discriminate(step, step.z))


def _discriminate(step: Step, z: Tensor) -> Tensor:
    with step.model.autocast():
        logits: Tensor = step.parts[_PART](z)
    return logits.float()
