"""What an analysis promises, and what it may look at."""

from __future__ import annotations

__all__ = ["Analysis", "Subject", "Told"]

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias, TypeVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data import Dataset, DatasetSpec, Progress
from unweave.data.numbering import numbered_as
from unweave.encoding import Codes, Part
from unweave.metrics import Score
from unweave.objectives import Objective, Setup
from unweave.objectives.base import Parts
from unweave.representation import Representation
from unweave.spec import Component
from unweave.vae import VAE

T = TypeVar("T")
Told: TypeAlias = Literal["nothing", "method", "objective"]
"""Whether networks are told factors of images that are scored: those that the method reads, or
those that its terms read, too."""


@final
@dataclass(frozen=True, kw_only=True)
class Subject:
    """All that an analysis may look at.

    Attributes:
        model: The VAE, in evaluation mode.
        parts: Further networks of the objective, by name; those whose weights are known.
        objective: What was minimised.
        setup: What the objective was told before there were weights.
        dataset: Where the images come from.
        flat: Flat indices of the images to score, (N,) int64.
        num_train: Number of images that were trained on.
        trained_on: The dataset that was trained on.
        trained: Gives the posterior means and factors of at most so many of the images that were
            trained on, drawn at random by the training's seed.
        codes: Whether latents are posterior means or samples of the posteriors.
        seed: Seed of whatever the analysis draws.
        step: Optimiser steps of the weights.
        progress: Told what is being done, how many images are done, and how many there are.
    """

    model: VAE
    parts: Parts
    objective: Objective
    setup: Setup
    dataset: Dataset
    flat: NDArray[np.int64]
    num_train: int
    trained_on: DatasetSpec
    trained: Callable[[int], Representation]
    codes: Codes = "mean"
    seed: int = 0
    step: int = 0
    progress: Progress | None = None
    _kept: dict[str, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @cached_property
    def pool(self) -> Dataset:
        """The images to score as a dataset, from which samplers draw."""
        return self.dataset.select(self.flat)

    @cached_property
    def told(self) -> Dataset:
        """The images with their factors numbered as in training, as networks are told them.

        A part of a dataset numbers its values anew, and a network knows the numbers of the part
        that it was trained on. Images of other factors stay as they are: no network reads them.
        """
        space, dataset = self.setup.factors, self.dataset
        if space is None or not dataset.labelled or dataset.factor_space.names != space.names:
            return dataset
        return numbered_as(dataset, space)

    def once(self, key: str, make: Callable[[], T]) -> T:
        """What an analysis makes for a subject, made at most once."""
        if key not in self._kept:
            self._kept[key] = make()
        value: T = self._kept[key]
        return value


class Analysis(Component):
    """A score of a model: what a table of codes alone does not tell.

    Analyses may take long, so they run only when they are asked for by name.

    Class attributes:
        bounds: Smallest and largest value; None where there is no bound.
        higher_is_better: Direction.
        needs: What it reads of a subject.
        told: Whose factors of the images networks are told: `nothing`, `method` or `objective`.
        source: Where it was published.
    """

    family: ClassVar[str] = "analysis"
    bounds: ClassVar[tuple[float | None, float | None]] = (None, None)
    higher_is_better: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("model", "images")
    told: ClassVar[Told] = "objective"
    source: ClassVar[str] = ""

    def check(self, part: Part, codes: Codes) -> None:
        """Refuse a part or a kind of codes that its settings rule out, before any work.

        Raises:
            SpecError: They do not go together.
        """

    def rows(self, subject: Subject) -> NDArray[np.int64]:
        """Flat indices of the images that are looked at; their number is the sample count.

        It is asked before anything is scored, so that a subject is refused before long work.

        Raises:
            SpecError: The run is of a kind that the analysis cannot score.
            DataError: The images are.
        """
        return subject.flat

    @abstractmethod
    def score(self, subject: Subject) -> Score:
        """Score a subject.

        Raises:
            DataError: It is not one that the analysis can score.
        """
