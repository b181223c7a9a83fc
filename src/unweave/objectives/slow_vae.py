"""SlowVAE: between two images of a pair, most latents move little and few move far."""

from __future__ import annotations

__all__ = ["LaplaceTransition", "SlowVAE", "laplace_cross_entropy"]

import math
from typing import ClassVar, Literal, TypeAlias, final

import torch
from torch import Tensor

from unweave.data.samplers import Pairs
from unweave.data.samplers.two import PairSampler
from unweave.latents import DiagonalGaussian
from unweave.objectives.base import Method, Step, Term, WeightedTerm
from unweave.objectives.kl import KL
from unweave.objectives.needs import Needs
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Schedule
from unweave.spec import number, option

_Compat: TypeAlias = Literal["none", "slow_disentanglement"]
_COMPAT_HELP = (
    "slow_disentanglement: the sums of the published code, which takes both cross-entropies but "
    "one entropy."
)


def laplace_cross_entropy(posterior: DiagonalGaussian, center: Tensor, rate: float) -> Tensor:
    r"""Cross-entropy of a posterior to Laplace distributions in nats, per row and latent, (N, L).

    With m the distance of the posterior's mean to the center and s its deviation it is

    .. math:: -\log(\lambda/2) + \lambda \left( s \sqrt{2/\pi} \, e^{-m^2/2s^2}
       + m \, (1 - 2 \Phi(-m/s)) \right)

    Args:
        posterior: Of N images.
        center: Where each distribution has its peak, (N, L).
        rate: Its rate lambda.
    """
    gap = posterior.mean - center
    ratio = gap * torch.exp(-0.5 * posterior.logvar)
    peak = math.sqrt(2 / math.pi) * torch.exp(0.5 * (posterior.logvar - ratio.square()))
    away = peak + gap * torch.erf(ratio / math.sqrt(2))
    return rate * away - math.log(rate / 2)


@final
class LaplaceTransition(WeightedTerm):
    """KL of each posterior to a Laplace distribution around the mean of the pair's other image.

    Both directions are taken, and gradients go into both means. On
    `compat=slow_disentanglement` the value is that of the published code, which adds the two
    cross-entropies and subtracts the entropy of one image: it is no KL then.

    References:
        | Towards Nonlinear Disentanglement in Natural Data with Temporal Sparse Coding
        | (Klindt et al., ICLR 2021)
        | https://arxiv.org/abs/2007.10930
    """

    name: ClassVar[str] = "laplace_transition"
    reads: ClassVar[Literal["posterior"]] = "posterior"

    weight: float | Schedule = number(default=10.0, low=0, help="Weight of the term.")
    rate: float = number(default=6.0, above=0, help="Rate of the Laplace distribution.")
    sampler: PairSampler = option(default=Pairs(), help="Which pairs are drawn.")
    compat: _Compat = option(default="none", help=_COMPAT_HELP)

    @property
    def min_batch(self) -> int:
        """A pair."""
        return 2

    @property
    def needs(self) -> Needs:
        """Pairs, of which both images are reconstructed."""
        return Needs(sampler=self.sampler, reconstructed=2)

    def value(self, step: Step) -> Tensor:
        """Mean over images, so over both directions, of the sum over latents, nats."""
        posterior = step.gaussian
        others = torch.cat(posterior.mean.chunk(2)[::-1])
        cross = laplace_cross_entropy(posterior, others, self.rate).sum(1).mean()
        entropy = 0.5 * (posterior.logvar + math.log(2 * math.pi) + 1).sum(1).mean()
        return cross - entropy if self.compat == "none" else 2 * cross - entropy


@final
class SlowVAE(Method):
    """A VAE on pairs, plus gamma times the KL to a Laplace prior of how latents move.

    Reconstruction, beta times the KL to the standard normal prior, and gamma times
    `laplace_transition` are means over the images of all pairs. `sampler=pairs` are the published
    UNI pairs, `sampler=laplace_pairs` the LAP ones.

    The published code minimises, for a pair, two reconstructions, beta times the mean KL, and
    gamma times the sum of both cross-entropies without one entropy, which
    `compat=slow_disentanglement` repeats.

    References:
        | Towards Nonlinear Disentanglement in Natural Data with Temporal Sparse Coding
        | (Klindt et al., ICLR 2021)
        | https://arxiv.org/abs/2007.10930
    """

    name: ClassVar[str] = "slow_vae"

    beta: float | Schedule = number(default=1.0, low=0, help="Weight of the KL.")
    gamma: float | Schedule = number(
        default=10.0, low=0, help="Weight of the KL to the Laplace prior."
    )
    rate: float = number(default=6.0, above=0, help="Rate of the Laplace prior.")
    sampler: PairSampler = option(default=Pairs(), help="Which pairs are drawn.")
    compat: _Compat = option(default="none", help=_COMPAT_HELP)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL and the transition."""
        transition = LaplaceTransition(
            weight=self.gamma, rate=self.rate, sampler=self.sampler, compat=self.compat
        )
        images = 1.0 if self.compat == "none" else 2.0
        return (Reconstruction(weight=images), KL(weight=self.beta), transition)
