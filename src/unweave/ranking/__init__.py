"""Finished runs in order: by how far they agree without labels, or by a metric."""

from unweave.ranking.order import rank
from unweave.ranking.result import Compare, GroupScore, Ranked, Ranking

__all__ = ["Compare", "GroupScore", "Ranked", "Ranking", "rank"]
