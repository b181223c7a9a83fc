"""Methods that see pairs of images: a latent that a pair shares gets one posterior for both."""

from __future__ import annotations

__all__ = [
    "AdaGVAE",
    "AdaMLVAE",
    "GroupVAELabels",
    "MLVAELabels",
    "adaptive_shared",
    "average_posterior",
    "kl_between",
    "product_posterior",
]

import dataclasses
import math
from abc import abstractmethod
from typing import ClassVar, Literal, final

import torch
import torch.nn.functional as F
from torch import Tensor

from unweave.data.samplers import Pairs
from unweave.data.samplers.two import PairSampler
from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian
from unweave.objectives.base import Inputs, Method, Step, Term
from unweave.objectives.kl import KL
from unweave.objectives.needs import Batch, Needs, Setup
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Schedule
from unweave.spec import number, option


def kl_between(one: DiagonalGaussian, other: DiagonalGaussian) -> Tensor:
    """KL divergence of one posterior to another in nats, per row and latent, (N, L)."""
    gap = one.logvar - other.logvar
    distance = (one.mean - other.mean).square() * torch.exp(-other.logvar)
    # Of a small gap, exp(gap) - 1 would lose all that the difference to it says.
    return 0.5 * (torch.expm1(gap) - gap + distance)


def adaptive_shared(distance: Tensor) -> Tensor:
    """Which latents each pair shares, (N, L) bool, by how far apart its two posteriors are.

    They are those nearer than halfway between the nearest and the furthest latent of the pair. A
    pair whose distances are all equal, such as two times the same image, shares every latent.

    Args:
        distance: Of each latent, (N, L); only ratios of differences count.
    """
    least, most = distance.aminmax(dim=1, keepdim=True)
    return (distance < least + 0.5 * (most - least)) | (most == least)


def average_posterior(one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
    """The mean of the two means with the mean of the two variances, as GroupVAE takes it."""
    logvar = torch.logaddexp(one.logvar, other.logvar) - math.log(2)
    return DiagonalGaussian(0.5 * (one.mean + other.mean), logvar)


def product_posterior(one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
    """The normalised product of the two densities, as ML-VAE takes it.

    Precisions add up, and the mean is that of the two means weighted by them.
    """
    share = torch.sigmoid(other.logvar - one.logvar)
    mean = share * one.mean + (1 - share) * other.mean
    return DiagonalGaussian(mean, -torch.logaddexp(-one.logvar, -other.logvar))


class _PairMethod(Method):
    """Encode both images, give shared latents one posterior, sample each, decode both."""

    beta: float | Schedule = number(default=1.0, low=0, help="Weight of the KL.")
    sampler: PairSampler = option(default=Pairs(), help="Which pairs are drawn.")
    compat: Literal["none", "dlib"] = option(
        default="none",
        help="dlib: pairs by the law of disentanglement_lib, and its product of posteriors, "
        "which has twice the variance.",
    )

    def validate(self) -> None:
        """Refuse pairs that the published code has no law for."""
        self._pairs()

    @property
    def needs(self) -> Needs:
        """Pairs, of which both images are reconstructed."""
        return Needs(sampler=self._pairs(), reconstructed=2)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL, each the mean over both images."""
        return (Reconstruction(), KL(weight=self.beta))

    @abstractmethod
    def shared(self, batch: Batch, one: DiagonalGaussian, other: DiagonalGaussian) -> Tensor:
        """Which latents each pair shares, (N, L) bool."""

    @abstractmethod
    def joined(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The posterior that shared latents get."""

    def forward(self, inputs: Inputs) -> Step:
        """Posterior, samples and logits hold all first images, then all second ones."""
        model, images = inputs.model, inputs.batch.images
        own = model.encode(images)
        assert isinstance(own, DiagonalGaussian)
        means, logvars = own.mean.chunk(2), own.logvar.chunk(2)
        one, other = (DiagonalGaussian(means[i], logvars[i]) for i in (0, 1))
        shared = self.shared(inputs.batch, one, other).repeat(2, 1)
        joined = self.joined(one, other)
        posterior = DiagonalGaussian(
            mean=torch.where(shared, joined.mean.repeat(2, 1), own.mean),
            logvar=torch.where(shared, joined.logvar.repeat(2, 1), own.logvar),
        )
        z = posterior.sample(inputs.streams.normal("posterior", *own.mean.shape))
        return inputs.step(posterior=posterior, z=z, logits=model.decode(z), target=images)

    def _pairs(self) -> PairSampler:
        """The sampler, by the published code's law where that is asked for."""
        if self.compat == "dlib" and isinstance(self.sampler, Pairs):
            return dataclasses.replace(self.sampler, compat="dlib")
        return self.sampler

    def _product(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The product of both posteriors, with twice its variance in the published code."""
        joined = product_posterior(one, other)
        if self.compat == "dlib":
            return DiagonalGaussian(joined.mean, joined.logvar + math.log(2))
        return joined


class _Adaptive(_PairMethod):
    """What a pair shares is told by how far apart its posteriors are."""

    distance: Literal["kl", "symmetric_kl"] = option(
        default="kl",
        help="How far apart posteriors are: the KL of the first image's to the second's, or the "
        "mean of both directions.",
    )

    def validate(self) -> None:
        """Refuse a distance that the published code does not have."""
        super().validate()
        if self.compat == "dlib" and self.distance != "kl":
            raise SpecError(f"{self.name}: compat=dlib has distance=kl, not {self.distance}.")

    def shared(self, batch: Batch, one: DiagonalGaussian, other: DiagonalGaussian) -> Tensor:
        """Latents nearer than halfway between the nearest and the furthest."""
        with torch.no_grad():
            distance = kl_between(one, other)
            if self.distance == "symmetric_kl":
                distance = 0.5 * (distance + kl_between(other, one))
            return adaptive_shared(distance)


class _ByLabels(_PairMethod):
    """What a pair shares is told by its factors: factor i is latent i."""

    compares_factors: ClassVar[bool] = True

    @property
    def needs(self) -> Needs:
        """Pairs and their factors."""
        return super().needs + Needs(factors=True)

    def check(self, setup: Setup) -> None:
        """Refuse fewer latents than factors.

        Raises:
            SpecError: There are fewer, or the factors are not known.
        """
        factors = len(setup.labels(self.name).factors)
        if factors > setup.latents:
            raise SpecError(
                f"{self.name} keeps a latent for each factor of {setup.dataset}, which has "
                f"{factors}, but latents is {setup.latents}: give at least {factors}."
            )

    def shared(self, batch: Batch, one: DiagonalGaussian, other: DiagonalGaussian) -> Tensor:
        """Latents of factors that are the same in both images, and those that have no factor."""
        assert batch.factors is not None
        before, after = batch.factors.chunk(2)
        spare = one.mean.shape[1] - before.shape[1]
        return F.pad(before == after, (0, spare), value=True)


@final
class AdaGVAE(_Adaptive):
    """A beta-VAE on pairs, whose posteriors are averaged in the latents that did not change.

    Which did is told from the posteriors alone: those at least as far apart as halfway between
    the nearest and the furthest latent of the pair. A pair whose distances are all equal shares
    all latents. Shared latents get the mean of the means and the mean of the variances, each image
    a sample of its own. The loss is the mean over both images of reconstruction plus beta times
    KL.

    The batch size counts images: 128 are the 64 pairs of disentanglement_lib, where this is
    `group_vae_argmax`. `compat=dlib` draws pairs as it does; its distances are twice the KL, which
    changes nothing.

    References:
        | Weakly-Supervised Disentanglement Without Compromises (Locatello et al., ICML 2020)
        | https://arxiv.org/abs/2002.02886
        | The averaging: Hosoya, https://arxiv.org/abs/1809.02383
    """

    name: ClassVar[str] = "ada_gvae"

    def joined(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The average."""
        return average_posterior(one, other)


@final
class AdaMLVAE(_Adaptive):
    """As `ada_gvae`, but shared latents get the normalised product of both posteriors.

    In disentanglement_lib this is `mlvae_argmax`, whose product has twice the variance; so it has
    on `compat=dlib`.

    References:
        | Weakly-Supervised Disentanglement Without Compromises (Locatello et al., ICML 2020)
        | https://arxiv.org/abs/2002.02886
        | The product: ML-VAE, https://arxiv.org/abs/1705.08841
    """

    name: ClassVar[str] = "ada_mlvae"

    def joined(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The product."""
        return self._product(one, other)


@final
class GroupVAELabels(_ByLabels):
    """A beta-VAE on pairs, whose posteriors are averaged in the latents of equal factors.

    Latent i keeps the posterior of each image where factor i, in the order of the dataset, differs
    between them; all other latents, also those beyond the factors, get the mean of the means and
    the mean of the variances. Any number of factors may differ.

    `compat=dlib` draws pairs as disentanglement_lib does, which knows one changed factor alone;
    what differs is kept here all the same.

    References:
        | Weakly-Supervised Disentanglement Without Compromises (Locatello et al., ICML 2020)
        | https://arxiv.org/abs/2002.02886
        | The averaging: Hosoya, https://arxiv.org/abs/1809.02383
    """

    name: ClassVar[str] = "group_vae_labels"

    def joined(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The average."""
        return average_posterior(one, other)


@final
class MLVAELabels(_ByLabels):
    """As `group_vae_labels`, but shared latents get the normalised product of both posteriors.

    On `compat=dlib` it has twice the variance.

    References:
        | Weakly-Supervised Disentanglement Without Compromises (Locatello et al., ICML 2020)
        | https://arxiv.org/abs/2002.02886
        | The product: ML-VAE, https://arxiv.org/abs/1705.08841
    """

    name: ClassVar[str] = "mlvae_labels"

    def joined(self, one: DiagonalGaussian, other: DiagonalGaussian) -> DiagonalGaussian:
        """The product."""
        return self._product(one, other)
