"""The protocol of the Lie group VAE."""

from __future__ import annotations

__all__ = ["CLG"]

from unweave.metrics.dci.boosted import DCI
from unweave.metrics.downstream.pairs import DownstreamPairs
from unweave.metrics.information.estimators import Histogram
from unweave.metrics.information.factor_leakage import FactorLeakage
from unweave.metrics.information.mig import MIG
from unweave.metrics.interventional.beta_vae import BetaVAEScore
from unweave.metrics.interventional.factor_vae import FactorVAEScore
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.metrics.predictive.modularity_explicitness import ModularityExplicitness
from unweave.metrics.predictive.sap_continuous import SAPContinuous
from unweave.metrics.protocols.base import Protocol

CLG = Protocol(
    "clg",
    1,
    "As the Lie group VAE's code scores models (Zhu et al., 2021): 1,000 rows or pairs but for "
    "FactorVAE, and no first factor in MIG and factor leakage.",
    (
        FactorVAEScore(train=10_000, test=5_000, variance_samples=10_000, prune_std=0.1),
        BetaVAEScore(train=1_000, test=1_000, batch=5, penalised=False),
        MIG(bins=20, samples=1_000, skip=1),
        DCI(train=1_000, test=1_000),
        ModularityExplicitness(bins=20, train=1_000, test=1_000),
        SAPContinuous(samples=1_000),
        Unsupervised(bins=20, samples=1_000),
        FactorLeakage(estimator=Histogram(bins=20), samples=1_000, skip=1),
        DownstreamPairs(pairs=1_000, test_pairs=1_000, compat="clg"),
    ),
)
