"""The protocol of the Lie group VAE."""

from __future__ import annotations

__all__ = ["CLG"]

from unweave.metrics.beta_vae import BetaVAEScore
from unweave.metrics.dci import DCI
from unweave.metrics.factor_leakage import FactorLeakage
from unweave.metrics.factor_vae import FactorVAEScore
from unweave.metrics.information_estimators import Histogram
from unweave.metrics.mig import MIG
from unweave.metrics.modularity_explicitness import ModularityExplicitness
from unweave.metrics.protocols.base import Protocol
from unweave.metrics.sap_continuous import SAPContinuous
from unweave.metrics.unsupervised import Unsupervised

CLG = Protocol(
    "clg",
    1,
    "As the Lie group VAE's code scores models (Zhu et al., 2021): 1,000 rows but for "
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
    ),
)
