"""What is minimised: terms, methods, and sums of both."""

from unweave.objectives.autoencoders import WAEMMD, Autoencoder
from unweave.objectives.base import Inputs, Method, Player, Step, Term, WeightedTerm
from unweave.objectives.composer import Composer
from unweave.objectives.conditional import CVAE
from unweave.objectives.decomposition import DimensionKL, MutualInformation, TotalCorrelation
from unweave.objectives.density_ratio import DensityRatioTC
from unweave.objectives.dip import DIPI, DIPII, DIPVAEI, DIPVAEII
from unweave.objectives.few_labels import (
    S2DIPVAE,
    S2VAE,
    FullySupervised,
    S2BetaTCVAE,
    S2FactorVAE,
)
from unweave.objectives.ground_truth import GroundTruthDecoder
from unweave.objectives.ifcvae import IFCVAE
from unweave.objectives.kernels import InverseMultiquadratic, Kernel, RadialBasis
from unweave.objectives.kl import KL
from unweave.objectives.label_losses import LabelCov, LabelEmbed, LabelL2, LabelLoss, LabelXent
from unweave.objectives.label_terms import AdversarialInformation, LabelAgreement
from unweave.objectives.lie_algebra import Commutator, Hessian
from unweave.objectives.lie_group import GroupReconstruction, LieGroupVAE
from unweave.objectives.methods import AnnealedVAE, BetaTCVAE, BetaVAE, FactorVAE, VAEMethod
from unweave.objectives.mmd import MMD, InfoVAE
from unweave.objectives.needs import Batch, LabelledImages, Needs, Setup
from unweave.objectives.objective import Objective, parse_objective
from unweave.objectives.pairs import AdaGVAE, AdaMLVAE, GroupVAELabels, MLVAELabels
from unweave.objectives.plan import Plan
from unweave.objectives.reconstruction import Reconstruction
from unweave.objectives.slow_vae import LaplaceTransition, SlowVAE
from unweave.objectives.supervised import Supervised

__all__ = [
    "CVAE",
    "DIPI",
    "DIPII",
    "DIPVAEI",
    "DIPVAEII",
    "IFCVAE",
    "KL",
    "MMD",
    "S2DIPVAE",
    "S2VAE",
    "WAEMMD",
    "AdaGVAE",
    "AdaMLVAE",
    "AdversarialInformation",
    "AnnealedVAE",
    "Autoencoder",
    "Batch",
    "BetaTCVAE",
    "BetaVAE",
    "Commutator",
    "Composer",
    "DensityRatioTC",
    "DimensionKL",
    "FactorVAE",
    "FullySupervised",
    "GroundTruthDecoder",
    "GroupReconstruction",
    "GroupVAELabels",
    "Hessian",
    "InfoVAE",
    "Inputs",
    "InverseMultiquadratic",
    "Kernel",
    "LabelAgreement",
    "LabelCov",
    "LabelEmbed",
    "LabelL2",
    "LabelLoss",
    "LabelXent",
    "LabelledImages",
    "LaplaceTransition",
    "LieGroupVAE",
    "MLVAELabels",
    "Method",
    "MutualInformation",
    "Needs",
    "Objective",
    "Plan",
    "Player",
    "RadialBasis",
    "Reconstruction",
    "S2BetaTCVAE",
    "S2FactorVAE",
    "Setup",
    "SlowVAE",
    "Step",
    "Supervised",
    "Term",
    "TotalCorrelation",
    "VAEMethod",
    "WeightedTerm",
    "parse_objective",
]
