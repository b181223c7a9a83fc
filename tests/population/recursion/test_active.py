"""Active latents: closed forms of the KL, the published estimate, and bad input."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.population.recursion.active import active_latents
from unweave.representation import Representation


def of(mean, logvar):
    mean = np.asarray(mean, np.float32)
    factors = np.zeros((len(mean), 0), np.int64)
    return Representation(
        mean=mean,
        factors=factors,
        factor_space=FactorSpace.unknown(),
        logvar=None if logvar is None else np.asarray(logvar, np.float32),
    )


def test_kl_is_the_closed_form_and_the_threshold_is_exceeded():
    # 0.5 (m^2 + v - 1 - log v): 0, 2 and a little less than 1 nats.
    mean = np.tile([0.0, 2.0, np.sqrt(2.0) - 0.01], (40, 1))
    found = active_latents(of(mean, np.zeros((40, 3))))
    np.testing.assert_allclose(found.kl, [0, 2, 0.5 * mean[0, 2] ** 2], rtol=1e-6)
    assert found.latents.tolist() == [1]
    assert active_latents(of(mean, np.zeros((40, 3))), 0.5).latents.tolist() == [1, 2]
    assert active_latents(of(mean, np.zeros((40, 3))), 2.5).latents.tolist() == []


def test_rpu_takes_deviations_for_variances():
    # In a batch: s = |mean of log deviations|, and 0.5 (m^2 + e^s - s - 1).
    generator = np.random.default_rng(0)
    mean, logvar = generator.normal(size=(70, 3)), generator.uniform(-6, 1, size=(70, 3))
    mean, logvar = mean.astype(np.float32).astype(float), logvar.astype(np.float32).astype(float)
    batches = []
    for start in (0, 32):
        s = np.abs((logvar[start : start + 32] / 2).mean(axis=0))
        m = (mean[start : start + 32] ** 2).mean(axis=0)
        batches.append(0.5 * (m + np.exp(s) - s - 1))
    found = active_latents(of(mean, logvar), compat="rpu")
    np.testing.assert_allclose(found.kl, np.mean(batches, axis=0), rtol=1e-12)
    assert found.latents.tolist() == np.flatnonzero(found.kl > 1).tolist()


def test_rpu_takes_fewer_images_than_a_batch_together():
    found = active_latents(of(np.full((5, 1), 2.0), np.zeros((5, 1))), compat="rpu")
    np.testing.assert_allclose(found.kl, [2.0], rtol=1e-12)


@pytest.mark.parametrize("compat", ["none", "rpu"])
def test_refuses_codes_without_logvars(compat):
    with pytest.raises(DataError, match="posterior variances"):
        active_latents(of(np.zeros((40, 2)), None), compat=compat)


def test_refuses_bad_settings_and_no_images():
    codes = of(np.zeros((40, 2)), np.zeros((40, 2)))
    with pytest.raises(SpecError, match="compat must be none or rpu"):
        active_latents(codes, compat="dlib")
    with pytest.raises(SpecError, match="at least 0 nats"):
        active_latents(codes, float("nan"))
    with pytest.raises(DataError, match="there are none"):
        active_latents(of(np.zeros((0, 2)), np.zeros((0, 2))))
