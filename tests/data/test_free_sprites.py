"""Sprites of continuous factors against slow drawings, dSprites, and what chance demands."""

import colorsys
import math

import numpy as np
import pytest

from reference.sprites_reference import heart_outline, inside_polygon
from unweave.data import load_dataset, parse_dataset
from unweave.data.render.free_sprites import covered
from unweave.data.render.sprites import FACTOR_SPACE, render


def slow(shape, scale, angle, pos_x, pos_y, points):
    """Points of each pixel inside the outline, one at a time, (64, 64)."""
    outline = heart_outline(8000)
    hits = np.zeros((64, 64), dtype=int)
    for row in range(64):
        for column in range(64):
            if math.hypot(column - 15.5 - 32 * pos_x, row - 15.5 - 32 * pos_y) > 15 * scale + 1:
                continue
            for point in range(points**2):
                x = column - 0.5 + (point % points + 0.5) / points - 15.5 - 32 * pos_x
                y = row - 0.5 + (point // points + 0.5) / points - 15.5 - 32 * pos_y
                u = (math.cos(angle) * x - math.sin(angle) * y) / scale
                w = (math.sin(angle) * x + math.cos(angle) * y) / scale
                if shape == 0:
                    inside = max(abs(u), abs(w)) < 9.596
                elif shape == 1:
                    inside = (u / 12.758) ** 2 + (w / 7.214) ** 2 < 1
                else:
                    inside = inside_polygon(u, w, outline)
                hits[row, column] += inside
    return hits


@pytest.mark.parametrize("points", [1, 2])
@pytest.mark.parametrize("shape", [0, 1, 2])
def test_coverage_is_that_of_the_slow_drawing(shape, points):
    rng = np.random.default_rng(shape)
    pose = rng.random((3, 4)) * [0.5, 2 * np.pi, 1, 1] + [0.5, 0, 0, 0]
    pose[0] = [1, 0.3, 0, 1]  # the largest, in a corner
    found = covered(np.full(3, shape), pose, points)
    for image, row in zip(found, pose, strict=True):
        # The heart of the oracle is a polygon, which a point may lie just within.
        assert abs(image - slow(shape, *row, points)).sum() <= (shape == 2)


def test_on_the_grid_of_dsprites_images_are_those_of_dsprites():
    indices = FACTOR_SPACE.sample(600, np.random.default_rng(0))
    values = FACTOR_SPACE.values(indices)
    found = covered(indices[:, 0], values[:, 1:], 1)
    np.testing.assert_array_equal(found, render(indices))


def test_a_batch_is_its_images_one_by_one():
    rng = np.random.default_rng(1)
    shape = rng.integers(0, 3, 60)
    pose = rng.random((60, 4)) * [0.5, 2 * np.pi, 1, 1] + [0.5, 0, 0, 0]
    batch = covered(shape, pose, 4)
    assert batch.dtype == np.uint8
    assert batch.max() == 16
    for row in range(60):
        np.testing.assert_array_equal(batch[row], covered(shape[[row]], pose[[row]], 4)[0])
    assert covered(shape[:0], pose[:0], 4).shape == (0, 64, 64)


@pytest.mark.parametrize("settings", ["", ", antialias=True", ", color=True"])
def test_images_can_begin_at_any(home, begins_anywhere, settings):
    begins_anywhere(parse_dataset(f"sprites(images=900{settings})"))


def test_smooth_squares_have_their_area_and_lie_where_the_factors_say():
    data = load_dataset("sprites(images=900, antialias=True)")
    flat = np.flatnonzero(data.factors(np.arange(900))[:, 0] == 0)
    weight, values = data.images(flat)[..., 0] / 255, data.values(flat)
    area = weight.sum(axis=(1, 2))
    np.testing.assert_allclose(area, (2 * 9.596 * values[:, 1]) ** 2, rtol=0.02)
    places = np.arange(64)
    x = (weight.sum(axis=1) @ places) / area
    y = (weight.sum(axis=2) @ places) / area
    np.testing.assert_allclose(x, 15.5 + 32 * values[:, 3], atol=0.1)
    np.testing.assert_allclose(y, 15.5 + 32 * values[:, 4], atol=0.1)


def test_labels_are_exact_values_and_the_intervals_they_lie_in():
    data = load_dataset("sprites(images=500, bins=7, color=True)")
    assert not data.is_grid
    assert not data.spec.full_grid
    space = data.factor_space
    assert space == data.spec.factor_space
    assert space.names == ("shape", "scale", "orientation", "pos_x", "pos_y", "hue")
    assert space.sizes == (3, 7, 7, 7, 7, 7)
    kinds = ["categorical", "ordinal", "circular", "ordinal", "ordinal", "circular"]
    assert [factor.kind for factor in space.factors] == kinds
    flat = np.arange(500)
    exact, indices = data.values(flat), data.factors(flat)
    np.testing.assert_array_equal(exact[:, 0], indices[:, 0] + 1)
    ranges = {"scale": (0.5, 1), "orientation": (0, 2 * np.pi)}
    for column, name in enumerate(space.names[1:], 1):
        low, high = ranges.get(name, (0, 1))
        edges = np.linspace(low, high, 8)
        assert (exact[:, column] >= edges[indices[:, column]]).all()
        assert (exact[:, column] < edges[indices[:, column] + 1]).all()
        middles = (edges[1:] + edges[:-1]) / 2
        np.testing.assert_allclose(space.factors[column].values, middles)
    # The image shows the exact values, not those of the index.
    shown = covered(indices[:, 0], exact[:, 1:5], 1)
    np.testing.assert_array_equal(data.images(flat).max(axis=3) > 0, shown > 0)


def test_factors_are_uniform_and_independent():
    spec = parse_dataset("sprites(images=30000, bins=10, color=True)")
    space, labels = spec.labels()
    exact = labels.values
    correlations = np.corrcoef(exact.T) - np.eye(6)
    assert abs(correlations).max() < 5 / np.sqrt(30_000)
    pairs = [(a, b) for a in range(6) for b in range(a + 1)]
    for a, b in pairs:
        sizes = (space.sizes[a], space.sizes[b])
        cells = labels.indices[:, a] * sizes[1] + labels.indices[:, b]
        counts = np.bincount(cells, minlength=sizes[0] * sizes[1])
        if a == b:
            counts = counts[:: sizes[0] + 1]
        expected = 30_000 / len(counts)
        statistic = ((counts - expected) ** 2 / expected).sum()
        degrees = len(counts) - 1
        assert abs(statistic - degrees) < 5 * np.sqrt(2 * degrees)
    # Within intervals, too: the parts of a bin are as frequent as each other.
    fine = np.histogram(exact[:, 1], 400, (0.5, 1))[0]
    assert abs(((fine - 75) ** 2 / 75).sum() - 399) < 5 * np.sqrt(2 * 399)


def test_images_do_not_depend_on_how_many_there_are_but_on_the_seed():
    few, many = load_dataset("sprites(images=200)"), load_dataset("sprites(images=3000)")
    flat = np.arange(200)
    np.testing.assert_array_equal(few.images(flat), many.images(flat))
    np.testing.assert_array_equal(few.values(flat), many.values(flat))
    other = load_dataset("sprites(images=200, seed=1)")
    assert (other.values(flat) != few.values(flat))[:, 1:].all()


@pytest.mark.parametrize("smooth", [False, True])
def test_colour_adds_a_hue_and_changes_nothing_else(smooth):
    grey = load_dataset(f"sprites(images=60, antialias={smooth})")
    color = load_dataset(f"sprites(images=60, antialias={smooth}, color=True)")
    assert grey.store.encoding == ("bytes" if smooth else "bits")
    assert (grey.image_shape, color.image_shape) == ((64, 64, 1), (64, 64, 3))
    flat = np.arange(60)
    np.testing.assert_array_equal(grey.values(flat), color.values(flat)[:, :5])
    shares = covered(grey.factors(flat)[:, 0], grey.values(flat)[:, 1:], 4 if smooth else 1)
    shares = shares[..., np.newaxis] / (16 if smooth else 1)
    assert abs(grey.images(flat) - 255 * shares).max() <= 0.5
    hues = [colorsys.hsv_to_rgb(hue, 1, 1) for hue in color.values(flat)[:, 5]]
    expected = 255 * shares * np.array(hues)[:, np.newaxis, np.newaxis]
    assert abs(color.images(flat) - expected).max() <= 0.5 + 1e-9


def test_intervals_change_the_labels_alone():
    few, many = (load_dataset(f"sprites(images=200, bins={bins})") for bins in (2, 50))
    flat = np.arange(200)
    np.testing.assert_array_equal(few.images(flat), many.images(flat))
    np.testing.assert_array_equal(few.values(flat), many.values(flat))
    np.testing.assert_array_equal(few.factors(flat)[:, 1:], many.factors(flat)[:, 1:] // 25)
    assert few.store.fingerprint() != many.store.fingerprint()


@pytest.mark.slow
def test_all_images_on_the_defaults():
    data = load_dataset("sprites")
    assert len(data) == 100_000
    # Frozen: raise REVISION when an image changes.
    assert data.store.manifest["sha256"].startswith("298cfff9aee1a19e")
