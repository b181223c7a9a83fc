"""What every dataset promises: on a small grid of each, or as far as it can be loaded."""

from __future__ import annotations

import numpy as np
import pytest

from contracts.components import MEMBERS
from reference.own_files import OWN, WITHOUT_FACTORS
from reference.published import PUBLISHED
from reference.small_archives import SMALL_ARCHIVES
from unweave.data import DatasetSpec, Listed, load_dataset, parse_dataset
from unweave.errors import DataError
from unweave.factors import FactorIndexError, FactorSpace

# A small grid of every dataset, with at least two values of each factor; None where there is no
# smaller one than the whole.
SMALL: dict[str, str] = {
    "circles": "circles(grid=(5, 4))",
    "color_dsprites": "color_dsprites(data=dsprites(grid=(3, 2, 2, 4, 4)))",
    "correlated": "correlated(data=dsprites(grid=(3, 2, 2, 4, 4)), pairs=((pos_x, pos_y),))",
    "dsprites": "dsprites(grid=(3, 2, 2, 4, 4))",
    "dsprites_noshape": "dsprites_noshape(data=dsprites(grid=(3, 2, 4, 4, 4)))",
    "noisy_dsprites": "noisy_dsprites(data=dsprites(grid=(3, 2, 2, 4, 4)))",
    "only": "only(data=dsprites(grid=(3, 2, 2, 4, 4)), where='pos_x > 0.3 and shape != 1')",
    "scream_dsprites": "scream_dsprites(data=dsprites(grid=(3, 2, 2, 4, 4)))",
    "shapes3d": "shapes3d(grid=(2, 2, 2, 2, 4, 2))",
    "simple": "simple(grid=(3, 3))",
    "sprites": "sprites(images=300, bins=2)",
    "subset": "subset(data=dsprites(grid=(3, 2, 2, 4, 4)), images=120)",
    "two_shapes": "two_shapes(grid=(2, 2), hues=2, apart=True)",
    "without": "without(data=dsprites(grid=(3, 2, 2, 4, 4)), where='shape == 1 and pos_x > 0.3')",
    "xyobject": "xyobject(palette=rgb, shades=2, largest=9, spacing=20)",
    "xysquares": "xysquares(places=2)",
}


def _listed(folder, patch):
    whole = parse_dataset("dsprites(grid=(3, 2, 2, 4, 4))")
    rows = np.sort(np.random.default_rng(0).permutation(whole.count)[:120])
    return str(Listed.write(whole, folder / "rows.npy", rows))


# Datasets that are read from files, of which the test writes small ones.
WRITTEN = PUBLISHED | SMALL_ARCHIVES | OWN | {"listed": _listed}

NAMES = [cls.name for family, cls in MEMBERS if family is DatasetSpec]


def test_every_dataset_has_a_small_grid_here():
    assert set(SMALL) | set(WRITTEN) == set(NAMES)


@pytest.fixture(scope="module", params=[*NAMES, *WITHOUT_FACTORS])
def dataset(request, tmp_path_factory):
    files = WRITTEN | WITHOUT_FACTORS
    with pytest.MonkeyPatch.context() as patch:
        if request.param in files:
            folder = tmp_path_factory.mktemp("files")
            yield load_dataset(files[request.param](folder, patch))
        else:
            yield load_dataset(SMALL[request.param])


@pytest.fixture
def labelled(dataset):
    """A dataset whose factors are known, as it is of all but a few."""
    if not dataset.labelled:
        pytest.skip("its factors are not known")
    return dataset


def test_sizes_agree(dataset):
    spec = dataset.spec
    assert len(dataset) == spec.count
    assert dataset.labelled == spec.labelled
    assert dataset.is_grid == spec.full_grid
    if dataset.is_grid:
        assert spec.count == spec.factor_space.size
    assert dataset.image_shape == spec.image_shape
    assert parse_dataset(str(spec)) == spec
    assert dataset.source in ("rendered", "archive", "own")


def test_the_factors_are_those_that_are_known_before(labelled):
    assert labelled.factor_space == labelled.spec.factor_space
    assert min(labelled.factor_space.sizes) >= 2
    space, factors = labelled.known_factors([0, 1])
    assert space == labelled.factor_space
    np.testing.assert_array_equal(factors, labelled.factors([0, 1]))


@pytest.mark.parametrize("name", WITHOUT_FACTORS)
def test_without_factors_all_that_needs_them_says_so(name, tmp_path, monkeypatch):
    dataset = load_dataset(WITHOUT_FACTORS[name](tmp_path, monkeypatch))
    assert not dataset.labelled
    for way in (
        lambda: dataset.factors([0]),
        lambda: dataset.values([0]),
        lambda: dataset.find([[0]]),
        lambda: dataset.factor_space,
        lambda: dataset.spec.factor_space,
    ):
        with pytest.raises(DataError, match=r"The factors of .* are not known"):
            way()
    space, factors = dataset.known_factors([0, 2])
    assert space == FactorSpace.unknown()
    assert factors.shape == (2, 0)


def test_images_are_bytes_of_the_promised_shape(dataset):
    images = dataset.images(np.arange(len(dataset)))
    assert images.dtype == np.uint8
    assert images.shape == (len(dataset), *dataset.image_shape)
    # Dark and light: 0 to 255, not 0 to 1.
    assert images.min() < 32
    assert images.max() > 127
    assert dataset.images([]).shape == (0, *dataset.image_shape)


def test_gather_gives_the_same_images_between_0_and_1(dataset):
    flat = np.arange(len(dataset))[::-3]
    pixels, scale = dataset.gather(flat)
    np.testing.assert_allclose(pixels * scale, dataset.images(flat) / 255, atol=1e-7)


def test_images_are_the_same_each_time(dataset):
    flat = np.arange(len(dataset))
    again = load_dataset(str(dataset.spec))
    np.testing.assert_array_equal(again.images(flat), dataset.images(flat))
    np.testing.assert_array_equal(dataset.images(flat), dataset.images(flat))


def test_a_batch_is_its_images_one_by_one(dataset):
    flat = np.random.default_rng(0).integers(0, len(dataset), 40)
    batch = dataset.images(flat)
    for row, index in enumerate(flat):
        np.testing.assert_array_equal(batch[row], dataset.images([index])[0])


def test_images_that_are_given_out_can_be_written_to(dataset):
    images = dataset.images([0])
    before = images.copy()
    images[:] = 7
    np.testing.assert_array_equal(dataset.images([0]), before)


def test_factors_are_those_of_the_factor_space(labelled):
    dataset = labelled
    flat = np.arange(len(dataset))
    factors = dataset.factors(flat)
    assert factors.dtype == np.int64
    np.testing.assert_array_equal(dataset.factor_space.check_indices(factors), factors)
    np.testing.assert_array_equal(dataset.factors(dataset.find(factors)), factors)
    if not dataset.is_grid:
        return
    np.testing.assert_array_equal(factors, dataset.factor_space.unravel(flat))
    np.testing.assert_array_equal(dataset.factor_space.ravel(factors), flat)
    # C order: the last factor is the fastest.
    assert (factors[1] - factors[0]).tolist() == [0] * (factors.shape[1] - 1) + [1]


def test_odds_are_those_of_all_images(dataset):
    if dataset.weights is not None:
        assert dataset.weights.shape == (len(dataset),)
        assert dataset.weights.min() >= 0
        assert dataset.weights.sum() == pytest.approx(1)


def test_every_factor_changes_the_image(labelled):
    dataset = labelled
    for column, name in enumerate(dataset.factor_space.names):
        flat = np.flatnonzero(dataset.factors(np.arange(len(dataset)))[:, column] == 0)
        others = dataset.factors(flat)
        others[:, column] = 1
        found = dataset.find(others)
        # Parts of a grid do not have every combination.
        flat, found = flat[found >= 0], found[found >= 0]
        assert len(found) > 3
        changed = dataset.images(flat) != dataset.images(found)
        share = changed.reshape(len(flat), -1).any(axis=1).mean()
        assert share > 0.5, f"{name} changes {share:.0%} of the images"


def test_no_two_images_of_the_grid_are_equal(dataset):
    images = dataset.images(np.arange(len(dataset)))
    assert len({image.tobytes() for image in images}) == len(dataset)


@pytest.mark.parametrize("flat", [[-1], [10**9], [0.5], [[0, 1]], 3, ["0"], [True]])
def test_indices_that_are_none_are_refused(dataset, flat):
    with pytest.raises(FactorIndexError):
        dataset.images(flat)
    if dataset.labelled:
        with pytest.raises(FactorIndexError):
            dataset.factors(flat)
