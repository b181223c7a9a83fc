"""Published methods that learn from a few labelled images beside many without labels."""

from __future__ import annotations

__all__ = ["S2DIPVAE", "S2VAE", "FullySupervised", "S2BetaTCVAE", "S2FactorVAE"]

from abc import abstractmethod
from typing import ClassVar, Literal, final

from unweave.data.samplers import Labeller, Perfect
from unweave.objectives.base import Inputs, Latent, Method, Step, Term
from unweave.objectives.dip import DIPVAEI, DIPVAEII
from unweave.objectives.label_losses import LabelLoss, LabelXent
from unweave.objectives.methods import BetaTCVAE, BetaVAE, FactorVAE
from unweave.objectives.reconstruction import Reconstruction
from unweave.objectives.supervised import Supervised
from unweave.schedules import Schedule
from unweave.spec import number, option


class _FewLabels(Method):
    """What is said of labels: how many, which, how they are made and what they are used in."""

    loss: LabelLoss = option(default=LabelXent(), help="What codes and labels are compared by.")
    images: int = number(default=1000, low=1, help="How many images have labels.")
    labeller: Labeller = option(default=Perfect(), help="What the labels are.")
    seed: int = number(
        default=0, low=0, help="The labelled images are drawn from it, whatever the run's seed."
    )
    train_share: float = number(
        default=1.0, above=0, high=1, help="The part of the labelled images that is trained on."
    )
    compat: Literal["none", "dlib"] = option(
        default="none", help="dlib: sums over images, as disentanglement_lib takes them."
    )

    def _supervised(self, weight: float | Schedule) -> Supervised:
        """The term."""
        return Supervised(
            weight=weight,
            loss=self.loss,
            images=self.images,
            labeller=self.labeller,
            seed=self.seed,
            train_share=self.train_share,
            compat=self.compat,
        )


class _SemiSupervised(_FewLabels):
    """The terms of an unsupervised method and a supervised one."""

    gamma_sup: float | Schedule = number(
        default=64.0, low=0, help="Weight of the supervised loss."
    )

    @abstractmethod
    def unsupervised(self) -> Method:
        """The method without labels."""

    def terms(self) -> tuple[Term, ...]:
        """Those of the method without labels, and the supervised one."""
        return (*self.unsupervised().terms(), self._supervised(self.gamma_sup))


@final
class S2VAE(_SemiSupervised):
    """A beta-VAE plus a supervised loss on a few labelled images.

    The same as `beta_vae + supervised`, under the name that it has in disentanglement_lib.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "s2_vae"

    beta: float | Schedule = number(default=1.0, low=0, help="Weight of the KL.")

    def unsupervised(self) -> Method:
        """The beta-VAE."""
        return BetaVAE(beta=self.beta)


@final
class S2FactorVAE(_SemiSupervised):
    """FactorVAE plus a supervised loss on a few labelled images.

    The same as `factor_vae + supervised`.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "s2_factor_vae"

    gamma: float | Schedule = number(default=10.0, low=0, help="Weight of the total correlation.")

    def unsupervised(self) -> Method:
        """FactorVAE."""
        return FactorVAE(gamma=self.gamma)


@final
class S2BetaTCVAE(_SemiSupervised):
    """beta-TCVAE plus a supervised loss on a few labelled images.

    The same as `beta_tcvae + supervised`.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "s2_beta_tcvae"

    beta: float | Schedule = number(default=6.0, help="Weight of the total correlation.")

    def unsupervised(self) -> Method:
        """beta-TCVAE."""
        return BetaTCVAE(beta=self.beta)


@final
class S2DIPVAE(_SemiSupervised):
    """DIP-VAE of either kind plus a supervised loss on a few labelled images.

    The same as `dip_vae_i + supervised`, or `dip_vae_ii + supervised` with `kind=ii`; but for the
    weight of the diagonal, which is 100 for either kind where none is given, and 10 in
    `dip_vae_ii`.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "s2_dip_vae"

    kind: Literal["i", "ii"] = option(default="i", help="Covariance of means, or of samples.")
    off_diagonal: float | Schedule = number(
        default=10.0, low=0, help="Weight of the squared covariances of different latents."
    )
    diagonal: float | Schedule = number(
        default=100.0, low=0, help="Weight of the squared distances of the variances from 1."
    )

    def unsupervised(self) -> Method:
        """DIP-VAE."""
        if self.kind == "i":
            return DIPVAEI(off_diagonal=self.off_diagonal, diagonal=self.diagonal)
        return DIPVAEII(off_diagonal=self.off_diagonal, diagonal=self.diagonal)


@final
class FullySupervised(_FewLabels):
    """An encoder that learns from labelled images alone, and a decoder that follows it.

    The supervised loss trains the encoder; the reconstruction trains the decoder, and no gradient
    of it goes into the encoder. Codes have no noise: that of a posterior, as disentanglement_lib
    decodes samples of it, would be trained by nothing.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "fully_supervised"
    latent: ClassVar[Latent] = "codes"

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and the supervised loss."""
        return (Reconstruction(), self._supervised(1.0))

    def forward(self, inputs: Inputs) -> Step:
        """Encode, and decode the codes without a way back."""
        model, images = inputs.model, inputs.batch.images
        posterior = model.encode(images)
        logits = model.decode(posterior.mean.detach())
        return inputs.step(posterior=posterior, z=posterior.mean, logits=logits, target=images)
