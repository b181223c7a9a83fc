"""Latents take the values that a range, quantiles or a cycle say."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import pytest

from unweave.errors import SpecError
from unweave.figures.look import CYCLES, Look
from unweave.figures.walks import Beginning, cycle_values, walk
from unweave.pictures import Encoded

MEAN = np.array([0.5, -1.0, 3.0], np.float32)
STD = np.array([0.1, 1.0, 0.5], np.float32)
PRIOR = Beginning("prior", np.zeros(3, np.float32), np.ones(3, np.float32))
POSTERIOR = Beginning("posterior", MEAN, STD)


@pytest.mark.parametrize("beginning", [PRIOR, POSTERIOR])
def test_a_range_is_around_zero_for_all_latents(beginning):
    found = walk(Look(range=1.5), 4, beginning)
    for row in found.values:
        np.testing.assert_allclose(row, [-1.5, -0.5, 0.5, 1.5])
    assert found.heads == ["\N{MINUS SIGN}1.5", "\N{MINUS SIGN}0.5", "+0.5", "+1.5"]


def test_the_range_of_a_kind_where_none_is_asked_for():
    np.testing.assert_allclose(walk(Look(), 3, PRIOR, 4.0).values[1], [-4, 0, 4])


@pytest.mark.parametrize("share", [0.475, 0.25, 0.01])
def test_quantiles_have_their_share_of_probability_between_them(share):
    prior = walk(Look(range=share), 5, PRIOR).values
    posterior = walk(Look(range=share), 5, POSTERIOR).values
    for latent in range(3):
        for rows, of in (
            (prior, NormalDist()),
            (posterior, NormalDist(float(MEAN[latent]), float(STD[latent]))),
        ):
            row = rows[latent]
            assert of.cdf(row[-1]) - of.cdf(row[0]) == pytest.approx(2 * share)
            # The middle is the mean, and steps are equal.
            assert row[2] == pytest.approx(of.mean)
            np.testing.assert_allclose(np.diff(row), row[1] - row[0])
            assert row[0] < row[-1]


def test_columns_of_posterior_quantiles_are_headed_by_standard_deviations():
    heads = walk(Look(range=0.475), 3, POSTERIOR).heads
    assert heads == ["\N{MINUS SIGN}1.96 σ", "mean", "+1.96 σ"]


def test_codes_without_noise_have_no_quantiles():
    bare = Beginning("posterior", MEAN, None)
    with pytest.raises(SpecError, match="have no noise"):
        walk(Look(range=0.3), 3, bare)
    assert walk(Look(range=0.5), 3, bare).values[0, 0] == -0.5


def slow_cycle(cycle, steps, start, means, stds):
    """Value by value, with a point that walks a line of length 2 and turns at its ends."""
    centre = sum(means) / len(means)
    spread = math.sqrt(
        sum(s * s for s in stds) / len(stds) + sum((m - centre) ** 2 for m in means) / len(means)
    )
    low, high = {
        "fixed_interval": (-2, 2),
        "conf_interval": (centre - 2 * spread, centre + 2 * spread),
        "minmax": (min(means), max(means)),
    }.get(cycle, (0, 1))
    of = NormalDist() if cycle == "std_gaussian" else NormalDist(centre, spread)
    gaussian = cycle.endswith("gaussian")
    place = of.cdf(start) if gaussian else (start - low) / (high - low)
    values = []
    for step in range(steps):
        at = place + 2 * step / steps
        if at > 1:
            at = 2 - at
        at = abs(at)
        if gaussian:
            values.append(of.inv_cdf(min(max(at, 0.001), 0.999)))
        else:
            values.append(low + at * (high - low))
    return values


@pytest.mark.parametrize("cycle", CYCLES)
def test_cycles_go_up_turn_and_come_back(cycle):
    rng = np.random.default_rng(0)
    means = rng.normal(size=(64, 3)).astype(np.float32)
    stds = rng.uniform(0.1, 0.5, (64, 3)).astype(np.float32)
    fitted = Encoded(np.zeros((64, 2, 2, 1), np.uint8), means, stds, None)
    start = np.array([0.3, -0.2, 0.9], np.float32)
    found = cycle_values(cycle, 20, start, fitted)
    assert found.shape == (3, 20)
    for latent in range(3):
        expected = slow_cycle(
            cycle, 20, float(start[latent]), means[:, latent].tolist(), stds[:, latent].tolist()
        )
        np.testing.assert_allclose(found[latent], expected, rtol=1e-5, atol=1e-6)
        assert found[latent, 0] == pytest.approx(start[latent], abs=1e-5)
        assert found[latent, 1] > found[latent, 0]
        assert found[latent, -1] < found[latent, 0]


@pytest.mark.parametrize("cycle", ["minmax", "conf_interval", "fitted_gaussian"])
def test_a_latent_whose_codes_are_equal_stays(cycle):
    means = np.full((64, 1), 0.25, np.float32)
    fitted = Encoded(np.zeros((64, 2, 2, 1), np.uint8), means, None, None)
    found = cycle_values(cycle, 6, np.array([0.25], np.float32), fitted)
    np.testing.assert_array_equal(found, np.full((1, 6), 0.25))
