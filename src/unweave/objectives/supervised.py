"""The supervised term: codes of a few labelled images against their labels."""

from __future__ import annotations

__all__ = ["Supervised"]

from typing import ClassVar, Literal, final

from torch import Tensor, nn

from unweave.data.samplers import Labelled, Labeller, Perfect
from unweave.errors import SpecError
from unweave.objectives.base import Step, WeightedTerm
from unweave.objectives.label_losses import LabelLoss, LabelXent
from unweave.objectives.needs import Needs, Setup
from unweave.schedules import Schedule
from unweave.spec import number, option

_PART = "supervised"


@final
class Supervised(WeightedTerm):
    """Weight times a loss between the codes of images that have labels and these labels.

    A step sees as many labelled images as others, drawn with replacement from the few that there
    are, and their codes are the means of their posteriors. What the loss learns belongs to the
    model. A weight that comes in late is `piecewise(values=(0, W), steps=(T,))`, one that grows
    `linear(start=0, stop=W, steps=T)`; these are the published "fine-tune" and "anneal".

    `compat=dlib` adds the losses `xent` and `l2` up over the images, so that their weight counts
    for as many times more as the batch has images, and repeats a slip of `l2` without a scale. The
    weight of 64 is what one of 1 comes to there in a batch of 64. The losses `cov` and `embed` do
    not grow with the batch there either, so that a published weight of theirs is taken as it is.

    References:
        | Disentangling Factors of Variation Using Few Labels (Locatello et al., ICLR 2020)
        | https://arxiv.org/abs/1905.01258
    """

    name: ClassVar[str] = "supervised"

    weight: float | Schedule = number(default=64.0, low=0, help="Weight of the term.")
    loss: LabelLoss = option(default=LabelXent(), help="What codes and labels are compared by.")
    images: int = number(default=1000, low=1, help="How many images have labels.")
    labeller: Labeller = option(default=Perfect(), help="What the labels are.")
    seed: int = number(
        default=0, low=0, help="The labelled images are drawn from it, whatever the run's seed."
    )
    train_share: float = number(
        default=1.0,
        above=0,
        high=1,
        help="The part of the labelled images that is trained on; the others are for choosing "
        "among models.",
    )
    compat: Literal["none", "dlib"] = option(
        default="none", help="dlib: sums over images, as disentanglement_lib takes them."
    )

    @property
    def unit(self) -> str:
        """That of the loss."""
        return self.loss.unit(dlib=self.compat == "dlib")

    @property
    def min_batch(self) -> int:
        """That of the loss."""
        return self.loss.min_batch

    @property
    def labelled(self) -> Labelled:
        """The draws of labelled images."""
        return Labelled(
            images=self.images,
            labeller=self.labeller,
            seed=self.seed,
            train_share=self.train_share,
        )

    @property
    def needs(self) -> Needs:
        """A batch of labelled images on top."""
        return Needs(labelled=self.labelled)

    def check(self, setup: Setup) -> None:
        """Refuse labels that there are no factors or no latents for.

        Raises:
            SpecError: The factors are not known or do not fit the labeller, or there are fewer
                latents than labels, where the loss ties them together.
        """
        names, _ = self.labelled.columns(setup.labels(self.name))
        if self.loss.matched and len(names) > setup.latents:
            raise SpecError(
                f"{self.name}: loss={self.loss.name} ties a latent to each labelled factor, and "
                f"there are {len(names)} of them ({', '.join(names)}), but latents is "
                f"{setup.latents}: give at least {len(names)}, label fewer factors with "
                f"labeller=partial(observed={setup.latents}), or take loss=cov."
            )

    def labels_read(self, setup: Setup) -> tuple[str, ...]:
        """The factors that labels are of."""
        return self.labelled.columns(setup.labels(self.name))[0]

    def parts(self, setup: Setup) -> dict[str, nn.Module]:
        """What computes the loss and holds what it learns."""
        _, sizes = self.labelled.columns(setup.labels(self.name))
        return {_PART: self.loss.network(sizes, dlib=self.compat == "dlib")}

    def value(self, step: Step) -> Tensor:
        """The loss of the labelled images' codes, in its own unit."""
        labelled = step.batch.labelled
        assert labelled is not None
        codes = step.once("labelled/codes", lambda: step.model.encode(labelled.images).mean)
        loss: Tensor = step.parts[_PART](codes, labelled.labels)
        return loss
