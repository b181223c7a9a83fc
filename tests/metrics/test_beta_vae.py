"""The BetaVAE score: plain loops, published values, chance, degenerate tables."""

from __future__ import annotations

import numpy as np
import pytest

from reference import tables
from reference.interventions_reference import difference_points
from reference.sampling_reference import Plain
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import BetaVAEScore, Metric
from unweave.metrics.draws import Draws
from unweave.metrics.interventional.beta_vae import mean_differences
from unweave.metrics.sampling import GridSampler
from unweave.representation import Representation
from unweave.spec import parse


def space_of(*sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


SPACE = space_of(3, 4, 5)
GRID = SPACE.unravel(np.arange(SPACE.size))


def score(codes, factors=GRID, space=SPACE, seed=0, **settings):
    codes = np.asarray(codes, dtype=np.float32)
    table = Representation(mean=codes, factors=factors, factor_space=space)
    settings = {"train": 2000, "test": 1000, **settings}
    return BetaVAEScore(**settings).score(table, Draws(seed, "beta_vae"))


# Published values


def published_score(name, seed, compat):
    metric = BetaVAEScore(train=10_000, test=5_000, batch=64, compat=compat)
    return metric.score(tables.table(name), Draws(seed, "beta_vae"))


# disentanglement_lib with scikit-learn 1.9.1, and with 0.20.4.
@pytest.mark.parametrize(
    ("compat", "name", "seed", "train", "evaluation"),
    [
        ("dlib", "g1_rot", 1, 0.9996, 0.9998),
        ("dlib", "g1_rot", 2, 0.9997, 1.0),
        ("dlib", "g2_missing", 2, 1.0, 1.0),
        ("dlib2019", "g1_rot", 1, 0.9995, 0.9998),
        ("dlib2019", "g1_rot", 2, 0.9997, 0.9998),
        ("dlib2019", "g2_missing", 2, 0.9999, 1.0),
    ],
)
def test_published_values(compat, name, seed, train, evaluation):
    found = published_score(name, seed, compat)
    assert found.parts == pytest.approx({"train_accuracy": train, "eval_accuracy": evaluation})
    assert found.value == found.parts["eval_accuracy"]


@pytest.mark.parametrize("compat", ["dlib", "dlib2019"])
@tables.SEEDS
def test_every_published_value(reference, name, compat, seeds):
    expected = tables.published(reference, name, "beta_vae_sklearn", compat)
    assert len(expected) == 5
    for seed, values in list(expected.items())[seeds]:
        assert published_score(name, seed, compat).parts == pytest.approx(values, abs=1e-6)


# Plain loops


def test_features_are_those_of_plain_loops():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(SPACE.size, 4)).astype(np.float32)
    features, labels = difference_points(codes, SPACE.sizes, Plain(SPACE.sizes, 6), 50, 7)
    drawn = GridSampler(GRID, SPACE, Draws(6, "any")).pairs(50, 7)
    np.testing.assert_array_equal(drawn.factor, labels)
    found = mean_differences(codes, drawn.first, drawn.second)
    np.testing.assert_allclose(found, features, rtol=1e-5)


def test_many_points_are_gathered_in_blocks():
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(60, 2))
    first, second = rng.integers(60, size=(2, 3000, 64))
    found = mean_differences(codes, first, second)
    for point in (0, 2047, 2048, 2999):
        expected = np.abs(codes[first[point]] - codes[second[point]]).mean(axis=0)
        np.testing.assert_allclose(found[point], expected, rtol=1e-12)


def test_features_have_the_mean_that_two_draws_of_a_factor_have():
    # Two independent uniform values out of n differ by (n^2 - 1) / (3 n) on average.
    drawn = GridSampler(GRID, SPACE, Draws(0, "any")).pairs(2000, 64)
    features = mean_differences(GRID.astype(np.float64), drawn.first, drawn.second)
    for j, size in enumerate(SPACE.sizes):
        for k in range(3):
            expected = 0 if j == k else (size**2 - 1) / (3 * size)
            here = features[drawn.factor == k, j].mean()
            assert here == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize("compat", ["none", "dlib"])
def test_the_matrix_says_what_sharing_a_factor_takes_away(compat):
    # A latent that copies a factor does not differ where it is shared; a constant one never does.
    found = score(np.concatenate([GRID, np.full((60, 1), 0.3)], axis=1), compat=compat)
    expected = np.concatenate([np.eye(3), np.zeros((1, 3))])
    assert found.matrix.values.min() == 0
    np.testing.assert_allclose(found.matrix.values, expected, atol=0.02)
    assert (found.matrix.values[3] == 0).all()
    assert found.matrix.rows == ("z0", "z1", "z2", "z3")
    assert found.matrix.columns == SPACE.names
    rng = np.random.default_rng(9)
    noisy = score(GRID + rng.normal(0, 0.5, GRID.shape), compat=compat).matrix.values
    assert (np.diag(noisy) > 0.2).all()
    assert (np.diag(noisy) < 0.9).all()


# What it says of codes


def test_identity_codes_are_told_apart():
    space = space_of(*[10] * 10)
    factors = np.random.default_rng(0).integers(10, size=(20_000, 10))
    found = score(factors, factors, space, batch=5, train=2000, test=2000)
    assert found.value >= 0.9
    assert found.value == pytest.approx(np.mean(list(found.parts.values())), abs=0.02)
    space = space_of(10, 10, 10, 10)
    factors = space.unravel(np.arange(space.size))
    for compat in ("dlib", "dlib2019"):
        parts = score(factors, factors, space, batch=5, train=2000, test=2000, compat=compat).parts
        assert min(parts.values()) >= 0.9


def test_codes_that_say_nothing_score_by_chance():
    rng = np.random.default_rng(2)
    factors = SPACE.unravel(rng.integers(SPACE.size, size=5000))
    found = score(rng.normal(size=(5000, 3)), factors)
    assert found.value == pytest.approx(1 / 3, abs=0.05)
    collapsed = score(np.full((60, 3), 0.1))
    assert collapsed.value == pytest.approx(1 / 3, abs=0.05)
    assert (collapsed.matrix.values == 0).all()
    # It names one factor, always.
    assert sorted(collapsed.parts.values()) == [0.0, 0.0, 1.0]


def test_a_factor_that_is_not_encoded_is_confused_with_none():
    found = score(GRID[:, [0, 1]])
    # Two factors are known by what does not move, the third by everything moving.
    assert found.value > 0.95


def test_parts_weigh_to_the_value():
    rng = np.random.default_rng(3)
    found = score(GRID + rng.normal(0, 2.0, GRID.shape), batch=8)
    assert set(found.parts) == {"f0", "f1", "f2"}
    assert min(found.parts.values()) < found.value < max(found.parts.values())


def test_dead_latents_do_no_harm():
    codes = np.concatenate([GRID, np.full((60, 1), 0.3)], axis=1)
    assert score(codes).value > 0.99
    assert score(codes, compat="dlib").value > 0.99


def test_scale_matters_to_published_code_alone():
    rng = np.random.default_rng(4)
    codes = np.float32(GRID + rng.normal(0, 0.3, GRID.shape))
    tiny = np.float32(2.0**-10)
    assert score(codes * tiny).value == score(codes).value > 0.95
    # The penalty holds the weights back that tiny codes would need.
    assert score(codes * tiny, compat="dlib").value < score(codes, compat="dlib").value - 0.1


def test_a_factor_that_is_constant_is_not_drawn():
    space = space_of(3, 1, 5)
    factors = space.unravel(np.arange(space.size))
    found = score(factors, factors, space)
    assert set(found.parts) == {"f0", "f2"}
    assert found.matrix.columns == ("f0", "f2")
    part = GRID[GRID[:, 1] == 2]
    assert set(score(part, part).parts) == {"f0", "f2"}


@pytest.mark.parametrize("compat", ["none", "dlib", "dlib2019"])
def test_one_latent_is_enough(compat):
    found = score(GRID[:, :1], compat=compat)
    assert 1 / 3 < found.value < 1


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compat", ["none", "dlib", "dlib2019"])
def test_no_warnings_leak(compat):
    # Scales that a solver does not come to terms with in its hundred steps.
    found = score(GRID * [1e4, 1e-4, 1.0], compat=compat, train=300, test=100)
    assert 0 <= found.value <= 1


# What is refused


def test_fewer_than_two_factors_that_vary_are_refused():
    part = GRID[(GRID[:, 0] == 1) & (GRID[:, 1] == 2)]
    with pytest.raises(DataError, match="at least two must vary, and here 1 of 3 does: name"):
        score(part, part)
    with pytest.raises(DataError, match="at least two must vary"):
        score(np.zeros((4, 2)), np.zeros((4, 3), np.int64))


def test_a_part_of_the_grid_has_no_published_score():
    with pytest.raises(DataError, match="full grid"):
        score(GRID[:-1], GRID[:-1], compat="dlib")


def test_points_of_one_factor_are_refused():
    def first_two(seed):
        plain = Plain(SPACE.sizes, seed)
        return [plain.pair(4)[0] for _ in range(2)]

    seed = next(seed for seed in range(20) if first_two(seed) == [1, 1])
    with pytest.raises(DataError, match="train=2 points all share factor f1; draw more of them"):
        score(GRID, train=2, batch=4, seed=seed, compat="dlib")


@pytest.mark.parametrize(
    "text", ["beta_vae(train=1)", "beta_vae(test=0)", "beta_vae(batch=0)", "beta_vae(compat=no)"]
)
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"beta_vae: (train|test|batch|compat)\W"):
        parse(text, Metric)
