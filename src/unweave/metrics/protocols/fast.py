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
    "The classic set for a quick look: of 100,000 images at most, encoded in bfloat16 where the "
    "processor has it.",
    (
        MIG(bins=20, samples=10_000),
        SAP(train=10_000, test=5_000),
        SAPContinuous(samples=10_000),
        ModularityExplicitness(bins=20, train=10_000, test=5_000),
        DCI(train=10_000, test=5_000),
        BetaVAEScore(train=10_000, test=5_000),
        FactorVAEScore(train=10_000, test=5_000, variance_samples=10_000),
        IRS(bins=20, samples=10_000),
        Unsupervised(bins=20, samples=10_000),
    ),
    encode="auto",
    images=100_000,
)
