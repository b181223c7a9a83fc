"""MIG and AAM from sampled information: analytic cases, one shared estimate, what is refused."""

from __future__ import annotations

import logging
import re

import numpy as np
import pytest

from reference import sampled_reference
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import AAM, Metric, MIGSampled, evaluate, metrics_of
from unweave.metrics.costs import duration
from unweave.metrics.draws import Draws
from unweave.metrics.plug_in import entropies
from unweave.metrics.posterior import metric as module
from unweave.metrics.protocols import protocol
from unweave.representation import Representation
from unweave.spec import parse

SPACE = FactorSpace((Factor("a", 3), Factor("b", 4), Factor("c", 5)))
BOTH = pytest.mark.parametrize("kind", [MIGSampled, AAM])


def table_of(mean, std=1e-3, factors=None, space=SPACE):
    mean = np.float32(mean)
    return Representation(
        mean=mean,
        logvar=np.full(mean.shape, 2 * np.log(std), np.float32),
        factors=space.unravel(np.arange(len(mean)) % space.size) if factors is None else factors,
        factor_space=space,
    )


def grid(repeats=1, space=SPACE):
    return space.unravel(np.tile(np.arange(space.size), repeats))


def score(metric, table, seed=0):
    return metric.score(table, Draws(seed, metric.stream))


def noisy(repeats=4):
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 0.3, (repeats * SPACE.size, 5))
    mean[:, :3] += grid(repeats)
    mean[:, 3] += 0.5 * grid(repeats)[:, 2]
    return table_of(mean, 0.2)


@pytest.fixture
def estimates(monkeypatch):
    """The keyword arguments of each estimate that is made."""
    made = []
    estimate = module.sampled_entropies

    def counted(*args, **kwargs):
        made.append(kwargs)
        return estimate(*args, **kwargs)

    monkeypatch.setattr(module, "sampled_entropies", counted)
    return made


# Analytic cases


@BOTH
@pytest.mark.parametrize("settings", [{}, {"components": "all"}, {"components": 20}])
def test_one_narrow_latent_for_each_factor_scores_one(kind, settings):
    mean = np.concatenate([grid(8), np.zeros((8 * SPACE.size, 1))], axis=1)
    found = score(kind(samples=2_000, **settings), table_of(mean[:, [2, 3, 0, 1]]))
    assert found.value == pytest.approx(1.0, abs=5e-3)
    assert found.parts == pytest.approx({"a": 1.0, "b": 1.0, "c": 1.0}, abs=5e-3)
    expected = np.zeros((4, 3))
    for latent, factor in ((0, 2), (2, 0), (3, 1)):
        expected[latent, factor] = np.log(SPACE.sizes[factor])
    np.testing.assert_allclose(found.matrix.values, expected, atol=5e-3)


@BOTH
def test_two_latents_with_the_same_factor_take_its_part_away(kind):
    mean = np.concatenate([grid(8), -2 * grid(8)[:, 1:2]], axis=1)
    found = score(kind(samples=2_000), table_of(mean))
    assert found.parts == pytest.approx({"a": 1.0, "b": 0.0, "c": 1.0}, abs=5e-3)
    assert found.value == pytest.approx(2 / 3, abs=5e-3)


def test_shuffled_codes_score_near_zero():
    rng = np.random.default_rng(0)
    mean = rng.permutation(grid(60))
    assert score(MIGSampled(samples=2_000), table_of(mean, 0.1)).value < 0.01


def test_aam_subtracts_what_all_others_know_and_not_below_zero():
    # z0 tells c apart; z1 and z2 each know whether it is 0, half of it or less in sum.
    c = grid(8)[:, 2]
    mean = np.stack([c, c == 0, c == 0, c == 0], axis=1)
    table = table_of(mean)
    whole, part = np.log(5), -0.2 * np.log(0.2) - 0.8 * np.log(0.8)
    found = score(AAM(samples=4_000), table)
    assert 3 * part < whole
    assert found.parts["c"] == pytest.approx(1 - 3 * part / whole, abs=0.01)
    assert score(MIGSampled(samples=4_000), table).parts["c"] == pytest.approx(
        1 - part / whole, abs=0.01
    )
    mean = np.stack([c] * 4, axis=1)
    assert score(AAM(samples=500), table_of(mean)).parts["c"] == 0.0


@BOTH
def test_a_factor_that_no_latent_knows_counts_as_zero(kind):
    # Equal posteriors: every estimate is 0 but for rounding.
    table = table_of(np.zeros((60, 2)), 1.0)
    found = score(kind(samples=500, components="all"), table)
    assert set(found.parts) == {"a", "b", "c"}
    assert all(0 <= part <= 1 for part in found.parts.values())


def test_traces_of_information_are_none_for_aam_but_as_published():
    # Latents that follow the prior on 23,040 rows: estimates of some 0.00001 nats.
    space = FactorSpace((Factor("a", 3), Factor("b", 6), Factor("c", 40), Factor("d", 32)))
    factors = grid(1, space)
    mean = np.random.default_rng(0).normal(0, 0.01, (space.size, 4))
    mean[:, 0] += (factors[:, 2] - 19.5) / 11.5
    logvar = np.broadcast_to(np.float32([-4, 0, 0, 0]), mean.shape)
    table = Representation(np.float32(mean), factors, space, logvar)
    metric = AAM(samples=2_000, components=2_000)
    found = score(metric, table)
    assert found.matrix.values[:, [0, 1, 3]].max() < 1e-3
    assert found.matrix.values[:, [0, 1, 3]].max() > 0
    assert found.parts == {"a": 0.0, "b": 0.0, "c": pytest.approx(1.0, abs=0.01), "d": 0.0}
    traces = np.array([8e-4, 2e-4, 1e-4])
    published = AAM(components="all", compat="disvae")
    assert published.part(traces, 1.0) == pytest.approx(5 / 8)
    assert metric.part(traces, 1.0) == 0.0
    assert metric.part(2 * traces, 1.0) == pytest.approx(5 / 8)


@BOTH
@pytest.mark.parametrize(
    "settings",
    [
        {"samples": 500, "components": 10_000, "compat": "none"},
        {"samples": 12, "components": "all", "compat": "disvae"},
    ],
)
def test_estimates_below_zero_are_no_information(kind, settings):
    # With the published code's settings too, 0/0 is 0.
    estimate = module.Entropies(np.ones(2), np.array([[1.5, 1.0, 1.0], [1.0, 1.0, 1.25]]))
    table = table_of(np.zeros((60, 2)), 1.0)
    found = kind(**settings).read(table, estimate)
    assert found.parts == {"a": 0.0, "b": 0.0, "c": 0.0}
    assert found.matrix.values[0, 0] == -0.5


def test_scores_are_those_of_integrated_entropies():
    table = noisy(repeats=2)
    marginal, conditional = sampled_reference.integrated_entropies(
        table.mean, table.logvar, table.factors
    )
    information = np.maximum(marginal[:, None] - conditional, 0)
    ranked = np.sort(information, axis=0)[::-1]
    mig = (ranked[0] - ranked[1]) / np.log(SPACE.sizes)
    aam = np.maximum(ranked[0] - ranked[1:].sum(axis=0), 0) / ranked[0]
    found = score(MIGSampled(samples=20_000), table)
    assert list(found.parts.values()) == pytest.approx(mig, abs=0.01)
    assert found.value == pytest.approx(mig.mean(), abs=0.01)
    assert list(score(AAM(samples=20_000), table).parts.values()) == pytest.approx(aam, abs=0.015)


@BOTH
def test_few_draws_take_no_score_beyond_its_bounds(kind):
    # One value of c is five times as frequent as others, and draws may have more of the rare ones.
    factors = np.concatenate([grid(), *[grid()[grid()[:, 2] == 0]] * 4])
    table = table_of(np.concatenate([factors, 0 * factors[:, :1]], axis=1), factors=factors)
    most = entropies(factors, SPACE.sizes)
    found = [score(kind(samples=40), table, seed) for seed in range(8)]
    assert max(f.matrix.values[2, 2] for f in found) > 1.02 * most[2]
    assert max(f.parts["c"] for f in found) == pytest.approx(1.0, abs=1e-4)
    assert all(0 <= part <= 1 for f in found for part in f.parts.values())


def test_the_gap_is_relative_to_the_entropy_in_the_sample():
    factors = grid(4)
    factors = factors[(factors[:, 0] == 0) | (factors[:, 1] == 0)]
    mean = np.concatenate([factors[:, :1], np.zeros((len(factors), 1))], axis=1)
    found = score(MIGSampled(samples=4_000), table_of(mean, factors=factors))
    assert found.parts["a"] == pytest.approx(1.0, abs=0.01)
    assert found.parts["a"] < found.matrix.values[0, 0] / np.log(2)


@BOTH
@pytest.mark.parametrize("components", ["all", 20])
def test_the_scale_of_a_latent_does_not_matter_up_to_absurd_ones(kind, components):
    table = noisy(1)
    metric = kind(samples=200, components=components)
    expected = score(metric, table)
    for scale in (1e-38, 1e-30, 1e30, 3e37):
        mean = table.mean * np.float32(scale)
        logvar = table.logvar + np.float32(2 * np.log(scale))
        rescaled = Representation(mean, table.factors, SPACE, logvar)
        assert score(metric, rescaled).parts == pytest.approx(expected.parts, abs=1e-3)
    # Means that stay where they are, and posteriors from points to the whole line.
    logvar = np.linspace(-500, 500, table.mean.size, dtype=np.float32).reshape(table.mean.shape)
    for changed in (logvar, np.full_like(logvar, 500), np.full_like(logvar, -500)):
        found = score(metric, Representation(table.mean, table.factors, SPACE, changed))
        assert np.isfinite(found.matrix.values).all()
        assert all(0 <= part <= 1 for part in found.parts.values())


@BOTH
def test_a_factor_that_is_constant_is_left_out(kind):
    space = FactorSpace((Factor("a", 3), Factor("b", 1), Factor("c", 5)))
    table = table_of(grid(4, space), space=space)
    found = score(kind(samples=500), table)
    assert set(found.parts) == {"a", "c"}
    assert found.value == pytest.approx(1.0, abs=0.01)


# One estimate


def test_both_metrics_share_one_estimate(estimates):
    table = noisy()
    both = evaluate(table, metrics=("mig_sampled", "aam"), seed=3)
    assert len(estimates) == 1
    assert both["aam"].matrix.values is not None
    np.testing.assert_array_equal(both["aam"].matrix.values, both["mig_sampled"].matrix.values)
    # Each alone, on a table of its own, is the same.
    for name in both:
        assert evaluate(noisy(), metrics=name, seed=3)[name].parts == both[name].parts
    assert len(estimates) == 3


def test_another_seed_or_setting_is_another_estimate(estimates):
    table = noisy()
    metric = MIGSampled(samples=300)
    one = score(metric, table, seed=0)
    assert score(metric, table, seed=0).parts == one.parts
    assert len(estimates) == 1
    assert score(metric, table, seed=1).parts != one.parts
    assert score(MIGSampled(samples=301), table, seed=0).parts != one.parts
    assert len(estimates) == 3
    assert [e["samples"] for e in estimates] == [300, 300, 301]


def test_they_run_only_when_they_are_named(estimates):
    assert "mig_sampled" not in evaluate(noisy())
    assert estimates == []
    unasked = {metric.name for metric in metrics_of(protocol("unweave"), None)}
    assert "mig" in unasked
    assert not unasked & {"mig_sampled", "aam"}


def test_preparing_shows_progress_and_leaves_the_same_score():
    told = []
    shown = evaluate(noisy(), metrics="aam", progress=lambda *values: told.append(values))
    assert shown["aam"].parts == evaluate(noisy(), metrics="aam")["aam"].parts
    assert [told[0], told[-1]] == [("scores", 0, 1), ("scores", 1, 1)]
    assert told[-2] == ("aam", 1, 1)
    what, done, total = told[-3]
    assert what == "aam: densities"
    assert done == total > 0


# Cost


@BOTH
def test_the_full_sum_says_its_cost_and_the_default_is_cheap(kind):
    table = noisy()
    assert kind().cost(table) is None
    cost = kind(components="all").cost(table)
    # 5 latents, 10,000 draws; 240 rows, and 80, 60, 48 of one value.
    assert cost.startswith(f"{5 * 10_000 * (240 + 80 + 60 + 48):.2g} densities to evaluate, about")
    assert cost.endswith("1 s")


def test_a_long_default_says_its_cost_too(monkeypatch):
    monkeypatch.setattr(module, "seconds_per_density", lambda: 1.0)
    monkeypatch.setattr(module, "cores", lambda: 2)
    # 100 draws under 240 + 80 + 60 + 48 components of 5 latents, on two cores.
    assert MIGSampled(samples=100).cost(noisy()).endswith("about 29.7 h")


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.01, "1 s"), (42.4, "42 s"), (300, "5 min"), (9000, "2.5 h")]
)
def test_durations_for_people(seconds, text):
    assert duration(seconds) == text


def test_evaluate_says_the_cost_of_both_once_before_it_begins(caplog, estimates):
    with caplog.at_level(logging.WARNING, logger="unweave"):
        evaluate(noisy(1), metrics=("mig_sampled", "mig", "aam"), protocol="full")
        [message] = caplog.messages
        assert re.fullmatch(r"mig_sampled, aam: 5\.4e\+06 densities to .*, about 1 s\.", message)
        assert [made["components"] for made in estimates] == [None]
        evaluate(noisy(1), metrics=("mig_sampled", "mig"))
        assert len(caplog.messages) == 1


def test_what_cannot_be_scored_is_refused_before_a_cost_is_said(caplog):
    with caplog.at_level(logging.WARNING, logger="unweave"):
        with pytest.raises(DataError, match="compat='disvae' draws 10,000 images"):
            evaluate(noisy(1), metrics="mig_sampled", protocol="disvae")
        with pytest.raises(DataError, match="all combinations of the factors"):
            evaluate(noisy(2), metrics="aam", protocol="disvae")
        assert caplog.messages == []


@pytest.mark.parametrize("name", ["mig_sampled", "aam"])
@pytest.mark.parametrize(
    ("latents", "factors", "reason"),
    [
        (1, grid(4), "compares two latents"),
        (3, np.zeros((240, 3), np.int64), "every factor is constant"),
        (3, np.zeros((0, 3), np.int64), "every factor is constant"),
    ],
)
def test_what_no_codes_can_save_is_refused_before_the_estimate(
    caplog, estimates, name, latents, factors, reason
):
    table = table_of(np.zeros((len(factors), latents)), factors=factors)
    caplog.set_level(logging.WARNING, logger="unweave")
    for chosen in ("unweave", "full"):
        with pytest.raises(DataError, match=f"{name} .*{reason}"):
            evaluate(table, metrics=name, protocol=chosen)
    assert caplog.messages == []
    assert estimates == []
    metric = {"mig_sampled": MIGSampled, "aam": AAM}[name]()
    with pytest.raises(DataError, match=reason):
        metric.check(factors, SPACE, latents)


def test_a_protocol_may_score_nothing_unasked():
    with pytest.raises(SpecError, match="disvae scores nothing unless it is asked for by name"):
        evaluate(noisy(1), protocol="disvae")


# As published


def test_compat_is_the_score_of_the_published_entropies():
    space = FactorSpace((Factor("a", 2), Factor("b", 3), Factor("c", 5)))
    rng = np.random.default_rng(0)
    table = table_of(grid(1, space) + rng.normal(0, 0.3, (30, 3)), 0.5, space=space)
    marginal, conditional = sampled_reference.disvae_entropies(
        table.mean, table.logvar, space.sizes, 6, Draws(0, MIGSampled.stream).generator()
    )
    information = marginal[:, None] - conditional
    ranked = np.maximum(np.sort(information, axis=0)[::-1], 0)
    settings = {"samples": 6, "components": "all", "compat": "disvae"}
    found = score(MIGSampled(**settings), table)
    mig = (ranked[0] - ranked[1]) / np.log(space.sizes)
    assert list(found.parts.values()) == pytest.approx(mig, abs=1e-4)
    np.testing.assert_allclose(found.matrix.values, information, atol=2e-4)
    with np.errstate(invalid="ignore"):
        aam = np.nan_to_num(np.maximum(0, ranked[0] - ranked[1:].sum(axis=0)) / ranked[0])
    found = score(AAM(**settings), table)
    assert list(found.parts.values()) == pytest.approx(aam, abs=2e-3)
    assert "disentangling-vae" in found.matrix.label


def test_compat_gives_the_low_scores_that_users_report():
    # Five narrow latents that follow one factor each, and five that follow the prior.
    space = FactorSpace(tuple(Factor(f"f{k}", size) for k, size in enumerate((3, 4, 6, 8, 8))))
    factors = grid(1, space)
    rng = np.random.default_rng(0)
    mean = rng.normal(0, 0.05, (space.size, 10))
    mean[:, :5] = (factors - factors.mean(axis=0)) / factors.std(axis=0)
    logvar = np.where(np.arange(10) < 5, 2 * np.log(0.1), -0.04)
    table = Representation(
        np.float32(mean), factors, space, np.broadcast_to(np.float32(logvar), mean.shape)
    )
    assert score(MIGSampled(samples=500), table).value > 0.9
    found = score(MIGSampled(samples=500, components="all", compat="disvae"), table)
    assert found.value < 0.05
    # The better a latent follows a factor, the less likely the medley is given the factor.
    assert np.diag(found.matrix.values).max() < -5


def test_the_disvae_protocol_is_compat_with_published_settings():
    chosen = metrics_of(protocol("disvae"), ("mig_sampled", "aam"))
    for metric in chosen:
        assert (metric.samples, metric.components, metric.compat) == (10_000, "all", "disvae")


# What is refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mig_sampled(compat=disvae)", r"mig_sampled: compat=disvae .* components=all"),
        ("aam(compat=disvae, components=9)", r"aam: compat=disvae .* components=all"),
        ("aam(components=1)", "aam: components must be at least 2"),
        ("aam(components=every)", "all"),
        ("mig_sampled(samples=0)", "mig_sampled: samples must be at least 1"),
    ],
)
def test_settings_that_are_refused(text, reason):
    with pytest.raises(SpecError, match=reason):
        parse(text, Metric)


@BOTH
def test_tables_that_are_refused(kind):
    metric = kind(samples=10)
    table = noisy()
    with pytest.raises(DataError, match=f"{metric.name} samples from posteriors, but .* no logv"):
        score(metric, Representation(table.mean, table.factors, SPACE))
    with pytest.raises(DataError, match="compares two latents, but there is only one"):
        score(metric, table_of(grid()[:, :1]))
    with pytest.raises(DataError, match="every factor is constant"):
        score(metric, table_of(np.eye(2), factors=np.zeros((2, 3), np.int64)))
    for bad in (np.nan, np.inf, -1000.0):
        logvar = table.logvar.copy()
        logvar[7, 2] = bad
        broken = Representation(table.mean, table.factors, SPACE, logvar)
        with pytest.raises(DataError, match="needs logvars from -500 to 500, but row 7"):
            score(metric, broken)
