"""What is minimised: terms, methods, and sums of both."""

from unweave.objectives.base import Batch, Method, Plan, Player, Step, Term
from unweave.objectives.decomposition import DimensionKL, MutualInformation, TotalCorrelation
from unweave.objectives.density_ratio import DensityRatioTC
from unweave.objectives.kl import KL
from unweave.objectives.methods import AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE, VAEMethod
from unweave.objectives.objective import Objective, parse_objective
from unweave.objectives.reconstruction import Reconstruction

__all__ = [
    "KL",
    "AnnealedVAE",
    "Batch",
    "BetaTCVAE",
    "BetaVAE",
    "DensityRatioTC",
    "DimensionKL",
    "FactorVAE",
    "Method",
    "MutualInformation",
    "Objective",
    "Plan",
    "Player",
    "Reconstruction",
    "Step",
    "Term",
    "TotalCorrelation",
    "VAEMethod",
    "parse_objective",
]
