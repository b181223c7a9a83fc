"""Disentanglement, completeness and informativeness by gradient boosted trees."""

from __future__ import annotations

__all__ = [
    "DCI",
    "BoostedImportanceMetric",
    "count_boosted",
    "fit_boosted",
    "time_boosted",
]

import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from unweave.metrics.dci.metric import Fitted, ImportanceMetric, Task
from unweave.metrics.sampling import Compat
from unweave.metrics.threads import cores, cores_for, mapping
from unweave.metrics.trees.boosting import (
    STAGES,
    WORTH_THREADS,
    boost,
    boost_2019,
    draw_seeds,
    trees_of,
)
from unweave.metrics.trees.regression import Presorted
from unweave.spec import number

if TYPE_CHECKING:
    from unweave.progress import Progress


class BoostedImportanceMetric(ImportanceMetric):
    """A metric of importances in boosted trees; those of equal settings share the trees."""

    source: ClassVar[str] = (
        "Eastwood & Williams, 2018; boosted trees: Locatello et al., 2019, arXiv 1811.12359"
    )
    stream: ClassVar[str] = "dci"

    stages: int = number(default=STAGES, low=1, help="Trees for each value of a factor.")

    def fit(self, task: Task, progress: Progress | None) -> Sequence[Fitted]:
        """Boosted trees for every factor."""
        return fit_boosted(task, self.stages, self.compat, progress)

    def trees(self, task: Task) -> int:
        """How many are grown."""
        return count_boosted(task, self.stages)

    def seconds(self, task: Task) -> float:
        """How long that takes, from a few stages."""
        return time_boosted(task, self.stages, self.compat)


@final
class DCI(BoostedImportanceMetric):
    r"""How much each latent matters to one factor alone, to boosted trees that predict factors.

    Trees of scikit-learn's `GradientBoostingClassifier` at its defaults predict each factor from
    all latents. The importance of a latent for a factor is its share of what their splits gain.

    - `disentanglement`, the headline: of each latent, one minus the entropy of its importances
      for the factors; the mean with the sums of the importances as weights.
    - `completeness`: the same of each factor, with its importances of the latents.
    - `informativeness_train` and `informativeness_test`: share of right labels, mean over factors.

    Degenerate input: a factor that is constant in the rows fitted is left out; a latent without
    any importance has no weight; the entropy of completeness is relative to that of all latents,
    dead ones too. Where one factor varies, latents have nothing to share out, and disentanglement
    is 1 unless no latent matters; so is completeness where there is one latent.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
        |
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "dci"
    label: ClassVar[str] = "importance in boosted trees"


def fit_boosted(
    task: Task, stages: int, compat: Compat, progress: Progress | None = None
) -> list[Fitted]:
    """Boosted trees for every factor, on all cores, with draws of the task's one stream.

    Args:
        task: Codes and labels.
        stages: Trees for each value of a factor.
        compat: dlib2019 for trees as scikit-learn 0.20 grew them.
        progress: Shows how many trees have grown.
    """
    done, total = 0, count_boosted(task, stages)
    lock = threading.Lock()

    def tick(trees: int) -> None:
        nonlocal done
        with lock:
            done += trees
            if progress is not None:
                progress("trees", done, total)

    presorted = Presorted(task.codes)
    factors = [(labels, draw_seeds(task.random_state, labels, stages)) for labels in task.labels.T]
    with mapping(cores_for(task.codes.size, WORTH_THREADS)) as mapped:
        if compat == "dlib2019":
            # Its trees wait for one another, so that only factors can grow side by side.
            boosted = mapped(
                lambda each: boost_2019(presorted, each[0], task.test_codes, each[1], tick),
                factors,
            )
        else:
            boosted = (
                boost(presorted, labels, task.test_codes, seeds, mapped, tick)
                for labels, seeds in factors
            )
        return [
            Fitted(
                importances=each.importances,
                train=float(np.mean(each.train == labels)),
                test=float(np.mean(each.test == found)),
                per_tree=each.per_tree,
            )
            for each, labels, found in zip(boosted, task.labels.T, task.test_labels.T, strict=True)
        ]


def count_boosted(task: Task, stages: int) -> int:
    """How many trees `fit_boosted` grows."""
    return sum(trees_of(len(np.unique(column)), stages) for column in task.labels.T)


def time_boosted(task: Task, stages: int, compat: Compat) -> float:
    """Seconds that `fit_boosted` takes, from two stages of the factor with most values."""
    most = max(task.labels.T, key=lambda column: len(np.unique(column)))
    few = replace(
        task,
        labels=most[:, None],
        test_labels=task.test_labels[:, :1],
        random_state=np.random.RandomState(0),
    )
    begun = time.perf_counter()
    fit_boosted(few, 2, compat)
    seconds = time.perf_counter() - begun
    if compat == "dlib2019":
        # One factor occupies one core.
        seconds /= min(cores(), len(task.columns))
    return seconds * count_boosted(task, stages) / count_boosted(few, 2)
