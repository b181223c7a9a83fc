"""Pairs: what they share, what posterior that gets, and the loss of both images."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from contracts.learners import make_batch, make_learner, small_config, step_of, trained
from reference import objectives_reference, supervision_reference
from unweave.data import load_dataset, parse_dataset
from unweave.data.samplers import LaplacePairs, Pairs
from unweave.errors import SpecError
from unweave.latents import DiagonalGaussian
from unweave.objectives import parse_objective
from unweave.objectives.pairs import (
    adaptive_shared,
    average_posterior,
    kl_between,
    product_posterior,
)
from unweave.training import TrainConfig
from unweave.training.source import ImageSource

METHODS = ["ada_gvae", "ada_mlvae", "group_vae_labels", "mlvae_labels"]


def posterior(rng, rows=6, latents=4):
    mean = torch.from_numpy(rng.normal(0, 1, (rows, latents)))
    return DiagonalGaussian(mean, torch.from_numpy(rng.uniform(-4, 1, (rows, latents))))


@pytest.fixture
def both():
    rng = np.random.default_rng(0)
    return posterior(rng), posterior(rng)


def one_by_one(function, one, other):
    """A function of single numbers, of every row and latent."""
    rows = [
        [
            function(*(float(t[i, j]) for t in (one.mean, one.logvar, other.mean, other.logvar)))
            for j in range(one.mean.shape[1])
        ]
        for i in range(one.mean.shape[0])
    ]
    return np.array(rows)


def test_the_kl_between_posteriors_is_the_integral(both):
    one, other = both
    expected = one_by_one(supervision_reference.gaussian_kl, one, other)
    np.testing.assert_allclose(kl_between(one, other), expected, rtol=1e-8)
    assert (kl_between(one, one) == 0).all()


def test_a_small_kl_keeps_its_digits_in_float32():
    one = DiagonalGaussian(torch.zeros(1, 1), torch.full((1, 1), 1e-3))
    other = DiagonalGaussian(torch.zeros(1, 1), torch.zeros(1, 1))
    exact = 0.5 * (math.expm1(1e-3) - 1e-3)
    assert kl_between(one, other).item() == pytest.approx(exact, rel=1e-3)


def test_the_average_is_that_of_means_and_of_variances(both):
    expected = one_by_one(supervision_reference.averaged, *both)
    found = average_posterior(*both)
    np.testing.assert_allclose(found.mean, expected[..., 0], rtol=1e-12)
    np.testing.assert_allclose(found.logvar, expected[..., 1], atol=1e-12)


def test_the_product_has_the_moments_of_the_product_of_densities(both):
    expected = one_by_one(supervision_reference.multiplied, *both)
    found = product_posterior(*both)
    np.testing.assert_allclose(found.mean, expected[..., 0], atol=1e-8)
    np.testing.assert_allclose(found.logvar, expected[..., 1], atol=1e-7)


def test_hand_made_averages():
    one = DiagonalGaussian(torch.tensor([[0.0, 1.0]]), torch.tensor([[1.0, 4.0]]).log())
    other = DiagonalGaussian(torch.tensor([[3.0, 1.0]]), torch.tensor([[2.0, 4.0]]).log())
    found = average_posterior(one, other)
    torch.testing.assert_close(found.mean, torch.tensor([[1.5, 1.0]]))
    torch.testing.assert_close(found.logvar.exp(), torch.tensor([[1.5, 4.0]]))
    # Precisions 1 and 1/2 make 3/2; the first mean counts twice as much as the second.
    found = product_posterior(one, other)
    torch.testing.assert_close(found.mean, torch.tensor([[1.0, 1.0]]))
    torch.testing.assert_close(found.logvar.exp(), torch.tensor([[2 / 3, 2.0]]))


def test_posteriors_far_from_each_other_are_joined_without_overflow():
    one = DiagonalGaussian(torch.tensor([[1.0]]), torch.tensor([[-90.0]]))
    other = DiagonalGaussian(torch.tensor([[2.0]]), torch.tensor([[90.0]]))
    for start, end in ((one, other), (other, one)):
        found = product_posterior(start, end)
        torch.testing.assert_close(found.mean, one.mean)
        torch.testing.assert_close(found.logvar, one.logvar)
        assert average_posterior(start, end).logvar.item() == pytest.approx(90 - math.log(2))


@pytest.mark.parametrize(
    ("distances", "shared"),
    [
        ([0.0] * 5 + [1.0] * 5, [True] * 5 + [False] * 5),
        ([0.0, 0.1], [True, False]),
        ([3.0, 1.0, 2.0, 1.9], [False, True, False, True]),
        ([0.7, 0.7, 0.7], [True, True, True]),
        ([0.0, 0.0], [True, True]),
        ([5.0], [True]),
    ],
)
def test_latents_nearer_than_halfway_are_shared(distances, shared):
    assert adaptive_shared(torch.tensor([distances])).tolist() == [shared]
    assert supervision_reference.adaptive(distances) == shared


def test_each_pair_has_a_threshold_of_its_own():
    rng = np.random.default_rng(3)
    distances = rng.exponential(1, (50, 7)) * 10.0 ** rng.integers(-3, 3, (50, 1))
    expected = [supervision_reference.adaptive(row) for row in distances.tolist()]
    assert adaptive_shared(torch.from_numpy(distances)).tolist() == expected
    # Twice the KL, as disentanglement_lib takes it, shares the same.
    assert adaptive_shared(torch.from_numpy(2 * distances)).tolist() == expected


def pair_step(objective, batch_size=8, **settings):
    """A step of a learner, the posteriors of each image alone, and its batch."""
    learner = make_learner(objective, batch_size=batch_size, **settings)
    with torch.no_grad():
        # Posteriors of fresh networks are all alike.
        learner.model.head.weight *= 3
    batch = make_batch(learner, batch_size)
    own = learner.model.encode(batch.images)
    return learner, batch, own, step_of(learner, batch)


@pytest.mark.parametrize("setting", ["", "(compat=dlib)"])
@pytest.mark.parametrize("method", METHODS)
def test_the_step_is_that_of_the_published_formulas(method, setting):
    learner, batch, own, step = pair_step(method + setting)
    n, latents = len(batch.images) // 2, learner.model.latents
    mean, logvar = own.mean.detach().double().numpy(), own.logvar.detach().double().numpy()
    expected = np.empty((2 * n, latents, 2))
    kept = 0
    for i in range(n):
        if method.startswith("ada"):
            distances = [
                supervision_reference.gaussian_kl(
                    mean[i, j], logvar[i, j], mean[n + i, j], logvar[n + i, j]
                )
                for j in range(latents)
            ]
            shared = supervision_reference.adaptive(distances)
        else:
            same = (batch.factors[i] == batch.factors[n + i]).tolist()
            shared = [same[j] if j < len(same) else True for j in range(latents)]
        for j in range(latents):
            numbers = (mean[i, j], logvar[i, j], mean[n + i, j], logvar[n + i, j])
            if not shared[j]:
                kept += 1
                expected[i, j], expected[n + i, j] = numbers[:2], numbers[2:]
            elif "gvae" in method or "group" in method:
                expected[[i, n + i], j] = supervision_reference.averaged(*numbers)
            else:
                found, joined = supervision_reference.multiplied(*numbers)
                joined += math.log(2) if setting else 0
                expected[[i, n + i], j] = found, joined
    assert 0 < kept < n * latents
    np.testing.assert_allclose(step.posterior.mean.detach(), expected[..., 0], atol=1e-5)
    np.testing.assert_allclose(step.posterior.logvar.detach(), expected[..., 1], atol=1e-5)
    # Each image has a sample of its own, and is decoded from it.
    noise = (step.z - step.posterior.mean) / (0.5 * step.posterior.logvar).exp()
    assert noise.unique().numel() == noise.numel()
    torch.testing.assert_close(step.logits, learner.model.decode(step.z))
    assert step.target is batch.images
    total, raw, _ = learner.plan.losses(step)
    codes = step.posterior.mean.detach().numpy(), step.posterior.logvar.detach().numpy()
    assert raw["kl"].item() == pytest.approx(objectives_reference.kl(*codes), rel=1e-5)
    rows = objectives_reference.bernoulli(step.logits.detach().numpy(), step.target.numpy())
    halves = 0.5 * (rows[:n].mean() + rows[n:].mean())
    assert raw["reconstruction"].item() == pytest.approx(halves, rel=1e-5)
    assert total.item() == pytest.approx(halves + raw["kl"].item(), rel=1e-5)


def test_beta_weighs_the_kl():
    learner, _, _, step = pair_step("ada_gvae(beta=4)")
    total, raw, _ = learner.plan.losses(step)
    assert total.item() == pytest.approx((raw["reconstruction"] + 4 * raw["kl"]).item())


def test_the_symmetric_distance_does_not_know_which_image_is_the_first():
    for distance, alike in (("kl", False), ("symmetric_kl", True)):
        learner, batch, _, step = pair_step(f"ada_gvae(distance={distance})", 64)
        swapped = dataclasses.replace(batch, images=torch.cat(batch.images.chunk(2)[::-1]))
        other = step_of(learner, swapped)
        turned = torch.cat(other.posterior.mean.chunk(2)[::-1])
        same = torch.isclose(step.posterior.mean, turned, atol=1e-5).all()
        assert bool(same) == alike


def test_any_number_of_factors_may_change():
    learner, batch, own, _ = pair_step("group_vae_labels", 4)
    factors = torch.zeros(4, 5, dtype=torch.int64)
    factors[2] = torch.tensor([0, 1, 0, 3, 0])
    step = step_of(learner, dataclasses.replace(batch, factors=factors))
    kept = (step.posterior.mean == own.mean).tolist()
    assert kept[0] == kept[2] == [False, True, False, True, False]
    # The second pair is two times the same image as far as labels say: nothing is kept.
    assert not any(kept[1])
    assert not any(kept[3])


@pytest.mark.parametrize("method", ["ada_gvae", "ada_mlvae"])
def test_two_times_the_same_image_is_one_pair_with_one_posterior(method):
    learner, batch, own, _ = pair_step(method, 4)
    one = torch.cat([batch.images[:2]] * 2)
    step = step_of(learner, dataclasses.replace(batch, images=one))
    torch.testing.assert_close(step.posterior.mean[:2], step.posterior.mean[2:])
    torch.testing.assert_close(step.posterior.mean[:2], own.mean[:2])
    assert learner.plan.losses(step)[0].isfinite()
    gradients = torch.autograd.grad(
        learner.plan.losses(step)[0], [*learner.model.parameters()], allow_unused=True
    )
    assert all(g is not None and g.isfinite().all() for g in gradients)


@pytest.mark.parametrize("method", METHODS)
def test_a_batch_of_one_pair_is_trained_on_and_half_a_pair_is_refused(method):
    assert trained(method, batch_size=2).tracker.read().first_bad == {}
    for size in (1, 3, 63):
        with pytest.raises(SpecError, match="2 in each draw of pairs, and must be a multiple"):
            small_config(method, batch_size=size)


def test_labels_need_a_latent_for_each_factor():
    with pytest.raises(SpecError, match="which has 5, but latents is 4: give at least 5"):
        small_config("group_vae_labels", latents=4)
    assert small_config("mlvae_labels", latents=6).latents == 6
    # What is told from posteriors needs none.
    assert small_config("ada_gvae", latents=1).latents == 1


@pytest.mark.parametrize("method", [*METHODS, "slow_vae", "vae + laplace_transition"])
def test_datasets_without_factors_are_refused(method):
    setup = dataclasses.replace(small_config(method).setup, factors=None, dataset="photos")
    with pytest.raises(SpecError, match="needs labels, and the factors of photos are not known"):
        parse_objective(method).expand().check(setup)


def test_pairs_are_drawn_by_the_sampler_that_is_asked_for():
    assert parse_objective("ada_gvae").expand().needs.sampler == Pairs()
    drawn = parse_objective("ada_gvae(sampler=laplace_pairs(rate=2))").expand().needs.sampler
    assert drawn == LaplacePairs(rate=2)
    for text in METHODS:
        needs = parse_objective(f"{text}(sampler=pairs(changed=2), compat=dlib)").expand().needs
        assert needs.sampler == Pairs(changed=2, compat="dlib")
        assert needs.reconstructed == 2
        assert needs.factors == ("labels" in text)
    other = "ada_gvae(sampler=laplace_pairs, compat=dlib)"
    assert parse_objective(other).expand().needs.sampler == LaplacePairs()
    with pytest.raises(SpecError, match="compat=dlib has no range"):
        parse_objective("ada_gvae(sampler=pairs(changed=(1, 2)), compat=dlib)")
    with pytest.raises(SpecError, match="compat=dlib has distance=kl, not symmetric_kl"):
        parse_objective("ada_gvae(distance=symmetric_kl, compat=dlib)")
    with pytest.raises(SpecError, match="sampler"):
        parse_objective("ada_gvae(sampler=triplets)")


def test_published_numbers_are_trained_in_float32():
    for method in (*METHODS, "slow_vae"):
        compat = "slow_disentanglement" if method == "slow_vae" else "dlib"
        assert not parse_objective(method).expand().needs_float32
        assert parse_objective(f"{method}(compat={compat})").expand().needs_float32


def test_held_out_images_are_in_no_pair():
    text = "dsprites(grid=(3, 2, 4, 4, 4))"
    data = load_dataset(text)
    shown = np.arange(0, len(data), 2)
    objective = parse_objective("group_vae_labels")
    config = TrainConfig(
        dataset=parse_dataset(text), objective=objective, steps=10, device="cpu", threads=1,
        batch_size=32, latents=5, precision="float32",
    )  # fmt: skip
    source = ImageSource(data, shown, config, objective.expand().needs)
    allowed = {tuple(row) for row in data.factors(shown).tolist()}
    for step in range(1, 30):
        batch = source.batch(step)
        assert len(batch.images) == 32
        seen = {tuple(row) for row in batch.factors.tolist()}
        assert seen <= allowed
        assert (batch.factors[:16] != batch.factors[16:]).any(1).all()
