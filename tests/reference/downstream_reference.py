"""Predictions of factors from codes, by scikit-learn's own classifiers and plain loops."""

from __future__ import annotations

from sklearn.ensemble import GradientBoostingClassifier

__all__ = ["fitted_trees", "latents_that_matter", "total_variation"]


def fitted_trees(codes, labels, stages, state):
    """scikit-learn's boosted trees, with draws of a stream that goes on."""
    return GradientBoostingClassifier(n_estimators=stages, random_state=state).fit(codes, labels)


def latents_that_matter(codes, labels, remove, stages, state):
    """The latents taken away one by one, each the most important of those left."""
    left, taken = list(range(codes.shape[1])), []
    for _ in range(remove):
        importances = fitted_trees(codes[:, left], labels, stages, state).feature_importances_
        taken.append(left.pop(list(importances).index(max(importances))))
    return taken


def total_variation(predictions, sensitive):
    """For each value of a factor, how far predictions under it are from all; and how many."""
    classes = sorted(set(predictions))
    total = len(predictions)
    found = {}
    for value in sorted(set(sensitive)):
        under = [p for p, s in zip(predictions, sensitive, strict=True) if s == value]
        gaps = [
            abs(under.count(c) / len(under) - list(predictions).count(c) / total) for c in classes
        ]
        found[value] = (sum(gaps) / 2, len(under))
    return found
