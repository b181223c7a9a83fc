"""Priors and rules of the populations of PBT-VAE, as published.

References:
    | Robust Disentanglement of a Few Factors at a Time (Estermann, Marks and Yanik, 2020)
    | https://arxiv.org/abs/2010.13527
"""

from __future__ import annotations

from unweave.population.exploit import Truncation
from unweave.population.explore import Perturb
from unweave.population.priors import Grid
from unweave.population.stop import Hopeless, Plateau, StopRule
from unweave.population.tuned import Tuned

__all__ = [
    "BATCH_SIZES",
    "BETAS",
    "EXPLOIT",
    "EXPLORE",
    "LEARNING_RATES",
    "LEAST",
    "SHRINK",
    "STOP",
    "published_tuned",
]

BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512, 1024)
"""Images a step."""

LEARNING_RATES = tuple(10.0 ** (5 * place / 29 - 5) for place in range(30))
"""30 rates from 1e-5 to 1, evenly spaced in their logarithms."""

BETAS = (
    *(1, 2, 3, 4, 5, 6, 8, 10, 13, 17, 22, 28),
    *(37, 47, 60, 77, 99, 127, 163, 208, 267, 342, 437),
)
"""23 weights of the total correlation or the KL divergence."""

EXPLOIT = Truncation(fraction=0.2)
"""The worst fifth takes the weights of the best fifth."""

EXPLORE = Perturb(factors=(2, 1.2, 0.8, 0.5), rounding="up")
"""Four factors; whole numbers are rounded up, so that no weight gets below 1."""

LEAST = 10_000
"""Images of a round of a leaf-run at least: its cells may be smaller."""

SHRINK = 2
"""The first round of supervised populations has twice the members of the later ones."""

STOP: tuple[StopRule, ...] = (Hopeless(below=0.1), Plateau(patience=6, change=0.005))
"""When populations that are scored without labels end."""


def published_tuned(beta: str = "objective.beta") -> tuple[Tuned, ...]:
    """The three tuned fields: batch size up to 1024, beta from 1 on, and a rate without bounds.

    Args:
        beta: Path of the weight.
    """
    return (
        Tuned(path="batch_size", prior=Grid(values=BATCH_SIZES), high=1024, bounded=False),
        Tuned(path="optimizer.lr", prior=Grid(values=LEARNING_RATES), bounded=False),
        Tuned(path=beta, prior=Grid(values=BETAS), low=1, bounded=False),
    )
