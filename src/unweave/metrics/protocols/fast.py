"""The protocol for a quick look."""

from __future__ import annotations

__all__ = ["FAST"]

from unweave.metrics.dci.boosted import DCI
from unweave.metrics.information.mig import MIG
from unweave.metrics.interventional.beta_vae import BetaVAEScore
from unweave.metrics.interventional.factor_vae import FactorVAEScore
from unweave.metrics.interventional.irs import IRS
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.metrics.predictive.modularity_explicitness import ModularityExplicitness
from unweave.metrics.predictive.sap import SAP
from unweave.metrics.predictive.sap_continuous import SAPContinuous
from unweave.metrics.protocols.base import Protocol

FAST = Protocol(
    "fast",
    1,
    "The classic set for a quick look: as in protocol unweave, but of 100,000 images at most, "
    "encoded in bfloat16 where the processor has it.",
    (
        MIG(bins=20),
        SAP(),
        SAPContinuous(),
        ModularityExplicitness(),
        DCI(),
        BetaVAEScore(),
        FactorVAEScore(),
        IRS(),
        Unsupervised(),
    ),
    encode="auto",
    images=100_000,
)
