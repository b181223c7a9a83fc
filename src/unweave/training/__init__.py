"""Training: configuration, loop, precision, checkpoint. It knows no consumer of its reports."""

from unweave.training.config import TrainConfig
from unweave.training.learner import Learner
from unweave.training.loop import StepReport, fit
from unweave.training.optimizers import Adam, Optimizer

__all__ = ["Adam", "Learner", "Optimizer", "StepReport", "TrainConfig", "fit"]
