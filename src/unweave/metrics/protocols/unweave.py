"""Our own protocols."""

from __future__ import annotations

__all__ = ["FULL", "UNWEAVE"]

from unweave.metrics.dci.boosted import DCI
from unweave.metrics.dci.ease import DCIES
from unweave.metrics.dci.forest import DCIForest
from unweave.metrics.dci.hist import DCIHist
from unweave.metrics.dci.lasso import DCILasso
from unweave.metrics.dci.per_tree import DCIPerTree
from unweave.metrics.downstream.accuracy import DownstreamLogistic, DownstreamTrees
from unweave.metrics.downstream.fairness import Fairness
from unweave.metrics.downstream.pairs import DownstreamPairs
from unweave.metrics.downstream.reduced import ReducedDownstream
from unweave.metrics.downstream.strong import StrongDownstream
from unweave.metrics.information.dcimig import DCIMIG
from unweave.metrics.information.edi import EDI
from unweave.metrics.information.factor_leakage import FactorLeakage
from unweave.metrics.information.info_e import InfoE
from unweave.metrics.information.infomec import InfoC, InfoM
from unweave.metrics.information.jemmig import JEMMIG
from unweave.metrics.information.med import MED
from unweave.metrics.information.mig import MIG
from unweave.metrics.information.mig_sup import MIGSup
from unweave.metrics.information.minimality import Minimality, Sufficiency
from unweave.metrics.information.modularity import Modularity
from unweave.metrics.information.nmig import NMIG
from unweave.metrics.information.rmig import RMIG
from unweave.metrics.interventional.beta_vae import BetaVAEScore
from unweave.metrics.interventional.factor_vae import FactorVAEScore
from unweave.metrics.interventional.irs import IRS
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.metrics.posterior.aam import AAM
from unweave.metrics.posterior.mig_sampled import MIGSampled
from unweave.metrics.posterior.separability import WINDIN, WSEPIN
from unweave.metrics.predictive.mcc import MCC
from unweave.metrics.predictive.modularity_explicitness import ModularityExplicitness
from unweave.metrics.predictive.sap import SAP
from unweave.metrics.predictive.sap_continuous import SAPContinuous
from unweave.metrics.protocols.base import Protocol

# Importances of latents for predictors of the factors; all but the linear one take long.
_IMPORTANCE = (DCILasso(), DCI(), DCIPerTree(), DCIForest(), DCIHist(), DCIES())

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
    DownstreamPairs(),
    StrongDownstream(),
    ReducedDownstream(),
    Fairness(),
)

UNWEAVE = Protocol(
    "unweave",
    1,
    "Every metric at its defaults: all rows of the part that is scored, or as many as it draws.",
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
    "As unweave, but every image counts in every density of posteriors.",
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
