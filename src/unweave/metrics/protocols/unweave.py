"""Our own protocols."""

from __future__ import annotations

__all__ = ["FULL", "UNWEAVE"]

from unweave.metrics.aam import AAM
from unweave.metrics.beta_vae import BetaVAEScore
from unweave.metrics.dci import DCI
from unweave.metrics.dci_forest import DCIForest
from unweave.metrics.dci_hist import DCIHist
from unweave.metrics.dci_lasso import DCILasso
from unweave.metrics.dci_per_tree import DCIPerTree
from unweave.metrics.dcimig import DCIMIG
from unweave.metrics.downstream import DownstreamLogistic, DownstreamTrees
from unweave.metrics.edi import EDI
from unweave.metrics.factor_leakage import FactorLeakage
from unweave.metrics.factor_vae import FactorVAEScore
from unweave.metrics.fairness import Fairness
from unweave.metrics.info_e import InfoE
from unweave.metrics.infomec import InfoC, InfoM
from unweave.metrics.irs import IRS
from unweave.metrics.jemmig import JEMMIG
from unweave.metrics.mcc import MCC
from unweave.metrics.med import MED
from unweave.metrics.mig import MIG
from unweave.metrics.mig_sampled import MIGSampled
from unweave.metrics.mig_sup import MIGSup
from unweave.metrics.minimality import Minimality, Sufficiency
from unweave.metrics.modularity import Modularity
from unweave.metrics.modularity_explicitness import ModularityExplicitness
from unweave.metrics.nmig import NMIG
from unweave.metrics.protocols.base import Protocol
from unweave.metrics.reduced_downstream import ReducedDownstream
from unweave.metrics.rmig import RMIG
from unweave.metrics.sap import SAP
from unweave.metrics.sap_continuous import SAPContinuous
from unweave.metrics.separability import WINDIN, WSEPIN
from unweave.metrics.strong_downstream import StrongDownstream
from unweave.metrics.unsupervised import Unsupervised

# Importances of latents for predictors of the factors; all but the linear one take long.
_IMPORTANCE = (DCILasso(), DCI(), DCIPerTree(), DCIForest(), DCIHist())

# Functions of what each latent knows of each factor, as they are by default.
_INFORMATION = (
    MIGSup(),
    RMIG(),
    JEMMIG(),
    DCIMIG(),
    NMIG(),
    Modularity(),
    Minimality(),
    Sufficiency(),
    MED(),
    FactorLeakage(),
    InfoM(),
    InfoC(),
    InfoE(),
    EDI(),
    MCC(),
)

# What predictors make of codes.
_DOWNSTREAM = (
    DownstreamTrees(),
    DownstreamLogistic(),
    StrongDownstream(),
    ReducedDownstream(),
    Fairness(),
)

UNWEAVE = Protocol(
    "unweave",
    1,
    "All rows of the part that is scored.",
    (
        MIG(bins=20),
        SAP(),
        SAPContinuous(),
        ModularityExplicitness(),
        *_IMPORTANCE,
        MIGSampled(),
        AAM(),
        BetaVAEScore(),
        FactorVAEScore(),
        IRS(),
        Unsupervised(),
        *_INFORMATION,
        WSEPIN(),
        WINDIN(),
        *_DOWNSTREAM,
    ),
)

FULL = Protocol(
    "full",
    1,
    "Nothing is left out to save time: every image counts in every density.",
    (
        MIG(bins=20),
        SAP(),
        SAPContinuous(),
        ModularityExplicitness(),
        *_IMPORTANCE,
        MIGSampled(components="all"),
        AAM(components="all"),
        BetaVAEScore(),
        FactorVAEScore(),
        IRS(),
        Unsupervised(),
        *_INFORMATION,
        WSEPIN(samples=10_000, components="all"),
        WINDIN(samples=10_000, components="all"),
        *_DOWNSTREAM,
    ),
)
