"""Our dSprites renderer against a slow oracle, published images and facts."""

import os
import zlib
from itertools import product
from pathlib import Path

import numpy as np
import pytest

from reference.sprites_reference import sprite
from unweave.data.render.sprites import FACTOR_SPACE, packed_blocks, render
from unweave.factors import FactorIndexError

# Factor indices of twelve published images, and how many of their pixels are white.
PUBLISHED = {
    (1, 5, 20, 26, 28): 289,
    (0, 3, 16, 10, 7): 237,
    (2, 3, 34, 8, 28): 145,
    (1, 2, 23, 12, 26): 139,
    (1, 1, 16, 22, 11): 106,
    (1, 1, 32, 2, 31): 105,
    (2, 0, 39, 20, 17): 57,
    (1, 2, 13, 17, 8): 140,
    (1, 4, 16, 19, 2): 235,
    (2, 0, 25, 12, 19): 55,
    (2, 2, 0, 9, 17): 112,
    (1, 1, 37, 11, 14): 104,
}


def unpack(blocks):
    return np.unpackbits(np.concatenate(list(blocks)), axis=1).reshape(-1, 64, 64)


def test_the_grid_is_the_published_one():
    assert FACTOR_SPACE.size == 737_280
    assert FACTOR_SPACE.names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    assert FACTOR_SPACE.sizes == (3, 6, 40, 32, 32)
    first, last = FACTOR_SPACE.values(FACTOR_SPACE.unravel([0, 737_279]))
    np.testing.assert_allclose(first, [1, 0.5, 0, 0, 0])
    np.testing.assert_allclose(last, [3, 1, 2 * np.pi, 1, 1])


def test_the_first_image_is_a_white_square():
    image = render([[0, 0, 0, 0, 0]])[0]
    expected = np.zeros((64, 64), dtype=np.uint8)
    expected[11:21, 11:21] = 1
    np.testing.assert_array_equal(image, expected)
    assert image.dtype == np.uint8


def test_pos_x_moves_right_and_pos_y_moves_down():
    start, right, down = render([[0, 0, 0, 0, 0], [0, 0, 0, 31, 0], [0, 0, 0, 0, 31]])
    np.testing.assert_array_equal(np.roll(start, 32, axis=1), right)
    np.testing.assert_array_equal(np.roll(start, 32, axis=0), down)


def test_the_heart_stands_upright_and_is_symmetric():
    image = render([[2, 5, 0, 0, 0]])[0]
    np.testing.assert_array_equal(image[:, :32], image[:, 31::-1])
    rows = np.flatnonzero(image.any(axis=1))
    assert image[rows[-1]].sum() < image[rows[len(rows) // 3]].sum() / 4


def test_the_last_orientation_is_the_first_again():
    grid = [np.arange(3), np.arange(6), [0], [3, 17], [8]]
    turned = [np.arange(3), np.arange(6), [39], [3, 17], [8]]
    np.testing.assert_array_equal(unpack(packed_blocks(grid)), unpack(packed_blocks(turned)))


@pytest.mark.parametrize("shape", [0, 1, 2])
def test_images_are_those_of_the_slow_oracle(shape):
    rng = np.random.default_rng(shape)
    indices = FACTOR_SPACE.sample(40, rng, fixed={"shape": shape})
    corners = np.array(list(product([shape], [0, 5], [0, 13], [0, 31], [0, 31])))
    indices = np.concatenate([indices, corners])
    expected = np.stack([sprite(*row) for row in indices.tolist()])
    np.testing.assert_array_equal(render(indices), expected)


def test_a_grid_is_the_single_images_in_order():
    kept = FACTOR_SPACE.grid((3, 3, 5, 4, 6))
    indices = np.array(list(product(*kept)))
    np.testing.assert_array_equal(unpack(packed_blocks(kept)), render(indices))


def test_no_sprite_is_cut_off():
    # Large sprites in the corners: no white pixel on the border of the image.
    images = unpack(packed_blocks([np.arange(3), [5], np.arange(40), [0, 31], [0, 31]]))
    assert not images[:, [0, 1, -2, -1]].any()
    assert not images[:, :, [0, 1, -2, -1]].any()


@pytest.mark.parametrize(("indices", "count"), PUBLISHED.items())
def test_white_pixels_are_as_many_as_in_published_images(indices, count):
    assert abs(int(render([indices]).sum()) - count) <= 1


def test_published_images():
    folder = os.environ.get("UNWEAVE_REFERENCE")
    if not folder:
        pytest.skip("UNWEAVE_REFERENCE is not set: no published images to compare with")
    with np.load(Path(folder) / "dsprites" / "dsprites_12_images.npz") as file:
        images, values = file["imgs"], file["latents_values"]
    distances = [
        np.abs(values[:, [column + 1]] - np.array(factor.values))
        for column, factor in enumerate(FACTOR_SPACE.factors)
    ]
    assert max(distance.min(axis=1).max() for distance in distances) < 1e-6
    indices = np.stack([distance.argmin(axis=1) for distance in distances], axis=1)
    wrong = np.count_nonzero(render(indices) != images)
    assert wrong / len(images) <= 0.2


def test_indices_are_checked():
    with pytest.raises(FactorIndexError, match="scale: 6 is out of range"):
        render([[0, 6, 0, 0, 0]])
    with pytest.raises(FactorIndexError, match="pos_y: -1 is out of range"):
        list(packed_blocks([[0], [0], [0], [0], [-1]]))


@pytest.mark.slow
def test_the_whole_grid():
    count = checksum = 0
    for block in packed_blocks([np.arange(size) for size in FACTOR_SPACE.sizes]):
        count += len(block)
        checksum = zlib.crc32(block, checksum)
    assert count == 737_280
    # Frozen: raise REVISION when an image changes.
    assert checksum == 0xE9653F83
