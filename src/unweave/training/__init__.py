"""Training: configuration, loop, precision, checkpoint. It knows no consumer of its reports."""

from unweave.training.config import TrainConfig
from unweave.training.learner import Learner
from unweave.training.loop import StepReport, fit
from unweave.training.optimizers import (
    ASGD,
    SGD,
    Adadelta,
    Adagrad,
    Adam,
    Adamax,
    AdamW,
    NAdam,
    Optimizer,
    RAdam,
    RMSprop,
    Rprop,
)
from unweave.training.rates import LearningRate
from unweave.training.source import ImageSource

__all__ = [
    "ASGD",
    "SGD",
    "Adadelta",
    "Adagrad",
    "Adam",
    "AdamW",
    "Adamax",
    "ImageSource",
    "Learner",
    "LearningRate",
    "NAdam",
    "Optimizer",
    "RAdam",
    "RMSprop",
    "Rprop",
    "StepReport",
    "TrainConfig",
    "fit",
]
