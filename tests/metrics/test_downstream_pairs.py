"""Pairs of images between which one factor has moved, beside searches in plain Python."""

from __future__ import annotations

import warnings
from itertools import product

import numpy as np
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import balanced_accuracy_score

from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import DownstreamPairs, evaluate
from unweave.metrics.downstream.moves import FEWEST, Moves
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


def search(rows, step, length, factor):
    """All pairs of rows between which a factor goes by so many values, in plain Python."""
    there = {}
    for row, combination in enumerate(rows.factors.tolist()):
        there.setdefault(folded(combination), []).append(row)
    pairs = {}
    for row, combination in enumerate(rows.factors.tolist()):
        poses = LENGTHS[SPACE.names[factor]][1]
        combination[factor] = (combination[factor] + step * length) % poses
        if folded(combination) in there:
            pairs[row] = there[folded(combination)]
    return pairs


def folded(combination):
    """The last value of the circle is the pose of the first."""
    return tuple(value % 8 if k == 2 else value for k, value in enumerate(combination))


def pairs_of(rows, step=2, **settings):
    return Moves(rows.factors, rows.factor_space, step, **settings)


def everything(found):
    """All combinations on one side."""
    rows = np.ones(len(found.sides(0.5, np.random.RandomState(0))[0]), bool)
    return found.draw(rows, 10**6, np.random.RandomState(0))


@pytest.mark.parametrize("copies", [1, 3])
@pytest.mark.parametrize("keep", [None, lambda factors: factors.sum(axis=1) % 4 != 1])
def test_moves_are_those_of_a_search(keep, copies):
    rows = table(keep=keep, copies=copies)
    found = pairs_of(rows)
    pairs, labels = everything(found)
    expected = [(name, way) for name in LENGTHS for way in (1, -1)]
    assert len(found.moves) == len(expected)
    for label, (name, way) in enumerate(expected):
        length, _ = LENGTHS[name]
        factor = SPACE.names.index(name)
        assert found.moves[label] == (factor, way * length)
        searched = search(rows, way, length, factor)
        mine = pairs[labels == label].tolist()
        assert sorted(one for one, _ in mine) == sorted(searched)
        assert all(other in searched[one] for one, other in mine)
        # Of rows that have the same factors, any may be the second.
        places = {searched[one].index(other) for one, other in mine}
        assert places >= set(range(copies))


@pytest.mark.parametrize(("whole", "poses", "end"), [(False, 8, 2), (True, 9, 1)])
def test_a_circle_that_counts_its_first_pose_twice_is_that_of_the_published_code(
    whole, poses, end
):
    rows = table()
    found = pairs_of(rows, whole_circle=whole)
    pairs, labels = everything(found)
    turn = SPACE.names.index("turn")
    mine = pairs[labels == found.moves.index((turn, 2))]
    here, there = rows.factors[mine[:, 0], turn], rows.factors[mine[:, 1], turn]
    assert ((here + 2 - there) % poses == 0).all()
    seam = there[here == 8]
    assert len(seam) == 3 * 5 * 2 * 4
    assert set(seam.tolist()) == {end}


def test_the_circle_of_the_published_code_is_scored():
    # A code that tells the two ends of the circle apart, and nothing else.
    rows = table(copies=3)
    codes = np.float32(np.isin(rows.factors[:, [2]], (8,)) * np.ones((1, 3)))
    rows = Representation(codes, rows.factors, SPACE)
    mine, published = (
        score(rows, pairs=5000, compat=compat).parts["turn"] for compat in ("none", "clg")
    )
    assert mine != published


@pytest.mark.parametrize(
    ("size", "step", "length"), [(3, 2, 1), (4, 9, 1), (5, 9, 2), (6, 2, 2), (32, 2, 2), (9, 1, 1)]
)
def test_forwards_and_backwards_are_two_places(size, step, length):
    space = FactorSpace((Factor("a", size), Factor("b", 40)))
    rows = table(space)
    found = pairs_of(rows, step)
    assert found.moves[:2] == [(0, length), (0, -length)]
    pairs, labels = everything(found)
    ends = [dict(map(tuple, pairs[labels == label].tolist())) for label in (0, 1)]
    assert all(ends[0][row] != ends[1][row] for row in range(len(rows)))


@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("copies", [1, 3])
def test_no_combination_is_both_fitted_and_tested(copies, whole):
    rows = table(copies=copies)
    found, state = pairs_of(rows, whole_circle=whole), np.random.RandomState(0)
    one, other = found.sides(0.6, state)
    assert one.mean() == pytest.approx(0.6, abs=0.02)
    # The last value of the circle is the pose of the first, and goes with it.
    poses = rows.factors.copy()
    poses[:, 2] %= 8
    of_rows = np.ravel_multi_index(poses.T, SPACE.sizes)
    drawn = [found.draw(side, 4000, state) for side in (one, other)]
    fitted, tested = (set(of_rows[pairs].ravel().tolist()) for pairs, _ in drawn)
    assert not fitted & tested
    assert len(fitted | tested) > 0.95 * 3 * 5 * 8 * 2 * 4
    pairs, labels = drawn[1]
    if copies == 1 and not whole:
        counts = [
            len({tuple(of_rows[pair].tolist()) for pair in pairs[labels == label]})
            for label in range(len(found.moves))
        ]
        assert found.fewest(other) == min(counts)


def test_pairs_are_drawn_once_and_in_the_numbers_asked_for():
    found, state = pairs_of(table(copies=4)), np.random.RandomState(0)
    side, _ = found.sides(0.6, state)
    pairs, labels = found.draw(side, 300, state)
    assert len(set(map(tuple, pairs.tolist()))) == len(pairs) == len(labels) == 300
    assert all(30 < count < 75 for count in np.bincount(labels, minlength=6))


def test_sides_that_have_no_room_are_refused():
    space = FactorSpace((Factor("a", 8), Factor("b", 8)))
    with pytest.raises(DataError, match=r"64 combinations .* nearer each other"):
        score(table(space), pairs=1, test_pairs=10**6)


def test_the_score_is_that_of_a_plain_loop():
    rows = table(noise=0.5, copies=9)
    settings = {"pairs": 3000, "test_pairs": 3000, "size": 30, "depth": 8}
    found = [score(rows, seed, **settings).value for seed in range(4)]
    # The same forest on pairs of a search, of combinations that are on one side.
    values, rng = [], np.random.default_rng(5)
    moved = [
        search(rows, way, LENGTHS[name][0], SPACE.names.index(name))
        for name, way in product(LENGTHS, (1, -1))
    ]
    combinations = [folded(each) for each in rows.factors.tolist()]
    for _ in range(4):
        side = {each: bool(rng.random() < 0.5) for each in sorted(set(combinations))}
        pairs = {True: [], False: []}
        for label, searched in enumerate(moved):
            for one, others in searched.items():
                where = side[combinations[one]]
                if where == side[combinations[others[0]]]:
                    pairs[where].append((one, others[rng.integers(len(others))], label))
        sets = []
        for some in pairs.values():
            chosen = np.array(some)[rng.permutation(len(some))[:3000]]
            features = np.hstack([rows.mean[chosen[:, 0]], rows.mean[chosen[:, 1]]])
            sets.append((features, chosen[:, 2]))
        (fitted, labels), (tested, truth) = sets
        forest = RandomForestClassifier(30, max_depth=8, random_state=0).fit(fitted, labels)
        values.append(balanced_accuracy_score(truth, forest.predict(tested)))
    assert 0.3 < np.mean(values) < 0.9
    error = np.hypot(np.std(found), np.std(values)) / 2
    assert error < 0.02
    assert np.mean(found) == pytest.approx(np.mean(values), abs=4 * error)


def test_codes_that_tell_the_factors_tell_what_has_moved():
    found = score(table(copies=4), pairs=4000, size=60)
    assert found.value > 0.85
    assert list(found.parts) == [
        "size",
        "turn",
        "place",
        "pairs:train_accuracy",
        "pairs:chance",
        "pairs:fewest_tested",
    ]
    assert found.parts["pairs:chance"] == 1 / 6


def test_codes_of_combinations_by_chance_tell_nothing_of_others():
    space = FactorSpace((Factor("a", 30), Factor("b", 30)))
    rows = table(space)
    mixed = np.random.default_rng(0).permutation(900)
    for copies in (1, 6):
        codes = np.float32(np.stack([mixed // 30, mixed % 30], axis=1))
        again = Representation(
            np.tile(codes, (copies, 1)), np.tile(rows.factors, (copies, 1)), space
        )
        found = score(again, pairs=3000, test_pairs=3000)
        assert found.value == pytest.approx(0.25, abs=0.1)
        assert found.parts["pairs:train_accuracy"] > 0.9


@pytest.mark.parametrize("keep", [None, lambda factors: (factors[:, 1] < 3) | (factors[:, 0] < 1)])
def test_codes_that_tell_nothing_are_guessed_however_many_pairs_a_move_has(keep):
    rows = table(copies=5, keep=keep)
    noise = np.random.default_rng(0).normal(size=rows.mean.shape)
    rows = Representation(np.float32(noise), rows.factors, SPACE)
    values = [score(rows, seed, pairs=3000, test_pairs=3000).value for seed in range(4)]
    assert np.mean(values) == pytest.approx(1 / 6, abs=0.015)


def test_whoever_says_always_the_same_has_the_chance():
    codes = np.zeros((SPACE.size, 3), np.float32)
    rows = table(keep=lambda factors: (factors[:, 1] < 3) | (factors[:, 0] < 1))
    found = score(Representation(codes[: len(rows)], rows.factors, SPACE))
    assert found.value == pytest.approx(found.parts["pairs:chance"])


def test_the_table_tells_what_is_mistaken_and_the_parts_are_its_diagonal():
    found = score(table(noise=0.5), test_pairs=900)
    matrix = found.matrix
    assert matrix.rows == matrix.columns
    assert matrix.rows == ("size+", "size-", "turn+", "turn-", "place+", "place-")
    np.testing.assert_allclose(matrix.values.sum(axis=1), 1)
    diagonal = np.diag(matrix.values)
    assert found.value == pytest.approx(diagonal.mean())
    for i, name in enumerate(LENGTHS):
        assert found.parts[name] == pytest.approx(diagonal[2 * i : 2 * i + 2].mean())


def test_one_job_adds_up_what_trees_say_however_many_fit(monkeypatch):
    jobs = []
    real = RandomForestClassifier.predict

    def predict(self, features):
        jobs.append(self.n_jobs)
        return real(self, features)

    monkeypatch.setattr("unweave.metrics.threads.cores", lambda: 2)
    monkeypatch.setattr(RandomForestClassifier, "predict", predict)
    for metric in ("downstream_pairs", "dci_forest"):
        evaluate(table(copies=4), metrics=(metric,))
        assert jobs
        assert set(jobs) == {1}, metric
        jobs.clear()


def test_a_factor_with_hardly_any_pairs_is_left_out():
    rows = table(keep=lambda factors: factors[:, 1] < 2)
    names = ["turn", "place", "pairs:train_accuracy", "pairs:chance", "pairs:fewest_tested"]
    assert list(score(rows).parts) == names


@pytest.mark.parametrize(("lines", "enough"), [(6, False), (7, True)])
def test_how_few_pairs_are_too_few(lines, enough):
    space = FactorSpace((Factor("few", 3), Factor("other", 90)))
    # Of each line of the first factor three pairs either way.
    rows = table(space, keep=lambda factors: (factors[:, 0] == 0) | (factors[:, 1] < lines))
    assert (3 * lines >= FEWEST) == enough
    assert ((0, 1) in pairs_of(rows).moves) == enough


def test_very_many_factors_are_no_hindrance():
    space = FactorSpace((*(Factor(f"f{k}", 1) for k in range(80)), *SPACE.factors))
    rows = table(copies=2)
    factors = np.hstack([np.zeros((len(rows), 80), np.int64), rows.factors])
    found = score(Representation(rows.mean, factors, space))
    assert found.value == score(rows).value


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (
            table(FactorSpace((Factor("shape", 50, kind="categorical"), Factor("side", 2)))),
            "That needs a factor with an order",
        ),
        (
            table(FactorSpace((Factor("turn", 3, kind="circular", closed=True), Factor("b", 2)))),
            "at least three different poses",
        ),
        (
            table(keep=lambda factors: factors.sum(axis=1) == 6),
            f"It needs a factor with {FEWEST} pairs of combinations .*Score all rows",
        ),
        (table().subset(np.array([3])), f"It needs a factor with {FEWEST} pairs"),
    ],
    ids=["no order", "two poses", "no neighbours", "one row"],
)
def test_tables_without_pairs_are_refused_beforehand(rows, message):
    with pytest.raises(DataError, match=f"downstream_pairs tells which factor.*{message}"):
        DownstreamPairs().check(rows.factors, rows.factor_space, 5)
    with pytest.raises(DataError, match=message):
        score(rows)


def test_it_is_scored_by_its_published_name_with_the_published_numbers():
    found = evaluate(table(noise=0.3, copies=9), metrics=("downstream_rep",), protocol="clg")
    assert list(found) == ["downstream_pairs"]
    assert "1,000 pairs tested, 1,000 fitted" in found["downstream_pairs"].matrix.label
