"""Kernels and the maximum mean discrepancy against double sums over pairs."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from reference import regularisers_reference as reference
from reference.steps import make_step, random_codes
from unweave.errors import SpecError
from unweave.objectives import (
    MMD,
    InverseMultiquadratic,
    RadialBasis,
    Step,
    parse_objective,
)
from unweave.objectives.mmd import discrepancy, squared_distances
from unweave.randomness import Streams

SCALES = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
KERNELS = [
    (RadialBasis(), lambda a, b: reference.rbf(a, b, len(a) ** 2 / 2)),
    (RadialBasis(variance=3.0), lambda a, b: reference.rbf(a, b, 3.0)),
    (InverseMultiquadratic(), lambda a, b: reference.imq(a, b, 10.0, SCALES)),
    (
        InverseMultiquadratic(base=4.0, scales=(1.0,)),
        lambda a, b: reference.imq(a, b, 4.0, (1.0,)),
    ),
]
kernels = pytest.mark.parametrize(("kernel", "slow"), KERNELS, ids=[str(k) for k, _ in KERNELS])


def samples(count, latents, seed, shift=0.0):
    return np.random.default_rng(seed).normal(shift, 1, (count, latents))


def test_squared_distances_of_all_pairs():
    one, other = samples(5, 3, 0), samples(7, 3, 1)
    expected = [[((a - b) ** 2).sum() for b in other] for a in one]
    found = squared_distances(torch.as_tensor(one), torch.as_tensor(other))
    np.testing.assert_allclose(found, expected, rtol=1e-10)
    same = squared_distances(torch.as_tensor(one), torch.as_tensor(one))
    assert same.diagonal().abs().max() < 1e-12
    assert (same >= 0).all()


def test_single_precision_keeps_distances_of_codes_far_from_the_origin():
    one = torch.as_tensor(samples(20, 10, 0, shift=5.0))
    exact = squared_distances(one, one)
    assert (squared_distances(one.float(), one.float()) - exact).abs().max() < 1e-3


@kernels
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
@pytest.mark.parametrize(("count", "prior_count", "latents"), [(2, 2, 1), (5, 8, 3), (9, 4, 10)])
def test_the_estimate_is_that_of_the_definition(
    kernel, slow, estimator, count, prior_count, latents
):
    codes, prior = samples(count, latents, 1, shift=0.5), samples(prior_count, latents, 2)
    expected = reference.mmd(codes, prior, slow, biased=estimator == "biased")
    found = discrepancy(torch.as_tensor(codes), torch.as_tensor(prior), kernel, estimator)
    assert found.item() == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_the_kernel_of_disentanglement_pytorch_is_a_mean_of_squares_over_latents():
    a, b = samples(1, 6, 0)[0], samples(1, 6, 1)[0]
    expected = math.exp(-np.mean((a - b) ** 2) / 6)
    squared = torch.tensor(((a - b) ** 2).sum())
    assert RadialBasis().value(squared, 6).item() == pytest.approx(expected, rel=1e-12)


@kernels
def test_samples_that_are_the_same_differ_in_nothing(kernel, slow):
    rows = torch.as_tensor(samples(6, 4, 0))
    assert discrepancy(rows, rows, kernel, "biased").item() == pytest.approx(0.0, abs=1e-12)


@kernels
def test_without_bias_the_mean_over_draws_of_the_prior_itself_is_zero(kernel, slow):
    rng = torch.Generator().manual_seed(0)
    draws = torch.randn(400, 2, 20, 3, generator=rng, dtype=torch.float64)
    values = np.array([discrepancy(a, b, kernel, "unbiased").item() for a, b in draws])
    assert abs(values.mean()) < 4 * values.std() / np.sqrt(len(values))
    biased = np.array([discrepancy(a, b, kernel, "biased").item() for a, b in draws])
    assert (biased >= 0).all()
    assert biased.mean() > 10 * abs(values.mean())


def test_a_shift_has_the_discrepancy_of_the_closed_form():
    # Between N(m, I) and N(0, I), under a Gaussian kernel of variance s, it is
    # 2 (s / (s + 2))^(L/2) (1 - exp(-|m|^2 / (2 (s + 2)))).
    latents, variance, shift = 3, 2.0, 1.5
    codes, prior = samples(4000, latents, 1, shift), samples(4000, latents, 2)
    found = discrepancy(
        torch.as_tensor(codes), torch.as_tensor(prior), RadialBasis(variance=variance), "unbiased"
    )
    share = (variance / (variance + 2)) ** (latents / 2)
    expected = 2 * share * (1 - math.exp(-latents * shift**2 / (2 * (variance + 2))))
    assert found.item() == pytest.approx(expected, rel=0.03)


def own_prior(step: Step, count, latents, scale=1.0):
    generator = step.streams.generator("prior samples")
    return scale * torch.randn(count, latents, generator=generator).double()


@pytest.mark.parametrize("samples_", [None, 12])
@pytest.mark.parametrize("estimator", ["biased", "unbiased"])
def test_the_term_compares_what_is_decoded_with_draws_of_the_prior(samples_, estimator):
    codes = random_codes(6, 3)
    step = make_step(*codes)
    term = MMD(samples=samples_, estimator=estimator, prior_std=2.0, weight=5.0)
    prior = own_prior(step, samples_ or 6, 3, scale=2.0)
    expected = reference.mmd(
        codes[2],
        prior.numpy(),
        lambda a, b: reference.rbf(a, b, 4.5),
        biased=estimator == "biased",
    )
    value = term.value(step)
    assert value.item() == pytest.approx(expected, rel=1e-9)
    assert term.weigh(value, 1).item() == pytest.approx(5 * expected)


def test_the_prior_is_drawn_anew_each_step_and_also_where_codes_are_means():
    codes = random_codes(6, 3)
    values = [MMD().value(make_step(*codes, global_step=t)).item() for t in (1, 1, 2)]
    assert values[0] == values[1] != values[2]
    step = make_step(*codes)
    object.__setattr__(step, "streams", Streams(0, 1, torch.device("cpu"), noiseless=True))
    assert MMD().value(step).item() == values[0]


def test_gradients_are_those_of_finite_differences():
    mean, logvar, z = (torch.tensor(a, requires_grad=True) for a in random_codes(4, 2))
    for kernel, _ in KERNELS:
        for estimator in ("biased", "unbiased"):
            term = MMD(kernel=kernel, estimator=estimator, samples=5)
            assert torch.autograd.gradcheck(
                lambda s, term=term: term.value(make_step(mean.detach(), logvar.detach(), s)), (z,)
            )


def test_nothing_of_batch_by_batch_by_latents_is_made(monkeypatch):
    largest = 0
    real = torch.Tensor.__sub__

    def watched(self, other):
        nonlocal largest
        result = real(self, other)
        largest = max(largest, result.numel())
        return result

    monkeypatch.setattr(torch.Tensor, "__sub__", watched)
    rows = torch.randn(50, 40, generator=torch.Generator().manual_seed(0))
    discrepancy(rows, rows, RadialBasis(), "unbiased")
    assert 0 < largest <= 2500


def test_info_vae_weights_its_terms_by_alpha_and_lambda():
    terms = parse_objective("info_vae(alpha=0.25, lambda_=3)").expand().terms
    assert terms["kl"].weight == 0.75
    assert terms["mmd"].weight == 2.25
    published = parse_objective("info_vae(lambda_=1001, estimator=biased, samples=1000)").expand()
    assert [str(term) for term in published.terms.values()] == [
        "reconstruction", "kl", "mmd(weight=1000, estimator=biased, samples=1000)",
    ]  # fmt: skip
    for text, least in (("lambda_=0.5", "1"), ("alpha=0.5, lambda_=0.25", "0.5")):
        with pytest.raises(SpecError, match=f"Write a lambda_ of at least {least}"):
            parse_objective(f"info_vae({text})")
    with pytest.raises(SpecError, match="alpha must be at most 1"):
        parse_objective("info_vae(alpha=1.5)")
    with pytest.raises(SpecError, match="scales takes at least one number"):
        InverseMultiquadratic(scales=())
