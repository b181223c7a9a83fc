"""Factors numbered as another dataset numbers them, against a slow look-up of names and values."""

from __future__ import annotations

import numpy as np
import pytest

import unweave
from unweave.data import Dataset, Labels
from unweave.data.numbering import numbered_as
from unweave.factors import Factor, FactorSpace

MINI = "dsprites(grid=(3, 2, 4, 4, 4))"
HOLE = f"without(data={MINI}, where=\"shape == 'ellipse' and pos_x > 0.5\")"
HELD = f"only(data={MINI}, where=\"shape == 'ellipse' and pos_x > 0.5\")"
LEFT = f"without(data={MINI}, where=\"pos_x > 0.5 or shape == 'square'\")"
RIGHT = f'only(data={MINI}, where="pos_x > 0.5")'
ODDS = f"correlated(data={RIGHT}, pairs=((shape, pos_y),))"
SMALL = f"subset(data={RIGHT}, images=20, seed=1)"


def words_of(space, indices):
    """What each image shows, by names where values have some, else by values: one tuple each."""
    return [
        tuple(
            factor.labels[index] if factor.labels else factor.values[index]
            for factor, index in zip(space.factors, row, strict=True)
        )
        for row in indices
    ]


def slow_index(factor, word):
    """Where a name or a value stands in a factor; None where it is not there."""
    known = list(factor.labels or factor.values)
    return known.index(word) if word in known else None


@pytest.mark.parametrize("trained", [MINI, HOLE, LEFT])
@pytest.mark.parametrize("asked", [MINI, HELD, RIGHT, ODDS, SMALL])
def test_each_value_has_the_index_that_it_has_there(trained, asked):
    dataset, space = unweave.load_dataset(asked), unweave.load_dataset(trained).factor_space
    found = numbered_as(dataset, space)
    flat = np.arange(len(dataset))
    own, other = dataset.factors(flat), found.factors(flat)
    # An image shows what it showed, whatever the numbers are.
    assert words_of(found.factor_space, other) == words_of(dataset.factor_space, own)
    np.testing.assert_array_equal(found.values(flat), dataset.values(flat))
    new = 0
    for row, image in zip(other, words_of(dataset.factor_space, own), strict=True):
        for index, word, factor in zip(row, image, space.factors, strict=True):
            place = slow_index(factor, word)
            if place is None:
                new += 1
                assert index >= factor.size
            else:
                assert index == place
    assert (new > 0) == (trained == LEFT)
    # Different combinations stay different ones.
    assert len(np.unique(other, axis=0)) == len(np.unique(own, axis=0))
    np.testing.assert_array_equal(found.images(flat[:5]), dataset.images(flat[:5]))
    assert found.store is dataset.store
    assert found.spec == dataset.spec
    np.testing.assert_array_equal(found.weights, dataset.weights)


@pytest.mark.parametrize("text", [MINI, HOLE, ODDS])
def test_what_is_numbered_so_already_is_left_as_it_is(text):
    dataset = unweave.load_dataset(text)
    assert numbered_as(dataset, dataset.factor_space) is dataset
    again = numbered_as(dataset, unweave.load_dataset(LEFT).factor_space)
    assert numbered_as(again, again.factor_space) is again


def made_of(factor, indices, exact=None):
    """The first images of a small dataset, with another factor."""
    store = unweave.load_dataset("dsprites(grid=(1, 1, 1, 2, 2))").store
    rows = np.array(indices)[:, np.newaxis]
    labels = Labels(rows, None if exact is None else np.array(exact, np.float64)[:, np.newaxis])
    spec = unweave.load_dataset("dsprites(grid=(1, 1, 1, 2, 2))").spec
    return Dataset(spec, store, factor_space=FactorSpace((factor,)), labels=labels)


@pytest.mark.parametrize(
    ("own", "known", "places", "values", "labels"),
    [
        # By name, also where values are others.
        (
            Factor("hue", 3, (1.0, 2.0, 3.0), "categorical", labels=("red", "green", "blue")),
            Factor("hue", 2, (1.0, 2.0), "categorical", labels=("blue", "red")),
            (1, 2, 0), (1.0, 2.0, 2.0), ("blue", "red", "green"),
        ),
        # By value, where one of them has no names.
        (
            Factor("hue", 3, (5.0, 4.0, 3.0), "categorical"),
            Factor("hue", 2, (3.0, 5.0), "categorical", labels=("blue", "red")),
            (1, 2, 0), (3.0, 5.0, 4.0), None,
        ),
        # An index is its own value where there is none.
        (Factor("hue", 3), Factor("hue", 2, (2.0, 0.0)), (1, 2, 0), (2.0, 0.0, 1.0), None),
        # A circle that is longer than the known one is closed no more.
        (
            Factor("hue", 3, (0.0, 1.0, 2.0), "circular"),
            Factor("hue", 2, (0.0, 2.0), "circular", closed=True),
            (0, 2, 1), (0.0, 2.0, 1.0), None,
        ),
    ],
)  # fmt: skip
def test_values_are_found_by_name_or_else_by_number(own, known, places, values, labels):
    found = numbered_as(made_of(own, [0, 1, 2, 1]), FactorSpace((known,)))
    (factor,) = found.factor_space.factors
    assert tuple(found.factors([0, 1, 2, 3])[:, 0]) == (*places, places[1])
    assert (factor.values, factor.labels, factor.kind) == (values, labels, known.kind)
    assert not factor.closed


def test_exact_values_stay():
    own, known = Factor("size", 2, (0.25, 0.75)), Factor("size", 1, (0.75,))
    found = numbered_as(made_of(own, [0, 1, 0, 1], [0.1, 0.8, 0.4, 0.6]), FactorSpace((known,)))
    assert found.factors([0, 1, 2, 3])[:, 0].tolist() == [1, 0, 1, 0]
    assert found.values([0, 1, 2, 3])[:, 0].tolist() == [0.1, 0.8, 0.4, 0.6]
