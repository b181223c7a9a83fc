"""Learning rates that change: each of PyTorch's schedulers by name, as a component."""

from unweave.training.rates.base import LearningRate
from unweave.training.rates.combined import ChainedLR, SequentialLR
from unweave.training.rates.cycles import CosineAnnealingWarmRestarts, CyclicLR, OneCycleLR
from unweave.training.rates.decays import (
    ConstantLR,
    CosineAnnealingLR,
    ExponentialLR,
    LinearLR,
    MultiStepLR,
    PolynomialLR,
    StepLR,
)
from unweave.training.rates.plateau import Plateau
from unweave.training.rates.scheduled import LambdaLR, MultiplicativeLR

__all__ = [
    "ChainedLR",
    "ConstantLR",
    "CosineAnnealingLR",
    "CosineAnnealingWarmRestarts",
    "CyclicLR",
    "ExponentialLR",
    "LambdaLR",
    "LearningRate",
    "LinearLR",
    "MultiStepLR",
    "MultiplicativeLR",
    "OneCycleLR",
    "Plateau",
    "PolynomialLR",
    "SequentialLR",
    "StepLR",
]
