"""Total correlation by the density-ratio trick: a discriminator trains beside the model."""

from __future__ import annotations

__all__ = ["RATIO_COMPAT_HELP", "DensityRatioTC", "RatioCompat"]

import functools
import math
from typing import ClassVar, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from unweave.errors import SpecError
from unweave.nn import LatentDiscriminator
from unweave.objectives.base import Player, PlayerOptimizer, Step, WeightedTerm
from unweave.objectives.needs import Needs, Setup
from unweave.spec import number, option

RatioCompat = Literal["none", "dlib", "dag", "clg"]
RATIO_COMPAT_HELP = (
    "Whose samples are permuted. none: a second batch's; dlib: the same batch's; dag: those of "
    "its second half; clg: the same batch's, and the discriminator goes first."
)

_PART = "discriminator"
# disentanglement_lib keeps probabilities this far from 0 and 1.
_CLIP = 1e-6


@final
class DensityRatioTC(WeightedTerm):
    """Total correlation as the mean difference of a discriminator's two logits.

    The discriminator tells samples of q(z) from a second batch's samples whose latents are
    permuted independently across the batch. It minimises half the sum of the two
    cross-entropies with an Adam of its own; neither player's loss reaches the other's parameters.

    Published code differs. With `compat`

    - dlib (disentanglement_lib) permutes samples of the same batch, and clips probabilities to
      within 1e-6 of 0 and 1. Its discriminator has `depth=7`.
    - dag (disent-and-gen) splits the batch: the term is that of the first half, permuted samples
      are those of the second. Its discriminator has `depth=7, slope=0.01, lr=1e-5`.
    - clg (commutative Lie group VAE) permutes samples of the same batch, and updates the
      discriminator before the model's loss is evaluated. Its discriminator is the default one.

    disentanglement-pytorch has `beta1=0.9, beta2=0.999`. First weights of the discriminator are
    He-uniform in any case, as in disentangling-vae; other code draws them by laws of its own.

    References:
        | Disentangling by Factorising (Kim and Mnih, 2018), Algorithm 2
        | https://arxiv.org/abs/1802.05983
    """

    name: ClassVar[str] = "density_ratio_tc"

    lr: float = number(default=1e-4, above=0, help="Learning rate of the discriminator.")
    beta1: float = number(
        default=0.5, low=0, below=1, later=True, help="Adam's first decay for the discriminator."
    )
    beta2: float = number(
        default=0.9, low=0, below=1, later=True, help="Adam's second decay for the discriminator."
    )
    depth: int = number(
        default=6, low=1, later=True, help="Dense layers of the discriminator, with the last."
    )
    width: int = number(
        default=1000, low=1, later=True, help="Units of each of its layers but the last."
    )
    slope: float = number(default=0.2, low=0, later=True, help="Of its leaky ReLU below zero.")
    compat: RatioCompat = option(default="none", later=True, help=RATIO_COMPAT_HELP)

    @property
    def needs(self) -> Needs:
        """A second batch, unless published code does without."""
        return Needs(second=self.compat == "none")

    @property
    def min_batch(self) -> int:
        """Two images to permute."""
        return 4 if self.compat == "dag" else 2

    def check(self, setup: Setup) -> None:
        """Refuse a batch without halves where they are needed.

        Raises:
            SpecError: The batch size is odd.
        """
        if self.compat == "dag" and setup.batch_size % 2:
            raise SpecError(
                f"{self.name}: compat=dag splits the batch into halves, and batch_size is "
                f"{setup.batch_size}. Choose an even one."
            )

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The discriminator."""
        return {_PART: LatentDiscriminator(setup.latents, self.width, self.depth, self.slope)}

    def players(self) -> tuple[Player, ...]:
        """The discriminator's side."""
        optimizer = PlayerOptimizer(lr=self.lr, beta1=self.beta1, beta2=self.beta2)
        loss = functools.partial(discriminator_loss, compat=self.compat)
        return (Player(_PART, (_PART,), loss, optimizer, eager=self.compat == "clg"),)

    def value(self, step: Step) -> Tensor:
        """Estimate in nats."""
        if self.compat == "clg":
            # The discriminator has changed since its own loss was evaluated.
            logits = _discriminate(step, step.z)
        else:
            logits = _logits_of_samples(step, self.compat)
        return (logits[:, 0] - logits[:, 1]).mean()


def discriminator_loss(step: Step, compat: RatioCompat = "none") -> Tensor:
    """Half the sum of the cross-entropies of the two classes, nats."""
    if compat == "clg":
        own = _discriminate(step, step.z.detach())
    else:
        own = _logits_of_samples(step, compat)
    permuted = _discriminate(step, permuted_samples(step, compat))
    if compat == "dlib":
        return 0.5 * (_clipped_cross_entropy(own, 0) + _clipped_cross_entropy(permuted, 1))
    first = torch.zeros(len(own), dtype=torch.int64, device=own.device)
    second = torch.ones(len(permuted), dtype=torch.int64, device=own.device)
    return 0.5 * (F.cross_entropy(own, first) + F.cross_entropy(permuted, second))


@torch.no_grad()
def permuted_samples(step: Step, compat: RatioCompat = "none") -> Tensor:
    """Samples, each latent permuted across the batch, without a gradient."""
    if compat == "none":
        z = _second_samples(step)
    elif compat == "dag":
        z = step.z[len(step.z) // 2 :]
    else:
        z = step.z
    order = step.streams.permutations("permuted latents", *z.shape)
    return z.detach().gather(0, order)


def _second_samples(step: Step) -> Tensor:
    """Samples of the second batch's posteriors."""
    second = step.batch.second
    assert second is not None
    posterior = step.model.encode(second, step.model.condition(step.batch.second_factors))
    return posterior.sample(step.streams.normal("second posterior", *posterior.mean.shape))


def _logits_of_samples(step: Step, compat: RatioCompat) -> Tensor:
    """Logits of the samples that stand for q(z), which the term and the discriminator share."""
    z = step.z[: len(step.z) // 2] if compat == "dag" else step.z
    return step.once(f"discriminator/own/{compat}", lambda: _discriminate(step, z))


def _clipped_cross_entropy(logits: Tensor, label: int) -> Tensor:
    low, high = math.log(_CLIP), math.log1p(-_CLIP)
    return -logits.log_softmax(1)[:, label].clamp(low, high).mean()


def _discriminate(step: Step, z: Tensor) -> Tensor:
    with step.model.autocast():
        logits: Tensor = step.parts[_PART](z)
    return logits.float()
