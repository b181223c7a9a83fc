"""Errors of composed images, pixel by pixel, from codes and numbers alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np

Array = np.ndarray


def cross_entropy(logits: Array, pixels: Array) -> float:
    """-x log p - (1 - x) log(1 - p), summed, with p the sigmoid of the logit."""
    total = 0.0
    for logit, x in zip(logits.ravel().tolist(), pixels.ravel().tolist(), strict=True):
        p = 1 / (1 + math.exp(-logit))
        total -= x * math.log(p) + (1 - x) * math.log(1 - p)
    return total


def entropy(pixels: Array) -> float:
    """-x log x - (1 - x) log(1 - x), summed; pixels of 0 and 1 have none."""
    total = 0.0
    for x in pixels.ravel().tolist():
        for share in (x, 1 - x):
            if share > 0:
                total -= share * math.log(share)
    return total


def linear(z_r: Array, z_s: Array, action: Array, weights: Sequence[Array]) -> Array:
    """W_r [z_r; a] + b_r + W_s [z_s; a] + b_s."""
    w_r, b_r, w_s, b_s = weights
    return w_r @ np.append(z_r, action) + b_r + w_s @ np.append(z_s, action) + b_s


def fixint(z_r: Array, z_s: Array, action: Array, weights: Sequence[Array] = ()) -> Array:
    """The reference's code with the latent of the factor from the transform."""
    code = z_r.copy()
    code[int(action.argmax())] = z_s[int(action.argmax())]
    return code


def errors(
    triplets: Array,
    images: Array,
    factors: Array,
    codes: Array,
    operator: Callable[[Array, Array, Array], Array],
    decode: Callable[[Array], Array],
    names: Sequence[str],
) -> dict[str, float]:
    """Means over triplets.

    Args:
        triplets: References, transforms and targets, (n, 3) rows of what follows.
        images: Pixels from 0 to 1, (N, ...).
        factors: (N, K).
        codes: (N, L).
        operator: From two codes and a one-hot action to a code.
        decode: From a code to logits.
        names: Those of the factors.
    """
    lists: dict[str, list[float]] = {}
    for reference, transform, target in triplets.tolist():
        action = (factors[reference] != factors[target]).astype(float)
        assert action.sum() == 1
        logits = decode(operator(codes[reference], codes[transform], action))
        pixels = images[target]
        nll, floor = cross_entropy(logits, pixels), entropy(pixels)
        copied = cross_entropy(decode(codes[reference]), pixels)
        squares = [
            (1 / (1 + math.exp(-a)) - x) ** 2
            for a, x in zip(logits.ravel().tolist(), pixels.ravel().tolist(), strict=True)
        ]
        for name, value in (
            ("nll", nll),
            ("floor", floor),
            ("excess", nll - floor),
            ("copied", copied - floor),
            ("mse", sum(squares) / len(squares)),
            (f"{names[int(action.argmax())]}.excess", nll - floor),
        ):
            lists.setdefault(name, []).append(value)
    return {name: sum(values) / len(values) for name, values in lists.items()}
