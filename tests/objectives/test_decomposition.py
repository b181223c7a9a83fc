"""Mutual information, total correlation and dimension-wise KL against loops over the batch."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from reference import objectives_reference, regularisers_reference
from reference.steps import make_step, random_codes
from unweave.errors import SpecError
from unweave.objectives import DimensionKL, MutualInformation, TotalCorrelation, parse_objective
from unweave.objectives.densities import densities, stratified_log_weights

SETTINGS = [
    ("batch", "none"),
    ("stratified", "none"),
    ("stratified", "disvae"),
    ("weighted", "none"),
]
TERMS = (MutualInformation, TotalCorrelation, DimensionKL)
LIKE = torch.empty(0, dtype=torch.float64)


def estimates(codes, estimator, compat, dataset_size=1000):
    """The three raw values of a step with these codes."""
    step = make_step(*codes, dataset_size=dataset_size)
    return [term(estimator=estimator, compat=compat).value(step).item() for term in TERMS]


@pytest.mark.parametrize(("estimator", "compat"), SETTINGS)
@pytest.mark.parametrize(("batch_size", "latents", "dataset_size"), [
    (2, 3, 1000), (3, 1, 3), (7, 4, 50), (16, 2, 737_280),
])  # fmt: skip
def test_the_terms_are_those_of_the_definition(
    estimator, compat, batch_size, latents, dataset_size
):
    codes = random_codes(batch_size, latents, seed=batch_size)
    expected = objectives_reference.decomposition(*codes, dataset_size, estimator, compat)
    found = estimates(codes, estimator, compat, dataset_size)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize(("estimator", "compat"), SETTINGS)
@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 10**6))
@settings(max_examples=20, deadline=None)
def test_their_sum_is_the_sampled_kl_whatever_the_estimator(
    estimator, compat, batch_size, latents, seed
):
    codes = random_codes(batch_size, latents, seed)
    expected = objectives_reference.monte_carlo_kl(*codes)
    assert sum(estimates(codes, estimator, compat)) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("batch_size", "dataset_size"), [(2, 2), (2, 100), (5, 5), (9, 1000)])
def test_correct_weights_are_a_distribution_over_the_batch(batch_size, dataset_size):
    weights = stratified_log_weights(batch_size, dataset_size, "none", LIKE).exp()
    np.testing.assert_allclose(weights.sum(1), np.ones(batch_size), rtol=1e-12)
    expected = objectives_reference.stratified_weights(batch_size, dataset_size)
    np.testing.assert_allclose(weights, expected, rtol=1e-12)
    # Every posterior is counted alike over the batch, too.
    np.testing.assert_allclose(weights.sum(0), np.ones(batch_size), rtol=1e-12)


def test_published_weights_stand_in_the_first_two_columns():
    weights = stratified_log_weights(6, 100, "disvae", LIKE).exp()
    n, m = 100, 5
    s = (n - m) / (n * m)
    assert weights[:, 0].tolist() == pytest.approx([1 / n, 1 / n, 1 / n, 1 / n, s, 1 / n])
    assert weights[:, 1].tolist() == pytest.approx([s] * 6)
    assert (weights[:, 2:] - 1 / m).abs().max() < 1e-12
    np.testing.assert_allclose(weights, objectives_reference.disvae_weights(6, 100), rtol=1e-12)
    # The slip: one row is not a distribution.
    sums = weights.sum(1)
    assert sums[4] != pytest.approx(1)
    assert sums[[0, 1, 2, 3, 5]].tolist() == pytest.approx([1] * 5)


def test_the_published_defect_shifts_information_and_correlation_against_each_other():
    batch_size, latents, images = 32, 10, 737_280
    codes = random_codes(batch_size, latents)
    published = estimates(codes, "stratified", "disvae", images)
    # The same weights in the same places, each counted once.
    right = objectives_reference.decomposition(*codes, images, compat="disvae", power=1)
    shift = (latents - 1) * math.log(batch_size - 1)
    assert published[0] - right[0] == pytest.approx(shift, rel=0.05)
    assert published[1] - right[1] == pytest.approx(-shift, rel=0.05)
    assert published[2] == pytest.approx(right[2])
    # Ours puts them in their places, too.
    ours = estimates(codes, "stratified", "none", images)
    assert published[0] - ours[0] > 10
    assert ours[1] - published[1] > 10


def test_without_correlation_between_latents_there_is_none():
    # One posterior for all images: q(z) is that posterior, and its latents are independent.
    mean = np.zeros((12, 3))
    z = random_codes(12, 3)[2]
    information, correlation, dimension = estimates((mean, mean, z), "stratified", "none")
    assert information == pytest.approx(0, abs=1e-9)
    assert correlation == pytest.approx(0, abs=1e-9)
    assert dimension == pytest.approx(0, abs=1e-9)


def test_stratified_sampling_estimates_the_aggregate_posterior_without_bias():
    """Over all batches that a sample can be in, its density has the right mean."""
    mean, logvar, z = random_codes(5, 2)
    density = objectives_reference.log_density
    each = np.array([
        [math.exp(density(z[0, k], mean[j, k], logvar[j, k])) for k in range(2)] for j in range(5)
    ])  # fmt: skip
    batches = [[0, *others] for others in itertools.permutations(range(1, 5), 2)]
    found = [
        densities(make_step(mean[b], logvar[b], z[b], dataset_size=5), "stratified", "none")
        for b in batches
    ]
    joint = np.mean([d.joint[0].exp() for d in found])
    assert joint == pytest.approx(each.prod(axis=1).mean(), rel=1e-12)


def test_stratified_sampling_needs_two_images_and_a_dataset_that_holds_the_batch():
    for batch_size, dataset_size in ((1, 10), (11, 10)):
        with pytest.raises(SpecError, match=f"the batch has {batch_size}, the dataset 10"):
            stratified_log_weights(batch_size, dataset_size, "none", LIKE)
    assert all(term().min_batch == 2 for term in TERMS)


def test_terms_that_ask_alike_share_one_computation():
    step = make_step(*random_codes(4, 2))
    for term in parse_objective("beta_tcvae").expand().terms.values():
        if term.name != "reconstruction":
            term.value(step)
    assert list(step._shared) == ["densities/batch/none"]
    TotalCorrelation(estimator="weighted").value(step)
    assert set(step._shared) == {"densities/batch/none", "densities/weighted/none"}


def test_the_mixture_of_the_batch_is_weighted_sampling_without_its_constants():
    latents, images = 3, 500
    codes = random_codes(6, latents)
    found = np.array(estimates(codes, "batch", "none", images))
    weighted = np.array(estimates(codes, "weighted", "none", images))
    # log q(z) holds log N once, the product of the marginals once for each latent.
    shift = np.log(images) * np.array([-1, 1 - latents, latents])
    np.testing.assert_allclose(found, weighted + shift)


def test_the_mixture_of_the_batch_is_exact_when_the_batch_is_the_dataset():
    codes = random_codes(5, 2)
    d = densities(make_step(*(torch.tensor(a) for a in codes), dataset_size=5), "batch", "none")
    mean, logvar, z = codes
    each = -0.5 * (
        np.log(2 * np.pi) + logvar[None] + (z[:, None] - mean[None]) ** 2 / np.exp(logvar[None])
    )
    np.testing.assert_allclose(d.joint, np.log(np.exp(each.sum(2)).mean(1)))
    np.testing.assert_allclose(d.product, np.log(np.exp(each).mean(1)).sum(1))


def test_gradients_are_those_of_finite_differences():
    mean, logvar, z = (torch.tensor(a, requires_grad=True) for a in random_codes(3, 2))
    for estimator, compat in SETTINGS:
        for term in TERMS:
            made = term(estimator=estimator, compat=compat)
            assert torch.autograd.gradcheck(
                lambda m, v, s, made=made: made.value(make_step(m, v, s)), (mean, logvar, z)
            )


def test_without_constants_values_are_those_of_published_logs_and_gradients_the_same():
    batch_size, latents = 6, 3
    codes = random_codes(batch_size, latents)
    published = TotalCorrelation(compat="dlib").value(make_step(*codes)).item()
    expected = regularisers_reference.unnormalised_correlation(*codes)
    assert published == pytest.approx(expected, rel=1e-10)
    ours = TotalCorrelation().value(make_step(*codes)).item()
    assert ours - published == pytest.approx((latents - 1) * math.log(batch_size))
    gradients = []
    for compat in ("none", "dlib"):
        z = torch.tensor(codes[2], requires_grad=True)
        value = TotalCorrelation(compat=compat).value(make_step(*codes[:2], z))
        gradients.append(torch.autograd.grad(value, z)[0])
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("text", ["beta_tcvae", "vae + total_correlation"])
def test_a_compatibility_without_effect_is_refused(text):
    name = text.split()[-1]
    for written, estimator in (("estimator=weighted, ", "weighted"), ("", "batch")):
        with pytest.raises(SpecError, match=f"estimator is {estimator}. Write .*stratified"):
            parse_objective(f"{text}({written}compat=disvae)")
    assert name in str(parse_objective(f"{text}(estimator=stratified, compat=disvae)"))
    with pytest.raises(SpecError, match=r"estimator is stratified. Write estimator=batch, compat"):
        parse_objective(f"{text}(estimator=stratified, compat=dlib)")
