"""The Lie group VAE: latents are coordinates of a group, whose elements are decoded."""

from __future__ import annotations

__all__ = ["GroupReconstruction", "LieGroupVAE"]

from typing import ClassVar, Final, final

from torch import Tensor

from unweave.errors import SpecError
from unweave.nn import Architecture, LieGroup
from unweave.objectives.base import Inputs, Method, Step, Term, WeightedTerm
from unweave.objectives.kl import KL
from unweave.objectives.lie_algebra import Commutator, Hessian, LieCompat, group_of, lie_decoder
from unweave.objectives.needs import Setup
from unweave.objectives.reconstruction import Reconstruction
from unweave.randomness import Streams, derive
from unweave.schedules import Schedule
from unweave.spec import number, option

_FEATURES: Final = "lie_group/features"
_GROUP: Final = "lie_group/group"


@final
class GroupReconstruction(WeightedTerm):
    """Squared distance of the encoder's group features from the group element of their latents.

    Its gradient moves encoder, generators and latents alike. It is a Gaussian log likelihood of
    the features, of variance 1/2 and without its constant.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu and Tao, 2021)
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "group_reconstruction"

    def check(self, setup: Setup) -> None:
        """Group features are needed."""
        group_of(setup, self.name)

    def value(self, step: Step) -> Tensor:
        """Mean over the batch of the sum over features.

        Under the Lie group VAE these are the features and elements of its forward pass; under
        other methods the images that are encoded go through the encoder once more.
        """
        features = step.once(_FEATURES, lambda: _features(step))
        group = step.once(_GROUP, lambda: _group(step, features))
        return (features.float() - group).square().sum(1).mean()


@final
class LieGroupVAE(Method):
    """A VAE whose decoder sees elements of a matrix Lie group, of which latents are coordinates.

    The encoder gives group features of an image and a posterior of latents t. The generators A of
    the group are weights of the architecture `lie_group`: its element is
    expm(t_1 A_1 + ... + t_L A_L). What is minimised is the ELBO plus the squared distance of
    features and element, and penalties on the generators: `hessian` for products of two of them,
    `commutator` for their not commuting.

    With probability `feature_probability` a batch is decoded from the encoder's features instead
    of group elements. That is drawn before anything is decoded, so that each step decodes once.
    A model in evaluation mode always decodes group elements.

    Published were hessian 40 on dSprites, and 20 with matrices of 20 by 20 on 3DShapes, with these
    defaults; and `commutator` with `compat=clg`, since the published code penalises something else
    than commutators.

    References:
        | Commutative Lie Group VAE for Disentanglement Learning (Zhu, Xu and Tao, 2021)
        | https://arxiv.org/abs/2106.03375
    """

    name: ClassVar[str] = "lie_group_vae"

    kl: float | Schedule = number(default=1.0, low=0, help="Weight of the KL.")
    group_reconstruction: float | Schedule = number(
        default=0.1, low=0, help="Weight of the squared distance of features and group elements."
    )
    hessian: float | Schedule = number(
        default=40.0, low=0, help="Weight of the squared products of two generators."
    )
    commutator: float | Schedule = number(
        default=0.0, low=0, help="Weight of the squared commutators of two generators."
    )
    feature_probability: float = number(
        default=0.2, low=0, high=1, help="Chance that a batch is decoded from encoder features."
    )
    compat: LieCompat = option(
        default="none", help="clg: what the published code takes for commutators."
    )

    @property
    def architecture(self) -> Architecture | None:
        """The published networks for dSprites."""
        return LieGroup()

    def validate(self) -> None:
        """Refuse a compatibility that would be recorded and change nothing."""
        if self.compat == "clg" and self.commutator == 0:
            raise SpecError(
                "lie_group_vae: compat=clg is the published commutator, and commutator is 0. Give "
                "it a weight, such as commutator=40, or leave compat out."
            )

    def check(self, setup: Setup) -> None:
        """The architecture is `lie_group`, with as many latents as the model.

        Raises:
            SpecError: It is not; the message says what to write.
        """
        group_of(setup, self.name).check(setup.image_shape, setup.latents)

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction, KL, and what the group adds."""
        return (
            Reconstruction(),
            KL(weight=self.kl),
            GroupReconstruction(weight=self.group_reconstruction),
            Hessian(weight=self.hessian),
            Commutator(weight=self.commutator, compat=self.compat),
        )

    def forward(self, inputs: Inputs) -> Step:
        """Encode, sample, exponentiate; decode the element, or by chance the features."""
        model, images = inputs.model, inputs.batch.images
        decoder = lie_decoder(model)
        features = model.features(images)
        posterior = model.posterior(features)
        z = posterior.sample(inputs.streams.normal("posterior", *posterior.mean.shape))
        group = decoder.group(z)
        by_features = model.training and _happens(inputs.streams, self.feature_probability)
        with model.autocast():
            logits = decoder.image(features if by_features else group)
        return inputs.step(
            posterior=posterior,
            z=z,
            logits=logits.float(),
            target=images,
            kept={_FEATURES: features, _GROUP: group},
        )


def _happens(streams: Streams, probability: float) -> bool:
    """Whether a step decodes features: a draw on the host, so that no device is asked."""
    return derive(streams.seed, "decoded features", streams.step) / 2**63 < probability


def _features(step: Step) -> Tensor:
    model = step.model
    return model.features(step.batch.images, model.condition(step.batch.factors))


def _group(step: Step, features: Tensor) -> Tensor:
    """Elements of latents drawn as a method does that encodes these images and decodes them."""
    posterior = step.model.posterior(features)
    z = posterior.sample(step.streams.normal("posterior", *posterior.mean.shape))
    return lie_decoder(step.model).group(z)
