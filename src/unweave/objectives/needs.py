"""What an objective must know before there are weights, and what its batches must hold."""

from __future__ import annotations

__all__ = ["Batch", "LabelledImages", "Needs", "Setup"]

from dataclasses import dataclass
from typing import final

from torch import Tensor

from unweave.data.codes import Coding
from unweave.data.samplers import Labelled, Sampler
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.nn import Architecture


@final
@dataclass(frozen=True)
class LabelledImages:
    """Images out of a few that have labels.

    Attributes:
        images: Pixels in [0, 1], (M, C, H, W) float32.
        labels: Whole numbers from 0, (M, F) int64.
    """

    images: Tensor
    labels: Tensor


@final
@dataclass(frozen=True)
class Batch:
    """The images of one optimiser step.

    Attributes:
        images: Pixels in [0, 1], (B, C, H, W) float32. Where a sampler draws n images at once,
            all first images of the draws come first, then all second ones, and so on.
        second: Another independent batch of the same shape, for methods that ask for it.
        factors: Factor indices of `images`, (B, K) int64, for methods that ask for labels.
        second_factors: Those of `second`.
        labelled: Some of the few images that have labels, for methods that ask for them.
        codes: Codes of the true factors of `images`, (B, L) float32, for a decoder alone.
    """

    images: Tensor
    second: Tensor | None = None
    factors: Tensor | None = None
    second_factors: Tensor | None = None
    labelled: LabelledImages | None = None
    codes: Tensor | None = None


@final
@dataclass(frozen=True, kw_only=True)
class Needs:
    """What the batches of an objective must hold beside images.

    Attributes:
        second: A second batch on top.
        factors: The factor indices of each image.
        sampler: Draws of several images at once in place of single ones.
        reconstructed: How many images of a draw are reconstructed; a step has as many draws as
            make its batch size in reconstructions.
        unencoded: How many images of a draw are nothing but targets, and never encoded.
        labelled: As many images out of a few that have labels as the batch has.
        codes: Codes of the true factors of each image, of this kind.
    """

    second: bool = False
    factors: bool = False
    sampler: Sampler | None = None
    reconstructed: int = 1
    unencoded: int = 0
    labelled: Labelled | None = None
    codes: Coding | None = None

    def __add__(self, other: Needs) -> Needs:
        """What both need.

        Raises:
            SpecError: Their draws, or their few labelled images, differ.
        """
        for name in ("sampler", "labelled"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine is not None and theirs is not None and mine != theirs:
                raise SpecError(
                    f"One summand draws its batches by {mine}, another by {theirs}; both must be "
                    "the same."
                )
        return Needs(
            second=self.second or other.second,
            factors=self.factors or other.factors,
            sampler=self.sampler or other.sampler,
            reconstructed=max(self.reconstructed, other.reconstructed),
            unencoded=max(self.unencoded, other.unencoded),
            labelled=self.labelled or other.labelled,
            codes=self.codes or other.codes,
        )

    @property
    def per_draw(self) -> int:
        """How many images are drawn at once."""
        return 1 if self.sampler is None else self.sampler.per_draw

    def draws(self, batch_size: int) -> int:
        """How many draws a step has.

        Raises:
            SpecError: The batch size is no multiple of the images that a draw reconstructs.
        """
        if batch_size % self.reconstructed:
            raise SpecError(
                f"train: batch_size counts the images that are reconstructed, "
                f"{self.reconstructed} in each draw of {self.sampler}, and must be a multiple "
                f"of that, but is "
                f"{batch_size}."
            )
        return batch_size // self.reconstructed

    def encoded(self, batch_size: int) -> int:
        """How many images a step encodes."""
        images = self.draws(batch_size) * (self.per_draw - self.unencoded)
        return images * (2 if self.second else 1) + (batch_size if self.labelled else 0)


@final
@dataclass(frozen=True, kw_only=True)
class Setup:
    """What an objective may look at before there are weights.

    Attributes:
        architecture: Encoder and decoder.
        image_shape: (H, W, C).
        latents: Number of latents.
        batch_size: Images in a step's reconstruction term.
        dataset: Text of the dataset, for messages.
        factors: Its factors, or None where they are not known.
        whole: Those of the dataset of which it is a part, with all values; None where it is none.
    """

    architecture: Architecture
    image_shape: tuple[int, int, int]
    latents: int
    batch_size: int = 64
    dataset: str = "the dataset"
    factors: FactorSpace | None = None
    whole: FactorSpace | None = None

    def labels(self, asker: str) -> FactorSpace:
        """The factors, which a method or term needs.

        Raises:
            SpecError: They are not known.
        """
        if self.factors is None:
            raise SpecError(
                f"{asker} needs labels, and the factors of {self.dataset} are not known. Choose a "
                "dataset with factors (unweave data list)."
            )
        return self.factors

    def whole_space(self, asker: str) -> FactorSpace:
        """The factors with all values of the dataset of which it is a part, or its own.

        Raises:
            SpecError: They are not known.
        """
        return self.labels(asker) if self.whole is None else self.whole
