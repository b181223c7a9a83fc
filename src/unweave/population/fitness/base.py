"""What a fitness promises, and what it finds of a member."""

from __future__ import annotations

__all__ = ["Fitness", "Measured"]

import math
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Self, final

from unweave.data import Progress
from unweave.errors import SpecError
from unweave.population.split import LabelSplit
from unweave.run import Run
from unweave.spec import Component
from unweave.training import TrainConfig


@final
@dataclass(frozen=True, kw_only=True)
class Measured:
    """The fitness of a member.

    Attributes:
        score: Mean over its models, more is better; None where there is none, as of codes that are
            no numbers.
        models: Fitness of each of its models, None where there is none.
        best: Which of these is the best; the first among equals.
        further: Further numbers by name, such as the metric as it is usually given.
        message: Why there is no score.
    """

    score: float | None
    models: tuple[float | None, ...]
    best: int = 0
    further: Mapping[str, float] = field(default_factory=dict)
    message: str = ""

    @classmethod
    def of(
        cls,
        values: Sequence[float | None],
        further: Mapping[str, float] | None = None,
        message: str = "",
    ) -> Self:
        """The mean of all models, and the best of them; no score where a model has none.

        Args:
            values: Fitness of each model; one that is not finite counts as None.
            further: Further numbers by name; what is not finite is left out.
            message: Why a model has none.
        """
        models = tuple(
            None if value is None or not math.isfinite(value) else float(value) for value in values
        )
        found = [value for value in models if value is not None]
        score = math.fsum(found) / len(found) if found and len(found) == len(models) else None
        if score is None and not message:
            message = "The fitness is not a number."
        return cls(
            score=score,
            models=models,
            best=models.index(max(found)) if found else 0,
            further={k: v for k, v in (further or {}).items() if math.isfinite(v)},
            message="" if score is not None else message,
        )


class Fitness(Component):
    """A number by which the members of a population are ranked; more is better.

    A member is one model, or a few that differ in nothing but their seeds. Whatever a fitness
    draws is the same for all members and rounds of one seed, so that they are compared by the same
    images.

    Class attributes:
        least_models: How many models a member needs at least.
        usual_models: How many it usually has.
    """

    family: ClassVar[str] = "fitness"
    least_models: ClassVar[int] = 1
    usual_models: ClassVar[int] = 1

    def split_of(self, images: int, seed: int = 0, share: float = 0.2) -> LabelSplit:
        """The images whose labels it may read, and those that are kept for evaluation.

        Args:
            images: How many images the dataset has.
            seed: Which images those are.
            share: Of all images, kept for evaluation.

        Raises:
            SpecError: Nothing is left for one of the two, or there are fewer labels than it asks
                for.
        """
        return LabelSplit(images=images, seed=seed, share=share)

    @final
    def check(self, config: TrainConfig, models: int, split: LabelSplit | None = None) -> None:
        """Refuse what cannot be measured, before anything is trained.

        Args:
            config: What each model is trained with.
            models: How many models a member has.
            split: The images whose labels may be read; None for `split_of` all images.

        Raises:
            SpecError: A setting does not fit the models or their dataset.
            DataError: The dataset cannot give what is needed.
            RunError: A file of labels cannot be read, or is of another dataset.
        """
        if models < self.least_models:
            raise SpecError(
                f"{self} takes at least {self.least_models} models a member, but there are "
                f"{models}: give more models."
            )
        config.objective.expand().check_encodes(str(self))
        count = config.dataset.count
        if split is None:
            split = self.split_of(count)
        if split.images != count:
            raise SpecError(
                f"The split is of {split.images:,} images, but {config.dataset} has {count:,}."
            )
        self.check_config(config, split)

    @abstractmethod
    def check_config(self, config: TrainConfig, split: LabelSplit) -> None:
        """Refuse models, datasets and splits that it cannot measure.

        Args:
            config: What each model is trained with.
            split: The images whose labels may be read, out of all that there are.

        Raises:
            SpecError: A setting does not fit.
            DataError: The dataset cannot give what is needed.
            RunError: A file of labels cannot be read, or is of another dataset.
        """

    @abstractmethod
    def measure(
        self,
        runs: Sequence[Run],
        split: LabelSplit,
        seed: int,
        progress: Progress | None = None,
    ) -> Measured:
        """The fitness of a member.

        Codes that are no numbers give no score and a message, and no error.

        Args:
            runs: The models of the member, of one dataset; their caches are not filled.
            split: The images whose labels may be read.
            seed: Of whatever is drawn.
            progress: Shows the encoding.

        Raises:
            DataError: Something is wrong that no other weights would mend.
        """
