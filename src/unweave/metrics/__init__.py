"""Scores of a table of codes. NumPy, SciPy and scikit-learn only."""

from unweave.metrics.aam import AAM
from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.evaluate import evaluate
from unweave.metrics.mig import MIG
from unweave.metrics.mig_sampled import MIGSampled
from unweave.metrics.protocols import PROTOCOLS, metrics_of

__all__ = [
    "AAM",
    "MIG",
    "PROTOCOLS",
    "Draws",
    "MIGSampled",
    "Matrix",
    "Metric",
    "Score",
    "evaluate",
    "metrics_of",
]
