"""Downstream tasks, shifted and reduced ones, and fairness, beside loops over scikit-learn."""

from __future__ import annotations

import logging
import warnings

import numpy as np
import pytest

from reference.downstream_reference import fitted_trees, latents_that_matter, total_variation
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import (
    BoostedTrees,
    DownstreamLogistic,
    DownstreamTrees,
    Fairness,
    LogisticCV,
    Metric,
    ReducedDownstream,
    StrongDownstream,
    evaluate,
)
from unweave.metrics.downstream.fairness import summary, unfairness
from unweave.metrics.downstream.interventions import Interventions
from unweave.metrics.draws import Draws
from unweave.metrics.sampling import GridSampler, RowSampler
from unweave.representation import Representation
from unweave.spec import parse

SPACE = FactorSpace((Factor("a", 2), Factor("b", 3), Factor("c", 4)))
STAGES = 4
TREES = BoostedTrees(stages=STAGES)
QUICK = {
    DownstreamTrees: {"train": (20, 60), "predictor": TREES},
    DownstreamLogistic: {"train": (20, 60), "predictor": LogisticCV(penalties=2, folds=2)},
    StrongDownstream: {"train": (60,), "test": 50, "predictor": TREES},
    ReducedDownstream: {"train": (60,), "test": 50, "predictor": TREES, "ranking": TREES},
    Fairness: {"train": 100, "per_value": 20, "predictor": TREES},
}
every_metric = pytest.mark.parametrize("cls", QUICK, ids=lambda cls: cls.name)


def make(cls, **settings):
    return cls(**{**QUICK[cls], **settings})


def table(copies=6, noise=0.4, latents=4, keep=None, space=SPACE):
    factors = space.unravel(np.arange(space.size * copies) % space.size)
    factors = factors if keep is None else factors[keep(factors)]
    codes = np.random.default_rng(0).normal(0, noise, (len(factors), latents))
    width = min(latents, factors.shape[1])
    codes[:, :width] += factors[:, :width]
    return Representation(mean=np.float32(codes), factors=factors, factor_space=space)


def grid(noise=0.4):
    return table(copies=1, noise=noise)


def score(metric, rows, seed=0):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return metric.score(rows, Draws(seed, metric.name))


# Downstream


def test_published_downstream_keys_are_those_of_plain_loops():
    rows, sizes = grid(), (30, 80)
    metric = make(DownstreamTrees, train=sizes, test=40, compat="dlib")
    found = score(metric, rows, seed=3)
    draws, state = GridSampler(rows.factors, SPACE, Draws(3, "any")), np.random.RandomState(3)
    expected = {}
    for n in sizes:
        train, test = draws.split(n, 40)
        accuracies = {"train": [], "test": []}
        for k in range(3):
            trees = fitted_trees(rows.mean[train], rows.factors[train, k], STAGES, state)
            for what, some in (("train", train), ("test", test)):
                right = trees.predict(rows.mean[some]) == rows.factors[some, k]
                accuracies[what].append(right.mean())
                expected[f"{n}:{what}_accuracy_factor_{k}"] = right.mean()
        for what, each in accuracies.items():
            expected[f"{n}:mean_{what}_accuracy"] = np.mean(each)
            expected[f"{n}:min_{what}_accuracy"] = min(each)
    assert found.parts == pytest.approx(expected, abs=1e-12)
    assert found.value == found.parts["80:mean_test_accuracy"]


def test_without_compat_test_rows_are_never_fitted_and_larger_sets_hold_smaller_ones():
    rows = table()
    metric = make(DownstreamTrees, train=(60, 20), test=1000)
    fits, _ = metric.prepared(rows, Draws(0, "any"))
    small, large = fits[0], fits[3]
    assert [len(fit.train) for fit in (small, large)] == [20, 60]
    assert small.train.tolist() == large.train[:20].tolist()
    assert not set(large.train) & set(large.test)
    # No more than a third is kept for testing.
    assert len(large.test) == len(rows) // 3


def test_sizes_above_what_there_is_are_one():
    found = score(make(DownstreamTrees, train=(20, 1000, 9000)), table())
    assert list(found.parts) == ["a", "b", "c", "20:mean_test_accuracy", "96:mean_test_accuracy"]
    assert found.matrix.rows == ("20 rows", "96 rows")
    assert found.value == pytest.approx(np.mean([found.parts[name] for name in "abc"]))


@pytest.mark.parametrize("cls", [DownstreamTrees, DownstreamLogistic])
def test_codes_that_tell_the_factors_predict_them(cls):
    assert score(make(cls, train=(96,)), table(noise=0.01)).value == pytest.approx(1.0)


# Shifted


def test_shifted_tasks_are_those_of_a_plain_loop():
    rows = grid()
    found = score(make(StrongDownstream, experiments=2, compat="dlib"), rows, seed=1)
    draws = GridSampler(rows.factors, SPACE, Draws(1, "any"))
    shift, state = np.random.RandomState(1), np.random.RandomState(1)
    train, test = draws.at_once(60), draws.at_once(50)

    def accuracies(k, fitted, tested):
        trees = fitted_trees(rows.mean[fitted], rows.factors[fitted, k], STAGES, state)
        return [
            np.mean(trees.predict(rows.mean[some]) == rows.factors[some, k])
            for some in (fitted, tested)
        ]

    plain = [accuracies(k, train, test) for k in range(3)]
    sets = []
    for k in range(3):
        for _ in range(2):
            other = shift.choice([j for j in range(3) if j != k])
            value = shift.choice(SPACE.sizes[other])
            unseen = [v for v in range(SPACE.sizes[other]) if v != value]
            chosen = shift.choice(unseen, size=50)
            pair = []
            for some, values in ((train, np.full(60, value)), (test, chosen)):
                combinations = rows.factors[some].copy()
                combinations[:, other] = values
                pair.append(np.ravel_multi_index(combinations.T, SPACE.sizes))
            sets.append((k, *pair))
    shifted = [accuracies(*each) for each in sets]
    expected = {
        "60:mean_train_accuracy": np.mean([a for a, _ in plain]),
        "60:mean_test_accuracy": np.mean([b for _, b in plain]),
        "60:mean_strong_train_accuracy": np.mean([a for a, _ in shifted]),
        "60:mean_strong_test_accuracy": np.mean([b for _, b in shifted]),
    }
    gap = 1 - expected["60:mean_strong_test_accuracy"] / expected["60:mean_test_accuracy"]
    expected["60:strong_generalization_gap"] = gap
    assert found.parts == pytest.approx(expected, abs=1e-12)
    assert found.value == expected["60:mean_strong_test_accuracy"]


@pytest.mark.parametrize("keep", [None, lambda factors: factors.sum(axis=1) % 5 != 4])
def test_a_shifted_factor_has_one_value_in_training_and_others_in_testing(keep):
    rows = table(keep=keep)
    metric = make(StrongDownstream)
    fits, _ = metric.prepared(rows, Draws(0, "any"))
    assert len(fits) == 3 * (1 + metric.experiments)
    for fit in fits[3:]:
        fitted, tested = rows.factors[fit.train], rows.factors[fit.test]
        parted = [
            j
            for j in range(3)
            if len(set(fitted[:, j])) == 1 and fitted[0, j] not in set(tested[:, j])
        ]
        assert len(parted) == 1
        assert parted != [fit.factor]
        assert not set(fit.train) & set(fit.test)


def test_a_code_that_mixes_factors_fails_under_a_shift():
    space = FactorSpace((Factor("a", 4), Factor("b", 4)))
    apart = table(copies=20, noise=0.01, latents=2, space=space)
    mixed = Representation(
        mean=np.float32(apart.mean @ [[1, 0], [1, 0.001]]),
        factors=apart.factors,
        factor_space=space,
    )
    metric = StrongDownstream(train=(200,), test=100, predictor=BoostedTrees(stages=10))
    assert score(metric, apart).value == pytest.approx(1.0)
    found = score(metric, mixed)
    assert found.value < 0.6
    assert found.value < found.parts["200:mean_test_accuracy"]


# Reduced


@pytest.mark.parametrize("remove", [1, 2])
def test_reduced_tasks_are_those_of_a_plain_loop(remove):
    rows = grid()
    metric = make(ReducedDownstream, remove=remove, compat="dlib")
    found = score(metric, rows, seed=2)
    train, test = GridSampler(rows.factors, SPACE, Draws(2, "any")).split(60, 50)
    ranking = np.random.RandomState(2)
    removed = [
        latents_that_matter(rows.mean[train], rows.factors[train, k], remove, STAGES, ranking)
        for k in range(3)
    ]
    accuracies = {"train": np.zeros((3, 3)), "test": np.zeros((3, 3))}
    for f in range(3):
        codes = np.delete(rows.mean, removed[f], axis=1)
        for k in range(3):
            trees = fitted_trees(codes[train], rows.factors[train, k], STAGES, 0)
            for what, some in (("train", train), ("test", test)):
                right = trees.predict(codes[some]) == rows.factors[some, k]
                accuracies[what][f, k] = right.mean()
    expected = {}
    for what, values in accuracies.items():
        own, others = [], []
        for f in range(3):
            stem = f"60:reduced_factor_{f}:mean_{what}_accuracy_"
            rest = [values[f, k] for k in range(3) if k != f]
            expected[f"{stem}reduced_factor"] = values[f, f]
            expected[f"{stem}non_reduced_factor"] = np.mean(rest)
            for k in range(3):
                expected[f"{stem}factor_{k}"] = values[f, k]
            own.append(values[f, f])
            others.append(np.mean(rest))
        expected[f"60:mean_{what}_accuracy_reduced_factor"] = np.mean(own)
        expected[f"60:mean_{what}_accuracy_other_factors"] = np.mean(others)
    # Trees draw only to choose between features that part equally well.
    assert found.parts == pytest.approx(expected, abs=1e-9)
    assert found.value == found.parts["60:mean_test_accuracy_other_factors"]


def test_codes_that_keep_factors_apart_lose_the_factor_aimed_at_alone():
    metric = ReducedDownstream(train=(300,), predictor=TREES, ranking=TREES)
    found = score(metric, table(copies=30, noise=0.01, latents=3))
    assert found.value == pytest.approx(1.0)
    assert found.parts["300:mean_test_accuracy_reduced_factor"] < 0.6


def test_predictors_without_the_same_latents_are_fitted_once():
    # The first latent knows both factors, and the second neither.
    space = FactorSpace((Factor("a", 2), Factor("b", 2)))
    rows = table(copies=40, noise=0.1, latents=2, space=space)
    codes = np.column_stack([rows.factors @ [1, 2], rows.mean[:, 1] * 0 + rows.mean[:, 0] % 0.01])
    rows = Representation(mean=np.float32(codes), factors=rows.factors, factor_space=space)
    _, found = make(ReducedDownstream).prepared(rows, Draws(0, "any"))
    assert found[0] is found[2]
    assert found[1] is found[3]


def test_latents_must_be_left():
    with pytest.raises(DataError, match="remove is 4, but there are only 4 latents"):
        score(make(ReducedDownstream, remove=4), table())


# Fairness


def test_unfairness_of_documented_counts():
    assert unfairness([[0, 100], [100, 100]]) == pytest.approx((2 / 9, 1 / 3))


def test_a_value_without_predictions_counts_nothing():
    assert unfairness([[0, 0, 100], [100, 0, 100]]) == pytest.approx((2 / 9, 1 / 3))
    assert unfairness([[7, 14], [3, 6]]) == pytest.approx((0, 0))


def test_the_documented_summary():
    found = summary(np.array([[np.nan, 2, 4], [4, np.nan, 8], [2, 10, np.nan]]))
    expected = {
        "pred0:sens1": 2,
        "pred0:sens2": 4,
        "pred1:sens0": 4,
        "pred1:sens2": 8,
        "pred2:sens0": 2,
        "pred2:sens1": 10,
    }
    for k, mean, largest in ((0, 3, 4), (1, 6, 10), (2, 6, 8)):
        expected |= {f"sens{k}:mean_pred": mean, f"sens{k}:max_pred": largest}
    for k, mean, largest in ((0, 3, 4), (1, 6, 8), (2, 6, 10)):
        expected |= {f"pred{k}:mean_sens": mean, f"pred{k}:max_sens": largest}
    for one, other in (("sens", "pred"), ("pred", "sens")):
        expected |= {
            f"mean_{one}:mean_{other}": 5,
            f"mean_{one}:max_{other}": 22 / 3,
            f"max_{one}:mean_{other}": 6,
            f"max_{one}:max_{other}": 10,
        }
    assert found == pytest.approx(expected)


def test_fairness_is_that_of_a_plain_loop():
    rows = grid()
    found = score(make(Fairness, compat="dlib"), rows, seed=4)
    draws = GridSampler(rows.factors, SPACE, Draws(4, "any"))
    state = np.random.RandomState(4)
    train = draws.sample(100)
    means, maxima = np.full((2, 3, 3), np.nan)
    for i in range(3):
        trees = fitted_trees(rows.mean[train], rows.factors[train, i], STAGES, state)
        for j in range(3):
            if j == i:
                continue
            base = rows.factors[draws.at_once(20)]
            predictions, sensitive = [], []
            for value in range(SPACE.sizes[j]):
                changed = base.copy()
                changed[:, j] = value
                codes = rows.mean[np.ravel_multi_index(changed.T, SPACE.sizes)]
                predictions += trees.predict(codes).tolist()
                sensitive += [value] * 20
            distances = total_variation(predictions, sensitive)
            means[i, j] = np.mean([distance for distance, _ in distances.values()])
            maxima[i, j] = max(distance for distance, _ in distances.values())
    expected = {f"mean_fairness:{key}": value for key, value in summary(means).items()}
    expected |= {f"max_fairness:{key}": value for key, value in summary(maxima).items()}
    assert found.parts == pytest.approx(expected, abs=1e-12)
    assert found.value == pytest.approx(np.nanmean(means))


def test_codes_of_one_factor_each_are_fair_and_mixed_ones_are_not():
    metric = Fairness(predictor=TREES)
    assert score(metric, table(noise=0.01)).value == 0.0
    rows = table(noise=0.01)
    mixed = rows.mean[:, :3] @ np.float32([[1, 1, 0], [0, 1, 1], [1, 0, 1]])
    noise = np.random.default_rng(1).normal(0, 1.0, mixed.shape)
    mixed = Representation(
        mean=np.float32(mixed + noise), factors=rows.factors, factor_space=SPACE
    )
    assert score(metric, mixed).value > 0.05


def test_on_an_incomplete_table_rows_that_were_not_fitted_stand_for_a_value():
    rows = table(copies=12, keep=lambda factors: factors.sum(axis=1) != 3)
    assert not Interventions(rows.factors, SPACE).complete
    metric = make(Fairness)
    fits, _ = metric.prepared(rows, Draws(0, "any"))
    for fit in fits:
        assert not set(fit.train) & set(fit.test)
        assert len(fit.blocks) == 2
        assert sum(fit.blocks) == len(fit.test)
    values = score(metric, rows).matrix.values
    assert (values[~np.eye(3, dtype=bool)] > 0).all()


# What they have in common


@every_metric
def test_published_draws_need_the_full_grid(cls):
    with pytest.raises(DataError, match="draw from the full grid of 24"):
        score(make(cls, compat="dlib"), table())


@every_metric
def test_a_factor_that_is_constant_is_left_out(cls):
    space = FactorSpace((Factor("a", 2), Factor("fixed", 1), Factor("c", 4)))
    found = score(make(cls), table(copies=18, space=space))
    assert all("fixed" not in name for name in (*found.parts, *found.matrix.columns))
    assert len(found.matrix.columns) == 2


@every_metric
def test_too_few_factors_are_refused(cls):
    rows = table(keep=lambda factors: (factors[:, 0] == 0) & (factors[:, 1] == 0))
    if cls.fewest_factors == 1:
        assert 0 <= score(make(cls), rows).value <= 1
        rows = rows.subset(np.flatnonzero(rows.factors[:, 2] == 0))
        with pytest.raises(DataError, match="needs a factor that varies, but none of 3 does"):
            score(make(cls), rows)
    else:
        with pytest.raises(DataError, match="needs 2 factors that vary, but 1 of 3 does here"):
            score(make(cls), rows)


@every_metric
@pytest.mark.parametrize("count", [2, 3, 5])
def test_very_few_rows_are_scored(cls, count):
    rows = table().subset(np.array([0, 17, 6, 23, 12])[:count])
    assert 0 <= score(make(cls), rows).value <= 1


@every_metric
def test_what_is_fitted_is_counted_beforehand(cls, monkeypatch, caplog):
    monkeypatch.setattr("unweave.metrics.downstream.metric._WORTH_SAYING", 0.0)
    metric, rows = make(cls), table()
    fits = metric.workload(rows, Draws(0, "any"))
    classes = [len(set(rows.factors[fit.train, fit.factor].tolist())) for fit in fits]
    units = sum(metric.predictor.units(each) for each in classes if each > 1)
    assert metric.cost(rows).startswith(f"{units:,} {metric.predictor.unit} to fit, about ")


def test_short_work_is_not_announced():
    assert make(Fairness).cost(table()) is None


@every_metric
def test_progress_is_shown_and_what_was_prepared_is_scored(cls):
    metric, rows, seen = make(cls), table(), []
    draws = Draws(0, metric.name)
    metric.prepare(rows, draws, lambda label, done, total: seen.append((label, done, total)))
    total = seen[0][2]
    assert seen == [("fits", done, total) for done in range(total + 1)]
    assert metric.score(rows, draws).value == score(metric, table()).value
    assert len(seen) == total + 1


def test_they_are_scored_only_when_named(caplog):
    rows = table()
    for cls in QUICK:
        assert cls.opt_in
    with caplog.at_level(logging.WARNING, logger="unweave"):
        found = evaluate(rows, metrics=("mig",))
    assert list(found) == ["mig"]


@every_metric
def test_no_sizes_are_refused(cls):
    if cls is Fairness:
        with pytest.raises(SpecError, match="fairness: train must be at least 2"):
            parse("fairness(train=1)", Metric)
        return
    with pytest.raises(SpecError, match=f"{cls.name}: train needs a number of rows"):
        cls(train=())
    with pytest.raises(SpecError, match=f"{cls.name}: train must be at least 2"):
        cls(train=(1, 10))


def test_rows_are_those_of_the_sampler():
    rows = table()
    fits, _ = make(Fairness).prepared(rows, Draws(7, "any"))
    assert fits[0].train.tolist() == RowSampler(rows.factors, Draws(7, "any")).sample(96).tolist()


def test_a_score_does_not_depend_on_what_was_scored_before():
    rows = table()
    for cls in QUICK:
        assert score(make(cls), rows).value == score(make(cls), table()).value


@every_metric
def test_codes_of_any_magnitude_score_alike(cls):
    rows = table()
    for scale in (2.0**-400, 2.0**400):
        other = Representation(
            mean=rows.mean.astype(np.float64) * scale, factors=rows.factors, factor_space=SPACE
        )
        assert score(make(cls), other).value == pytest.approx(score(make(cls), rows).value)
