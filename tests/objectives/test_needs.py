"""What batches hold: needs that add up, real batches, and batches of noise in the same form."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

import unweave
from contracts.learners import small_config
from unweave.data.samplers import Labelled, LaplacePairs, Noisy, Pairs, Triplets
from unweave.errors import SpecError
from unweave.nn import Burgess
from unweave.objectives import Needs, Setup
from unweave.training.random_batch import random_batch
from unweave.training.source import ImageSource

GRID = "dsprites(grid=(3, 2, 4, 8, 8))"


@pytest.fixture(scope="module")
def dataset():
    return unweave.load_dataset(GRID)


def setup_of(dataset, batch_size=6):
    return Setup(
        architecture=Burgess(),
        image_shape=dataset.image_shape,
        latents=3,
        batch_size=batch_size,
        factors=dataset.factor_space,
    )


def test_needs_add_up():
    both = Needs(second=True) + Needs(factors=True, sampler=Pairs(), reconstructed=2)
    assert both == Needs(second=True, factors=True, sampler=Pairs(), reconstructed=2)
    assert Needs() + both == both
    labelled = Needs(labelled=Labelled(images=50))
    assert (both + labelled).labelled == Labelled(images=50)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Needs(sampler=Pairs()), Needs(sampler=LaplacePairs())),
        (Needs(labelled=Labelled(images=50)), Needs(labelled=Labelled(images=51))),
    ],
)
def test_two_kinds_of_draws_do_not_add_up(one, other):
    with pytest.raises(SpecError, match="both must be the same"):
        one + other


def test_the_batch_size_counts_reconstructions():
    pairs, triplets = Needs(sampler=Pairs(), reconstructed=2), Needs(sampler=Triplets())
    assert (pairs.draws(64), pairs.encoded(64)) == (32, 64)
    assert (triplets.draws(64), triplets.encoded(64)) == (64, 192)
    assert Needs(second=True).encoded(64) == 128
    assert Needs(labelled=Labelled()).encoded(64) == 128
    with pytest.raises(SpecError, match="must be a multiple of that, but is 5"):
        pairs.draws(5)


NEEDS = {
    "plain": Needs(),
    "second": Needs(second=True, factors=True),
    "pairs": Needs(sampler=Pairs(), reconstructed=2, factors=True),
    "triplets": Needs(sampler=Triplets()),
    "labelled": Needs(labelled=Labelled(images=40, labeller=Noisy(probability=0.5))),
}


def forms(batch):
    """Shape and type of everything in a batch."""
    found = {}
    for field in dataclasses.fields(batch):
        value = getattr(batch, field.name)
        if isinstance(value, torch.Tensor):
            found[field.name] = (tuple(value.shape), value.dtype)
        elif value is not None:
            found[field.name] = {
                name: (tuple(getattr(value, name).shape), getattr(value, name).dtype)
                for name in ("images", "labels")
            }
    return found


@pytest.mark.parametrize("needs", NEEDS.values(), ids=NEEDS)
@pytest.mark.parametrize("held_out", [False, True], ids=["all", "some rows"])
def test_batches_of_images_and_of_noise_have_one_form(dataset, needs, held_out):
    rows = np.arange(0, len(dataset), 2) if held_out else None
    source = ImageSource(dataset, rows, small_config("vae", batch_size=6), needs)
    batch = source.batch(1)
    noise = random_batch(setup_of(dataset), needs, torch.Generator().manual_seed(0))
    assert forms(batch) == forms(noise)
    assert source.images_per_step == needs.encoded(6)
    again = ImageSource(dataset, rows, small_config("vae", batch_size=6), needs).batch(1)
    assert torch.equal(batch.images, again.images)
    assert not torch.equal(batch.images, source.batch(2).images)


@pytest.mark.parametrize("rows", [None, np.arange(512, 1536, 3)], ids=["all", "some rows"])
def test_factors_are_those_of_the_images(dataset, rows):
    needs = Needs(second=True, factors=True)
    batch = ImageSource(dataset, rows, small_config("vae", batch_size=9), needs).batch(3)
    for images, factors in (
        (batch.images, batch.factors),
        (batch.second, batch.second_factors),
    ):
        flat = dataset.find(factors.numpy())
        assert rows is None or set(flat) <= set(rows)
        expected = dataset.images(flat).transpose(0, 3, 1, 2) / np.float32(255)
        np.testing.assert_array_equal(images.numpy(), expected)


def test_pairs_lie_one_half_after_the_other_and_within_the_rows(dataset):
    rows = np.flatnonzero(dataset.factors(np.arange(len(dataset)))[:, 3] < 4)
    needs = Needs(sampler=Pairs(changed=1), reconstructed=2, factors=True)
    batch = ImageSource(dataset, rows, small_config("vae", batch_size=64), needs).batch(1)
    first, second = batch.factors.chunk(2)
    assert ((first != second).sum(1) == 1).all()
    assert (batch.factors[:, 3] < 4).all()


def test_labelled_images_are_a_few_and_keep_their_labels(dataset):
    needs = Needs(labelled=Labelled(images=12, seed=4))
    source = ImageSource(dataset, None, small_config("vae", batch_size=32), needs)
    seen = {}
    for step in range(1, 9):
        labelled = source.batch(step).labelled
        for image, label in zip(labelled.images, labelled.labels, strict=True):
            seen.setdefault(image.numpy().tobytes(), set()).add(tuple(label.tolist()))
    assert len(seen) == 12
    assert all(len(labels) == 1 for labels in seen.values())


def test_a_selection_keeps_images_factors_and_odds(dataset):
    rows = np.array([700, 3, 3, 90])
    part = dataset.select(rows)
    assert len(part) == 4
    flat = np.arange(4)
    np.testing.assert_array_equal(part.images(flat), dataset.images(rows))
    np.testing.assert_array_equal(part.factors(flat), dataset.factors(rows))
    assert part.factor_space == dataset.factor_space
    assert part.weights is None
    odds = unweave.load_dataset(f"correlated(data={GRID}, pairs=((pos_x, pos_y),))")
    kept = odds.select(rows).weights
    np.testing.assert_allclose(kept, odds.weights[rows] / odds.weights[rows].sum())


def test_labels_that_are_needed_and_unknown_are_refused(dataset):
    unknown = dataclasses.replace(setup_of(dataset), factors=None, dataset="my images")
    with pytest.raises(SpecError, match="cvae needs labels, and the factors of my images"):
        unknown.labels("cvae")
