"""Batches: every image once an epoch, by step alone."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unweave.data import Batches
from unweave.errors import SpecError


@settings(deadline=None)
@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 2**40), st.data())
def test_every_image_comes_once_an_epoch(num_images, batch_size, seed, data):
    if batch_size > num_images:
        num_images, batch_size = batch_size, num_images
    batches = Batches(num_images, batch_size, seed)
    steps = 3 * num_images  # batch_size * steps is a multiple of an epoch
    walk = np.concatenate([batches.indices(step) for step in range(1, steps + 1)])
    for epoch in walk.reshape(-1, num_images):
        assert sorted(epoch) == list(range(num_images))


@settings(deadline=None)
@given(st.integers(0, 1000), st.permutations(range(1, 31)))
def test_a_batch_depends_on_its_step_and_not_on_the_way_there(seed, order):
    walk = Batches(70, 16, seed)
    sequential = {step: walk.indices(step).tolist() for step in range(1, 31)}
    jumping = Batches(70, 16, seed)
    assert {step: jumping.indices(step).tolist() for step in order} == sequential


def test_epochs_differ_and_are_counted_from_the_first_image_of_a_batch():
    batches = Batches(10, 4, seed=0)
    assert [batches.epoch(step) for step in range(1, 7)] == [0, 0, 0, 1, 1, 2]
    walk = np.concatenate([batches.indices(step) for step in range(1, 6)])
    assert walk[:10].tolist() != walk[10:].tolist()


def test_seeds_and_purposes_differ():
    def walk(**changes):
        return Batches(**{"images": 1000, "batch_size": 64, "seed": 0, **changes}).indices(1)

    assert walk().tolist() == walk(purpose="batches").tolist()
    assert len(np.intersect1d(walk(), walk(seed=1))) < 20
    assert len(np.intersect1d(walk(), walk(purpose="second batches"))) < 20


def test_a_part_of_the_images():
    part = np.array([3, 5, 8, 13, 21, 34])
    batches = Batches(part, 3, seed=0)
    walk = np.concatenate([batches.indices(1), batches.indices(2)])
    assert sorted(walk) == part.tolist()
    assert (
        walk.tolist()
        == part[np.concatenate([Batches(6, 3, seed=0).indices(k) for k in (1, 2)])].tolist()
    )


def test_a_changed_batch_leaves_the_next_alone():
    batches = Batches(8, 8, seed=0)
    first = batches.indices(1)
    kept = first.copy()
    first[:] = 0
    assert batches.indices(1).tolist() == kept.tolist()


def test_golden_batches():
    # Frozen: another outcome would change every run that is resumed.
    batches = Batches(7, 3, seed=42)
    assert [batches.indices(step).tolist() for step in range(1, 6)] == [
        [6, 1, 2],
        [4, 0, 3],
        [5, 6, 0],
        [2, 3, 5],
        [1, 4, 3],
    ]
    assert Batches(737_280, 4, seed=0).indices(1).tolist() == [24483, 10404, 367538, 565916]


def test_bad_arguments_are_refused():
    with pytest.raises(SpecError, match="batch_size is 65, but there are only 64 images"):
        Batches(64, 65, seed=0)
    with pytest.raises(SpecError, match="at least 1"):
        Batches(64, 0, seed=0)
    with pytest.raises(SpecError, match="no step 0"):
        Batches(64, 8, seed=0).indices(0)
    with pytest.raises(SpecError, match="seed"):
        Batches(64, 8, seed=-1).indices(1)


def test_images_are_drawn_by_weight_and_step_alone():
    weights = np.array([0.0, 1.0, 3.0, 0.0, 4.0, 0.0])
    batches = Batches(np.arange(10, 16), 6, 3, weights=weights)
    steps = 4000
    walk = np.concatenate([batches.indices(step) for step in range(1, steps + 1)])
    counts = np.bincount(walk - 10, minlength=6)
    expected = 6 * steps * weights / 8
    # Five standard deviations of a binomial count.
    assert (np.abs(counts - expected) <= 5 * np.sqrt(expected * (1 - weights / 8))).all()
    again = Batches(np.arange(10, 16), 6, 3, weights=weights)
    assert again.indices(17).tolist() == batches.indices(17).tolist()
    assert again.indices(17).tolist() != batches.indices(18).tolist()
    assert batches.epoch(4) == 3


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0, 1.0], [0.0, 0.0, 0.0], [1, np.nan, 1]])
def test_weights_that_are_none_are_refused(weights):
    with pytest.raises(SpecError, match="weights must be 3 numbers of at least 0"):
        Batches(3, 1, 0, weights=np.array(weights, float))
