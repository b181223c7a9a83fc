"""Scores of a table of codes. NumPy, SciPy and scikit-learn only."""

from unweave.metrics.base import Matrix, Metric, Score
from unweave.metrics.evaluate import evaluate
from unweave.metrics.mig import MIG
from unweave.metrics.protocols import PROTOCOLS, metrics_of

__all__ = ["MIG", "PROTOCOLS", "Matrix", "Metric", "Score", "evaluate", "metrics_of"]
