"""SlowVAE: its closed form against integrals, and its loss against the published sums."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from contracts.learners import trained
from reference import objectives_reference, supervision_reference
from reference.steps import make_step, random_codes
from unweave.data.samplers import LaplacePairs, Pairs
from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian
from unweave.objectives import LaplaceTransition, parse_objective
from unweave.objectives.slow_vae import laplace_cross_entropy
from unweave.schedules import Linear


def entropy(logvar):
    return 0.5 * (logvar + math.log(2 * math.pi * math.e))


def directions(mean, logvar, rate):
    """KL of each image's posterior to the Laplace around the other's mean, (2N, L)."""
    n = len(mean) // 2
    found = np.zeros(mean.shape)
    for i, j in np.ndindex(mean.shape):
        center = mean[(i + n) % (2 * n), j]
        found[i, j] = supervision_reference.kl_to_laplace(mean[i, j], logvar[i, j], center, rate)
    return found


@pytest.mark.parametrize("rate", [0.3, 6.0])
@pytest.mark.parametrize("gap", [0.0, -1e-3, 0.4, -3.0])
@pytest.mark.parametrize("logvar", [-8.0, -1.0, 1.5])
def test_the_closed_form_is_the_integral(rate, gap, logvar):
    posterior = DiagonalGaussian(
        torch.tensor([[0.7 + gap]], dtype=torch.float64),
        torch.tensor([[logvar]], dtype=torch.float64),
    )
    found = laplace_cross_entropy(posterior, torch.tensor([[0.7]], dtype=torch.float64), rate)
    expected = supervision_reference.kl_to_laplace(0.7 + gap, logvar, 0.7, rate)
    assert found.item() - entropy(logvar) == pytest.approx(expected, rel=1e-9, abs=1e-10)


def test_the_term_is_the_mean_over_both_directions():
    mean, logvar, z = random_codes(6, 4)
    step = make_step(mean, logvar, z)
    expected = directions(mean, logvar, 6.0).sum(1).mean()
    assert LaplaceTransition().value(step).item() == pytest.approx(expected, rel=1e-9)
    raw = LaplaceTransition(rate=2).value(step)
    expected = directions(mean, logvar, 2.0).sum(1).mean()
    assert raw.item() == pytest.approx(expected, rel=1e-9)
    warm = LaplaceTransition(weight=Linear(start=0, stop=4, steps=8))
    assert warm.weigh(raw, 2).item() == pytest.approx(expected)


def test_the_published_sums_have_both_cross_entropies_and_one_entropy():
    mean, logvar, z = random_codes(6, 4, seed=2)
    found = LaplaceTransition(compat="slow_disentanglement").value(make_step(mean, logvar, z))
    cross = directions(mean, logvar, 6.0) + entropy(logvar)
    pairs = (cross[:3] + cross[3:]).sum(1).mean()
    assert found.item() == pytest.approx(pairs - entropy(logvar).sum(1).mean(), rel=1e-9)


def test_gradients_go_into_both_means():
    mean = torch.tensor([[0.0], [1.0]], dtype=torch.float64, requires_grad=True)
    step = make_step(mean, np.full((2, 1), -20.0), np.zeros((2, 1)))
    (gradient,) = torch.autograd.grad(LaplaceTransition().value(step), mean)
    # With hardly any noise the term is the rate times the distance.
    np.testing.assert_allclose(gradient, [[-6.0], [6.0]], rtol=1e-6)


def test_the_gradient_of_two_equal_images_is_finite():
    for logvar in (-60.0, 0.0, 5.0):
        mean = torch.zeros(2, 3, requires_grad=True)
        spread = torch.full((2, 3), logvar, requires_grad=True)
        raw = LaplaceTransition().value(make_step(mean, spread, torch.zeros(2, 3)))
        assert raw.isfinite()
        assert all(g.isfinite().all() for g in torch.autograd.grad(raw, [mean, spread]))


def test_the_method_is_a_vae_with_the_term():
    plan = parse_objective("slow_vae").expand()
    assert [str(term) for term in plan.terms.values()] == [
        "reconstruction", "kl", "laplace_transition",
    ]  # fmt: skip
    assert plan.needs.sampler == Pairs()
    assert plan.needs.reconstructed == 2
    text = "slow_vae(beta=2, gamma=3, rate=4, sampler=laplace_pairs)"
    same = "vae(kl=2) + laplace_transition(weight=3, rate=4, sampler=laplace_pairs)"
    assert parse_objective(text).expand().terms == parse_objective(same).expand().terms
    assert parse_objective(text).expand().needs.sampler == LaplacePairs()
    with pytest.raises(SpecError, match="draws its batches by"):
        parse_objective("ada_gvae + laplace_transition(sampler=laplace_pairs)")


def test_without_the_term_it_is_a_vae():
    plain, other = trained("vae", 3), trained("slow_vae(gamma=0)", 3)
    expected = plain.tracker.read().values["loss/model"]
    assert other.tracker.read().values["loss/model"] == pytest.approx(expected, rel=1e-6)
    for name, value in plain.weights().items():
        torch.testing.assert_close(value, other.weights()[name], rtol=0, atol=1e-6)


def test_the_published_loss_is_that_of_a_pair():
    plan = parse_objective("slow_vae(compat=slow_disentanglement)").expand()
    rng = np.random.default_rng(4)
    mean, logvar, z = random_codes(4, 3, seed=5)
    logits, target = rng.normal(0, 1, (4, 1, 4, 4)), rng.uniform(0, 1, (4, 1, 4, 4))
    step = make_step(mean, logvar, z, logits=logits, target=target)
    total, _, _ = plan.losses(step)
    cross = (directions(mean, logvar, 6.0) + entropy(logvar)).sum(1)
    expected = (
        2 * objectives_reference.bernoulli(logits, target).mean()
        + objectives_reference.kl(mean, logvar)
        + 10 * (2 * cross.mean() - entropy(logvar).sum(1).mean())
    )
    assert total.item() == pytest.approx(expected, rel=1e-9)
