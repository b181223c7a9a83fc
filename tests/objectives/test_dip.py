"""DIP-VAE I and II against covariances that are summed up one number at a time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference import regularisers_reference as reference
from reference.steps import make_step, random_codes
from unweave.errors import SpecError
from unweave.latents import Point
from unweave.objectives import DIPI, DIPII, parse_objective
from unweave.schedules import Linear


@pytest.mark.parametrize(("batch_size", "latents"), [(2, 3), (6, 4), (9, 1), (5, 8)])
@pytest.mark.parametrize("weights", [(1.0, 10.0), (10.0, 1.0), (0.0, 2.0), (3.0, 0.0)])
def test_the_penalties_are_those_of_the_definition(batch_size, latents, weights):
    mean, logvar, z = random_codes(batch_size, latents, seed=batch_size)
    step = make_step(mean, logvar, z)
    off, on = weights
    expected = reference.dip_penalty(reference.covariance(mean), off, on)
    found = DIPI(off_diagonal=off, diagonal=on).value(step)
    assert found.item() == pytest.approx(expected, rel=1e-10)
    for compat in ("none", "dpt"):
        matrix = reference.total_covariance(mean, logvar, compat)
        expected = reference.dip_penalty(matrix, off, on)
        found = DIPII(off_diagonal=off, diagonal=on, compat=compat).value(step)
        assert found.item() == pytest.approx(expected, rel=1e-10)


def test_a_standard_normal_aggregate_costs_nothing():
    # Means at 0 and unit variances; and means that have an identity covariance by themselves.
    nothing = np.zeros((4, 3))
    assert DIPII().value(make_step(nothing, nothing, nothing)).item() == 0.0
    whitened = np.array([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0]])
    step = make_step(whitened, np.zeros((4, 2)), whitened)
    assert DIPI().value(step).item() == pytest.approx(0.0, abs=1e-12)
    # Of three latents that are all 0, each variance is 1 away from 1.
    step = make_step(nothing, nothing, nothing)
    assert DIPI(off_diagonal=5, diagonal=7).value(step).item() == pytest.approx(21.0)


def test_the_published_defect_is_in_every_entry():
    mean, logvar = np.zeros((4, 3)), np.zeros((4, 3))
    step = make_step(mean, logvar, mean)
    # The scalar 1 stands in all nine entries: right on the diagonal, wrong in six others.
    assert DIPII(off_diagonal=1, diagonal=10, compat="dpt").value(step).item() == 6.0
    assert DIPII(off_diagonal=1, diagonal=10).value(step).item() == 0.0
    assert DIPII(compat="dpt").needs_float32
    assert not DIPII().needs_float32


def test_samples_covary_as_the_second_kind_says():
    rng = np.random.default_rng(0)
    mean, logvar = rng.normal(0, 1, (6, 2)), rng.uniform(-1, 1, (6, 2))
    draws = mean + np.exp(0.5 * logvar) * rng.standard_normal((200_000, 6, 2))
    empirical = np.cov(draws.reshape(-1, 2).T, bias=True)
    found = DIPII().covariance(make_step(mean, logvar, mean))
    np.testing.assert_allclose(found, empirical, atol=0.01)


def test_weights_may_change_over_time():
    mean, logvar, z = random_codes(5, 3)
    term = DIPI(off_diagonal=Linear(start=0, stop=8, steps=8), diagonal=0)
    full = DIPI(off_diagonal=1, diagonal=0).value(make_step(mean, logvar, z)).item()
    for t, weight in ((1, 1), (4, 4), (20, 8)):
        step = make_step(mean, logvar, z, global_step=t)
        value = term.value(step)
        assert value.item() == pytest.approx(weight * full)
        assert term.weigh(value, t) is value


def test_gradients_are_those_of_finite_differences():
    mean, logvar, z = (torch.tensor(a, requires_grad=True) for a in random_codes(4, 2))
    for term in (DIPI(), DIPII(), DIPII(compat="dpt")):
        assert torch.autograd.gradcheck(
            lambda m, v, s, term=term: term.value(make_step(m, v, s)), (mean, logvar, z)
        )


def test_the_first_kind_needs_no_variances_and_the_second_does():
    mean, logvar, z = random_codes(4, 2)
    step = make_step(mean, logvar, z)
    bare = make_step(mean, logvar, z)
    object.__setattr__(bare, "posterior", Point(mean=torch.as_tensor(mean)))
    assert DIPI().value(bare).item() == DIPI().value(step).item()
    parse_objective("autoencoder + dip_i")
    with pytest.raises(SpecError, match="dip_ii reads the variances of a posterior"):
        parse_objective("autoencoder + dip_ii")


def test_methods_have_the_terms_of_the_published_sweeps():
    def terms(text):
        return [str(term) for term in parse_objective(text).expand().terms.values()]

    assert terms("dip_vae_i(off_diagonal=5, diagonal=50)") == [
        "reconstruction", "kl", "dip_i(off_diagonal=5, diagonal=50)",
    ]  # fmt: skip
    assert terms("dip_vae_ii(off_diagonal=5, diagonal=5, kl=2, compat=dpt)") == [
        "reconstruction", "kl(weight=2)", "dip_ii(off_diagonal=5, diagonal=5, compat=dpt)",
    ]  # fmt: skip
    # Both at once, as disentanglement-pytorch allows.
    assert terms("vae + dip_i + dip_ii") == ["reconstruction", "kl", "dip_i", "dip_ii"]
