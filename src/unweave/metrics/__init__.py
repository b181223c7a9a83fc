"""Scores of a table of codes. NumPy, SciPy and scikit-learn only."""

from unweave.metrics.aam import AAM
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.beta_vae import BetaVAEScore
from unweave.metrics.dci import DCI
from unweave.metrics.dci_forest import DCIForest
from unweave.metrics.dci_hist import DCIHist
from unweave.metrics.dci_lasso import DCILasso
from unweave.metrics.dci_per_tree import DCIPerTree
from unweave.metrics.dcimig import DCIMIG
from unweave.metrics.downstream import DownstreamLogistic, DownstreamTrees
from unweave.metrics.draws import Draws
from unweave.metrics.edi import EDI
from unweave.metrics.evaluate import evaluate
from unweave.metrics.factor_leakage import FactorLeakage
from unweave.metrics.factor_vae import FactorVAEScore
from unweave.metrics.fairness import Fairness
from unweave.metrics.info_e import InfoE
from unweave.metrics.infomec import InfoC, InfoM
from unweave.metrics.information_estimators import (
    Distinct,
    Histogram,
    InformationEstimator,
    NearestNeighbours,
    PosteriorSampling,
)
from unweave.metrics.interval import ScoreInterval
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
from unweave.metrics.predictors import BoostedTrees, LogisticCV, Predictor
from unweave.metrics.protocols import PROTOCOLS, metrics_of
from unweave.metrics.reduced_downstream import ReducedDownstream
from unweave.metrics.rmig import RMIG
from unweave.metrics.sap import SAP
from unweave.metrics.sap_continuous import SAPContinuous
from unweave.metrics.separability import WINDIN, WSEPIN
from unweave.metrics.strong_downstream import StrongDownstream
from unweave.metrics.table import table_from_arrays
from unweave.metrics.udr import UDR, udr
from unweave.metrics.unsupervised import Unsupervised

__all__ = [
    "AAM",
    "DCI",
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
    "DownstreamTrees",
    "Draws",
    "FactorLeakage",
    "FactorVAEScore",
    "Fairness",
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
    "PosteriorSampling",
    "Predictor",
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
    "udr",
]
