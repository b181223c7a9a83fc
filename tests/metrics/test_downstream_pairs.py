"""Pairs of images between which one factor has moved, beside searches in plain Python."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier

from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import DownstreamPairs, evaluate
from unweave.metrics.downstream.pairs import draw, moves, sides
from unweave.metrics.draws import Draws
from unweave.representation import Representation

SPACE = FactorSpace(
    (
        Factor("shape", 3, kind="categorical"),
        Factor("size", 5),
        Factor("turn", 9, kind="circular", closed=True),
        Factor("side", 2),
        Factor("place", 4),
    )
)
# By how many values each factor goes for a step of two, and out of how many.
LENGTHS = {"size": (2, 5), "turn": (2, 8), "place": (1, 4)}


def table(space=SPACE, noise=0.0, keep=None, copies=1):
    factors = space.unravel(np.arange(space.size * copies) % space.size)
    factors = factors if keep is None else factors[keep(factors)]
    codes = np.random.default_rng(0).normal(0, 1, factors.shape) * noise + factors
    return Representation(mean=np.float32(codes), factors=factors, factor_space=space)


def score(rows, seed=0, **settings):
    metric = DownstreamPairs(**{"pairs": 600, "test_pairs": 300, "size": 20, **settings})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return metric.score(rows, Draws(seed, metric.name))


def search(rows, step, length, poses, factor):
    """All pairs of rows between which a factor goes by so many values, in plain Python."""
    there = {}
    for row, combination in enumerate(rows.factors.tolist()):
        there.setdefault(tuple(combination), []).append(row)
    pairs = {}
    for row, combination in enumerate(rows.factors.tolist()):
        combination[factor] = (combination[factor] + step * length) % poses
        if tuple(combination) in there:
            pairs[row] = there[tuple(combination)]
    return pairs


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("keep", [None, lambda factors: factors.sum(axis=1) % 4 != 1])
def test_moves_are_those_of_a_search(keep, copies):
    rows = table(keep=keep, copies=copies)
    found = moves(rows.factors, SPACE, 2, np.random.RandomState(0))
    expected = [(name, way) for name in LENGTHS for way in (1, -1)]
    assert len(found) == len(expected)
    for move, (name, way) in zip(found, expected, strict=True):
        length, poses = LENGTHS[name]
        assert (SPACE.names[move.factor], move.step) == (name, way * length)
        pairs = search(rows, way, length, poses, move.factor)
        assert move.first.tolist() == list(pairs)
        assert all(b in pairs[a] for a, b in zip(move.first, move.second, strict=True))
    if copies > 1:
        # Of rows that have the same factors, any may be the second.
        chosen = {move.second[i] // SPACE.size for move in found for i in range(50)}
        assert keep is not None or chosen == {0, 1, 2}


def test_a_circle_that_counts_its_first_pose_twice_is_that_of_the_published_code():
    rows = table()
    found = moves(rows.factors, SPACE, 2, np.random.RandomState(0), whole_circle=True)
    (forwards,) = [move for move in found if SPACE.names[move.factor] == "turn" and move.step > 0]
    pairs = search(rows, 1, 2, 9, forwards.factor)
    assert [[b] for b in forwards.second] == list(pairs.values())
    assert (
        dict(zip(forwards.first.tolist(), forwards.second.tolist(), strict=True))[
            SPACE.ravel([[0, 0, 8, 0, 0]])[0]
        ]
        == SPACE.ravel([[0, 0, 1, 0, 0]])[0]
    )


@pytest.mark.parametrize(
    ("size", "step", "length"), [(3, 2, 1), (4, 9, 1), (5, 9, 2), (6, 2, 2), (32, 2, 2), (9, 1, 1)]
)
def test_forwards_and_backwards_are_two_places(size, step, length):
    space = FactorSpace((Factor("a", size), Factor("b", 2)))
    found = moves(table(space).factors, space, step, np.random.RandomState(0))
    assert [move.step for move in found] == [length, -length]
    assert not (found[0].second == found[1].second).any()


@pytest.mark.parametrize("keep", [None, lambda factors: factors.sum(axis=1) % 4 != 1])
def test_no_row_is_both_fitted_and_tested(keep):
    rows = table(keep=keep)
    state = np.random.RandomState(0)
    parts = sides(rows.factors, SPACE, 2, 2 / 3, state)
    fitted, tested = (
        {row for move in part for row in (*move.first.tolist(), *move.second.tolist())}
        for part in parts
    )
    assert not fitted & tested
    assert len(fitted | tested) > 0.9 * len(rows)
    assert len(fitted) / len(tested) == pytest.approx(2, rel=0.2)
    for one, other in zip(*parts, strict=True):
        assert (one.factor, one.step) == (other.factor, other.step)
        length, poses = LENGTHS[SPACE.names[one.factor]]
        pairs = search(rows, np.sign(one.step), length, poses, one.factor)
        for move in (one, other):
            assert all(b in pairs[a] for a, b in zip(move.first, move.second, strict=True))


def test_a_small_table_is_parted_until_both_parts_have_all_moves():
    space = FactorSpace((Factor("a", 3), Factor("b", 3)))
    factors = table(space).factors
    for seed in range(20):
        one, other = sides(factors, space, 2, 2 / 3, np.random.RandomState(seed))
        assert [space.names[move.factor] for move in other] == ["a", "a", "b", "b"]
        assert len(one) == 4


def test_pairs_are_drawn_once_and_in_the_numbers_asked_for():
    found = moves(table().factors, SPACE, 2, np.random.RandomState(0))
    pairs, labels = draw(found, 300, np.random.RandomState(0))
    assert len(set(map(tuple, pairs.tolist()))) == len(pairs) == len(labels) == 300
    assert all(30 < count < 75 for count in np.bincount(labels, minlength=6))
    for pair, label in zip(pairs.tolist(), labels.tolist(), strict=True):
        assert tuple(pair) in set(
            zip(found[label].first.tolist(), found[label].second.tolist(), strict=True)
        )


def test_where_there_are_fewer_all_are_drawn():
    found = moves(table().factors, SPACE, 2, np.random.RandomState(0))
    pairs, labels = draw(found, 20_000, np.random.RandomState(0))
    assert np.bincount(labels).tolist() == [len(move.first) for move in found]
    assert len(set(map(tuple, pairs.tolist()))) == len(pairs)


def test_the_score_is_that_of_a_plain_loop():
    rows = table(noise=0.7, copies=9)
    found = [
        score(rows, seed, pairs=1000, test_pairs=1000, size=30, depth=6).value for seed in range(4)
    ]
    # The same forest on pairs of a search, as others would draw them.
    rng, values = np.random.default_rng(5), []
    everything = []
    for label, (name, way) in enumerate(product(LENGTHS, (1, -1))):
        length, poses = LENGTHS[name]
        pairs = search(rows, way, length, poses, SPACE.names.index(name))
        everything += [(a, b[0], label) for a, b in pairs.items()]
    for _ in range(4):
        chosen = np.array(everything)[rng.permutation(len(everything))[:2000]]
        features = np.hstack([rows.mean[chosen[:, 0]], rows.mean[chosen[:, 1]]])
        forest = RandomForestClassifier(30, max_depth=6, random_state=0)
        forest.fit(features[:1000], chosen[:1000, 2])
        values.append(np.mean(forest.predict(features[1000:]) == chosen[1000:, 2]))
    assert 0.3 < np.mean(values) < 0.9
    assert np.mean(found) == pytest.approx(np.mean(values), abs=0.03)


def test_codes_that_tell_the_factors_tell_what_has_moved():
    found = score(table(copies=4), pairs=4000, size=60)
    assert found.value > 0.95
    assert list(found.parts) == ["size", "turn", "place", "train_accuracy", "chance"]
    assert found.parts["chance"] == 1 / 6


def test_codes_that_tell_nothing_are_guessed():
    rows = table(copies=3)
    noise = np.random.default_rng(0).normal(size=rows.mean.shape)
    rows = Representation(np.float32(noise), rows.factors, SPACE)
    found = score(rows, pairs=3000, test_pairs=3000)
    # A share of 3,000 by chance.
    assert found.value == pytest.approx(1 / 6, abs=5 * np.sqrt(5 / 36 / 3000))


def test_the_table_tells_what_is_mistaken_and_the_parts_are_its_diagonal():
    found = score(table(noise=0.5), test_pairs=900)
    matrix = found.matrix
    assert matrix.rows[:2] == ("moved size+", "moved size-")
    assert matrix.columns[-1] == "told place-"
    np.testing.assert_allclose(matrix.values.sum(axis=1), 1)
    diagonal = np.diag(matrix.values)
    for i, name in enumerate(LENGTHS):
        assert min(diagonal[2 * i : 2 * i + 2]) <= found.parts[name] <= max(
            diagonal[2 * i : 2 * i + 2]
        )  # fmt: skip


def test_a_factor_without_pairs_is_left_out():
    rows = table(keep=lambda factors: factors[:, 1] < 2)
    assert list(score(rows).parts) == ["turn", "place", "train_accuracy", "chance"]


@pytest.mark.parametrize(
    "rows",
    [
        table(FactorSpace((Factor("shape", 5, kind="categorical"), Factor("side", 2)))),
        table(keep=lambda factors: factors.sum(axis=1) == 6),
        table().subset(np.array([3])),
    ],
    ids=["no order", "no neighbours", "one row"],
)
def test_tables_without_pairs_are_refused_beforehand(rows):
    message = "downstream_pairs needs rows that differ in nothing but one factor, by 2 .*all rows"
    with pytest.raises(DataError, match=message):
        DownstreamPairs().check(rows.factors, rows.factor_space, 5)
    with pytest.raises(DataError, match=message):
        score(rows)


def test_it_is_scored_by_its_published_name_with_the_published_numbers():
    found = evaluate(table(noise=0.3), metrics=("downstream_rep",), protocol="clg")
    assert list(found) == ["downstream_pairs"]
    assert "1,000 pairs fitted" in found["downstream_pairs"].matrix.label
