"""DCI by gradient boosting on histograms, which is faster than exact trees."""

from __future__ import annotations

__all__ = ["DCIHist", "histogram_importances"]

import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.dci.metric import Fitted, ImportanceMetric, Task
from unweave.metrics.solvers import fit
from unweave.metrics.trees.boosting import trees_of
from unweave.spec import number

if TYPE_CHECKING:
    from unweave.progress import Progress


@final
class DCIHist(ImportanceMetric):
    """Disentanglement, completeness and informativeness by boosting on histograms.

    The scores of `dci`, with scikit-learn's `HistGradientBoostingClassifier` on latents that are
    cut into at most 255 bins, and trees of depth 3. It has no importances of its own: that of a
    latent is its share of the gains of all splits, which are gains of the loss to second order.
    Its numbers are not those of `dci`.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
    """

    name: ClassVar[str] = "dci_hist"
    source: ClassVar[str] = "Eastwood & Williams, 2018; importances as defined here"
    label: ClassVar[str] = "importance in boosted trees on histograms"

    stages: int = number(default=100, low=1, help="Trees for each value of a factor.")
    depth: int = number(default=3, low=1, help="Largest depth of a tree.")

    def fit(self, task: Task, progress: Progress | None) -> Sequence[Fitted]:
        """Boosted trees for every factor."""
        done, fitted = 0, []
        for labels, found in zip(task.labels.T, task.test_labels.T, strict=True):
            with _one_thread():
                model = fit(self._model(self.stages), task.codes, labels)
                right = model.predict(task.codes) == labels
                right_test = model.predict(task.test_codes) == found
            fitted.append(
                Fitted(
                    importances=histogram_importances(model),
                    train=float(np.mean(right)),
                    test=float(np.mean(right_test)),
                )
            )
            done += trees_of(len(np.unique(labels)), self.stages)
            if progress is not None:
                progress("trees", done, self.trees(task))
        return fitted

    def trees(self, task: Task) -> int:
        """How many are grown."""
        return sum(trees_of(len(np.unique(column)), self.stages) for column in task.labels.T)

    def seconds(self, task: Task) -> float:
        """How long that takes, from a few stages for the factor with most values."""
        labels = max(task.labels.T, key=lambda column: len(np.unique(column)))
        few = min(self.stages, 3)
        begun = time.perf_counter()
        with _one_thread():
            fit(self._model(few), task.codes, labels)
        seconds = time.perf_counter() - begun
        return seconds * self.trees(task) / trees_of(len(np.unique(labels)), few)

    def _model(self, stages: int) -> Any:
        from sklearn.ensemble import HistGradientBoostingClassifier

        # Nothing is drawn: there is no early stopping and no subsampling.
        return HistGradientBoostingClassifier(
            max_iter=stages,
            max_depth=self.depth,
            max_leaf_nodes=None,
            early_stopping=False,
            random_state=0,
        )


def _one_thread() -> AbstractContextManager[Any]:
    """Its threads spin while they wait: on a busy machine two take fifty times as long as one."""
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[Any] = threadpool_limits(limits=1, user_api="openmp")
    return limits


def histogram_importances(model: Any) -> NDArray[np.float64]:
    """Share of each feature in the gains of all splits of a fitted histogram booster, (L,).

    Args:
        model: A `HistGradientBoostingClassifier` or `HistGradientBoostingRegressor`.
    """
    total = np.zeros(model.n_features_in_)
    # Not public, and the only place where the gains are.
    for stage in model._predictors:
        for predictor in stage:
            nodes = predictor.nodes[~predictor.nodes["is_leaf"].astype(bool)]
            np.add.at(total, nodes["feature_idx"], np.maximum(nodes["gain"], 0.0))
    return total / total.sum() if total.sum() > 0 else total
