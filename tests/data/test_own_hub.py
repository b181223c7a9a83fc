"""Datasets of the library `datasets`, or of a stand-in with its interface without it."""

import sys

import numpy as np
import pytest
from PIL import Image

from reference.own_files import STAND_IN, grid, pictures, save_rows
from unweave.data import load_dataset
from unweave.errors import DataError

IMAGES = pictures(12)


def rows(images=IMAGES, column="image"):
    return [
        {column: Image.fromarray(image), "kind": kind, "x": x / 4, "word": f"w{x}"}
        for image, (kind, x) in zip(images, grid((3, 4)).tolist(), strict=True)
    ]


def text(place, more=""):
    return f"huggingface(path={str(place)!r}, size=16{more})"


@pytest.fixture
def saved(tmp_path, monkeypatch, home):
    save_rows(tmp_path / "saved", rows(), {"kind": ["a", "b", "c"]}, monkeypatch)
    return tmp_path / "saved"


def test_columns_are_factors_and_class_labels_keep_their_names(saved):
    dataset = load_dataset(text(saved, ", factors=(kind, x)"))
    np.testing.assert_array_equal(dataset.images(np.arange(12)), IMAGES)
    assert dataset.is_grid
    kind, x = dataset.factor_space.factors
    assert (kind.kind, kind.labels) == ("categorical", ("a", "b", "c"))
    assert x.values == (0.0, 0.25, 0.5, 0.75)
    words = load_dataset(text(saved, ", factors=(word,), colour=grey"))
    assert words.factor_space.factors[0].labels == ("w0", "w1", "w2", "w3")
    grey = np.stack([np.asarray(Image.fromarray(image).convert("L")) for image in IMAGES])
    np.testing.assert_array_equal(words.images(np.arange(12))[..., 0], grey)


def test_without_columns_no_factors_are_known(saved):
    dataset = load_dataset(text(saved))
    assert not dataset.labelled
    assert not dataset.spec.labelled
    assert len(dataset) == 12


def test_columns_and_splits_that_are_not_there_are_named(saved, home):
    with pytest.raises(DataError, match="has no column 'picture'"):
        load_dataset(text(saved, ", image=picture"))
    with pytest.raises(DataError, match=r"has no column 'kinds'\. Did you mean kind"):
        load_dataset(text(saved, ", factors=(kinds,)"))
    with pytest.raises(DataError, match=r"saved has no split 'test'\. .*train"):
        load_dataset(text(saved, ", split=test"))
    assert not home.exists()


def test_a_saved_dataset_that_has_changed_is_noticed(saved, monkeypatch):
    load_dataset(text(saved))
    changed = [row | {"word": "another"} for row in rows(IMAGES[::-1])]
    save_rows(saved.with_name("other"), changed, {"kind": ["a", "b", "c"]}, monkeypatch)
    saved.rename(saved.with_name("before"))
    saved.with_name("other").rename(saved)
    with pytest.raises(DataError, match="have changed since"):
        load_dataset(text(saved))


def test_classes_that_are_held_back_are_missing_and_not_the_last_one(tmp_path, monkeypatch, home):
    # The library's number for a class that is not told.
    held = [row | {"kind": -1 if row["word"] == "w2" else row["kind"]} for row in rows()]
    save_rows(tmp_path / "saved", held, {"kind": ["a", "b", "c"]}, monkeypatch)
    with pytest.raises(DataError, match="kind has no value in 3 of 12 rows; the first is row 2"):
        load_dataset(text(tmp_path / "saved", ", factors=(kind,)"))
    assert not home.exists()


def test_images_that_are_none_are_counted_and_nothing_is_stored(saved, home):
    with pytest.raises(DataError, match=r"12 of the 12 images of .* cannot be used: 0 \(a str of"):
        load_dataset(text(saved, ", image=word"))
    assert not home.exists()


def test_without_the_library_it_is_said_what_to_install(tmp_path, home, monkeypatch):
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match="pip install datasets"):
        load_dataset("huggingface(path='someone/something')")
    assert not home.exists()


@pytest.mark.skipif(STAND_IN, reason="the library datasets is not installed")
def test_a_dataset_of_parquet_files_is_loaded_by_name_too(tmp_path, home, monkeypatch):
    from reference.own_files import rows_of

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "named"
    folder.mkdir()
    rows_of(rows(), {"kind": ["a", "b", "c"]}).to_parquet(str(folder / "train.parquet"))
    dataset = load_dataset(text(folder, ", factors=(kind,)"))
    np.testing.assert_array_equal(dataset.images(np.arange(12)), IMAGES)
    assert not dataset.is_grid
