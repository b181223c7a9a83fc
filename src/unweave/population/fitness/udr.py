"""Fitness without labels: how far the models of a member agree."""

from __future__ import annotations

__all__ = ["UDRFitness"]

from collections.abc import Sequence
from typing import ClassVar, Literal, final

from unweave.data import Progress
from unweave.errors import DataError, SpecError
from unweave.metrics.label_free.udr import Correlation, udr
from unweave.population.fitness.base import Fitness, Measured
from unweave.population.split import LabelSplit
from unweave.ranking.codes import BATCH, encode, mean_kl, shared_rows
from unweave.run import Run
from unweave.spec import number, option
from unweave.training import TrainConfig


@final
class UDRFitness(Fitness):
    """The mean UDR of the models of a member, each compared with all others of that member.

    It needs no labels. What it rewards is agreement: a single latent that all models have in
    common gives as much as many, `1 - alpha` with the lasso, so that selection by it alone prefers
    few latents. How many are informative in the mean of the models, and that ceiling, stand in
    `further`.

    The images are the same for all members and rounds, and are those that `unweave.rank` takes
    with the same seed.

    References:
        | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
        | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
        | Unsupervised Model Selection for Variational Disentangled Representation Learning
        | Duan et al., 2020, arXiv 1905.12614
    """

    name: ClassVar[str] = "udr"
    least_models: ClassVar[int] = 2
    usual_models: ClassVar[int] = 5

    images: int = number(
        default=1000, low=2, help="How many images the models encode; all if there are fewer."
    )
    correlation: Correlation = option(
        default="lasso", help="lasso or spearman, as how latents are compared."
    )
    alpha: float = number(
        default=0.1, above=0, below=1, help="Weight of the penalty of the lasso."
    )
    threshold: float = number(
        default=0.01, low=0, help="KL in nats above which a latent is informative."
    )
    compat: Literal["none", "rpu"] = option(
        default="none",
        help="rpu: images in batches of ten, KL and scores as in the code of PBT-VAE.",
    )

    def validate(self) -> None:
        """Refuse less than a batch of published UDR."""
        if self.compat == "rpu" and self.images < BATCH:
            raise SpecError(
                f"{self.name}: images must be at least {BATCH} with compat=rpu, which takes "
                f"batches of so many, but is {self.images}."
            )

    @property
    def ceiling(self) -> float:
        """What models score that agree perfectly."""
        return 1 - self.alpha if self.correlation == "lasso" else 1.0

    def check_config(self, config: TrainConfig, split: LabelSplit) -> None:
        """Refuse codes without noise, and datasets of less than a batch of images."""
        if config.objective.expand().latent == "codes":
            raise SpecError(
                f"{self} tells by their KL which latents are in use, and codes of "
                f"{config.objective} have none. Take a model with a posterior."
            )
        least = BATCH if self.compat == "rpu" else 2
        if split.images < least:
            raise DataError(
                f"{self} needs at least {least} images, and {config.dataset} has {split.images}."
            )

    def measure(
        self,
        runs: Sequence[Run],
        split: LabelSplit,
        seed: int,
        progress: Progress | None = None,
    ) -> Measured:
        """The mean UDR of the models, and that of each; the images are any, with labels or not."""
        dataset = runs[0].dataset
        rows = shared_rows(dataset, self.images, seed, self.compat)
        encoded = [encode(run, dataset, rows, progress) for run in runs]
        try:
            kls = [mean_kl(mean, logvar, self.compat) for mean, logvar in encoded]
            found = udr(
                [mean for mean, _ in encoded],
                kls,
                correlation=self.correlation,
                alpha=self.alpha,
                threshold=self.threshold,
                compat=self.compat,
            )
        except DataError as error:
            return Measured.of([None] * len(runs), message=str(error))
        further = {
            "informative": sum(int(used.sum()) for used in found.informative) / len(runs),
            "ceiling": self.ceiling,
        }
        return Measured.of(found.scores.tolist(), further)
