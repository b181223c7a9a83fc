"""What is shown of a dataset is its own images, in the rows that say so."""

from __future__ import annotations

import numpy as np
import pytest

import unweave
from unweave import plots
from unweave.data import Dataset
from unweave.errors import DataError
from unweave.factors import Factor
from unweave.gallery import (
    contact_sheet,
    dataset_figure,
    dataset_film,
    dependent_pairs,
    pairs_figure,
    shares,
    shares_figure,
    value_names,
)

GRID = "dsprites(grid=(3, 2, 4, 8, 8))"


@pytest.fixture
def drawn(monkeypatch):
    """What the figures hand to the plots, by the name of the plot."""
    calls = {}
    for name in ("image_rows", "joint_shares", "share_bars"):

        def fake(*arguments, _name=name):
            calls[_name] = arguments
            return "figure"

        monkeypatch.setattr(plots, name, fake)
    return calls


def places(data, images):
    """Flat indices of the images that look like each of some images."""
    everything = data.images(np.arange(len(data))).reshape(len(data), -1)
    return [np.flatnonzero((everything == image.reshape(-1)).all(axis=1)) for image in images]


class TestTraversals:
    def test_rows_walk_along_one_factor_each(self, drawn):
        data = unweave.load_dataset(GRID)
        assert dataset_figure(data, 5) == "figure"
        rows, labels, title = drawn["image_rows"]
        assert labels == ["random", "shape", "scale", "orientation", "pos_x", "pos_y"]
        assert title == "dsprites(grid=(3, 2, 4, 8, 8)) (rendered, 1,536 images)"
        assert [len(row) for row in rows] == [10, 3, 2, 4, 8, 8]
        for k, size in enumerate((3, 2, 4, 8, 8)):
            # Symmetric sprites look alike in several poses: some walk must fit all images.
            walks = [
                {tuple(row) for row in data.factors(found)} for found in places(data, rows[k + 1])
            ]
            fits = [
                rest
                for rest in {row[:k] + row[k + 1 :] for row in walks[0]}
                if all(
                    (*rest[:k], value, *rest[k:]) in walk
                    for value, walk in zip(range(size), walks, strict=True)
                )
            ]
            assert fits, labels[k + 1]

    def test_ten_of_many_values_are_evenly_spaced(self, drawn):
        data = unweave.load_dataset("circles")
        dataset_figure(data, 5)
        rows, _, _ = drawn["image_rows"]
        for k in (0, 1):
            [*found] = (data.factors(flat)[0] for flat in places(data, rows[k + 1]))
            assert [row[k] for row in found] == [0, 3, 7, 10, 14, 17, 21, 24, 28, 31]
            assert len({row[1 - k] for row in found}) == 1

    def test_where_combinations_are_missing_the_closest_images_are_shown(self, drawn):
        data = unweave.load_dataset("sprites(images=400, bins=4)")
        dataset_figure(data, 5)
        images, labels, _ = drawn["image_rows"]
        assert labels == ["random", "shape", "scale", "orientation", "pos_x", "pos_y"]
        for k, size in enumerate((3, 4, 4, 4, 4)):
            shown = [found[0] for found in places(data, images[k + 1])]
            rows = data.factors(np.array(shown))
            assert rows[:, k].tolist() == list(range(size))
            # Among 400 images of 768 combinations most others stay, or nearly so.
            others = np.delete(rows, k, axis=1)
            assert (abs(others - np.median(others, axis=0)) <= 1).mean() > 0.8

    def test_without_factors_there_are_random_images_alone(self, drawn):
        data = unweave.load_dataset(GRID)
        dataset_figure(Dataset(data.spec, data.store), 5)
        rows, labels, _ = drawn["image_rows"]
        assert labels == ["random"]
        assert [row.shape for row in rows] == [(10, 64, 64, 1)]

    def test_few_images_are_shown_once_each(self, drawn):
        data = unweave.load_dataset("subset(data=circles, images=4)")
        dataset_figure(data, 5)
        found = np.concatenate(places(data, drawn["image_rows"][0][0]))
        assert sorted(found.tolist()) == [0, 1, 2, 3]

    def test_the_seed_chooses(self, drawn):
        data = unweave.load_dataset(GRID)
        shown = []
        for seed in (1, 1, 2):
            dataset_figure(data, seed)
            shown.append(drawn["image_rows"][0][0])
        np.testing.assert_array_equal(shown[0], shown[1])
        assert (shown[0] != shown[2]).any()

    def test_random_images_follow_the_odds(self, drawn):
        data = unweave.load_dataset("circles")
        odds = np.zeros(len(data))
        odds[[5, 700]] = 0.5
        dataset_figure(
            Dataset(data.spec, data.store, factor_space=data.factor_space, weights=odds), 0
        )
        shown = np.concatenate(places(data, drawn["image_rows"][0][0]))
        assert set(shown.tolist()) == {5, 700}


class TestContactSheet:
    def test_each_dataset_has_a_row_by_its_name(self, drawn):
        texts = ["circles", "xyobject", "subset(data=circles, images=3)"]
        contact_sheet([unweave.load_dataset(text) for text in texts], 0)
        rows, labels, title = drawn["image_rows"]
        assert labels == ["circles", "xyobject", "subset"]
        assert [row.shape[-1] for row in rows] == [1, 3, 1]
        assert [len(row) for row in rows] == [10, 10, 3]
        assert title == "Random images (rendered)"

    def test_two_of_one_name_are_told_apart(self, drawn):
        texts = ["circles(grid=(5, 4))", "circles(grid=(4, 5))"]
        contact_sheet([unweave.load_dataset(text) for text in texts], 0)
        assert drawn["image_rows"][1] == texts


def cramer(first, second, weights):
    """Cramer's V of two columns, cell by cell as a textbook has it."""
    total, square = weights.sum(), 0.0
    for a in set(first):
        for b in set(second):
            share = weights[(first == a) & (second == b)].sum() / total
            alone = weights[first == a].sum() * weights[second == b].sum() / total**2
            square += (share - alone) ** 2 / alone
    return np.sqrt(square / (min(len(set(first)), len(set(second))) - 1))


class TestPairs:
    def test_odds_give_the_pairs_that_they_couple(self):
        text = f"correlated(data={GRID}, pairs=((pos_x, scale), (pos_y, pos_x)))"
        data = unweave.load_dataset(text)
        rows, names = data.factors(np.arange(len(data))), data.factor_space.names
        pairs = dependent_pairs(data)
        found = {(names[pair.row], names[pair.column]) for pair in pairs}
        assert found >= {("scale", "pos_x"), ("pos_x", "pos_y")}
        assert not {name for pair in found for name in pair} & {"shape", "orientation"}
        for pair in pairs:
            expected = cramer(rows[:, pair.row], rows[:, pair.column], data.weights)
            assert pair.cramer == pytest.approx(expected, abs=1e-9)
            for a, b in ((0, 0), (1, 2)):
                both = (rows[:, pair.row] == a) & (rows[:, pair.column] == b)
                assert pair.table[a, b] == pytest.approx(data.weights[both].sum(), abs=1e-12)
        assert [pair.cramer for pair in pairs] == sorted((p.cramer for p in pairs), reverse=True)

    def test_a_hole_is_seen_and_chance_is_not(self):
        hole = f"without(data={GRID}, where='shape == 1 and pos_x > 0.5')"
        [pair] = dependent_pairs(unweave.load_dataset(hole))
        assert (pair.row, pair.column) == (0, 3)
        np.testing.assert_array_equal(pair.table[0, 4:], 0)
        assert (pair.table[1:] > 0).all()
        # Of 500 images and two factors of 10, V is about sqrt(81 / 500 / 9) = 0.13 by chance.
        for seed in range(5):
            assert dependent_pairs(unweave.load_dataset(f"sprites(images=500, seed={seed})")) == []

    def test_a_factor_that_follows_from_another_comes_first(self):
        data = unweave.load_dataset(f"only(data={GRID}, where='index(pos_x) == index(pos_y)')")
        [pair] = dependent_pairs(data)
        assert (pair.row, pair.column) == (3, 4)
        np.testing.assert_allclose(pair.table, np.eye(8) / 8)
        # As the images are few, a little is taken off 1.
        assert 0.95 < pair.cramer <= 1

    def test_a_grid_has_none_and_one_value_tells_nothing(self):
        assert dependent_pairs(unweave.load_dataset(GRID)) == []
        text = f"only(data={GRID}, where='shape == 1 and abs(pos_x - pos_y) < 0.2')"
        assert [(p.row, p.column) for p in dependent_pairs(unweave.load_dataset(text))] == [(3, 4)]

    def test_the_figure_has_a_table_for_each(self, drawn):
        data = unweave.load_dataset(f"only(data={GRID}, where='index(pos_x) == index(pos_y)')")
        assert pairs_figure(data, dependent_pairs(data)) == "figure"
        tables, names = drawn["joint_shares"]
        assert list(tables) == [("pos_x", "pos_y")]
        assert len(names["pos_x"]) == 8


class TestShares:
    def test_a_grid_needs_no_counting(self):
        data = unweave.load_dataset(GRID)
        factors = data.factors(np.arange(len(data)))
        for k, share in enumerate(shares(data)):
            np.testing.assert_allclose(share, np.bincount(factors[:, k]) / len(data))

    def test_shares_are_counted(self):
        data = unweave.load_dataset("sprites(images=500, bins=3)")
        factors = data.factors(np.arange(500))
        for k, share in enumerate(shares(data)):
            expected = [float((factors[:, k] == value).mean()) for value in range(len(share))]
            np.testing.assert_allclose(share, expected, atol=1e-12)
            assert len(set(expected)) > 1

    def test_odds_count(self):
        data = unweave.load_dataset(
            "correlated(data=circles(grid=(3, 5)), pairs=((pos_x, pos_y),), strength=strong)"
        )
        factors = data.factors(np.arange(15))
        for k, share in enumerate(shares(data)):
            expected = [data.weights[factors[:, k] == value].sum() for value in range(len(share))]
            np.testing.assert_allclose(share, expected, atol=1e-12)
        # Each of the three values of pos_x has an equal one of pos_y; the two between have none.
        assert shares(data)[1].max() > 5 * shares(data)[1].min()

    def test_every_factor_has_its_bars_and_names(self, drawn):
        data = unweave.load_dataset("sprites(images=500, bins=3)")
        assert shares_figure(data) == "figure"
        bars, names = drawn["share_bars"]
        assert list(bars) == ["shape", "scale", "orientation", "pos_x", "pos_y"]
        assert names["shape"] == ["square", "ellipse", "heart"]
        assert all(len(names[name]) == len(bars[name]) for name in bars)

    def test_values_are_called_by_label_value_or_index(self):
        assert value_names(Factor("a", 2, labels=("no", "yes"))) == ["no", "yes"]
        assert value_names(Factor("a", 2, values=(0.5, 1 / 3))) == ["0.5", "0.333"]
        assert value_names(Factor("a", 3)) == ["0", "1", "2"]


class TestFilm:
    def test_each_row_goes_through_one_factor_and_back(self):
        data = unweave.load_dataset(GRID)
        frames = dataset_film(data, 3).frames
        rows, columns = 5, 5
        assert frames.shape[0] == 20
        left = frames.shape[2] - columns * 66 - 2
        assert frames.shape[1] == rows * 66 + 2
        tiles = frames[:, 2:, left + 2 :, 0]
        tiles = tiles.reshape(20, rows, 66, columns, 66)[:, :, :64, :, :64].swapaxes(2, 3)
        every = np.arange(len(data))
        images, factors = data.images(every)[..., 0], data.factors(every)
        for row, sequence in enumerate(
            (
                # Of three values the first and the last have as many frames as the middle one.
                [0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 0],
                [0] * 5 + [1] * 10 + [0] * 5,
                # The circular one goes once round.
                [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5,
            )
        ):
            for column in range(columns):
                rests = set()
                for frame, index in enumerate(sequence):
                    shown = (images == tiles[frame, row, column]).all(axis=(1, 2))
                    assert index in factors[shown, row]
                    rest = np.delete(factors[shown & (factors[:, row] == index)], row, axis=1)
                    found = {tuple(each) for each in rest.tolist()}
                    rests = found if frame == 0 else rests & found
                # All other factors rest.
                assert rests

    def test_nothing_to_move(self):
        with pytest.raises(DataError, match="none that is known and varies"):
            dataset_film(unweave.load_dataset("dsprites(grid=(1, 1, 1, 1, 1))"), 0)
