"""Label files: what is written is read again, levels are chained, and damage is told."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unweave.errors import DataError, RunError
from unweave.population.surrogate_labels import (
    LabelColumn,
    LabelLevel,
    SurrogateLabels,
    compose,
    read_labels,
    write_labels,
)

LATENT = LabelColumn(
    name="latent 3",
    latents=(3,),
    kl=2.5,
    purity=0.97,
    coverage=0.9,
    intervals=((-1.0, 0.0), (0.5, 1.0)),
)
RING = LabelColumn(name="ring of 0 and 2", latents=(0, 2), kl=5.0, circular=True, note="one peak")


def level(images, **changes):
    generator = np.random.default_rng(len(images))
    ids = np.full((len(images), 2), -1, np.int32)
    ids[:, 0] = generator.integers(-1, 2, len(images))
    fields = {
        "flat": np.asarray(images, np.int64),
        "labels": generator.normal(size=ids.shape).astype(np.float32),
        "ids": ids,
        "columns": (LATENT, RING),
        "run": "runs/a b",
        "digest": "0f" * 32,
    }
    return LabelLevel(**fields | changes)


def file(**changes):
    levels = (level(range(0, 60)), level(range(5, 50, 3)), level([8, 17, 20]))
    fields = {"dataset": "shapes3d", "size": 60, "levels": levels, "settings": {"seed": 3}}
    return SurrogateLabels(**fields | changes)


def assert_same(first, second):
    assert (first.dataset, first.size) == (second.dataset, second.size)
    assert dict(first.settings) == dict(second.settings)
    assert len(first.levels) == len(second.levels)
    for one, other in zip(first.levels, second.levels, strict=True):
        assert (one.columns, one.run, one.digest) == (other.columns, other.run, other.digest)
        for name in ("flat", "labels", "ids"):
            mine, theirs = getattr(one, name), getattr(other, name)
            assert mine.dtype == theirs.dtype
            np.testing.assert_array_equal(mine, theirs)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "labels.npz"
    write_labels(path, file())
    assert_same(read_labels(path, size=60, dataset="shapes3d"), file())
    assert [each.name for each in path.parent.iterdir()] == ["labels.npz"]
    # Without pickles, and readable by NumPy alone.
    with np.load(path, allow_pickle=False) as arrays:
        assert json.loads(arrays["summary"].tobytes())["format"] == 1
        np.testing.assert_array_equal(arrays["flat_2"], [8, 17, 20])


def test_a_level_may_have_no_labels_and_a_file_no_levels(tmp_path):
    empty = level(range(4)).only([])
    assert empty.labels.shape == (4, 0)
    for labels in (file(levels=(empty,)), file(levels=())):
        write_labels(tmp_path / "labels.npz", labels)
        assert_same(read_labels(tmp_path / "labels.npz"), labels)


def test_only_keeps_columns_in_the_order_given():
    whole = level(range(30))
    part = whole.only([1, 0])
    assert part.columns == (RING, LATENT)
    np.testing.assert_array_equal(part.labels, whole.labels[:, ::-1])
    np.testing.assert_array_equal(part.ids, whole.ids[:, ::-1])


@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=4),
    seed=st.integers(0, 2**16),
)
@settings(deadline=None)
def test_positions_in_each_level_compose_to_the_stored_images(sizes, seed):
    generator = np.random.default_rng(seed)
    count = 80
    flat, parts, levels = np.arange(count), [], []
    for size in sizes:
        chosen = np.sort(generator.permutation(len(flat))[: min(size, len(flat))])
        flat = flat[chosen]
        parts.append(chosen.astype(np.int64))
        levels.append(level(flat))
    labels = SurrogateLabels(dataset="d", size=count, levels=tuple(levels))
    told = [labels.positions(k) for k in range(len(levels))]
    for k in range(len(levels)):
        np.testing.assert_array_equal(told[k], parts[k])
        np.testing.assert_array_equal(compose(told[0], *told[1 : k + 1]), levels[k].flat)


def test_compose_refuses_what_is_out_of_range():
    flat = np.array([3, 5, 9])
    np.testing.assert_array_equal(compose(flat), flat)
    assert len(compose(flat, np.empty(0, np.int64))) == 0
    for positions in ([3], [-1]):
        with pytest.raises(DataError, match="level 1 must be from 0 to below 3"):
            compose(flat, np.array(positions))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"flat": np.arange(10)[::-1].copy()}, "ascend"),
        ({"flat": np.zeros(10, np.int64)}, "ascend"),
        ({"flat": np.arange(-1, 9)}, "at least 0"),
        ({"flat": np.arange(10.0)}, "must be int64"),
        ({"flat": np.empty(0, np.int64)}, "n at least 1"),
        ({"labels": np.zeros((9, 2), np.float32)}, "labels must be float32"),
        ({"labels": np.zeros((10, 2))}, "labels must be float32"),
        ({"labels": np.full((10, 2), np.nan, np.float32)}, "must be finite"),
        ({"ids": np.zeros((10, 1), np.int32)}, "ids must be int32"),
        ({"ids": np.full((10, 2), 2, np.int32)}, "less than the number of clusters"),
        ({"ids": np.full((10, 2), -2, np.int32)}, "at least -1"),
        ({"columns": (LATENT, dataclasses.replace(RING, name="latent 3"))}, "must differ"),
    ],
)
def test_levels_are_checked(changes, message):
    with pytest.raises(DataError, match=message):
        level(range(10), **changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"latents": (1, 2)}, "come from 2 latents"),
        ({"kl": float("inf")}, "must be finite"),
        ({"purity": 1.5}, "from 0 to 1"),
        ({"coverage": float("nan")}, "from 0 to 1"),
        ({"intervals": ((0.0, float("nan")),)}, "must be finite"),
    ],
)
def test_columns_are_checked(changes, message):
    with pytest.raises(DataError, match=message):
        dataclasses.replace(LATENT, **changes)


def test_files_are_checked():
    with pytest.raises(DataError, match="Level 0 has image 59, but the dataset has 50"):
        file(size=50)
    with pytest.raises(DataError, match="Level 1 has images that level 0 does not have"):
        file(levels=(level([1, 2, 3]), level([2, 4])))


def damaged(path, change):
    with np.load(path) as arrays:
        kept = dict(arrays)
    change(kept)
    np.savez(path, **kept)


def resummarise(**changes):
    def change(arrays):
        summary = json.loads(arrays["summary"].tobytes()) | changes
        arrays["summary"] = np.frombuffer(json.dumps(summary).encode(), np.uint8)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda a: a.pop("summary"), "is not a label file"),
        (lambda a: a.pop("ids_1"), "is not a label file"),
        (lambda a: a.update(flat_1=a["flat_1"] + 100), "is damaged"),
        (lambda a: a.update(flat_0=a["flat_0"][:-1]), "is damaged"),
        (lambda a: a.update(labels_0=a["labels_0"] * np.float32(np.inf)), "must be finite"),
        (lambda a: a.update(summary=np.frombuffer(b"[1", np.uint8)), "is not a label file"),
        (lambda a: a.update(summary=np.frombuffer(b"[1]", np.uint8)), "is not a label file"),
        (resummarise(format=2), "another format"),
        (resummarise(levels=[{"columns": 3}]), "is not a label file"),
        (resummarise(size=10), "is damaged"),
    ],
)
@pytest.mark.filterwarnings("ignore:invalid value")
def test_damaged_files_are_told(tmp_path, change, message):
    path = tmp_path / "labels.npz"
    write_labels(path, file())
    damaged(path, change)
    with pytest.raises(RunError, match=message):
        read_labels(path)


def test_torn_strange_and_missing_files_are_told(tmp_path):
    path = tmp_path / "labels.npz"
    with pytest.raises(RunError, match="does not exist"):
        read_labels(path)
    write_labels(path, file())
    whole = path.read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 3):
        path.write_bytes(whole[:cut])
        with pytest.raises(RunError, match=r"labels\.npz"):
            read_labels(path)
    # Bytes in the middle of an array.
    middle = whole.find(b"labels_0") + 60
    path.write_bytes(whole[:middle] + b"\x5a" * 20 + whole[middle + 20 :])
    with pytest.raises(RunError, match=r"labels\.npz"):
        read_labels(path)
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(RunError, match="is not a label file"):
        read_labels(tmp_path / "one.npy")


def test_files_of_other_datasets_are_refused(tmp_path):
    path = tmp_path / "labels.npz"
    write_labels(path, file())
    with pytest.raises(RunError, match="of a dataset of 60 images, and not of 61"):
        read_labels(path, size=61)
    with pytest.raises(RunError, match="labels of shapes3d, and not of dsprites"):
        read_labels(path, dataset="dsprites")


def test_settings_need_a_form_for_json(tmp_path):
    for settings_ in ({"a": object()}, {"a": float("nan")}):
        with pytest.raises(DataError, match="form for JSON"):
            write_labels(tmp_path / "labels.npz", file(settings=settings_))
    assert list(tmp_path.iterdir()) == []
