"""The FactorVAE score: plain loops, published values, pruning, degenerate tables."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from reference import tables
from reference.interventions_reference import factor_vae
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import FactorVAEScore, Metric
from unweave.metrics.draws import Draws
from unweave.metrics.interventional.factor_vae import count_votes, recognised, relative_variances
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
    if settings.get("compat", "none") != "none":
        settings = {"variance_samples": 2000, **settings}
    return FactorVAEScore(**settings).score(table, Draws(seed, "factor_vae"))


# Published values


def published_score(name, seed, compat="dlib", prune_std=0.05):
    metric = FactorVAEScore(variance_samples=10_000, prune_std=prune_std, compat=compat)
    return metric.score(tables.table(name), Draws(seed, "factor_vae"))


# disentanglement_lib, with the study's threshold and with its own default.
@pytest.mark.parametrize(
    ("name", "prune_std", "seed", "train", "evaluation"),
    [
        ("g1_rot", 0.05, 0, 0.9967, 0.9968),
        ("g1_rot", 0.05, 3, 0.9956, 0.9948),
        ("g2_mixed", 0.05, 0, 0.9952, 0.9966),
        ("g2_mixed", 0.0, 0, 0.9952, 0.9964),
        ("g2_missing", 0.05, 2, 0.7436, 0.7372),
        ("g2_missing", 0.05, 4, 0.7522, 0.7508),
        # One latent is exactly constant, and 0/0 wins every vote.
        ("g2_missing", 0.0, 0, 0.2537, 0.2482),
        ("g2_missing", 0.0, 3, 0.2537, 0.263),
    ],
)
def test_published_values(name, prune_std, seed, train, evaluation):
    found = published_score(name, seed, prune_std=prune_std)
    assert found.parts == pytest.approx({"train_accuracy": train, "eval_accuracy": evaluation})
    assert found.value == found.parts["eval_accuracy"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("compat", "metric", "prune_std"),
    [
        ("dlib", "factor_vae", 0.05),
        ("dlib", "factor_vae_threshold0", 0.0),
        ("dlib2019", "factor_vae", 0.05),
    ],
)
@tables.SEEDS
def test_every_published_value(reference, name, compat, metric, prune_std, seeds):
    expected = tables.published(reference, name, metric, compat)
    assert len(expected) == 5
    for seed, values in list(expected.items())[seeds]:
        # A defect: it counts the latents, active or not.
        values.pop("num_active_dims")
        found = published_score(name, seed, compat, prune_std)
        assert found.parts == pytest.approx(values, abs=1e-6)


# Plain loops


@pytest.mark.parametrize("threshold", [0.0, 0.05, 0.4, 9.0])
def test_it_is_the_score_of_plain_loops(threshold):
    rng = np.random.default_rng(7)
    codes = GRID[:, [2, 0, 1, 0]] * [1.0, 0.3, -2.0, 0.03] + rng.normal(0, 0.02, (60, 4))
    codes = np.float32(codes)
    counts = {"train": 120, "test": 60, "batch": 9, "variance_samples": 100}
    found = score(codes, prune_std=threshold, compat="dlib", seed=3, **counts)
    expected = factor_vae(codes, SPACE.sizes, 3, threshold=threshold, **counts)
    assert tuple(found.parts.values()) == pytest.approx(expected)
    assert list(found.parts) == ["train_accuracy", "eval_accuracy"]


def test_relative_variances_are_gathered_in_blocks():
    rng = np.random.default_rng(1)
    codes = rng.normal(size=(60, 2))
    rows = rng.integers(60, size=(3000, 64))
    found = relative_variances(codes, rows, np.array([2.0, 0.5]))
    for vote in (0, 2047, 2048, 2999):
        expected = codes[rows[vote]].var(axis=0, ddof=1) / [2.0, 0.5]
        np.testing.assert_allclose(found[vote], expected, rtol=1e-12)


def test_votes_are_counted_and_judged():
    votes = count_votes(np.array([0, 1, 1, 1, 0]), np.array([2, 2, 0, 2, 0]), 2, 4)
    assert votes.tolist() == [[1, 1], [0, 0], [1, 2], [0, 0]]
    # The first latent is a tie, which the first factor wins; the second never voted.
    test = np.array([[5, 6], [7, 8], [9, 10], [0, 0]])
    assert recognised(votes, test).tolist() == [5 + 7, 10]


# What it says of codes


def test_identity_codes_are_told_apart():
    space = space_of(*[10] * 10)
    factors = np.random.default_rng(0).integers(10, size=(20_000, 10))
    counts = {"batch": 5, "train": 3000, "test": 2000, "variance_samples": 2500}
    assert score(factors, factors, space, **counts).value >= 0.9
    assert score(np.zeros((20_000, 10)), factors, space, **counts).value <= 0.2
    space = space_of(10, 10, 10, 10)
    factors = space.unravel(np.arange(space.size))
    parts = score(factors, factors, space, compat="dlib", **counts).parts
    assert min(parts.values()) >= 0.9
    assert score(factors * 0, factors, space, compat="dlib", **counts).parts == {
        "train_accuracy": 0.0,
        "eval_accuracy": 0.0,
    }


def test_codes_that_say_nothing_score_by_chance():
    rng = np.random.default_rng(2)
    factors = SPACE.unravel(rng.integers(SPACE.size, size=5000))
    assert score(rng.normal(size=(5000, 3)), factors).value == pytest.approx(1 / 3, abs=0.05)


def test_a_factor_that_is_not_encoded_is_not_recognised():
    found = score(GRID[:, [0, 2]])
    assert found.value == pytest.approx(2 / 3, abs=0.05)
    assert found.parts["f0"] > 0.95
    # While it is fixed, some other latent moves least, and stands for its own factor.
    assert found.parts["f1"] == 0.0
    assert found.parts["f2"] > 0.95


def test_the_matrix_holds_the_training_votes():
    codes = np.concatenate([GRID[:, :1], np.zeros((60, 1)), GRID[:, 1:]], axis=1)
    found = score(codes)
    assert found.matrix.values.sum() == 2000
    assert (found.matrix.values[1] == 0).all()
    assert found.matrix.values.argmax(axis=1)[[0, 2, 3]].tolist() == [0, 1, 2]
    assert found.matrix.rows == ("z0", "z1", "z2", "z3")


def test_latents_of_small_scale_are_pruned():
    # The second latent has a standard deviation of 0.08: it counts at 0.05 and not at 0.1.
    codes = GRID * [1.0, 0.08 / np.sqrt(15 / 12), 1.0]
    for compat in ("none", "dlib"):
        full = score(codes, prune_std=0.05, compat=compat)
        assert full.value > 0.99
        assert full.matrix.values[1].sum() > 500
        pruned = score(codes, prune_std=0.1, compat=compat)
        assert pruned.value == pytest.approx(2 / 3, abs=0.05)
        assert (pruned.matrix.values[1] == 0).all()


def test_constant_latents_never_vote():
    # Their variance, rounded, need not be 0.
    codes = np.concatenate([np.full((60, 2), [0.1, 0.0]), GRID], axis=1)
    found = score(codes, prune_std=0.0)
    assert found.value > 0.99
    assert (found.matrix.values[:2] == 0).all()
    assert found.parts["active_latents"] == codes.shape[1] - 2
    assert found.units == {"active_latents": "latents"}
    # Published code divides 0 by 0, and takes that for the least.
    assert score(codes, prune_std=0.0, compat="dlib").value == pytest.approx(1 / 3, abs=0.05)
    assert score(codes, prune_std=0.05, compat="dlib").value > 0.99


def test_where_no_latent_is_left_the_score_is_zero(caplog):
    with caplog.at_level(logging.WARNING, logger="unweave"):
        found = score(GRID * 0.01)
    assert found.value == 0.0
    assert found.parts == {"f0": 0.0, "f1": 0.0, "f2": 0.0, "active_latents": 0.0}
    assert "no latent varies by a standard deviation of prune_std=0.05 or more" in caplog.text
    assert score(GRID * 0.01, prune_std=0.0).value > 0.99


def test_a_factor_that_is_constant_is_not_drawn():
    part = GRID[GRID[:, 1] == 2]
    found = score(part, part)
    assert found.value > 0.99
    assert set(found.parts) == {"f0", "f2", "active_latents"}
    assert (found.matrix.values[:, 1] == 0).all()


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("compat", ["none", "dlib"])
def test_one_latent_stands_for_one_factor(compat):
    found = score(GRID[:, :1], compat=compat)
    assert found.value == pytest.approx(1 / 3, abs=0.05)


# What is refused


def test_fewer_than_two_factors_that_vary_are_refused():
    part = GRID[(GRID[:, 0] == 1) & (GRID[:, 1] == 2)]
    with pytest.raises(DataError, match="at least two must vary, and here 1 of 3 does: name"):
        score(part, part)


def test_a_part_of_the_grid_has_no_published_score():
    with pytest.raises(DataError, match="full grid"):
        score(GRID[:-1], GRID[:-1], compat="dlib")


def test_published_draws_need_a_number_of_rows():
    with pytest.raises(SpecError, match="compat=dlib draws rows for variances"):
        FactorVAEScore(compat="dlib")


@pytest.mark.parametrize(
    "text",
    [
        "factor_vae(train=0)",
        "factor_vae(batch=1)",
        "factor_vae(prune_std=-0.1)",
        "factor_vae(variance_samples=1)",
    ],
)
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"factor_vae: (train|batch|prune_std|variance_samples) "):
        parse(text, Metric)
