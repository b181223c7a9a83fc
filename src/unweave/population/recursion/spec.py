"""What a recursion is: which populations, how their models label images, how deep it goes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, ClassVar, Self, final

from unweave import spec
from unweave.data import DatasetSpec
from unweave.errors import SpecError
from unweave.metrics.protocols import metrics_of, protocol
from unweave.population.evolve import member_seed
from unweave.population.fitness import LeafMIG
from unweave.population.recursion.reduction import Reduction, RobustReduction
from unweave.population.spec import Population
from unweave.population.tuned import within
from unweave.spec import Component, number, option

__all__ = ["Recursion"]


@final
class Recursion(Component):
    """Factors learned a few at a time, without labels.

    A first population is ranked by the agreement of its models. What its best model has learned
    labels all images, and is held constant in a cell of images, of which a leaf-run's next
    population learns what is left, and so on. The labels of all leaf-runs rank a final population.

    References:
        | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
        | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
    """

    name: ClassVar[str] = "recursion"
    family: ClassVar[str] = "recursion"

    first: Population = option(help="Of all images, ranked without labels.")
    leaf: Population = option(help="Of the images of a cell, ranked without labels.")
    final: Population = option(help="Of all images, ranked by the labels of leaf-runs.")
    leaf_runs: int = number(default=3, low=1, high=100, help="How many cells are gone down from.")
    levels: int = number(default=8, low=0, high=100, help="Levels of a leaf-run, at most.")
    least: int = number(
        default=10_000, low=1,
        help="Images that a model of a leaf-run is trained on in a round, at least.",
    )  # fmt: skip
    reduction: Reduction = option(
        default=RobustReduction(), help="From codes to labels and to a cell."
    )
    merge: float | None = number(
        default=0.9, above=0, high=1,
        help="Normalised mutual information from which on labels say the same; None for no look.",
    )  # fmt: skip

    def validate(self) -> None:
        """Refuse populations of different images, and rankings of the wrong kind."""
        datasets = {str(p.config.dataset) for p in (self.first, self.leaf, self.final)}
        if len(datasets) > 1:
            raise SpecError(f"A recursion is on one dataset, not on {' and '.join(datasets)}.")
        if any(p.asynchronous for p in (self.first, self.leaf, self.final)):
            raise SpecError("Populations of a recursion go in step: leave asynchronous out.")
        if not isinstance(self.final.fitness, LeafMIG):
            raise SpecError(
                f"The final population of a recursion is ranked by leaf_mig, not by "
                f"{self.final.fitness}."
            )
        if self.final.config.latents < 2:
            raise SpecError(
                f"leaf_mig compares two latents, but the final population has "
                f"{self.final.config.latents}."
            )
        if self.final.fitness.files:
            raise SpecError("leaf_mig of a recursion gets its files from the leaf-runs.")

    @property
    def dataset(self) -> DatasetSpec:
        """All images."""
        return self.first.config.dataset

    def check(self) -> None:
        """Refuse what cannot be measured, and images that cannot be had.

        Raises:
            SpecError: A fitness does not fit models or dataset.
            DataError: The dataset cannot be had.
        """
        self.first.check()
        metrics_of(protocol(self.final.protocol), self.final.metrics)
        self.leaf.fitness.check(self.leaf.config, self.leaf.models, self.leaf.split)
        self.dataset.check_loadable()

    def of_level(self, data: DatasetSpec, run: int, level: int) -> Population:
        """The population of a level of a leaf-run.

        Batches are no larger than its images are many, and its draws are its own.

        Args:
            data: Images of the level.
            run: Number of the leaf-run, from 1.
            level: Number of the level, from 1.

        Raises:
            SpecError: Nothing can be trained, or measured, on so few images.
        """
        leaf, images = self.leaf, data.count
        config = dataclasses.replace(
            leaf.config, dataset=data, batch_size=min(leaf.config.batch_size, images)
        )
        population = dataclasses.replace(
            leaf,
            config=config,
            tuned=tuple(within(field, images) for field in leaf.tuned),
            images=None if leaf.steps is not None else max(self.least, images),
            seed=member_seed(leaf.seed, run, level),
            metrics=(),
        )
        population.fitness.check(config, population.models, population.split)
        return population

    def of_labels(self, files: tuple[str, ...]) -> Population:
        """The final population, ranked by the labels in files."""
        assert isinstance(self.final.fitness, LeafMIG)
        fitness = dataclasses.replace(self.final.fitness, files=files)
        return dataclasses.replace(self.final, fitness=fitness)

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the full form back.

        Raises:
            SpecError: A field is missing, unknown or wrong.
        """
        fields = {name: value for name, value in form.items() if name != "type"}
        for name in ("first", "leaf", "final"):
            fields[name] = Population.from_dict(fields[name])
        fields["reduction"] = spec.from_dict(fields["reduction"], Reduction)
        return spec.build(cls, fields)
