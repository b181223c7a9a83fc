"""Rings: angles are found again; grids, blobs and discs are none."""

from __future__ import annotations

import math

import numpy as np
import pytest

from reference.recursion_codes import product_grid
from unweave.errors import DataError, SpecError
from unweave.population.recursion.circular import find_rings

TURN = 2 * math.pi


def ring_codes(angles, seed=0, *, radii=(1.4, 1.4), centre=(0.0, 0.0), noise=0.05, outliers=0.0):
    generator = np.random.default_rng(seed)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    codes = np.array(centre) + np.array(radii) * circle
    codes += noise * generator.normal(size=codes.shape)
    far = generator.random(len(codes)) < outliers
    codes[far] = 3 * generator.normal(size=(far.sum(), 2))
    return codes


def turned(found, truth):
    """Differences of angles, from -pi to pi."""
    return (found - truth + math.pi) % TURN - math.pi


@pytest.mark.parametrize("radii", [(1.4, 1.4), (0.4, 1.6)])
@pytest.mark.parametrize("count", [5, 8, 15, 40])
def test_finds_the_angle_and_its_values(count, radii):
    truth = np.arange(400 * count) % count
    angles = truth * TURN / count
    noise = 0.2 * TURN / count * 0.3
    codes = ring_codes(angles, radii=radii, centre=(0.2, -0.1), noise=0.0)
    codes += noise * np.array(radii) * np.random.default_rng(1).normal(size=codes.shape)
    (ring,) = find_rings(codes)
    assert ring.latents == (0, 1)
    np.testing.assert_allclose(ring.centre, [0.2, -0.1], atol=0.02)
    np.testing.assert_allclose(ring.radii, radii, rtol=0.03)
    assert np.abs(turned(ring.angles, angles)).max() < 6 * noise
    assert ring.purity > 0.99
    assert ring.clusters.count == count
    kept = ring.clusters.ids >= 0
    assert kept.mean() > 0.98
    shift = (ring.clusters.ids[kept] - truth[kept]) % count
    assert (shift == shift[0]).mean() > 0.999


def test_a_ring_is_found_in_the_order_of_a_large_grid_too():
    # Every so many of these images would be three of the fifteen values.
    angles = np.arange(480_000) % 15 * TURN / 15
    (ring,) = find_rings(ring_codes(angles, noise=0.02))
    assert ring.clusters.count == 15


def test_a_few_images_make_no_ring():
    found = [find_rings(np.random.default_rng(seed).normal(size=(10, 3))) for seed in range(200)]
    assert not any(found)


def test_a_continuous_angle_is_a_ring_without_clusters():
    angles = np.random.default_rng(2).uniform(0, TURN, 10_000)
    (ring,) = find_rings(ring_codes(angles))
    assert ring.clusters.count == 0
    assert ring.clusters.circular
    assert np.abs(turned(ring.angles, angles)).max() < 0.3


def test_angles_that_are_not_equally_frequent_and_outliers():
    generator = np.random.default_rng(3)
    angles = generator.choice(12, 20_000, p=np.arange(1, 13) / 78) * TURN / 12
    (ring,) = find_rings(ring_codes(angles, centre=(0.5, 0.0), outliers=0.04))
    np.testing.assert_allclose(ring.centre, [0.5, 0], atol=0.05)
    assert 0.93 < ring.purity < 0.99
    assert ring.clusters.count == 12
    # What is far from the ring is in no cluster.
    assert (ring.clusters.ids == -1).mean() > 1 - ring.purity - 1e-9


def others(kind, images=20_000):
    generator = np.random.default_rng(4)
    if kind.startswith("grid"):
        sizes = tuple(int(n) for n in kind[4:].split("x"))
        codes, _ = product_grid((*sizes, images // math.prod(sizes)), 0.05)
        return codes[:, :2]
    return {
        "normal": lambda: generator.normal(size=(images, 2)),
        "uniform": lambda: generator.uniform(-1.7, 1.7, size=(images, 2)),
        "disc": lambda: (
            ring_codes(generator.uniform(0, TURN, images))
            * np.sqrt(generator.uniform(size=(images, 1)))
        ),
        "half": lambda: ring_codes(generator.uniform(0, TURN / 2, images)),
        "four": lambda: ring_codes(generator.integers(0, 4, images) * TURN / 4),
        "line": lambda: np.repeat(generator.normal(size=(images, 1)), 2, axis=1),
        "constant": lambda: np.stack([generator.normal(size=images), np.zeros(images)], axis=1),
    }[kind]()


@pytest.mark.parametrize(
    "kind",
    [
        "grid2x2", "grid2x3", "grid3x3", "grid2x8", "grid4x4", "grid3x10", "grid10x10", "normal",
        "uniform", "disc", "half", "four", "line", "constant",
    ],
)  # fmt: skip
def test_what_is_no_ring(kind):
    assert find_rings(others(kind)) == []


def test_finds_rings_among_other_latents():
    generator = np.random.default_rng(5)
    first, second = generator.uniform(0, TURN, (2, 10_000))
    rest, _ = product_grid((10, 10, 100), 0.1)
    one, two = ring_codes(first, 1, noise=0.02), ring_codes(second, 2, noise=0.1)
    codes = np.stack([two[:, 0], rest[:, 0], one[:, 1], two[:, 1], rest[:, 1], one[:, 0]], axis=1)
    rings = find_rings(codes)
    # The clearer one first.
    assert [ring.latents for ring in rings] == [(2, 5), (0, 3)]
    assert rings[0].spread < rings[1].spread
    # Sine and cosine have changed places.
    assert np.abs(turned(rings[0].angles, TURN / 4 - first)).max() < 0.2
    assert find_rings(codes, [0, 1, 2, 3]) != []
    assert find_rings(codes, np.array([0, 1, 2, 4])) == []
    assert find_rings(codes, []) == []


def test_refuses_bad_input():
    codes = np.zeros((10, 2))
    with pytest.raises(DataError, match="finite codes"):
        find_rings(np.zeros(10))
    with pytest.raises(DataError, match="finite codes"):
        find_rings(np.full((10, 2), np.inf))
    with pytest.raises(DataError, match="There are 2 latents"):
        find_rings(codes, [0, 2])
    for name, value in (("spread", 0), ("tolerance", 1.5), ("share", 0), ("gap", 400)):
        with pytest.raises(SpecError, match=f"{name} must be more than 0"):
            find_rings(codes, **{name: value})
