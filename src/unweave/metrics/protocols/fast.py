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
