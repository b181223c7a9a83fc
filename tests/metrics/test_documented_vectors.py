"""Scores that disentanglement_lib documents for codes that are, shuffle or repeat the factors."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unweave.factors import Factor, FactorSpace
from unweave.metrics import DCI, MIG, Draws, ModularityExplicitness, SAPContinuous
from unweave.metrics.information.modularity import modularities
from unweave.representation import Representation

EYE = np.eye(5)


def identity(rows, values=10, factors=10, seed=0):
    """Rows of independent factors, each as indices; codes that copy them are perfect."""
    return np.random.default_rng(seed).integers(values, size=(rows, factors))


def shuffled(factors, seed=1):
    """Each row's values in a random order of their own."""
    return np.random.default_rng(seed).permuted(factors, axis=1)


def score(metric, codes, factors):
    space = FactorSpace(tuple(Factor(f"f{k}", 10) for k in range(factors.shape[1])))
    table = Representation(mean=np.float32(codes), factors=factors, factor_space=space)
    return metric.score(table, Draws(0, metric.stream or metric.name))


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        (5 * EYE, 1),
        (np.array([[1.0, 0], [0, 1], [0, 0]]), 2 / 3),
        (np.zeros((10, 10)), 0),
        (np.vstack([EYE, EYE]), 1),
        (EYE[:2], 1),
        (np.hstack([EYE, EYE]), 1 - 1 / 9),
    ],
)
def test_modularity_of_tables_in_closed_form(information, expected):
    assert modularities(information).mean() == pytest.approx(expected, abs=1e-12)


def test_mig():
    factors = identity(3000)
    metric = MIG(bins=10)
    assert score(metric, factors, factors).value >= 0.9
    assert score(metric, factors * 0, factors).value <= 0.2
    assert score(metric, np.hstack([factors, factors]), factors).value <= 0.1


def test_sap_of_numbers():
    factors = identity(3000)
    metric = SAPContinuous()
    assert score(metric, factors, factors).value >= 0.9
    assert score(metric, factors * 0, factors).value <= 0.2
    assert score(metric, np.hstack([factors, factors]), factors).value <= 0.2


def test_modularity_of_codes():
    def modularity(codes, factors, train):
        metric = ModularityExplicitness(bins=10, train=train, test=1000)
        return score(metric, codes, factors).value

    factors = identity(4000)
    assert modularity(factors, factors, 3000) >= 0.9
    assert modularity(np.hstack([factors, factors]), factors, 3000) >= 0.9
    factors = identity(21_000)
    assert modularity(shuffled(factors), factors, 20_000) <= 0.2


@pytest.mark.slow
def test_dci():
    factors = identity(2000)
    metric = DCI(train=1000, test=1000)
    parts = score(metric, factors, factors).parts
    assert min(parts["disentanglement"], parts["completeness"]) >= 0.9
    parts = score(metric, np.hstack([factors, factors]), factors).parts
    assert parts["disentanglement"] >= 0.9
    # One less the share of log 2 in log 10 is documented; of 20 latents it is log 2 in log 20.
    assert parts["completeness"] == pytest.approx(0.699, abs=0.1)
    assert parts["completeness"] == pytest.approx(1 - math.log(2) / math.log(20), abs=0.05)
    parts = score(metric, shuffled(factors), factors).parts
    assert max(parts["disentanglement"], parts["completeness"]) <= 0.2
