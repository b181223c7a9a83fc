"""The reconstruction and the KL term against sums over numbers, and the capacity."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference import objectives_reference
from reference.steps import make_step, random_codes
from unweave.likelihoods import Gaussian
from unweave.objectives import KL, Reconstruction
from unweave.schedules import Linear, value_at


@pytest.fixture
def step():
    return make_step(*random_codes(6, 4))


def test_kl_is_summed_over_latents_and_averaged_over_images(step):
    expected = objectives_reference.kl(step.posterior.mean.numpy(), step.posterior.logvar.numpy())
    assert KL().value(step).item() == pytest.approx(expected, rel=1e-12)


def test_a_weight_multiplies(step):
    raw = KL().value(step)
    assert KL(weight=4).weigh(raw, 1).item() == pytest.approx(4 * raw.item())
    warm = KL(weight=Linear(start=0, stop=4, steps=8))
    assert [warm.weigh(torch.tensor(10.0), t).item() for t in (1, 4, 8, 9)] == [5, 20, 40, 40]


@pytest.mark.parametrize("capacity", [0.0, 3.0, 1000.0])
def test_a_capacity_takes_the_absolute_value_of_the_batch_mean(step, capacity):
    kl = objectives_reference.kl(step.posterior.mean.numpy(), step.posterior.logvar.numpy())
    term = KL(weight=7, capacity=capacity)
    raw = term.value(step)
    assert raw.item() == pytest.approx(kl), "the raw value is the KL itself"
    assert term.weigh(raw, 1).item() == pytest.approx(7 * abs(kl - capacity))


def test_the_gradient_of_a_capacity_changes_sign_with_the_distance(step):
    signs = []
    for capacity in (0.0, 1000.0):
        raw = torch.tensor(20.0, requires_grad=True)
        KL(weight=3, capacity=capacity).weigh(raw, 1).backward()
        signs.append(raw.grad.item())
    assert signs == [3.0, -3.0]


@pytest.mark.parametrize("t", [1, 10, 99, 100, 250])
def test_a_growing_capacity_is_that_of_the_disentangling_vae_code(step, t):
    term = KL(weight=100, capacity=Linear(start=0, stop=25, steps=100))
    kl = objectives_reference.kl(step.posterior.mean.numpy(), step.posterior.logvar.numpy())
    capacity = objectives_reference.linear(0, 25, t, 100)
    weighted = term.weigh(term.value(step), t).item()
    assert weighted == pytest.approx(100 * abs(kl - capacity))


def test_the_reconstruction_is_summed_over_pixels_and_averaged_over_images():
    rng = np.random.default_rng(1)
    logits = rng.normal(0, 2, (5, 3, 4, 4))
    target = rng.uniform(0, 1, (5, 3, 4, 4))
    step = make_step(*random_codes(5, 2), logits=logits, target=target)
    expected = objectives_reference.bernoulli(logits, target).mean()
    assert Reconstruction().value(step).item() == pytest.approx(expected, rel=1e-12)
    raw = torch.tensor(expected)
    assert Reconstruction(weight=0.5).weigh(raw, 1).item() == pytest.approx(expected / 2)
    other = make_step(*random_codes(5, 2), logits=logits, target=target, likelihood=Gaussian())
    expected = objectives_reference.gaussian(logits, target, 1 / 510).mean()
    assert Reconstruction().value(other).item() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("beta", "steps", "least"), [(10, 100, 0.1), (4, 50, 0.5)])
def test_the_schedules_of_disent_and_gen_are_ramps_that_end_early(beta, steps, least):
    ramp = round(steps * (1 - least))
    falling = KL(weight=Linear(start=beta, stop=least * beta, steps=ramp)).weight
    rising = KL(weight=Linear(start=least * beta, stop=beta, steps=ramp)).weight
    for t in range(2 * steps):
        assert value_at(falling, t) == pytest.approx(beta * max(1 - t / steps, least))
        assert value_at(rising, t) == pytest.approx(beta * min(least + t / steps, 1))
