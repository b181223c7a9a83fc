"""Errors of reconstructions by loops over pixels, in double precision and from the definitions."""

from __future__ import annotations

import math

import numpy as np

__all__ = ["divergence", "entropy", "means"]


def entropy(pixel: float) -> float:
    """Entropy of a Bernoulli in nats."""
    return -sum(p * math.log(p) for p in (pixel, 1 - pixel) if p > 0)


def divergence(pixel: float, logit: float) -> float:
    """KL divergence of a Bernoulli to that of a logit, by the two outcomes."""
    # log p of either outcome, each from the exponential that does not overflow.
    tail = math.log1p(math.exp(-abs(logit)))
    log_white = -tail if logit >= 0 else logit - tail
    log_black = -tail if logit < 0 else -logit - tail
    found = 0.0
    for share, log_model in ((pixel, log_white), (1 - pixel, log_black)):
        if share > 0:
            found += share * (math.log(share) - log_model)
    return found


def means(images: np.ndarray, logits: np.ndarray) -> dict[str, float]:
    """All parts of the score, of images and logits of one shape, each (N, ...)."""
    excess, floor, squares = [], [], []
    for image, logit in zip(images, logits, strict=True):
        pairs = [(float(x), float(y)) for x, y in zip(image.ravel(), logit.ravel(), strict=True)]
        excess.append(math.fsum(divergence(x, y) for x, y in pairs))
        floor.append(math.fsum(entropy(x) for x, _ in pairs))
        squares.append(math.fsum((x - _expected(y)) ** 2 for x, y in pairs))
    count, pixels = len(images), images[0].size
    mean = math.fsum(excess) / count
    spread = math.fsum((each - mean) ** 2 for each in excess) / (count - 1)
    squared_error = math.fsum(squares) / count
    return {
        "excess": mean,
        "excess_se": math.sqrt(spread / count),
        "nll": mean + math.fsum(floor) / count,
        "floor": math.fsum(floor) / count,
        "squared_error": squared_error,
        "mse": squared_error / pixels,
        "psnr": 10 * math.log10(1 / (squared_error / pixels)),
    }


def _expected(logit: float) -> float:
    """The sigmoid."""
    return 1 / (1 + math.exp(-logit)) if logit > -700 else 0.0
