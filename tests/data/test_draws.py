"""Random numbers of single images against a slow generator, and what chance demands of them."""

import itertools

import numpy as np
import pytest

from reference import splitmix
from unweave.data.render.draws import random_bytes, random_index, random_words, stream_key, uniform


def test_the_slow_generator_is_the_published_one():
    assert tuple(itertools.islice(splitmix.outputs(1234567), 5)) == splitmix.PUBLISHED


def test_words_are_those_of_the_published_generator():
    words = random_words(1234567, np.arange(1), 5)
    assert tuple(words[0].tolist()) == splitmix.PUBLISHED
    # Five images of one word, or one image of five: the same stream, cut otherwise.
    np.testing.assert_array_equal(random_words(1234567, np.arange(5), 1).ravel(), words[0])


@pytest.mark.parametrize(("image", "count"), [(0, 1), (3, 7), (737_279, 1536), (2**40, 3)])
def test_an_image_has_its_own_stretch_of_the_stream(image, count):
    words = random_words(stream_key(5, "a purpose"), np.array([image]), count)
    assert words[0].tolist() == splitmix.draws(5, "a purpose", image, count)


def test_a_batch_is_its_images_one_by_one():
    flat = np.array([9, 0, 737_279, 9, 41, 12])
    batch = random_bytes(3, "noise", flat, 12_288)
    assert batch.shape == (6, 12_288)
    for row, index in enumerate(flat):
        np.testing.assert_array_equal(batch[row], random_bytes(3, "noise", flat[[row]], 12_288)[0])
        assert index == flat[row]
    assert uniform(0, "none", np.empty(0, np.int64), 4).shape == (0, 4)


def test_bytes_are_those_of_the_words_from_the_lowest_on():
    found = random_bytes(1, "noise", np.array([17]), 12)[0]
    words = splitmix.draws(1, "noise", 17, 2)
    expected = [word >> (8 * place) & 255 for word in words for place in range(8)]
    assert found.tolist() == expected[:12]


def test_uniform_numbers_are_the_upper_bits():
    found = uniform(1, "place", np.array([17]), 3)[0]
    expected = [(word >> 11) / 2**53 for word in splitmix.draws(1, "place", 17, 3)]
    assert found.tolist() == expected


def chi_squared(counts):
    """How far counts are from equal ones, in standard deviations of what chance leaves."""
    mean = counts.sum() / counts.size
    degrees = counts.size - 1
    return (((counts - mean) ** 2 / mean).sum() - degrees) / np.sqrt(2 * degrees)


def test_bytes_are_uniform_at_every_place_and_over_images():
    found = random_bytes(0, "background noise", np.arange(2000), 1024)
    assert abs(chi_squared(np.bincount(found.ravel(), minlength=256))) < 5
    # The mean over images at each of 1024 places, and over places of each of 2000 images.
    deviation = np.sqrt((256**2 - 1) / 12)
    for axis in (0, 1):
        errors = (found.mean(axis=axis) - 127.5) / (deviation / np.sqrt(found.shape[axis]))
        assert abs(errors).max() < 5.5
        assert 0.9 < errors.var() < 1.1


def test_numbers_are_independent_of_images_places_seeds_and_purposes():
    flat = np.arange(100_000)
    first = uniform(0, "color", flat, 3)
    columns = {
        "first place": first[:, 0],
        "second place": first[:, 1],
        "next image": np.roll(first[:, 0], 1),
        "a row of images below": np.roll(first[:, 0], 32),
        "other seed": uniform(1, "color", flat, 3)[:, 0],
        "other purpose": uniform(0, "place", flat, 3)[:, 0],
        "index": flat / len(flat),
    }
    table = np.corrcoef(np.stack(list(columns.values())))
    worst = abs(table - np.eye(len(table))).max()
    assert worst < 5 / np.sqrt(len(flat))
    for name in columns.keys() - {"index"}:
        column = columns[name]
        assert abs(column.mean() - 0.5) < 5 / np.sqrt(12 * len(flat))
        assert abs(chi_squared(np.histogram(column, 64, (0, 1))[0])) < 5
    # Pairs of neighbours fill the square, too.
    pairs = np.histogram2d(first[:, 0], columns["next image"], 16, [(0, 1), (0, 1)])[0]
    assert abs(chi_squared(pairs)) < 5


@pytest.mark.parametrize("size", [1, 3, 40])
def test_indices_are_uniform(size):
    found = random_index(2, "shape", np.arange(40_000), size)
    counts = np.bincount(found, minlength=size)
    assert len(counts) == size
    assert size == 1 or abs(chi_squared(counts)) < 5
