"""Arrays in, scores out: what is taken, repeats over draws, and progress."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import MIG, evaluate
from unweave.metrics.interval import over_draws
from unweave.representation import Representation

SIZES = (3, 4, 5)
GRID = np.indices(SIZES).reshape(3, -1).T


def noisy():
    """Codes of the grid, float32 (960, 5)."""
    rng = np.random.default_rng(0)
    codes = rng.normal(0, 0.6, (16 * len(GRID), 5))
    codes[:, :3] += np.tile(GRID, (16, 1))
    return codes.astype(np.float32)


def test_arrays_and_a_table_of_them_score_the_same():
    codes, factors = noisy(), np.tile(GRID, (16, 1))
    space = FactorSpace(tuple(Factor(f"factor_{k}", size) for k, size in enumerate(SIZES)))
    table = Representation(mean=codes, factors=factors, factor_space=space)
    expected = evaluate(table, metrics="mig")["mig"]
    for given in (codes, codes.tolist()):
        found = evaluate(given, factors, metrics=("mig",))["mig"]
        assert found.parts.keys() == {"factor_0", "factor_1", "factor_2"}
        if given is codes:
            assert found.parts == expected.parts
        else:
            # In double precision a few codes fall on the other side of an edge.
            assert found.value == pytest.approx(expected.value, abs=1e-3)


def test_a_full_grid_needs_only_its_sizes():
    found = evaluate(GRID, factor_sizes=SIZES, factor_names=("a", "b", "c"), metrics="mig")
    assert found["mig"].value == pytest.approx(1.0)
    assert list(found["mig"].parts) == ["a", "b", "c"]


def test_the_rows_decide_what_a_protocol_of_full_grids_takes():
    named = {"metrics": "mig", "protocol": "dlib"}
    found = evaluate(GRID, factor_sizes=SIZES, **named)["mig"]
    assert found.parts == {"discrete_mig": found.value}
    # Any order of the rows is the same grid.
    order = np.random.default_rng(0).permutation(len(GRID))
    assert evaluate(GRID[order], GRID[order], **named)["mig"].value == found.value
    with pytest.raises(DataError, match="combination"):
        evaluate(GRID[1:], GRID[1:], **named)


def test_names_may_be_one_text():
    found = evaluate(
        noisy(), np.tile(GRID, (16, 1)), metrics="aam, mig", logvar=np.full((960, 5), -2.0)
    )
    assert list(found) == ["aam", "mig"]


# Repeats


def test_repeats_are_the_scores_of_one_seed_after_another():
    given = {"metrics": "mig", "protocol": "dlib", "factor_sizes": (3, 4, 5)}
    codes = noisy()[:60]
    alone = [evaluate(codes, seed=seed, **given)["mig"].value for seed in (7, 8, 9, 10)]
    found = evaluate(codes, seed=7, repeats=4, **given)["mig"]
    assert found.interval.values == tuple(alone)
    assert found.value == pytest.approx(np.mean(alone), abs=1e-12)
    assert found.parts == pytest.approx({"discrete_mig": np.mean(alone)})
    assert found.interval.over == "draws"
    assert found.interval.sd == pytest.approx(np.std(alone, ddof=1))
    assert found.interval.low < found.value < found.interval.high
    assert evaluate(codes, seed=7, **given)["mig"].interval is None


def test_the_interval_is_that_of_students_t():
    # 1, 2, 3: mean 2, sd 1; the 97.5 % point of t with 2 degrees of freedom is 4.302653.
    found = over_draws((1.0, 2.0, 3.0))
    assert found.sd == pytest.approx(1.0)
    assert (found.low, found.high) == pytest.approx((2 - 4.302653 / 3**0.5, 2 + 4.302653 / 3**0.5))


def test_the_interval_holds_the_mean_in_nineteen_of_twenty_cases():
    rng = np.random.default_rng(0)
    samples = rng.normal(0.5, 0.1, (4000, 5))
    inside = [f.low < 0.5 < f.high for f in (over_draws(tuple(row)) for row in samples)]
    assert np.mean(inside) == pytest.approx(0.95, abs=0.015)


def test_the_interval_ends_where_the_range_of_the_metric_does():
    # By Student's t from -0.29 to 1.09.
    wide = over_draws((0.1, 0.4, 0.7))
    cut = wide.within((0.0, 1.0))
    assert (cut.low, cut.high) == (0.0, 1.0)
    assert (cut.values, cut.sd) == (wide.values, wide.sd)
    assert wide.within((None, None)) == wide
    assert wide.within((0.0, None)).high == wide.high > 1
    beyond = over_draws((1.0, 1.0 + 1e-12)).within((0.0, 1.0))
    assert beyond.low < beyond.high == 1.0 + 1e-12
    rng = np.random.default_rng(1)
    factors = rng.integers(3, size=(40, 2))
    codes = np.eye(6)[factors.sum(1)] + rng.normal(0, 0.4, (40, 6))
    found = evaluate(codes, factors, metrics="sap", repeats=2)["sap"]
    assert over_draws(found.interval.values).low < 0
    assert found.interval.low == 0
    assert found.value == pytest.approx(np.mean(found.interval.values))


def test_a_score_that_draws_nothing_has_an_interval_of_no_width():
    found = evaluate(noisy(), np.tile(GRID, (16, 1)), metrics="mig", repeats=3)["mig"]
    assert found.interval.low == found.value == found.interval.high
    assert found.interval.sd == 0


# What is refused, and what is told


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"seed": -1}, "seed must be a whole number of at least 0, not -1"),
        ({"seed": 1.5}, "seed must be a whole number"),
        ({"repeats": 0}, "repeats must be a whole number of at least 1, not 0"),
        ({"repeats": True}, "repeats must be a whole number"),
        ({"metrics": "migg"}, "Did you mean mig"),
        ({"metrics": "MIG"}, r"Did you mean mig\?"),
        ({"metrics": "mig(bins=5)"}, "so give mig, not"),
        ({"metrics": ""}, "metrics is empty"),
        ({"metrics": ()}, "metrics is empty"),
        ({"metrics": MIG(bins=5)}, "metrics takes names"),
        ({"metrics": [MIG]}, "metrics takes names"),
        ({"protocol": "disvae"}, "asked for by name: .*mig_sampled"),
        ({"protocol": "dlb"}, "Did you mean dlib"),
    ],
)
def test_settings_that_are_refused(given, words):
    with pytest.raises(SpecError, match=words):
        evaluate(GRID, factor_sizes=SIZES, **given)


def test_whole_numbers_of_numpy_are_seeds():
    found, same = (
        evaluate(GRID, factor_sizes=SIZES, metrics="sap,", seed=seed, repeats=repeats)["sap"]
        for seed, repeats in ((np.int64(3), np.int32(2)), (3, 2))
    )
    assert found.interval.values == same.interval.values


def test_what_numpy_cannot_take_is_told_in_its_own_words():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            raise TypeError("can't convert cuda:0 device type tensor to numpy.")

    with pytest.raises(DataError, match="codes cannot be made a NumPy array: can't convert cuda"):
        evaluate(Tensor(), factor_sizes=SIZES)


def test_what_needs_variances_says_so_before_anything_is_scored():
    told = []
    with pytest.raises(DataError, match=r"aam draws from posteriors: give their logvar"):
        evaluate(
            GRID,
            factor_sizes=SIZES,
            metrics=("mig", "aam"),
            progress=lambda *values: told.append(values),
        )
    assert told == []


def test_of_what_is_not_named_one_that_cannot_score_is_left_out(caplog):
    # One latent: MIG compares two, and others need only one.
    factors = np.tile(GRID, (16, 1))
    scores = evaluate(noisy()[:, :1], factors)
    assert "mig" not in scores
    assert "modularity" in scores
    left = [message for message in caplog.messages if message.startswith("mig is left out: ")]
    assert len(left) == 1
    assert "compares two latents" in left[0]
    with pytest.raises(DataError, match="compares two latents"):
        evaluate(noisy()[:, :1], factors, metrics=("modularity", "mig"))


def test_what_none_can_score_is_refused():
    with pytest.raises(DataError, match="MIG compares two latents"):
        evaluate(noisy()[:, :1], np.zeros((960, 2), np.int64))


def test_a_table_has_factors_of_its_own():
    space = FactorSpace((Factor("a", 60),))
    table = Representation(mean=noisy()[:60], factors=np.arange(60)[:, None], factor_space=space)
    with pytest.raises(DataError, match="give it alone"):
        evaluate(table, factor_sizes=(60,))


def test_progress_counts_scores():
    told = []
    evaluate(
        noisy()[:60],
        factor_sizes=SIZES,
        metrics="mig",
        repeats=2,
        progress=lambda *values: told.append(values),
    )
    assert told == [
        ("scores", 0, 2), ("mig", 0, 2), ("mig", 1, 2), ("mig", 2, 2), ("scores", 2, 2),
    ]  # fmt: skip


def test_a_metric_that_cannot_score_is_no_longer_shown():
    told = []
    grid = np.indices((2, 3)).reshape(2, -1).T
    scores = evaluate(
        grid, factor_sizes=(2, 3), protocol="unweave",
        progress=lambda *values: told.append(values),
    )  # fmt: skip
    last = {what: (done, total) for what, done, total in told}
    assert set(scores) < set(last)
    assert all(done == total for done, total in last.values())
