"""Errors of factors in plain words: one image and one factor after the other."""

from __future__ import annotations

import itertools
import math

__all__ = ["SHARES", "dsprites_steps", "scores", "steps"]

SHARES = {"square": 1 / 4, "ellipse": 1 / 2, "heart": 1}
"""After which part of a full turn a shape of dSprites looks the same."""


def steps(factor, true, told, share=1.0, full=None):
    """How many steps of the grid the index that is told is off.

    Args:
        factor: Has `kind` and `values`.
        true: The true index.
        told: The index that is told.
        share: After which part of the full circle the image looks the same.
        full: The full circle, in values.
    """
    if factor.kind == "categorical":
        return 0.0 if true == told else 1.0
    if factor.kind == "ordinal":
        return float(abs(true - told))
    values = sorted(factor.values)
    step = min(b - a for a, b in itertools.pairwise(values))
    gap = factor.values[told] - factor.values[true]
    most = math.ceil(1 / share) + 1
    return min(abs(gap + turn * full * share) for turn in range(-most, most + 1)) / step


def dsprites_steps(space, true, told):
    """Steps of each factor of one image of dSprites, or of a smaller grid of it."""
    found = []
    for column, factor in enumerate(space.factors):
        share = 1.0
        if factor.name == "orientation":
            shapes = next(each for each in space.factors if each.name == "shape")
            share = SHARES[shapes.labels[true[space.names.index("shape")]]]
        found.append(steps(factor, true[column], told[column], share, 2 * math.pi))
    return found


def scores(space, true, decoded, images, steps_of=dsprites_steps):
    """The value and all parts.

    Args:
        space: The factors.
        true: Factor indices of each image.
        decoded: What is told of each reconstruction.
        images: What is told of each image itself.
        steps_of: Gives the steps of each factor of one image.
    """
    parts = {}
    for prefix, told in (("", decoded), ("true_", images)):
        off = [steps_of(space, t, f) for t, f in zip(true, told, strict=True)]
        means = []
        for column, factor in enumerate(space.factors):
            if factor.size == 1:
                continue
            own = [row[column] for row in off]
            # A thousandth of a step is what rounding may do.
            right = sum(1 for each in own if each < 0.999) / len(own)
            means.append(right)
            parts[f"{factor.name}.{prefix}accuracy"] = right
            if factor.kind != "categorical":
                parts[f"{factor.name}.{prefix}steps"] = sum(own) / len(own)
        parts[f"{prefix}accuracy"] = sum(means) / len(means)
    return parts["true_accuracy"] - parts["accuracy"], parts
