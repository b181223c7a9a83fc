"""Codes of the same images by several runs, and which of their latents match."""

from __future__ import annotations

__all__ = ["Coded", "RunMatch", "coded_runs", "images_for", "match_runs", "shared_dataset"]

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.comparison.matching import Matching, match_latents
from unweave.comparison.opening import Compared
from unweave.data import Dataset, Progress
from unweave.data.numbering import numbered_as
from unweave.encoding import encode_rows
from unweave.errors import DataError, SpecError
from unweave.figures.names import latent_names
from unweave.ranking.codes import mean_kl, shared_rows
from unweave.run import Run
from unweave.run.asked import asked_spec, check_told


@final
@dataclass(frozen=True, eq=False)
class Coded:
    """What a run makes of the images that all runs see.

    Attributes:
        run: The run.
        mean: Posterior means, (N, L) float32.
        kl: Mean KL of each latent in nats, (L,); None where codes have no noise.
        factors: The factor that each latent follows, where the run's scores say so clearly, (L,).
    """

    run: Compared
    mean: NDArray[np.float32]
    kl: NDArray[np.float64] | None
    factors: tuple[str | None, ...]


@final
@dataclass(frozen=True, eq=False)
class RunMatch:
    """Latents of the first run matched with those of another one.

    Attributes:
        first: Codes of the first run.
        second: Codes of the other one.
        matching: Which latent goes with which, and how well.
    """

    first: Coded
    second: Coded
    matching: Matching

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        first, second = (np.flatnonzero(~used).tolist() for used in self.matching.used)
        left = self.matching.unmatched()
        return {
            "first": self.first.run.letter,
            "second": self.second.run.letter,
            "correlation": self.matching.correlation,
            "mean": self.matching.mean,
            "pairs": [
                pair.to_dict()
                | {
                    "first_factor": self.first.factors[pair.first],
                    "second_factor": self.second.factors[pair.second],
                }
                for pair in self.matching.pairs
            ],
            "unmatched": {"first": left[0], "second": left[1]},
            "unused": {"first": first, "second": second},
        }


def shared_dataset(
    runs: Sequence[Compared], left_out: dict[str, str], progress: Progress | None = None
) -> Dataset | None:
    """The dataset whose images runs are shown: that of the first run whose images are there.

    Runs of other images than most have, by their shape, come last; of shapes that equally many
    have, that of the first run goes before.

    Args:
        runs: The runs.
        left_out: Where it is said that no images can be had.
        progress: Shows its preparation.
    """
    reasons: list[str] = []
    shapes = Counter(each.run.config.dataset.image_shape for each in runs)
    # A stable order: among equally many, the one that is met first.
    for each in sorted(runs, key=lambda each: -shapes[each.run.config.dataset.image_shape]):
        try:
            return each.run.config.dataset.open(progress)
        except DataError as error:
            if str(error) not in reasons:
                reasons.append(str(error))
    left_out["the same images, and latents matched"] = " ".join(reasons)
    return None


def images_for(run: Run, dataset: Dataset) -> Dataset:
    """Images of a dataset as a run can be shown them: with labels numbered as in its training.

    Raises:
        DataError: They have another shape than those that it was trained on, or a model that is
            told labels, or given true factors, has not learnt these.
    """
    if run.config.dataset == dataset.spec:
        return dataset
    try:
        asked_spec(run.config, dataset.spec)
        check_told(run.config, dataset)
        if run.model.conditions is not None:
            return numbered_as(dataset, run.config.dataset.factor_space)
    except SpecError as error:
        raise DataError(str(error)) from error
    return dataset


def coded_runs(
    runs: Sequence[Compared],
    dataset: Dataset,
    images: int,
    left_out: dict[str, str],
    *,
    seed: int = 0,
    progress: Progress | None = None,
) -> list[Coded]:
    """Codes of the same images by each run that has an encoder and can be shown them.

    Args:
        runs: The runs.
        dataset: Where the images come from.
        images: How many; all of them if there are fewer.
        left_out: Where it is said which run has no codes, and why.
        seed: Which images those are.
        progress: Shows the encoding.
    """
    flat = shared_rows(dataset, images, seed, "none")
    found = []
    for each in runs:
        run, model = each.run, each.run.model
        try:
            if not model.encodes:
                raise DataError(
                    "It is a decoder that is given true factors, and has no latents to match."
                )
            shown = images_for(run, dataset)
            mean = np.empty((len(flat), model.latents), np.float32)
            logvar = None if model.deterministic else np.empty_like(mean)
            encode_rows(model, shown, flat, mean, logvar, progress)
            if not np.isfinite(mean).all():
                raise DataError("Its codes are not finite.")
            kl = None if logvar is None else mean_kl(mean, logvar, "none")
        except DataError as error:
            left_out[f"latents of {each.letter}"] = str(error)
            continue
        data = str(run.config.dataset)
        factors = latent_names(run.folder, model.latents, run.step, data)
        found.append(Coded(each, mean, kl, tuple(factors)))
    return found


def match_runs(coded: Sequence[Coded]) -> tuple[RunMatch, ...]:
    """Latents of the first run matched with those of each other one."""
    if not coded:
        return ()
    first, *others = coded
    return tuple(
        RunMatch(first, other, match_latents(first.mean, other.mean, kl=(first.kl, other.kl)))
        for other in others
    )
