"""What all latents together know of a factor: a lower bound by a classifier on held-out rows."""

from __future__ import annotations

__all__ = ["joint_information"]

import warnings

import numpy as np
from numpy.typing import NDArray

from unweave.metrics.columns import within_one

# Weight of the classes' frequencies in each prediction, so that none is impossible.
_PRIOR = 1e-3


def joint_information(
    codes: NDArray[np.floating],
    labels: NDArray[np.int64],
    *,
    trees: int,
    leaf: int,
    random_state: np.random.RandomState,
) -> float:
    """A lower bound on the information of codes about labels, nats.

    The entropy of the labels less the cross-entropy of a random forest's predictions, each half of
    the rows predicted by a forest fitted to the other. No predictions have a cross-entropy below
    the entropy that the codes leave, so the bound holds but for the chance of a finite sample. A
    forest sees interactions of latents, and what single trees find by chance is averaged out.

    Args:
        codes: (N, L).
        labels: (N,).
        trees: Trees of each forest.
        leaf: Fewest rows of a leaf.
        random_state: Source of the halves and of the trees.

    Returns:
        From 0 to the entropy of the labels; 0 for fewer than two rows or values.
    """
    from sklearn.ensemble import RandomForestClassifier

    values, labels = np.unique(labels, return_inverse=True)
    count = len(labels)
    if count < 2 or len(values) < 2:
        return 0.0
    codes = within_one(codes)
    order = random_state.permutation(count)
    halves = order[: count // 2], order[count // 2 :]
    loss = 0.0
    for fitted, tested in (halves, halves[::-1]):
        model = RandomForestClassifier(
            trees, min_samples_leaf=leaf, random_state=random_state.randint(2**31)
        )
        with warnings.catch_warnings():
            # That there are many classes.
            warnings.simplefilter("ignore", UserWarning)
            model.fit(codes[fitted], labels[fitted])
        # A class that does not occur in this half has its place in the prior alone.
        chances = np.zeros((len(tested), len(values)))
        chances[:, model.classes_] = model.predict_proba(codes[tested])
        prior = np.bincount(labels[fitted], minlength=len(values)) + 1.0
        own = chances[np.arange(len(tested)), labels[tested]]
        mixed = (1 - _PRIOR) * own + _PRIOR * (prior / prior.sum())[labels[tested]]
        loss -= float(np.log(mixed).sum())
    shares = np.bincount(labels) / count
    entropy = float(-(shares * np.log(shares)).sum())
    return min(max(entropy - loss / count, 0.0), entropy)
