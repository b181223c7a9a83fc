"""Our renderer of 3DShapes against a slow oracle, closed forms and colours of published images."""

import numpy as np
import pytest

from reference.rooms_reference import LAMP, distance, march, normals_at, picture
from unweave.data.render import rooms, solids
from unweave.data.render.rooms import FACTOR_SPACE, layers, regions, render, sum_layers
from unweave.factors import FactorIndexError

# Radius and height of each solid, as the oracle has them at scale 1.
SIZES = ((1.4, 2.8), (1.493, 3.0), (1.694, 3.388), (1.291, 5.195))

# Pixels of six published images, by (row, column); indices found by fitting.
COLOURS = {
    (0, 1, 0, 6, 2, 4): {
        (5, 32): (153, 226, 249),
        (25, 10): (255, 162, 0),
        (28, 62): (130, 79, 0),
        (48, 32): (221, 0, 0),
        (60, 55): (240, 0, 0),
        (53, 44): (89, 0, 0),
    },
    (3, 8, 5, 5, 1, 0): {
        (25, 60): (139, 0, 174),
        (48, 32): (5, 248, 248),
        (45, 28): (32, 255, 255),
        (60, 5): (64, 255, 0),
        (60, 55): (48, 239, 0),
    },
    (8, 7, 2, 1, 0, 14): {
        (25, 10): (40, 0, 199),
        (25, 60): (47, 0, 239),
        (48, 32): (177, 222, 0),
        (60, 5): (204, 0, 254),
        (60, 55): (180, 0, 224),
    },
    (0, 0, 3, 5, 3, 6): {
        (25, 60): (242, 0, 0),
        (48, 32): (46, 231, 0),
        (42, 31): (48, 241, 0),
        (54, 40): (86, 0, 0),
        (53, 44): (88, 0, 0),
    },
    (0, 1, 7, 5, 3, 4): {
        (25, 10): (255, 162, 0),
        (48, 32): (46, 0, 231),
        (54, 40): (85, 0, 0),
    },
    (0, 6, 4, 0, 0, 14): {
        (25, 60): (0, 96, 239),
        (25, 10): (0, 80, 199),
        (48, 32): (0, 222, 89),
        (60, 55): (224, 0, 0),
    },
}


def test_the_grid_is_the_published_one():
    assert FACTOR_SPACE.size == 480_000
    assert FACTOR_SPACE.names == (
        "floor_hue",
        "wall_hue",
        "object_hue",
        "scale",
        "shape",
        "orientation",
    )
    assert FACTOR_SPACE.sizes == (10, 10, 10, 8, 4, 15)
    first, last = FACTOR_SPACE.values(FACTOR_SPACE.unravel([0, 479_999]))
    np.testing.assert_allclose(first, [0, 0, 0, 0.75, 0, -30])
    np.testing.assert_allclose(last, [0.9, 0.9, 0.9, 1.25, 3, 30])
    second = FACTOR_SPACE.values([[1, 1, 1, 1, 1, 1]])[0]
    np.testing.assert_allclose(second, [0.1, 0.1, 0.1, 0.75 + 1 / 14, 1, -30 + 60 / 14])


@pytest.mark.parametrize(
    "indices", [(3, 8, 5, 1, 0, 1), (4, 4, 4, 7, 1, 13), (6, 2, 9, 3, 2, 6), (0, 1, 7, 5, 3, 10)]
)
def test_images_are_those_of_the_slow_oracle(indices):
    expected = picture(*indices).astype(int)
    off = np.abs(render([indices])[0] - expected)
    # What the oracle cannot tell is where a round thing touches the floor it shades.
    assert (off.max(axis=2) > 1).sum() <= 12
    assert off.max() <= 25
    assert off.mean() < 0.03


@pytest.mark.parametrize("shape", range(4))
@pytest.mark.parametrize("scale", [0.75, 1.25])
def test_rays_meet_solids_where_the_oracle_comes_to_them(shape, scale):
    rng = np.random.default_rng(shape)
    origin = np.array([-4.0, -9.0, 3.0])
    aims = rng.uniform([-3, -3, 0], [3, 3, 6], (600, 3))
    aims[0], aims[1] = [-4, -5, 3], [-4.0, -9.0, 5.0]
    radius, height = (scale * size for size in SIZES[shape])
    directions = (aims - origin) * rng.uniform(0.1, 3, (600, 1))
    found, normals = solids.first_hit(shape, radius, height, origin, directions)
    expected = march(shape, scale, np.broadcast_to(origin, directions.shape), directions, 30)
    both = np.isfinite(found) & np.isfinite(expected)
    assert both.sum() > 60
    assert (np.isfinite(found) != np.isfinite(expected)).sum() <= 2
    np.testing.assert_allclose(found[both], expected[both], rtol=1e-3)
    points = origin + found[both, None] * directions[both]
    assert np.abs(distance(shape, scale, points)).max() < 1e-9
    slopes = (normals[both] * normals_at(shape, scale, points)).sum(axis=1)
    # A face's normal is not known on its very edge.
    assert (slopes < 0.999).sum() <= 3
    assert not normals[~np.isfinite(found)].any()


@pytest.mark.parametrize("shape", range(4))
def test_shadows_fall_where_the_oracle_meets_the_solid(shape):
    rng = np.random.default_rng(shape)
    points = np.pad(rng.uniform(-5, 5, (1500, 2)), ((0, 0), (0, 1)))
    points = points[distance(shape, 1.1, points) > 0.02]
    radius, height = (1.1 * size for size in SIZES[shape])
    found = solids.blocked(shape, radius, height, points, LAMP)
    expected = march(shape, 1.1, points, LAMP - points, 31) < np.inf
    assert 20 < expected.sum() < 700
    assert (found != expected).mean() < 0.003


def test_a_ray_along_a_face_and_one_away_from_the_solid_miss_it():
    origin = np.array([0.0, -5.0, 1.0])
    directions = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])
    for shape, (radius, height) in enumerate(SIZES):
        found, _ = solids.first_hit(shape, radius, height, origin, directions)
        assert np.isfinite(found).tolist() == [False, False, False, True]


def test_walls_end_where_the_camera_of_the_closed_form_sees_them():
    focal = 32 / np.tan(np.deg2rad(25))
    # Straight on, the wall behind is 24.02 away; its upper edge is 5 above the camera, and it
    # stands on the floor 3 below.
    masks = regions(0, 0, 7)
    column = masks["back wall"][:, 8]
    assert abs(32 - 5 * focal / 24.02 - masks["sky"][:, 8].sum()) < 0.34
    assert abs((5 + 3) * focal / 24.02 - column.sum()) < 0.67
    assert masks["right wall"].max() == masks["left wall"].max() == 0
    # Turned by 30 degrees, a corner is seen: it is 14.02 behind and 14.02 to the side.
    for orientation, side in ((0, "right wall"), (14, "left wall")):
        turn = np.deg2rad(30)
        ahead = 14.02 * (np.cos(turn) + np.sin(turn)) + 10
        aside = 14.02 * (np.cos(turn) - np.sin(turn))
        share = regions(0, 0, orientation)[side][24].sum()
        assert abs(share - (32 - focal * aside / ahead)) < 0.34


@pytest.mark.parametrize("scene", [(0, 0, 0), (7, 3, 14), (4, 2, 7), (2, 1, 10)])
def test_every_pixel_shows_something_and_nothing_twice(scene):
    masks = regions(*scene)
    np.testing.assert_allclose(sum(masks.values()), 1)
    assert masks["object"].sum() > 150
    assert masks["shadow"].sum() > 5


@pytest.mark.parametrize("indices", COLOURS)
def test_colours_are_those_of_published_images(indices):
    image = render([indices])[0].astype(int)
    found = np.array([image[place] for place in COLOURS[indices]])
    assert np.abs(found - list(COLOURS[indices].values())).max() <= 3


def test_hues_change_their_own_part_alone():
    first, floor, wall, thing = render(
        [[0, 0, 0, 3, 1, 10], [5, 0, 0, 3, 1, 10], [0, 5, 0, 3, 1, 10], [0, 0, 5, 3, 1, 10]]
    )
    masks = regions(3, 1, 10)
    own = {
        "floor": masks["floor"] + masks["shadow"],
        "wall": masks["back wall"] + masks["left wall"] + masks["right wall"],
        "object": masks["object"],
    }
    for image, name in ((floor, "floor"), (wall, "wall"), (thing, "object")):
        changed = (image != first).any(axis=2)
        # The filter reaches three pixels far.
        near = np.lib.stride_tricks.sliding_window_view(np.pad(own[name] > 0, 3), (7, 7))
        assert not (changed & ~near.any(axis=(2, 3))).any()
        assert changed[own[name] == 1].all()


def test_a_larger_scale_is_a_larger_object():
    for shape in range(4):
        sizes = [regions(scale, shape, 7)["object"].sum() for scale in range(8)]
        assert (np.diff(sizes) > 0).all()


def test_layers_of_a_grid_add_up_to_the_single_images():
    kept = ([1, 4], [0, 9], [2, 3, 8], [7], [0, 2], [3])
    for scene, found in zip(((7, 0, 3), (7, 2, 3)), layers(kept), strict=True):
        assert found.shape == (7, 64, 64, 3)
        for place, hue in enumerate(kept[2]):
            image = sum_layers(found[[1, 3, 4 + place]])
            np.testing.assert_array_equal(image, render([(4, 9, hue, *scene)])[0])


def test_images_stay_as_they_are():
    rows = [
        [0, 0, 0, 0, 0, 14],
        [9, 9, 9, 7, 3, 0],
        [1, 2, 3, 4, 1, 9],
        [5, 6, 7, 3, 2, 5],
        [3, 8, 5, 6, 0, 2],
    ]
    # Frozen: raise REVISION when an image changes.
    assert rooms.REVISION == 1
    means = render(rows).mean(axis=(1, 2, 3))
    np.testing.assert_allclose(means, [114.391, 141.782, 153.519, 151.365, 149.198], atol=0.005)


def test_indices_are_checked():
    with pytest.raises(FactorIndexError, match="scale: 8 is out of range"):
        render([[0, 0, 0, 8, 0, 0]])
    with pytest.raises(FactorIndexError, match="orientation: -1 is out of range"):
        list(layers([[0], [0], [0], [0], [0], [-1]]))
