"""Cosines and norms from running sums, against loops over pairs of batches; the decision."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from _estimators.candidates import CANDIDATES
from _estimators.gradients import TERMS, Pullback
from _estimators.results import decide, tables
from _estimators.statistics import Comparison, Reference

from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.vae import VAE


def gradients(batches, seed):
    """A common direction and noise, (batches, 2 terms, 5)."""
    rng = np.random.default_rng(seed)
    return torch.tensor(1 + rng.normal(0, 1, (batches, 2, 5)), dtype=torch.float32)


def test_figures_are_those_of_products_between_different_batches():
    exact, estimated = gradients(4, 0), gradients(4, 1)
    reference = Reference.empty(2, 5)
    for gradient in exact:
        reference.add(gradient)
    comparison = Comparison.empty(2, 5)
    for gradient, found in zip(exact, estimated, strict=True):
        comparison.add(found, gradient, reference.without(gradient, 1 / 4))
    for term in range(2):
        g, e = exact[:, term].double().numpy(), estimated[:, term].double().numpy()
        pairs = list(itertools.permutations(range(4), 2))
        square = np.mean([g[a] @ g[b] for a, b in pairs])
        own = np.mean([e[a] @ e[b] for a, b in pairs])
        across = np.mean([e[a] @ g[b] for a, b in pairs])
        assert reference.square[term].item() == pytest.approx(square, rel=1e-5)
        found = comparison.summary(term, square)
        assert found["systematic"] == pytest.approx(across / math.sqrt(square * own), rel=1e-5)
        assert found["norm"] == pytest.approx(math.sqrt(own / square), rel=1e-5)
        rest = [g[[b for b in range(4) if b != a]].mean(0) for a in range(4)]
        each = [e[a] @ rest[a] / np.linalg.norm(e[a]) / np.linalg.norm(rest[a]) for a in range(4)]
        assert found["cosine"] == pytest.approx(np.mean(each), rel=1e-5)
        assert found["cosine_se"] == pytest.approx(np.std(each, ddof=1) / 2, rel=1e-4)
        same = [e[a] @ g[a] / np.linalg.norm(e[a]) / np.linalg.norm(g[a]) for a in range(4)]
        assert found["paired"] == pytest.approx(np.mean(same), rel=1e-5)
        ratio = [np.linalg.norm(e[a]) / np.linalg.norm(g[a]) for a in range(4)]
        assert found["batch_norm"] == pytest.approx(np.mean(ratio), rel=1e-5)


def test_a_gradient_that_vanishes_has_no_direction():
    comparison = Comparison.empty(1, 3)
    for _ in range(2):
        comparison.add(torch.zeros(1, 3), torch.ones(1, 3), torch.ones(1, 3))
    found = comparison.summary(0, 3.0)
    assert (found["cosine"], found["paired"], found["systematic"]) == (0, 0, None)


def test_the_encoder_is_differentiated_in_chunks_of_images(monkeypatch):
    monkeypatch.setattr("_estimators.gradients._CHUNK", 3)
    model = VAE.create(Burgess(), (32, 32, 1), 2, Bernoulli(), torch.Generator().manual_seed(0))
    rng = np.random.default_rng(0)
    images = torch.tensor(rng.uniform(0, 1, (7, 1, 32, 32)), dtype=torch.float32)
    vectors = torch.tensor(rng.normal(0, 1, (2, 2, 7, 2)), dtype=torch.float32)
    pullback = Pullback(model, lambda flat: images[flat])
    found = pullback(np.arange(7), vectors)
    weights = [*model.trunk.parameters(), *model.head.parameters()]
    assert found.shape == (2, sum(weight.numel() for weight in weights))
    for row, vector in zip(found, vectors, strict=True):
        model.zero_grad()
        posterior = model.encode(images)
        ((posterior.mean * vector[0]).sum() + (posterior.logvar * vector[1]).sum()).backward()
        whole = torch.cat([weight.grad.reshape(-1) for weight in weights])
        assert (row - whole).norm() < 1e-5 * whole.norm()


def cell(images=100, **cosines):
    """A cell in which every estimator has cosine 0.5, but for those given."""
    figures = {"bias": 0.25, "bias_se": 0.1, "cosine_se": None, "paired": 0.5}
    figures |= {"systematic": None, "norm": None, "batch_norm": 1.0}
    names = dict.fromkeys(("exact", *CANDIDATES), 0.5) | cosines
    return {
        "key": {"checkpoint": "early", "images": images, "batch": 64},
        "reference": {term: {"value": 1.5, "se": 0.5} for term in TERMS},
        "samples": 128,
        "rows": [
            {"estimator": name, "term": term, "cosine": cosine, **figures}
            for name, cosine in names.items()
            for term in TERMS
        ],
    }


def test_the_largest_mean_cosine_decides_and_ties_keep_the_default():
    assert decide([cell(weighted=0.6, even=0.55)]) == "weighted"
    assert decide([cell(weighted=0.509)]) == "stratified"
    assert decide([cell(weighted=0.7), cell(weighted=0.3)]) == "stratified"
    # What needs more than the batch, or tends to something else, cannot become the default.
    assert decide([cell(bank=0.9, gaussian=0.8, exact=1.0)]) == "stratified"


def test_the_tables_hold_every_point():
    check = {"key": cell()["key"], "check": {"cosine": 0.99, "norm": 0.1, "samples": 64}}
    text = tables([cell(weighted=0.625), cell(images=4096)], [check])
    points = [line for line in text.splitlines() if line.startswith("| early | ")]
    assert len(points) == 3 * (2 + 2 * (len(CANDIDATES) + 1))
    assert "| early | 100 | 64 | weighted | +0.250 ± 0.100 | lost in noise | 0.625 |" in text
    assert "| weighted | 1/(BN) for all | yes | 0.562 | 0.562 | 0.562 |" in text
    assert "0.9900" in text
