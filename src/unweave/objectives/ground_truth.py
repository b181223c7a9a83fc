"""A decoder without encoder, which renders images from their true factors."""

from __future__ import annotations

__all__ = ["GroundTruthDecoder"]

from typing import ClassVar, Literal, final

import numpy as np

from unweave.data.codes import Coding, FactorCodes, FactorInputs
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.objectives.base import Inputs, Latent, Method, Step, Term
from unweave.objectives.needs import Needs, Setup
from unweave.objectives.reconstruction import Reconstruction
from unweave.spec import option


@final
class GroundTruthDecoder(Method):
    """A decoder alone, which is given the true factors of an image and renders it.

    It tells what generalisation a decoder has whose latents are disentangled by definition. Its
    architecture is the decoder of any other, or one of those that were published alone, such as
    `decoder_deep`. There are as many latents as the factors have numbers.

    `scaled` inputs are ordinal values from -1 to 1, sine and cosine of circular ones, and a number
    for each value of categorical ones; `one_hot` ones have that of every factor. `raw` ones are
    the values themselves, as published: of dSprites the shape from 1 to 3 and angles in radians.
    Of MPI3D these are indices, which the published code, with `compat=dag`, multiplies by how
    many values their factor has.

    Inputs are those of the whole dataset, also where a part is trained on, such as `without(...)`:
    a value that was left out has its place among the others. With a number for each value its
    weights are then never trained.

    Nothing that reads latents can be added, since there is no posterior. The publication is
    OpenReview qbH974jKUVy.

    References:
        | The Role of Disentanglement in Generalisation (Montero et al., ICLR 2021)
    """

    name: ClassVar[str] = "ground_truth_decoder"
    latent: ClassVar[Latent] = "given"

    inputs: FactorInputs = option(
        default="scaled",
        help="scaled: within -1 and 1; raw: values as they are; one_hot: a number for each value.",
    )
    compat: Literal["none", "dag"] = option(
        default="none", help="dag: raw indices times sizes of factors, as published for MPI3D."
    )

    def validate(self) -> None:
        """Refuse a compatibility that would change nothing."""
        if self.compat == "dag" and self.inputs != "raw":
            raise SpecError(
                f"{self.name}: compat=dag multiplies raw inputs, and inputs is {self.inputs}. "
                "Give inputs=raw, or leave compat out."
            )

    @property
    def needs(self) -> Needs:
        """The codes of each image's factors."""
        return Needs(codes=self._coding)

    @property
    def needs_float32(self) -> bool:
        """Whether inputs are raw: values that are large beside their steps need all digits."""
        return self.inputs == "raw"

    def given(self, space: FactorSpace) -> FactorCodes:
        """The codes of the factors."""
        return self._coding.on(space)

    def check(self, setup: Setup) -> None:
        """Refuse another number of latents, and values that are no indices with `compat=dag`.

        Raises:
            SpecError: The factors are not known, or one of these.
        """
        space = setup.whole_space(self.name)
        width = self.given(space).width
        if setup.latents != width:
            raise SpecError(
                f"{self.name} has a latent for each number of its inputs, with "
                f"inputs={self.inputs} {width} of {setup.dataset}, but latents is "
                f"{setup.latents}. Leave latents out, or give {width}."
            )
        if self.compat == "dag":
            for factor in space.factors:
                values = np.array(factor.values or (), np.float64)
                if (values != np.round(values)).any():
                    raise SpecError(
                        f"{self.name}: compat=dag multiplies indices, as the published code does "
                        f"those of MPI3D, and values of {factor.name} of {setup.dataset} are "
                        "none. Leave compat out."
                    )

    def terms(self) -> tuple[Term, ...]:
        """The reconstruction alone."""
        return (Reconstruction(),)

    def forward(self, inputs: Inputs) -> Step:
        """Decode the codes of the factors."""
        batch = inputs.batch
        assert batch.codes is not None
        logits = inputs.model.decode(batch.codes)
        return inputs.step(posterior=None, z=batch.codes, logits=logits, target=batch.images)

    @property
    def _coding(self) -> Coding:
        return Coding(self.inputs, by_size=self.compat == "dag")
