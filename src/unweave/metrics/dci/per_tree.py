"""DCI with the importances of every tree brought to the sum 1 before they are averaged."""

from __future__ import annotations

__all__ = ["DCIPerTree"]

from typing import ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.dci.boosted import BoostedImportanceMetric
from unweave.metrics.dci.metric import Fitted


@final
class DCIPerTree(BoostedImportanceMetric):
    """`dci` with importances as scikit-learn averaged them before version 0.20.

    Each tree counts alike, however little is left for it to gain, so that late trees, which fit
    noise, weigh as much as the first: scores of noisy codes are much lower. It shares the trees
    of `dci`.

    References:
        | A Framework for the Quantitative Evaluation of Disentangled Representations
        | (Eastwood & Williams, 2018)
        |
        | Challenging Common Assumptions in the Unsupervised Learning of Disentangled
        | Representations (Locatello et al., 2019)
        | https://arxiv.org/abs/1811.12359
    """

    name: ClassVar[str] = "dci_per_tree"
    label: ClassVar[str] = "importance in boosted trees, every tree alike"

    def importances(self, fitted: Fitted) -> NDArray[np.float64]:
        """The importances that are scored, (L,)."""
        assert fitted.per_tree is not None
        return fitted.per_tree
