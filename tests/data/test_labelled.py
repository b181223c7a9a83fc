"""A few labelled images: which, and what their labels say, against labels made one by one."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from unweave.data import load_dataset, parse_dataset
from unweave.data.samplers import Labelled, Labeller, Noisy, Sampler
from unweave.errors import SpecError
from unweave.spec import parse

TEXT = "dsprites(grid=(3, 6, 10, 8, 8))"
SIZES = (3, 6, 10, 8, 8)


@pytest.fixture(scope="module")
def data():
    return load_dataset(TEXT)


def few(data, labeller: str, images: int = 4000, seed: int = 0):
    sampler = parse(f"labelled(images={images}, labeller={labeller}, seed={seed})", Sampler)
    found = sampler.few(data)
    again = sampler.few(data)
    np.testing.assert_array_equal(found.labels, again.labels)
    assert len(found.flat) == len(set(found.flat.tolist())) == images
    assert found.labels.shape == (images, len(found.names))
    assert found.labels.dtype == np.int64
    assert (found.labels >= 0).all()
    assert (found.labels < found.sizes).all()
    return found, data.factors(found.flat)


def test_perfect_labels_are_the_indices(data):
    found, factors = few(data, "perfect", 100)
    np.testing.assert_array_equal(found.labels, factors)
    assert found.names == data.factor_space.names
    assert found.sizes == SIZES
    # The same images as of the subset, and other ones with another seed.
    assert (
        found.flat.tolist()
        == parse_dataset(f"subset(data={TEXT}, images=100)").part().rows.tolist()
    )
    assert set(found.flat) != set(few(data, "perfect", 100, seed=1)[0].flat)


@pytest.mark.parametrize("bins", [5, 3, 1, 20])
def test_binned_labels_follow_the_published_formula(data, bins):
    found, factors = few(data, f"binned(bins={bins})")
    assert found.sizes == tuple(min(size, bins) for size in SIZES)
    for row, labels in zip(factors[:500].tolist(), found.labels[:500].tolist(), strict=True):
        for index, label, size in zip(row, labels, SIZES, strict=True):
            # Of disentanglement_lib: the whole part of the label over (size / bins), at most the
            # last bin, and only where there are more values than bins.
            width = size / bins
            assert label == (min(int(index // width), bins - 1) if size > bins else index)


def test_noisy_labels_are_replaced_as_often_as_said(data):
    probability = 0.3
    found, factors = few(data, f"noisy(probability={probability})")
    for column, size in enumerate(SIZES):
        wrong = int((found.labels[:, column] != factors[:, column]).sum())
        share = probability * (1 - 1 / size)
        low, high = stats.binom.ppf([1e-6, 1 - 1e-6], 4000, share)
        assert low < wrong < high
        # What is wrong is so in every way alike.
        gaps = np.bincount((found.labels[:, column] - factors[:, column]) % size, minlength=size)
        statistic = ((gaps[1:] - wrong / (size - 1)) ** 2 / (wrong / (size - 1))).sum()
        assert statistic < stats.chi2.isf(1e-6, max(size - 2, 1))
    np.testing.assert_array_equal(few(data, "noisy(probability=0)")[0].labels, factors)
    # Each label is replaced on its own.
    wrong = found.labels[:, 2:] != factors[:, 2:]
    correlation = np.corrcoef(wrong.T) - np.eye(3)
    assert np.abs(correlation).max() < 6 / 4000**0.5


def test_permuted_labels_are_the_indices_in_one_other_order(data):
    found, factors = few(data, "permuted")
    changed = 0
    for column, size in enumerate(SIZES):
        pairs = set(
            zip(factors[:, column].tolist(), found.labels[:, column].tolist(), strict=True)
        )
        assert len(pairs) == size
        assert {label for _, label in pairs} == set(range(size))
        changed += any(index != label for index, label in pairs)
    assert changed >= 3


def test_partial_labels_are_those_of_some_factors(data):
    seen = set()
    for seed in range(12):
        found, factors = few(data, "partial(observed=2)", 50, seed)
        columns = [data.factor_space.names.index(name) for name in found.names]
        assert columns == sorted(set(columns))
        assert len(columns) == 2
        np.testing.assert_array_equal(found.labels, factors[:, columns])
        assert found.sizes == tuple(SIZES[column] for column in columns)
        seen.add(found.names)
    assert len(seen) > 4
    with pytest.raises(SpecError, match="observed is 6, but there are 5 factors"):
        few(data, "partial(observed=6)", 10)


def test_orders_and_observed_factors_are_drawn_uniformly(data):
    indices, space = np.arange(3)[:, np.newaxis].repeat(5, axis=1), data.factor_space
    orders, observed = {}, {}
    for seed in range(3000):
        rng = np.random.default_rng(seed)
        labels = parse("permuted", Labeller).label(indices, space, rng).labels
        order = tuple(labels[:, 0].tolist())
        orders[order] = orders.get(order, 0) + 1
        names = parse("partial(observed=2)", Labeller).label(indices, space, rng).names
        observed[names] = observed.get(names, 0) + 1
    for found, cases in ((orders, 6), (observed, 10)):
        assert len(found) == cases
        mean = 3000 / cases
        statistic = sum((count - mean) ** 2 / mean for count in found.values())
        assert statistic < stats.chi2.isf(1e-6, cases - 1)


def test_draws_are_of_the_labelled_images_alike(data):
    sampler = Labelled(images=40, labeller=Noisy(probability=0.5), seed=7)
    found = sampler.few(data)
    drawn = sampler.draw(data, 20_000, np.random.default_rng(0))[:, 0]
    counts = np.array([(drawn == flat).sum() for flat in found.flat])
    assert counts.sum() == 20_000
    assert ((counts - 500) ** 2 / 500).sum() < stats.chi2.isf(1e-6, 39)
    labels = found.of(drawn)
    for flat, row in zip(drawn[:100], labels[:100], strict=True):
        np.testing.assert_array_equal(row, found.labels[found.flat.tolist().index(flat)])
    missing = next(flat for flat in range(len(data)) if flat not in set(found.flat.tolist()))
    with pytest.raises(SpecError, match="an image that has none"):
        found.of(np.array([missing]))
    with pytest.raises(SpecError, match="an image that has none"):
        found.of(np.array([len(data) - 1 if found.flat[-1] != len(data) - 1 else missing]))


@pytest.mark.parametrize("labeller", ["perfect", "binned", "noisy", "permuted", "partial"])
def test_columns_are_known_before_there_are_images(data, labeller):
    for seed in range(4):
        sampler = parse(f"labelled(images=50, labeller={labeller}, seed={seed})", Sampler)
        found = sampler.few(data)
        assert sampler.columns(data.factor_space) == (found.names, found.sizes)
        again = sampler.label(data.factors(found.flat), data.factor_space)
        np.testing.assert_array_equal(again.labels, found.labels)


@pytest.mark.parametrize(
    ("share", "images", "drawn"),
    [(1.0, 40, 40), (0.9, 40, 36), (0.9, 1000, 900), (0.7, 10, 7), (0.9, 11, 10), (0.01, 40, 1)],
)
def test_a_share_of_the_labelled_images_is_drawn_and_the_others_are_kept(
    data, share, images, drawn
):
    sampler = Labelled(images=images, train_share=share, seed=2)
    all_of_them, kept = Labelled(images=images, seed=2).few(data), sampler.validation(data)
    assert sampler.drawn == drawn
    assert len(kept.flat) == images - drawn
    seen = set(sampler.draw(data, 20_000, np.random.default_rng(0))[:, 0].tolist())
    assert len(seen) == drawn
    assert seen | set(kept.flat.tolist()) == set(all_of_them.flat.tolist())
    if len(kept.flat) > 0:
        np.testing.assert_array_equal(kept.labels, all_of_them.of(kept.flat))
    # The same labels whatever the share.
    np.testing.assert_array_equal(sampler.few(data).labels, all_of_them.labels)


def test_labels_nest_in_texts():
    text = "labelled(images=100, labeller=noisy(probability=0.2), seed=3)"
    assert str(parse(text, Sampler)) == text
    assert str(parse("binned(bins=5)", Labeller)) == "binned"


def test_more_labels_than_images_are_refused(data):
    with pytest.raises(SpecError, match="images is 20,000, but there are 11,520"):
        Labelled(images=20_000).few(data)
