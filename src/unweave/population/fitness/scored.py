"""Fitness by a metric that compares codes with labels."""

from __future__ import annotations

__all__ = ["Scored"]

import dataclasses
from collections.abc import Sequence
from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data import Progress
from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.metrics import Draws, Metric, Score
from unweave.metrics.evaluate import check_rows
from unweave.metrics.protocols import PROTOCOLS, metrics_of, protocol
from unweave.population.fitness.base import Fitness, Measured
from unweave.population.split import LabelSplit
from unweave.ranking.codes import encode
from unweave.representation import Representation
from unweave.run import Run
from unweave.spec import number, option
from unweave.training import TrainConfig

# Images of a metric that would take any number of them.
_ROWS = 10_000
# So few rows are scored in a moment, and are those with which a metric may not come to terms.
_FEW = 200


@final
class Scored(Fitness):
    """The score of a metric on images whose labels may be read.

    Each model of a member is scored by itself. A metric of which less is better counts with the
    other sign; in `further` stands what the metric says itself, under its name.

    All members and rounds are scored on the same images of the split: with `labels` on all that
    have labels; else on as many as the metric draws under the protocol, or 10,000 where it takes
    all, or on all where it finds nothing in a sample, as `downstream_pairs`. What the metric draws
    it draws from these. `images`, and a protocol that has a number of images, are upper limits.
    Codes are computed in single precision whatever the protocol says, and neither codes nor scores
    are kept beside the run.

    Labels guide the selection alone, and no gradient reads them: with `labels=1000` a thousand
    images have labels, while all images are trained on.

    References:
        | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
        | Estermann, Marks, Yanik, 2020, arXiv 2010.13527
    """

    name: ClassVar[str] = "scored"

    by: str = option(help="Name of a metric, such as mig or dci.")
    protocol: str = option(default="unweave", help="Whose settings the metric has.")
    labels: int | None = number(
        default=None, low=2, help="How many images have labels; None for all but those kept apart."
    )
    images: int | None = number(
        default=None,
        low=2,
        help="How many images at most are encoded; None for no limit but that of the labels, the "
        "metric and the protocol.",
    )

    def validate(self) -> None:
        """Refuse a metric that there is not, or that the protocol does not define."""
        if self.by in ("udr", "leaf_mig"):
            raise SpecError(f"{self.name}: {self.by} is a fitness by itself, so write {self.by}.")
        metric = self.metric
        if self.labels is not None and "factors" not in metric.needs:
            raise SpecError(f"{self.name}: {metric.name} reads no labels; leave labels out.")

    @property
    def metric(self) -> Metric:
        """The metric with the settings of the protocol."""
        return metrics_of(protocol(self.protocol), (self.by,))[0]

    def split_of(self, images: int, seed: int = 0, share: float = 0.2) -> LabelSplit:
        """The images whose labels it may read, `labels` of them, and those kept for evaluation."""
        return LabelSplit(images=images, seed=seed, share=share, labels=self.labels)

    def rows(self, split: LabelSplit) -> NDArray[np.int64]:
        """Flat indices of the images that are encoded, ascending, (n,)."""
        given = (
            self.labels,
            protocol(self.protocol).images,
            self.images,
            self._drawn() if self.labels is None and self.images is None else None,
        )
        return split.first(min(count for count in (*given, split.images) if count is not None))

    def check_config(self, config: TrainConfig, split: LabelSplit) -> None:
        """Refuse datasets, models and images that the metric cannot score.

        Few images are tried with random codes, so that a metric that cannot do with them says so
        now.
        """
        dataset, metric = config.dataset, self.metric
        if "factors" in metric.needs and not dataset.labelled:
            raise DataError(
                f"{self} reads labels, and those of {dataset} are not known. Take a fitness that "
                "needs none, such as udr."
            )
        if "logvar" in metric.needs and config.objective.expand().latent == "codes":
            raise SpecError(
                f"{self} draws from posteriors, and codes of {config.objective} have no noise. "
                "Take another metric."
            )
        if self.labels is not None and len(split.fitness) < self.labels:
            raise SpecError(
                f"{self} reads {self.labels:,} labels, and the split has {len(split.fitness):,}."
            )
        rows = self.rows(split)
        known = _factors(config, rows)
        if known is None:
            return
        space, factors = known
        shape = (len(rows), config.latents)
        others = self._protocols_for(factors, space, config.latents)
        if others:
            raise DataError(
                f"{self} cannot score {len(rows):,} images of {dataset}: metrics of protocol "
                f"{self.protocol} draw from the full grid of {space.size:,} combinations. "
                f"Protocols that take a part of it: {', '.join(others)}. Write "
                f"{dataclasses.replace(self, protocol=others[0])}."
            )
        try:
            check_rows(metric, factors, space, config.latents)
            if len(rows) <= _FEW:
                codes = np.random.default_rng(0).standard_normal(shape, np.float32)
                table = Representation(codes, factors, space, np.zeros(shape, np.float32))
                self._score(table, 0, None)
        except DataError as error:
            raise DataError(
                f"{self} cannot score {len(rows):,} images of {dataset}: {error}"
            ) from error

    def _protocols_for(
        self, factors: NDArray[np.int64], space: FactorSpace, latents: int
    ) -> list[str]:
        """Protocols whose settings take these rows, `fast` first, where its own take a grid alone.

        Empty where its own take these rows, or would take no other ones either.
        """

        def takes(metric: Metric) -> bool:
            try:
                check_rows(metric, factors, space, latents)
            except DataError:
                return False
            return True

        if getattr(self.metric, "compat", "none") == "none" or takes(self.metric):
            return []
        names = sorted(PROTOCOLS, key=lambda name: name != "fast")
        return [
            name
            for name in names
            if any(m.name == self.metric.name and takes(m) for m in PROTOCOLS[name].metrics)
        ]

    def measure(
        self,
        runs: Sequence[Run],
        split: LabelSplit,
        seed: int,
        progress: Progress | None = None,
    ) -> Measured:
        """The mean score of the models, and that of each."""
        dataset, rows, metric = runs[0].dataset, self.rows(split), self.metric
        space, factors = dataset.known_factors(rows)
        check_rows(metric, factors, space, runs[0].config.latents)
        found: list[Score | None] = []
        message = ""
        for run in runs:
            mean, logvar = encode(run, dataset, rows, progress)
            try:
                table = Representation(mean, factors, space, logvar)
                found.append(self._score(table, seed, progress))
            except DataError as error:
                # Whatever weights cannot change has been checked.
                found.append(None)
                message = message or f"Model {len(found) - 1}: {error}"
        sign = 1 if metric.higher_is_better else -1
        scores = [score for score in found if score is not None]
        further = (
            {metric.name: float(np.mean([score.value for score in scores]))} if scores else {}
        )
        for part in dict.fromkeys(name for score in scores for name in score.parts):
            numbers = [score.parts[part] for score in scores if part in score.parts]
            further[f"{metric.name}.{part}"] = float(np.mean(numbers))
        values = [None if score is None else sign * score.value for score in found]
        return Measured.of(values, further, message)

    def _score(self, table: Representation, seed: int, progress: Progress | None) -> Score:
        """The score of a table, as `metrics.evaluate` has it; what takes long is not said anew."""
        metric = self.metric
        draws = Draws(seed, metric.stream or metric.name)
        metric.prepare(table, draws, progress)
        return metric.score(table, draws)

    def _drawn(self) -> int | None:
        """How many rows the metric draws by itself; None for all that there are."""
        metric = self.metric
        if metric.of_all_rows:
            return None
        samples = getattr(metric, "samples", None)
        # Metrics of posteriors draw so many codes, and no rows.
        if isinstance(samples, int) and "logvar" not in metric.needs:
            return samples
        sizes = (getattr(metric, name, None) for name in ("train", "test"))
        numbers = [max(size) if isinstance(size, tuple) else size for size in sizes]
        drawn = sum(size for size in numbers if isinstance(size, int))
        return drawn or _ROWS


def _factors(
    config: TrainConfig, rows: NDArray[np.int64]
) -> tuple[FactorSpace, NDArray[np.int64]] | None:
    """Factors of images and their indices, (n, K); None where they are not there yet."""
    dataset = config.dataset
    if dataset.labelled and dataset.full_grid:
        return dataset.factor_space, dataset.factor_space.unravel(rows)
    return dataset.open().known_factors(rows) if dataset.ready() else None
