"""Scores of a table of codes. NumPy, SciPy and scikit-learn only."""

from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.dci.boosted import DCI
from unweave.metrics.dci.ease import DCIES
from unweave.metrics.dci.forest import DCIForest
from unweave.metrics.dci.hist import DCIHist
from unweave.metrics.dci.lasso import DCILasso
from unweave.metrics.dci.per_tree import DCIPerTree
from unweave.metrics.dci.probes import (
    ForestProbes,
    FourierProbes,
    NetworkProbes,
    ProbeFamily,
)
from unweave.metrics.downstream.accuracy import DownstreamLogistic, DownstreamTrees
from unweave.metrics.downstream.fairness import Fairness
from unweave.metrics.downstream.pairs import DownstreamPairs
from unweave.metrics.downstream.predictors import BoostedTrees, LogisticCV, Predictor
from unweave.metrics.downstream.reduced import ReducedDownstream
from unweave.metrics.downstream.strong import StrongDownstream
from unweave.metrics.draws import Draws
from unweave.metrics.evaluate import evaluate
from unweave.metrics.information.dcimig import DCIMIG
from unweave.metrics.information.edi import EDI
from unweave.metrics.information.estimators import (
    Distinct,
    Histogram,
    InformationEstimator,
    NearestNeighbours,
    PosteriorSampling,
)
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
from unweave.metrics.interval import ScoreInterval
from unweave.metrics.interventional.beta_vae import BetaVAEScore
from unweave.metrics.interventional.factor_vae import FactorVAEScore
from unweave.metrics.interventional.irs import IRS
from unweave.metrics.label_free.udr import UDR, udr
from unweave.metrics.label_free.unsupervised import Unsupervised
from unweave.metrics.posterior.aam import AAM
from unweave.metrics.posterior.mig_sampled import MIGSampled
from unweave.metrics.posterior.separability import WINDIN, WSEPIN
from unweave.metrics.predictive.mcc import MCC
from unweave.metrics.predictive.modularity_explicitness import ModularityExplicitness
from unweave.metrics.predictive.sap import SAP
from unweave.metrics.predictive.sap_continuous import SAPContinuous
from unweave.metrics.protocols import PROTOCOLS, metrics_of
from unweave.metrics.table import table_from_arrays, table_without_factors

__all__ = [
    "AAM",
    "DCI",
    "DCIES",
    "DCIMIG",
    "EDI",
    "IRS",
    "JEMMIG",
    "MCC",
    "MED",
    "MIG",
    "NMIG",
    "PROTOCOLS",
    "RMIG",
    "SAP",
    "UDR",
    "WINDIN",
    "WSEPIN",
    "BetaVAEScore",
    "BoostedTrees",
    "DCIForest",
    "DCIHist",
    "DCILasso",
    "DCIPerTree",
    "Distinct",
    "DownstreamLogistic",
    "DownstreamPairs",
    "DownstreamTrees",
    "Draws",
    "FactorLeakage",
    "FactorVAEScore",
    "Fairness",
    "ForestProbes",
    "FourierProbes",
    "Histogram",
    "InfoC",
    "InfoE",
    "InfoM",
    "InformationEstimator",
    "LogisticCV",
    "MIGSampled",
    "MIGSup",
    "Matrix",
    "Metric",
    "Minimality",
    "Modularity",
    "ModularityExplicitness",
    "NearestNeighbours",
    "NetworkProbes",
    "PosteriorSampling",
    "Predictor",
    "ProbeFamily",
    "ReducedDownstream",
    "SAPContinuous",
    "Score",
    "ScoreInterval",
    "StrongDownstream",
    "Sufficiency",
    "Unsupervised",
    "evaluate",
    "metrics_of",
    "table_from_arrays",
    "table_without_factors",
    "udr",
]
