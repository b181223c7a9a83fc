"""Whether more of a score is better."""

from __future__ import annotations

__all__ = ["higher_is_better"]

from unweave.metrics import Metric
from unweave.spec import members

# Timings, which are no metrics.
_LOWER = ("seconds",)


def higher_is_better(quantity: str) -> bool:
    """Whether more is better, of a metric, an analysis, a part of either, or a timing."""
    name = quantity.partition(".")[0]
    metrics = members(Metric)
    if name in metrics:
        return metrics[name].higher_is_better
    if name in _LOWER:
        return False
    # Analyses load torch, which metrics do without.
    from unweave.analysis import Analysis

    analyses = members(Analysis)
    return analyses[name].higher_is_better if name in analyses else True
