"""The protocol for a quick look."""

from __future__ import annotations

__all__ = ["FAST"]

from unweave.metrics.beta_vae import BetaVAEScore
from unweave.metrics.dci import DCI
from unweave.metrics.factor_vae import FactorVAEScore
from unweave.metrics.irs import IRS
from unweave.metrics.mig import MIG
from unweave.metrics.modularity_explicitness import ModularityExplicitness
from unweave.metrics.protocols.base import Protocol
from unweave.metrics.sap import SAP
from unweave.metrics.sap_continuous import SAPContinuous
from unweave.metrics.unsupervised import Unsupervised

FAST = Protocol(
    "fast",
    1,
    "The classic set on smaller samples, for a quick look: images encoded in bfloat16 where the "
    "processor has it, and predictors fitted to 2,000 rows.",
    (
        MIG(bins=20, samples=10_000),
        SAP(train=2_000, test=2_000),
        SAPContinuous(samples=10_000),
        ModularityExplicitness(bins=20, train=2_000, test=2_000),
        DCI(train=2_000, test=2_000),
        BetaVAEScore(train=2_000, test=2_000),
        FactorVAEScore(train=2_000, test=2_000, variance_samples=10_000),
        IRS(bins=20, samples=10_000),
        Unsupervised(bins=20, samples=10_000),
    ),
    encode="auto",
)
