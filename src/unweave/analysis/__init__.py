"""Scores that need a model and its images, not only a table of codes."""

from unweave.analysis.attribution import Attribution
from unweave.analysis.base import Analysis, Subject
from unweave.analysis.composition import ComposedImages
from unweave.analysis.factor_errors import FactorErrors
from unweave.analysis.factor_r2 import FactorR2
from unweave.analysis.parts import load_parts
from unweave.analysis.protocols import ANALYSES, analyses_of, choose
from unweave.analysis.reconstruction import ReconstructionNLL
from unweave.analysis.test_losses import TestLosses

__all__ = [
    "ANALYSES",
    "Analysis",
    "Attribution",
    "ComposedImages",
    "FactorErrors",
    "FactorR2",
    "ReconstructionNLL",
    "Subject",
    "TestLosses",
    "analyses_of",
    "choose",
    "load_parts",
]
