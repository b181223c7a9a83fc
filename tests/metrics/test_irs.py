"""The interventional robustness score: closed forms, plain loops, published values."""

from __future__ import annotations

import numpy as np
import pytest

from reference import tables
from reference.interventions_reference import irs
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import IRS, Metric
from unweave.metrics.draws import Draws
from unweave.metrics.interventional.irs import group_deviations
from unweave.representation import Representation
from unweave.spec import parse


def space_of(*sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


SPACE = space_of(3, 4, 5)
GRID = SPACE.unravel(np.arange(SPACE.size))


def score(codes, factors=GRID, space=SPACE, seed=0, **settings):
    codes = np.asarray(codes, dtype=np.float32)
    table = Representation(mean=codes, factors=factors, factor_space=space)
    return IRS(**settings).score(table, Draws(seed, "irs"))


# Published values


def published_score(name, seed, compat="dlib"):
    metric = IRS(quantile=0.99, bins=20, samples=10_000, compat=compat)
    return metric.score(tables.table(name), Draws(seed, "irs"))


# disentanglement_lib, 10,000 samples.
@pytest.mark.parametrize(
    ("name", "seed", "value"),
    [
        ("g1_perfect", 0, 0.9853303433917241),
        ("g1_rot", 1, 0.4797162352482217),
        ("g1_warp", 2, 0.9177159105283106),
        ("g1_dup", 3, 0.9825466425996467),
        ("g2_noisy", 4, 0.5474297987022717),
        ("g2_mixed", 0, 0.7091047696162565),
        ("g2_missing", 1, 0.7117972799821317),
    ],
)
def test_published_values(name, seed, value):
    found = published_score(name, seed)
    assert found.value == pytest.approx(value, abs=1e-6)
    assert found.parts == {"IRS": found.value}


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compat", ["dlib", "dlib2019"])
@pytest.mark.parametrize("name", tables.NAMES)
def test_every_published_value(reference, name, compat):
    expected = tables.published(reference, name, "irs", compat)
    assert len(expected) == 5
    for seed, values in expected.items():
        # A defect: the sum of all codes.
        values.pop("num_active_dims")
        assert published_score(name, seed, compat).parts == pytest.approx(values, abs=1e-6)


# Closed forms


def test_a_latent_for_each_factor_scores_one():
    found = score(GRID[:, [2, 0, 1]] * [1.0, -3.0, 0.5])
    assert found.value == pytest.approx(1.0)
    assert found.parts == pytest.approx({"f0": 1.0, "f1": 1.0, "f2": 1.0})
    # A latent goes as far from its mean within the groups of another factor as at large.
    expected = np.zeros((3, 3))
    expected[[0, 1, 2], [2, 0, 1]] = 1
    found = score(GRID[:, [2, 0, 1]], quantile=1.0)
    np.testing.assert_allclose(found.matrix.values, expected, atol=1e-6)


def test_latents_weigh_by_their_largest_deviation():
    # The first is a copy, worth 1; the second is in both factors alike: worth 1 - 1/2.
    space = space_of(2, 2)
    factors = space.unravel(np.arange(4))
    codes = np.stack([6 * factors[:, 0], factors.sum(axis=1)], axis=1)
    found = score(codes, factors, space, quantile=1.0)
    np.testing.assert_allclose(found.matrix.values, [[1, 0], [0.5, 0.5]], atol=1e-6)
    assert found.value == pytest.approx((3 * 1 + 1 * 0.5) / (3 + 1))
    assert found.parts == pytest.approx({"f0": 1.0, "f1": 0.5})


def test_robustness_may_be_negative():
    # Nine at 1 and one at -1 lie around 0.8, and so -1 is 1.8 away; none is further than 1 from
    # the mean of all, which is 0.
    codes = np.array([1] * 9 + [-1] + [-1] * 9 + [1])[:, None]
    factors = np.repeat([0, 1], 10)[:, None]
    assert score(codes, factors, space_of(2), quantile=1.0).value == pytest.approx(-0.8)


def test_the_quantile_speaks_for_a_group():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(101, 1))
    label = np.zeros(101, np.int64)
    deviations = np.sort(np.abs(codes[:, 0] - codes.mean()))
    for quantile in (0.0, 0.5, 0.99, 1.0):
        # Of 101 values the quantile is an order statistic.
        found = group_deviations(codes, label, quantile)
        assert found == pytest.approx([deviations[round(100 * quantile)]])


def test_groups_count_once_whatever_their_size():
    codes = np.array([0.0, 2.0, 0.0, 6.0, 0.0, 6.0, 0.0, 6.0])[:, None]
    label = np.array([0, 0, 1, 1, 1, 1, 1, 1])
    assert group_deviations(codes, label, 1.0) == pytest.approx([(1 + 3) / 2])


def test_wide_bins_merge_values():
    space = space_of(40, 2)
    factors = space.unravel(np.arange(80))
    codes = factors[:, :1]
    assert score(codes, factors, space, quantile=1.0).value == pytest.approx(1.0)
    # Twenty bins of two values: half a step in each, of 19.5.
    found = score(codes, factors, space, quantile=1.0, bins=20)
    assert found.value == pytest.approx(1 - 0.5 / 19.5)


# Plain loops


@pytest.mark.parametrize("quantile", [0.5, 0.9, 0.99, 1.0])
def test_it_is_the_score_of_plain_loops(quantile):
    rng = np.random.default_rng(5)
    factors = SPACE.unravel(rng.integers(SPACE.size, size=400))
    codes = np.float32(factors[:, [0, 2, 2, 1]] + rng.normal(0, 0.5, (400, 4)))
    codes[:, 3] = 0.1
    found = score(codes, factors, quantile=quantile)
    assert found.value == pytest.approx(irs(codes, factors, quantile))
    assert (found.matrix.values[3] == 0).all()


# What it says of codes


def test_identity_codes_are_robust():
    space = space_of(*[10] * 10)
    factors = np.random.default_rng(0).integers(10, size=(20_000, 10))
    assert score(factors, factors, space, quantile=0.99, samples=3000).value >= 0.9
    assert score(factors * 0, factors, space, quantile=0.99, samples=3000).value <= 0.1


@pytest.mark.filterwarnings("error")
def test_constant_latents_do_not_count():
    found = score(np.concatenate([GRID, np.full((60, 2), [0.1, -3.0])], axis=1))
    assert found.value == pytest.approx(score(GRID).value)
    # Nor does one of which the mean is rounded, where there is no other.
    for compat in ({}, {"compat": "dlib", "samples": 999}):
        collapsed = score(np.full((60, 2), 0.1), **compat)
        assert collapsed.value == 0.0
        assert set(collapsed.parts.values()) == {0.0}
        assert (collapsed.matrix.values == 0).all()


def test_a_factor_that_is_constant_is_left_out():
    part = GRID[GRID[:, 1] == 2]
    found = score(part, part)
    assert set(found.parts) == {"f0", "f2"}
    assert found.matrix.columns == ("f0", "f2")
    assert found.value == pytest.approx(1.0)


def test_samples_are_drawn_without_replacement():
    rng = np.random.default_rng(1)
    codes = GRID + rng.normal(0, 0.5, GRID.shape)
    assert score(codes, samples=60, seed=3).value == pytest.approx(score(codes).value)
    some = [score(codes, samples=40, seed=seed).value for seed in (1, 1, 2)]
    assert some[0] == some[1] != some[2]


# What is refused


def test_factors_that_are_all_constant_are_refused():
    with pytest.raises(DataError, match="every factor is constant"):
        score(np.eye(2), np.zeros((2, 3), np.int64))


def test_a_part_of_the_grid_has_no_published_score():
    with pytest.raises(DataError, match="full grid"):
        score(GRID[:-1], GRID[:-1], compat="dlib", samples=10)


def test_published_draws_need_a_number():
    with pytest.raises(SpecError, match="compat=dlib draws samples, so give their number"):
        IRS(compat="dlib")


@pytest.mark.parametrize("text", ["irs(quantile=1.5)", "irs(bins=0)", "irs(samples=1)"])
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"irs: (quantile|bins|samples) "):
        parse(text, Metric)
