"""DCI by random forests."""

from __future__ import annotations

__all__ = ["DCIForest"]

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, final

import numpy as np

from unweave.metrics.dci.metric import Fitted, ImportanceMetric, Task
from unweave.metrics.solvers import fit, random_forest
from unweave.metrics.threads import cores
from unweave.spec import number, option

if TYPE_CHECKING:
    from unweave.progress import Progress


@final
class DCIForest(ImportanceMetric):
    """Disentanglement, completeness and informativeness by random forests of limited depth.

    The scores of `dci`, with the importances of scikit-learn's `RandomForestClassifier`: impurity
    gains, every tree brought to the sum 1. Its numbers are not those of `dci`; they may differ by
    more than 0.1. Published as the DCI of the line of QLAE and Tripod; Tripod's trees split by
    entropy, as in protocol `tripod2024`.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
        |
        | Tripod (Hsu et al., 2024)
        | https://arxiv.org/abs/2404.10282
    """

    name: ClassVar[str] = "dci_forest"
    source: ClassVar[str] = (
        "Eastwood & Williams, 2018; forests of depth 10: Hsu et al., 2024, arXiv 2404.10282"
    )
    label: ClassVar[str] = "importance in a random forest"

    size: int = number(default=100, low=1, help="Trees of each forest.")
    depth: int = number(default=10, low=1, help="Largest depth of a tree.")
    criterion: Literal["gini", "entropy"] = option(
        default="gini", help="The impurity that splits reduce; importances are shares of that."
    )

    def fit(self, task: Task, progress: Progress | None) -> Sequence[Fitted]:
        """A forest for every factor."""
        fitted = []
        for labels, found in zip(task.labels.T, task.test_labels.T, strict=True):
            unfitted = self._forest(self.size, len(labels), task.random_state)
            forest = fit(unfitted, task.codes, labels)
            fitted.append(
                Fitted(
                    importances=np.asarray(forest.feature_importances_, np.float64),
                    train=float(np.mean(forest.predict(task.codes) == labels)),
                    test=float(np.mean(forest.predict(task.test_codes) == found)),
                )
            )
            if progress is not None:
                progress("trees", self.size * len(fitted), self.trees(task))
        return fitted

    def trees(self, task: Task) -> int:
        """How many are grown."""
        return self.size * len(task.columns)

    def seconds(self, task: Task) -> float:
        """How long that takes, from a small forest for each factor."""
        begun = time.perf_counter()
        few = min(self.size, 2 * cores())
        for labels in task.labels.T:
            unfitted = self._forest(few, len(labels), np.random.RandomState(0))
            fit(unfitted, task.codes, labels)
        return (time.perf_counter() - begun) * self.size / few

    def _forest(self, size: int, rows: int, random_state: np.random.RandomState) -> Any:
        return random_forest(size, self.depth, rows, random_state, self.criterion)
