"""Disentanglement, completeness and informativeness by gradient boosted trees."""

from __future__ import annotations

__all__ = ["DCI", "fit_boosted", "time_boosted"]

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ClassVar, final

import numpy as np

from unweave.metrics.boosting import boost, trees_of
from unweave.metrics.dci_metric import Fitted, ImportanceMetric, Task
from unweave.metrics.regression_trees import Presorted
from unweave.metrics.threads import cores

if TYPE_CHECKING:
    from unweave.data.store import Progress


@final
class DCI(ImportanceMetric):
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
    source: ClassVar[str] = (
        "Eastwood & Williams, 2018; boosted trees: Locatello et al., 2019, arXiv 1811.12359"
    )
    stream: ClassVar[str] = "dci"
    label: ClassVar[str] = "importance in boosted trees"

    def fit(self, task: Task, progress: Progress | None) -> Sequence[Fitted]:
        """Boosted trees for every factor."""
        return fit_boosted(task, progress)

    def trees(self, task: Task) -> int:
        """How many are grown."""
        return _trees(task)

    def seconds(self, task: Task) -> float:
        """How long that takes, from a few stages."""
        return time_boosted(task)


def fit_boosted(task: Task, progress: Progress | None = None) -> list[Fitted]:
    """Boosted trees for one factor after the other, all with draws of the task's one stream."""
    done, total = 0, _trees(task)

    def tick(trees: int) -> None:
        nonlocal done
        done += trees
        if progress is not None:
            progress("trees", done, total)

    presorted = Presorted(task.codes)
    fitted = []
    with ThreadPoolExecutor(cores()) as pool:
        for labels, found in zip(task.labels.T, task.test_labels.T, strict=True):
            boosted = boost(presorted, labels, task.test_codes, task.random_state, pool, tick)
            fitted.append(
                Fitted(
                    importances=boosted.importances,
                    train=float(np.mean(boosted.train == labels)),
                    test=float(np.mean(boosted.test == found)),
                    per_tree=boosted.per_tree,
                )
            )
    return fitted


def time_boosted(task: Task) -> float:
    """Seconds that `fit_boosted` takes, from two stages of the factor with most values."""
    labels = max(task.labels.T, key=lambda column: len(np.unique(column)))
    random_state = np.random.RandomState(0)
    begun = time.perf_counter()
    presorted = Presorted(task.codes)
    with ThreadPoolExecutor(cores()) as pool:
        boost(presorted, labels, task.test_codes, random_state, pool, stages=2)
    seconds = time.perf_counter() - begun
    return seconds * _trees(task) / trees_of(len(np.unique(labels)), 2)


def _trees(task: Task) -> int:
    return sum(trees_of(len(np.unique(column))) for column in task.labels.T)
