"""Synthetic codes have the information that their names promise."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import SpecError
from unweave.metrics.synthetic import SYNTHETIC, noisy_codes, rotated_codes, synthetic_codes

ROWS = 40_000


def information(a, b):
    """Mutual information of two columns of labels in nats, by counting."""
    _, a = np.unique(a, return_inverse=True)
    _, b = np.unique(b, return_inverse=True)
    joint = np.zeros((a.max() + 1, b.max() + 1))
    np.add.at(joint, (a, b), 1 / len(a))
    expected = joint.sum(1, keepdims=True) * joint.sum(0, keepdims=True)
    there = joint > 0
    return float((joint[there] * np.log(joint[there] / expected[there])).sum())


def jointly(table, factor):
    """What all codes together know of a factor, nats."""
    _, rows = np.unique(table.mean, axis=0, return_inverse=True)
    return information(rows, table.factors[:, factor])


def test_there_are_eight_of_them():
    assert len(set(SYNTHETIC)) == 8


@pytest.mark.parametrize("name", SYNTHETIC)
def test_codes_are_what_their_name_says(name):
    table = synthetic_codes(name, ROWS)
    latents, factors = table.latents, table.factors.shape[1]
    matrix = np.array(
        [
            [information(table.mean[:, j], table.factors[:, k]) for k in range(factors)]
            for j in range(latents)
        ]
    )
    whole = np.array([jointly(table, k) for k in range(factors)])
    # Sampling makes independent columns of 81 and 9 values share about 0.008 nats here.
    little = 0.01
    modular = (np.sort(matrix, axis=1)[:, -2] < little).all()
    compact = (np.abs(matrix.max(0) - whole) < little).all()
    assert modular == ("m1" in name)
    assert compact == ("c1" in name)
    share = whole.mean() / np.log(9)
    if name.endswith("i1"):
        assert share == pytest.approx(1, abs=0.001)
    else:
        assert 0.4 < share < 0.6
    np.testing.assert_allclose(table.mean.std(0), 1, atol=1e-3)


def test_a_quarter_turn_of_90_degrees_swaps_the_codes():
    straight, turned = rotated_codes(0, 1000), rotated_codes(90, 1000)
    np.testing.assert_allclose(turned.mean[:, 1], -straight.mean[:, 0], atol=1e-5)
    np.testing.assert_allclose(turned.mean[:, 0], straight.mean[:, 1], atol=1e-5)


@pytest.mark.parametrize("noise", [0.0, 0.5, 2.0])
def test_noise_takes_its_share_of_the_variance(noise):
    table = noisy_codes(noise, ROWS)
    for k in range(2):
        found = np.corrcoef(table.mean[:, k], table.factors[:, k])[0, 1]
        assert found == pytest.approx(1 / np.sqrt(1 + noise**2), abs=0.01)


def test_the_seed_decides_and_an_unknown_name_is_refused():
    first, again = synthetic_codes("m0c0i1", 50, 3), synthetic_codes("m0c0i1", 50, 3)
    np.testing.assert_array_equal(first.mean, again.mean)
    assert (synthetic_codes("m0c0i1", 50, 4).mean != first.mean).any()
    with pytest.raises(SpecError, match="Did you mean m1c1i1"):
        synthetic_codes("m1c1i", 50)
