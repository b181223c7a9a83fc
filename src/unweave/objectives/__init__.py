"""What is minimised: terms, methods, and sums of both."""

from unweave.objectives.base import Inputs, Method, Player, Step, Term
from unweave.objectives.conditional import CVAE
from unweave.objectives.decomposition import DimensionKL, MutualInformation, TotalCorrelation
from unweave.objectives.density_ratio import DensityRatioTC
from unweave.objectives.ifcvae import IFCVAE
from unweave.objectives.kl import KL
from unweave.objectives.label_terms import AdversarialInformation, LabelAgreement
from unweave.objectives.methods import AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE, VAEMethod
from unweave.objectives.needs import Batch, LabelledImages, Needs, Setup
from unweave.objectives.objective import Objective, parse_objective
from unweave.objectives.plan import Plan
from unweave.objectives.reconstruction import Reconstruction

__all__ = [
    "CVAE",
    "IFCVAE",
    "KL",
    "AdversarialInformation",
    "AnnealedVAE",
    "Batch",
    "BetaTCVAE",
    "BetaVAE",
    "DensityRatioTC",
    "DimensionKL",
    "FactorVAE",
    "Inputs",
    "LabelAgreement",
    "LabelledImages",
    "Method",
    "MutualInformation",
    "Needs",
    "Objective",
    "Plan",
    "Player",
    "Reconstruction",
    "Setup",
    "Step",
    "Term",
    "TotalCorrelation",
    "VAEMethod",
    "parse_objective",
]
