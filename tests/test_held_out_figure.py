"""The figure of a split has its counts in the maps and its own images below them."""

from __future__ import annotations

import numpy as np
import pytest

from unweave import plots
from unweave.conditions import split_of
from unweave.conditions.maps import maps_of
from unweave.data import load_dataset
from unweave.errors import SpecError
from unweave.held_out_figure import held_out_figure

SMALL = "dsprites(grid=(3, 3, 4, 8, 8))"


@pytest.mark.parametrize(
    ("data", "rule", "keys"),
    [
        (SMALL, "shape == 1 and pos_x > 0.5", [("shape", "pos_x")]),
        (SMALL, "pos_x > 0.5 and pos_y > 0.5", [("pos_y", "pos_x")]),
        (SMALL, "pos_x > 0.5", [("pos_x",)]),
        (
            SMALL,
            "shape == 1 and pos_x > 0.5 and scale > 0.6",
            [("shape", "scale"), ("shape", "pos_x"), ("scale", "pos_x")],
        ),
        # A factor with one value has no map.
        ("dsprites(grid=(3, 1, 4, 8, 8))", "scale > 0.6 and shape == 1", [("shape",)]),
        (f"subset(data={SMALL}, images=700, seed=2)", "shape == 1 or pos_x > 0.5", None),
        ("mpi3d(grid=(2, 2, 1, 1, 1, 40, 4))", "horz_gt20", [("horizontal_axis",)]),
    ],
)
def test_maps_count_the_images(data, rule, keys):
    split = split_of(rule, data)
    maps = maps_of(split)
    if keys is not None:
        assert [*maps] == [
            key if len(key) == 1 or split.space.sizes[split.space.position(key[0])]
            != split.space.sizes[split.space.position(key[1])] or key[0] == "pos_y"
            else key[::-1]
            for key in keys
        ]  # fmt: skip
    rows = split.table.indices(np.arange(len(split.states)))
    for key, table in maps.items():
        expected = np.zeros_like(table)
        columns = [split.space.position(name) for name in key]
        for row, state in zip(rows, split.states, strict=True):
            expected[(state, *(row[column] for column in columns))] += 1
        np.testing.assert_array_equal(table, expected)


@pytest.fixture
def drawn(monkeypatch):
    """What the figure hands to the plot."""
    calls = {}

    def fake(counts, names, **settings):
        calls.update(settings, counts=counts, names=names)
        return "figure"

    monkeypatch.setattr(plots, "held_out_maps", fake)
    return calls


def test_images_are_of_both_parts(drawn):
    split, dataset = split_of("shape2tx", SMALL), load_dataset(SMALL)
    assert held_out_figure(split, dataset, 3) == "figure"
    images = drawn["images"]
    assert [*images] == ["trained on\n1,920", "held out\n384"]
    for shown, rows in zip(images.values(), (split.train, split.held_out), strict=True):
        assert len(shown) == 8
        part = dataset.images(rows).reshape(len(rows), -1)
        for image in shown:
            assert (part == image.reshape(-1)).all(axis=1).any()
    first = images["held out\n384"]
    held_out_figure(split, dataset, 3)
    np.testing.assert_array_equal(drawn["images"]["held out\n384"], first)
    held_out_figure(split, dataset, 4)
    assert not np.array_equal(drawn["images"]["held out\n384"], first)
    assert drawn["title"] == f"shape2tx of {SMALL}"
    assert drawn["notes"] == [
        "recombination to range; held out: shape == 'square' and pos_x > 0.5"
    ]
    assert drawn["names"]["shape"] == ["square", "ellipse", "heart"]


def test_words_without_images(drawn):
    held_out_figure(
        split_of("horz_gt20", "mpi3d(grid=(2, 2, 1, 1, 1, 40, 4))", "vertical_axis < 14")
    )
    assert drawn["images"] == {}
    assert drawn["notes"] == [
        "extrapolation; held out: horizontal_axis > 20",
        "trained on: not horizontal_axis >= 20",
        "of images with: vertical_axis < 14",
        "The images are not on this machine.",
    ]
    held_out_figure(split_of("pos_x > 0.5", SMALL))
    assert drawn["title"] == f"Held out of {SMALL}"


def test_few_images_are_all_shown(drawn):
    data = "dsprites(grid=(1, 1, 1, 4, 3))"
    split = split_of("pos_x > 0.9", data)
    held_out_figure(split, load_dataset(data))
    assert [len(row) for row in drawn["images"].values()] == [8, 3]


def test_images_of_another_dataset_are_refused():
    with pytest.raises(SpecError, match=r"The split is of .*, and the images are of"):
        held_out_figure(split_of("pos_x > 0.5", SMALL), load_dataset("circles"))
