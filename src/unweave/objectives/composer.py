"""The composer: a VAE that makes an image of two others, with one factor of the second."""

from __future__ import annotations

__all__ = ["OPERATOR", "Composer"]

import dataclasses
from typing import ClassVar, final

import torch
from torch import Tensor, nn

from unweave.data.samplers import Composition
from unweave.data.samplers.base import varying
from unweave.errors import SpecError
from unweave.nn.composition import Operator, OperatorName, make_operator
from unweave.objectives.base import Inputs, Method, Step, Term
from unweave.objectives.kl import KL
from unweave.objectives.label_terms import TARGET_FACTORS
from unweave.objectives.needs import Needs, Setup
from unweave.objectives.reconstruction import Reconstruction
from unweave.schedules import Schedule
from unweave.spec import number, option

OPERATOR = "operator"
"""Name of the part that composes codes."""


@final
class Composer(Method):
    r"""A VAE that composes images: the reference, with one factor taken from the transform.

    Triplets come by the sampler `composition`. Reference and transform are encoded and sampled, an
    `operator` makes one code z' of theirs and of the factor's number as a one-hot action a, and z'
    is decoded. What is minimised, a mean over triplets, is the reconstruction of the target, the
    third image, plus beta times the KL, which is the sum over both posteriors. With `reconstruct`
    the reconstructions of reference and transform from their own samples are added.

    Operators, which belong to the model:

    - `linear`, the published one: z' = W_r [z_r; a] + b_r + W_s [z_s; a] + b_s;
    - `interp`: z' = w z_r + (1 - w) z_s with w = sigmoid(W [z_r; z_s; a] + b);
    - `mlp`: a hidden layer of 128 units with ReLU and batch normalisation, of [z_r; z_s; a];
    - `fixint`: z' = (1 - a) z_r + a z_s, so that latent k is made to hold factor k.

    The action has a number for each factor of the dataset, also for those that have one value in
    it; `sampler=composition(factors=(...))` names those that change.

    As everywhere, the batch size counts the images that are reconstructed: it is the number of
    triplets, or three times that with `reconstruct`, where the published 64 triplets are
    `batch_size=192`. The logged KL is that of an encoded image, and its weight is twice beta.
    Terms that are added read the codes of references and transforms.

    The published code changes its schedules once an epoch; here they follow the steps. In that of
    2022 the transform is the target whose other factors are changed one after the other, where
    they can be; here, as in 2021, it is any image with the target's value.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
        | `operator=interp`, `fixint` and `reconstruct`: Lost in Latent Space: Disentangled Models
        | and the Challenge of Combinatorial Generalisation (Montero et al., NeurIPS 2022)
        | https://arxiv.org/abs/2204.02283
    """

    name: ClassVar[str] = "composer"
    compares_factors: ClassVar[bool] = True

    operator: OperatorName = option(
        default="linear", help="What makes one code of two: linear, interp, mlp or fixint."
    )
    beta: float | Schedule = number(
        default=1.0, low=0, help="Weight of the KL, which is summed over both images."
    )
    reconstruct: bool = option(
        default=False, help="Whether reference and transform are reconstructed, too."
    )
    sampler: Composition = option(default=Composition(), help="Which triplets are drawn.")

    @property
    def needs(self) -> Needs:
        """Triplets and their factors."""
        return Needs(
            factors=True,
            sampler=self.sampler,
            reconstructed=3 if self.reconstruct else 1,
            unencoded=1,
        )

    def check(self, setup: Setup) -> None:
        """Refuse factors of which none can change, and what an operator cannot be trained with.

        Raises:
            SpecError: No factor can change, one that is to change is unknown or has one value, or
                there are too few latents or triplets for the operator.
        """
        space = setup.labels(self.name)
        varying(self.sampler, space, self.sampler.factors)
        if self.operator == "fixint" and setup.latents < len(space.factors):
            raise SpecError(
                f"{self.name}: operator=fixint keeps a latent for each factor of {setup.dataset}, "
                f"which has {len(space.factors)}, but latents is {setup.latents}: give at least "
                f"{len(space.factors)}, or take another operator."
            )
        if self.operator == "mlp" and self.needs.draws(setup.batch_size) < 2:
            raise SpecError(
                f"{self.name}: operator=mlp normalises over the batch, which must have two "
                f"triplets or more, so batch_size must be at least "
                f"{2 * self.needs.reconstructed}, but is {setup.batch_size}."
            )

    def terms(self) -> tuple[Term, ...]:
        """Reconstruction and KL, each summed over the images of a triplet."""
        return (
            Reconstruction(weight=3.0 if self.reconstruct else 1.0),
            KL(weight=self.beta, posteriors=2),
        )

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """The operator."""
        factors = len(setup.labels(self.name).factors)
        return {OPERATOR: make_operator(self.operator, setup.latents, factors)}

    def forward(self, inputs: Inputs) -> Step:
        """Encode references and transforms, sample, compose, decode.

        Posterior and samples hold all references, then all transforms; logits and target the
        composed images alone, or references, transforms and composed images.
        """
        model, batch, operator = inputs.model, inputs.batch, inputs.parts[OPERATOR]
        assert isinstance(operator, Operator)
        assert batch.factors is not None
        inner = 2 * (len(batch.images) // 3)
        encoded = batch.images[:inner]
        posterior = model.encode(encoded)
        z = posterior.sample(inputs.streams.normal("posterior", *posterior.mean.shape))
        composed = operator(*z.chunk(2), _action(batch.factors))
        first = 0 if self.reconstruct else inner
        # What terms see of the batch are the images that are encoded.
        seen = dataclasses.replace(batch, images=encoded, factors=batch.factors[:inner])
        return dataclasses.replace(inputs, batch=seen).step(
            posterior=posterior,
            z=z,
            logits=model.decode(torch.cat([z, composed]) if self.reconstruct else composed),
            target=batch.images[first:],
            kept={TARGET_FACTORS: batch.factors[first:]},
        )


def _action(factors: Tensor) -> Tensor:
    """In which factor target and reference differ, one-hot, from triplets (3 B, K) to (B, K)."""
    reference, _, target = factors.chunk(3)
    return (reference != target).float()
