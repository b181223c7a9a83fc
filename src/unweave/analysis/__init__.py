"""Scores that need a model and its images, not only a table of codes."""

from unweave.analysis.base import Analysis, Subject
from unweave.analysis.parts import load_parts
from unweave.analysis.protocols import ANALYSES, analyses_of, choose
from unweave.analysis.test_losses import TestLosses

__all__ = [
    "ANALYSES",
    "Analysis",
    "Subject",
    "TestLosses",
    "analyses_of",
    "choose",
    "load_parts",
]
