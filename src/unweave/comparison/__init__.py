"""Runs beside one another: settings, scores, the same images, latents matched, on one page."""

from unweave.comparison.compared import Comparison, compare_runs
from unweave.comparison.matching import LatentMatch, Matching, match_latents

__all__ = ["Comparison", "LatentMatch", "Matching", "compare_runs", "match_latents"]
