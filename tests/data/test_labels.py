"""Datasets that are no full grid: labels beside the images, parts of others, no factors at all."""

import json
from typing import Any, ClassVar, final

import numpy as np
import pytest

from unweave.data import Dataset, DerivedSpec, Labels, Selected, StoredSpec
from unweave.data.base import DatasetSpec
from unweave.data.samplers import Pairs
from unweave.errors import DataError
from unweave.factors import Factor, FactorIndexError, FactorSpace
from unweave.spec import option

SPACE = FactorSpace((Factor("hue", 3, (0.0, 0.5, 1.0), "circular"), Factor("size", 4)))
INDICES = np.array([[0, 1], [2, 3], [0, 1], [1, 0], [2, 2]])
VALUES = np.array([[0.1, 1.2], [0.9, 3.4], [0.2, 1.9], [0.5, 0.0], [0.8, 2.5]])
IMAGES = np.random.default_rng(0).integers(0, 256, (5, 4, 6, 3), dtype=np.uint8)


@final
class Five(StoredSpec):
    """Five images with labels."""

    name: ClassVar[str] = "five_for_test_labels"
    listed: ClassVar[bool] = False
    kind: str = option(default="values", help="What is known: values, indices or nothing.")
    count: ClassVar[int] = 5
    image_shape: ClassVar[tuple[int, int, int]] = (4, 6, 3)
    source: ClassVar[str] = "own"
    encoding: ClassVar[str] = "bytes"

    def encoded_blocks(self, first, details, progress):
        yield IMAGES.reshape(5, -1)

    @property
    def labelled(self):
        return self.kind != "nothing"

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        if self.kind == "nothing":
            return None
        return SPACE, Labels(INDICES, VALUES if self.kind == "values" else None)


@final
class Backwards(DerivedSpec):
    """The images of another dataset, the last first."""

    name: ClassVar[str] = "backwards_for_test_labels"
    data: DatasetSpec = option(help="The other dataset.")

    @property
    def bases(self) -> tuple[DatasetSpec, ...]:
        return (self.data,)

    @property
    def count(self) -> int:
        return self.data.count

    def derive(self, *bases: Dataset) -> Dataset:
        (base,) = bases
        rows = np.arange(len(base))[::-1]
        labels: Any = None if base.labels is None else base.labels.select(rows)
        images = Selected(base.store, rows, "backwards")
        return Dataset(self, images, factor_space=base.factor_space, labels=labels)


def test_labels_lie_beside_the_images(home):
    for _ in range(2):  # built, then opened
        data = Five().open()
        assert data.labelled
        assert not data.is_grid
        assert data.factor_space == SPACE
        np.testing.assert_array_equal(data.factors([4, 0]), INDICES[[4, 0]])
        np.testing.assert_array_equal(data.values([4, 0]), VALUES[[4, 0]])
        np.testing.assert_array_equal(data.images([1]), IMAGES[[1]])


def test_values_are_those_of_the_indices_where_no_finer_ones_are_known(home):
    data = Five(kind="indices").open()
    assert data.values([1]).tolist() == [[1.0, 3.0]]


def test_a_combination_is_found_once_and_said_to_be_missing(home):
    data = Five().open()
    assert data.find([[0, 1], [2, 2], [1, 3], [2, 3]]).tolist() == [0, 4, -1, 1]
    with pytest.raises(FactorIndexError, match="size"):
        data.find([[0, 4]])


def test_combinations_are_sorted_once(home, monkeypatch):
    data = Five().open()
    assert data.find([[2, 2]]).tolist() == [4]
    monkeypatch.setattr(np, "argsort", None)
    # Also what draws from the images takes what is there.
    assert Pairs(changed=2).draw(data, 3, np.random.default_rng(0)).shape == (3, 2)
    assert data.find([[1, 0], [0, 0]]).tolist() == [3, -1]


def test_indices_go_by_the_number_of_images_not_of_combinations(home):
    data = Five().open()
    with pytest.raises(FactorIndexError, match="0 to 4 are allowed"):
        data.images([5])
    with pytest.raises(FactorIndexError):
        data.factors([11])


def test_without_factors_what_needs_them_says_so(home):
    data = Five(kind="nothing").open()
    assert not data.labelled
    assert data.images([0, 1]).shape == (2, 4, 6, 3)
    for ask in (lambda: data.factor_space, lambda: data.factors([0]), lambda: data.values([0])):
        with pytest.raises(DataError, match=r"factors of five_for_test_labels.* are not known"):
            ask()


@pytest.mark.parametrize("name", ["factors.npy", "values.npy"])
def test_damaged_labels_are_named(home, name):
    Five().open()
    path = Five().folder() / name
    damaged = bytearray(path.read_bytes())
    damaged[-1] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=f"{name} is damaged. Delete the folder"):
        Five().open()
    path.unlink()
    with pytest.raises(DataError, match=f"{name} cannot be read"):
        Five().open()


@pytest.mark.parametrize(
    "labels",
    [
        {},
        [],
        {"factors": []},
        {"factors": [], "sha256": []},
        {"factors": [{"name": "hue"}], "sha256": {"factors.npy": ""}},
        {"factors": [], "sha256": {"values.npy": ""}},
    ],
)
def test_a_manifest_that_is_wrong_about_labels_is_refused(home, labels):
    Five().open()
    path = Five().folder() / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"labels": labels}))
    with pytest.raises(DataError, match=r"manifest.json is damaged: .*Delete the folder"):
        Five().open()


def test_labels_are_part_of_the_fingerprint(home):
    prints = {Five(kind=kind).open().store.fingerprint() for kind in ("values", "indices")}
    assert len(prints) == 2


def test_labels_must_fit_the_images(home):
    class Short(StoredSpec):
        name = "short_for_test_labels"
        listed = False
        count = 5
        image_shape = (4, 6, 3)
        source = "own"
        encoding = "bytes"

        def encoded_blocks(self, first, details, progress):
            yield IMAGES.reshape(5, -1)

        def labels(self):
            return SPACE, Labels(INDICES[:3])

    with pytest.raises(ValueError, match="labels of 5 images, not 3"):
        Short().open()
    assert not Short().ready()
    with pytest.raises(FactorIndexError):
        Labels(INDICES, VALUES[:2])


def test_a_derived_dataset_has_no_images_of_its_own(home):
    spec = Backwards(data=Five())
    assert not spec.ready()
    assert spec.folder() is None
    data = spec.open()
    assert spec.ready()
    spec.verify()
    np.testing.assert_array_equal(data.images([0, 1]), IMAGES[[4, 3]])
    pixels, scale = data.gather([2])
    np.testing.assert_allclose(pixels * scale, IMAGES[[2]] / 255)
    assert data.values([0]).tolist() == VALUES[[4]].tolist()
    assert str(spec) == "backwards_for_test_labels(data=five_for_test_labels)"
    assert data.store.fingerprint() != Five().open().store.fingerprint()
    assert data.source == "own"


def test_damage_of_a_base_is_found_through_what_is_made_of_it(home):
    spec = Backwards(data=Five())
    spec.open()
    path = Five().folder() / "images.bin"
    damaged = bytearray(path.read_bytes())
    damaged[3] ^= 1
    path.write_bytes(damaged)
    with pytest.raises(DataError, match=r"images.bin is damaged"):
        spec.verify()


def test_the_form_of_a_space_is_json():
    form = json.loads(json.dumps(SPACE.to_list()))
    assert FactorSpace.from_list(form) == SPACE
