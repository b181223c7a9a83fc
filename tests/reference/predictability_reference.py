"""What factors can be told from codes, computed slowly and plainly."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import minimize

__all__ = ["auc", "modularity", "squared_correlation", "svc_accuracy"]


def svc_accuracy(train, labels, test, test_labels):
    """Accuracy of one-against-rest squared-hinge classifiers of one number, classes balanced.

    Each minimises half the squared norm of weight and intercept, plus 0.01 times the squared
    hinge losses, each times (rows / (classes * rows of its class)).
    """
    values = sorted(set(labels))
    weight_of = {v: len(labels) / (len(values) * labels.count(v)) for v in values}
    x, weights = np.array(train, float), np.array([weight_of[label] for label in labels])
    lines = []
    # A single problem tells two classes apart.
    for value in values if len(values) > 2 else values[1:]:
        sign = np.where(np.array(labels) == value, 1.0, -1.0)

        def loss(line, sign=sign):
            hinge = np.maximum(0, 1 - sign * (line[0] * x + line[1]))
            return (line @ line) / 2 + 0.01 * (weights * hinge**2).sum()

        lines.append(minimize(loss, np.zeros(2), method="BFGS", options={"gtol": 1e-8}).x)
    right = 0
    for value, label in zip(test, test_labels, strict=True):
        scores = [w * value + b for w, b in lines]
        if len(values) > 2:
            found = values[scores.index(max(scores))]
        else:
            found = values[int(scores[0] > 0)]
        right += found == label
    return right / len(test_labels)


def squared_correlation(one, other):
    """Squared correlation of two lists of numbers."""
    a, b = [float(x) for x in one], [float(y) for y in other]
    mean_a, mean_b = sum(a) / len(a), sum(b) / len(b)
    cross = math.fsum((x - mean_a) * (y - mean_b) for x, y in zip(a, b, strict=True))
    own = math.fsum((x - mean_a) ** 2 for x in a) * math.fsum((y - mean_b) ** 2 for y in b)
    return cross**2 / own


def modularity(information):
    """Of one latent, from what it knows of each factor."""
    best = max(information)
    if best == 0:
        return 0.0
    template = [best if value == best else 0.0 for value in information]
    off = sum((i - t) ** 2 for i, t in zip(information, template, strict=True))
    return 1 - off / (best**2 * (len(information) - 1))


def auc(scores, positive):
    """Share of pairs, one of each kind, in which the positive scores higher; ties count half."""
    high = [s for s, p in zip(scores, positive, strict=True) if p]
    low = [s for s, p in zip(scores, positive, strict=True) if not p]
    won = sum((h > w) + 0.5 * (h == w) for h in high for w in low)
    return won / (len(high) * len(low))
