"""The mutual information gap: closed forms, an independent count, published values."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reference import metrics_reference, tables
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import MIG, Metric, evaluate
from unweave.metrics.draws import Draws
from unweave.representation import Representation
from unweave.spec import parse


def space_of(*sizes):
    return FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate(sizes)))


SPACE = space_of(3, 4, 5)


def grid(space=SPACE, repeats=1):
    return space.unravel(np.tile(np.arange(space.size), repeats))


def score(codes, factors=None, space=SPACE, metric=None, seed=0):
    codes = np.asarray(codes, dtype=np.float32)
    factors = grid(space) if factors is None else factors
    table = Representation(mean=codes, factors=factors, factor_space=space)
    return (metric or MIG()).score(table, Draws(seed, "mig"))


# Closed forms


def test_one_latent_for_each_factor_scores_one():
    codes = np.concatenate([grid(), np.zeros((SPACE.size, 1))], axis=1)
    found = score(codes[:, [2, 3, 0, 1]] * [1, 1, -3, 0.5])
    assert found.value == pytest.approx(1.0)
    assert found.parts == pytest.approx({"f0": 1.0, "f1": 1.0, "f2": 1.0})
    expected = np.zeros((4, 3))
    for latent, factor in ((0, 2), (2, 0), (3, 1)):
        expected[latent, factor] = np.log(SPACE.sizes[factor])
    np.testing.assert_allclose(found.matrix.values, expected, atol=1e-12)


def test_two_equal_latents_for_each_factor_score_zero():
    found = score(np.concatenate([grid(), -2 * grid()], axis=1))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.matrix.values.max() == pytest.approx(np.log(5))


def test_random_codes_score_near_zero():
    rng = np.random.default_rng(0)
    found = score(rng.normal(size=(200 * SPACE.size, 6)), grid(repeats=200))
    assert 0 <= found.value < 0.01


def test_bins_that_are_too_few_lose_what_they_merge():
    codes = np.concatenate([grid(), np.zeros((SPACE.size, 1))], axis=1)
    found = score(codes, metric=MIG(bins=2))
    # Two bins of 0 .. 3 are its halves: log 2 of log 4.
    assert found.parts["f1"] == pytest.approx(0.5)
    # Of 0 .. 2, the last two values fall together: H(1/3) of log 3.
    merged = -(1 / 3) * np.log(1 / 3) - (2 / 3) * np.log(2 / 3)
    assert found.parts["f0"] == pytest.approx(merged / np.log(3))


def test_the_gap_is_relative_to_the_entropy_in_the_sample():
    # f0 is uneven in the sample; a latent that copies it has the full gap all the same.
    factors = grid()
    factors = factors[(factors[:, 0] == 0) | (factors[:, 1] == 0)]
    codes = np.concatenate([factors, np.zeros((len(factors), 1))], axis=1)
    found = score(codes[:, [0, 3]], factors)
    assert found.parts["f0"] == pytest.approx(1.0)
    assert found.parts["f0"] < found.matrix.values[0, 0] / np.log(2)


def test_a_factor_that_is_constant_is_left_out():
    space = space_of(3, 1, 5)
    factors = grid(space)
    found = score(factors, factors, space)
    assert set(found.parts) == {"f0", "f2"}
    assert found.value == pytest.approx(1.0)
    assert found.matrix.columns == ("f0", "f1", "f2")
    assert (found.matrix.values[:, 1] == 0).all()
    # The same for a factor that happens to be constant in the rows at hand.
    factors = grid()
    factors = factors[factors[:, 2] == 2]
    assert set(score(factors[:, :2], factors).parts) == {"f0", "f1"}


def test_factors_at_the_beginning_can_be_left_out():
    codes = np.concatenate([grid(), grid()[:, :1], np.zeros((SPACE.size, 1))], axis=1)
    whole = score(codes)
    assert whole.parts == pytest.approx({"f0": 0.0, "f1": 1.0, "f2": 1.0})
    found = score(codes, metric=MIG(skip=1))
    assert found.parts == pytest.approx({"f1": 1.0, "f2": 1.0})
    assert found.value == pytest.approx(1.0)
    assert found.matrix.columns == ("f0", "f1", "f2")
    factors = grid()
    with pytest.raises(DataError, match="every factor is constant"):
        score(codes[::20], factors[::20], metric=MIG(skip=1))
    with pytest.raises(DataError, match="skip is 3, but there are 3 factors"):
        score(codes, metric=MIG(skip=3))


# What is refused


def test_one_latent_is_refused():
    with pytest.raises(DataError, match="compares two latents, but the representation has only"):
        score(grid()[:, :1])


def test_factors_that_are_all_constant_are_refused():
    with pytest.raises(DataError, match="every factor is constant"):
        score(np.eye(2), np.zeros((2, 3), dtype=np.int64))


@pytest.mark.parametrize("text", ["mig(bins=1)", "mig(samples=0)", "mig(bins=2.5)"])
def test_settings_that_are_refused(text):
    with pytest.raises(SpecError, match=r"mig: (bins|samples) "):
        parse(text, Metric)


# Samples


@pytest.mark.parametrize("samples", [600, 601, 10_000])
def test_no_more_rows_than_there_are_count(samples):
    codes = grid(repeats=10) + np.random.default_rng(0).normal(0, 0.4, (600, 3))
    whole = score(codes, grid(repeats=10))
    assert score(codes, grid(repeats=10), metric=MIG(samples=samples), seed=3).parts == whole.parts


@pytest.mark.parametrize("name", ["clg", "rpu"])
def test_protocols_that_need_no_grid_score_small_tables(name):
    codes = grid(repeats=10) + np.random.default_rng(0).normal(0, 0.4, (600, 3))
    table = Representation(mean=np.float32(codes), factors=grid(repeats=10), factor_space=SPACE)
    found = evaluate(table, metrics="mig", protocol=name)["mig"]
    skip = 1 if name == "clg" else 0
    assert found.parts == score(codes, grid(repeats=10), metric=MIG(skip=skip)).parts


def test_published_samples_need_the_full_grid():
    with pytest.raises(DataError, match="Published protocols draw from the full grid of 60"):
        score(grid()[:40], grid()[:40], metric=MIG(samples=20, compat="dlib"))


def test_samples_are_drawn_without_replacement_by_the_generator():
    codes = grid(repeats=10) + np.random.default_rng(0).normal(0, 0.4, (600, 3))
    some = [score(codes, grid(repeats=10), metric=MIG(samples=200), seed=s) for s in (1, 1, 2)]
    assert some[0].parts == some[1].parts != some[2].parts


# Independent counts


@pytest.mark.parametrize("bins", [2, 7, 20])
def test_it_is_the_gap_of_counted_information(bins):
    rng = np.random.default_rng(bins)
    factors = grid(repeats=6)
    codes = np.float32(rng.normal(0, 0.6, (len(factors), 5)))
    codes[:, :3] += np.float32(factors @ rng.normal(size=(3, 3)))
    gaps, table = metrics_reference.mig(codes, factors, bins)
    found = score(codes, factors, metric=MIG(bins=bins))
    np.testing.assert_allclose(found.matrix.values, table, atol=1e-12)
    assert found.parts == pytest.approx({f"f{k}": gap for k, gap in gaps.items()})
    assert found.value == pytest.approx(np.mean(list(gaps.values())))


def load(reference, name):
    """Codes and factor sizes of a table, float32 (N, L), and its published scores."""
    folder = reference / "metrics"
    with np.load(folder / "tables" / f"{name}.npz") as file:
        codes, sizes = file["codes"], tuple(file["factor_sizes"].tolist())
    values = json.loads((folder / "reference_values.json").read_text(encoding="utf-8"))
    return codes, space_of(*sizes), values[name]["mig"]["discrete_mig"]


TABLES = ["g1_perfect", "g1_rot", "g1_warp", "g1_dup", "g2_noisy", "g2_mixed", "g2_missing"]


@pytest.mark.parametrize("name", TABLES)
def test_on_the_rows_of_disentanglement_lib_it_is_its_mig(reference, name):
    codes, space, published = load(reference, name)
    for seed, value in zip(published["seeds"], published["values"], strict=True):
        rows = metrics_reference.draw_rows(space.sizes, 10_000, seed)
        found = score(codes[rows], space.unravel(rows), space)
        assert found.value == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize("name", ["g2_noisy", "g2_mixed", "g2_missing"])
def test_on_whole_tables_it_is_the_gap_of_counted_information(reference, name):
    codes, space, published = load(reference, name)
    factors = grid(space)
    gaps, table = metrics_reference.mig(codes, factors, 20)
    found = score(codes, factors, space)
    np.testing.assert_allclose(found.matrix.values, table, atol=1e-12)
    assert found.value == pytest.approx(np.mean(list(gaps.values())))
    # The reference draws 10,000 rows with replacement: near to the whole table, and not equal.
    assert found.value == pytest.approx(published["mean"], abs=0.03)


@pytest.mark.parametrize(
    ("name", "seed", "published", "of_2019"),
    [
        # A code on the edge of a bin: NumPy 1 rounded the edge from double precision.
        ("g1_perfect", 4, 0.9943067658227231, 0.9943042272473207),
        ("g2_mixed", 0, 0.6232519918979197, 0.6232519918979197),
    ],
)
def test_published_draws_give_published_values(name, seed, published, of_2019):
    for compat, value in (("dlib", published), ("dlib2019", of_2019)):
        metric = MIG(samples=10_000, compat=compat)
        found = metric.score(tables.table(name), Draws(seed, "mig"))
        assert found.parts == pytest.approx({"discrete_mig": value}, abs=1e-9)
        assert found.value == found.parts["discrete_mig"]


@pytest.mark.parametrize("name", tables.NAMES)
@pytest.mark.parametrize("protocol", ["dlib", "dlib2019"])
def test_every_published_value(reference, name, protocol):
    published = tables.published(reference, name, "mig", protocol)
    assert published
    for seed, values in published.items():
        metric = MIG(samples=10_000, compat=protocol)
        found = metric.score(tables.table(name), Draws(seed, "mig")).parts
        assert found == pytest.approx(values, abs=1e-9)


def test_a_labelled_set_is_scored_as_a_whole_under_the_published_key():
    codes = grid()[:50] + np.random.default_rng(0).normal(0, 0.4, (50, 3))
    found = score(codes, grid()[:50], metric=MIG(compat="dlib"))
    assert found.parts == {"discrete_mig": score(codes, grid()[:50]).value}
