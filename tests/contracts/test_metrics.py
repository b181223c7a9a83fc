"""What every metric promises, on codes that are random and on codes that copy the factors."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import numpy as np
import pytest

from contracts.quick import FEWER, METRICS, QUICK
from unweave.analysis import analyses_of
from unweave.errors import SpecError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import PROTOCOLS, Metric, evaluate, metrics_of
from unweave.metrics.draws import Draws
from unweave.metrics.protocols import DEFAULT, protocol
from unweave.representation import Representation
from unweave.spec import parse

every_metric = pytest.mark.parametrize("metric", METRICS, ids=str)
SPACE = FactorSpace((Factor("shape", 3), Factor("size", 5), Factor("place", 8)))
LATENTS = 5
# Each combination of factors twice.
ROWS = 2 * SPACE.size


def representation(codes: np.ndarray, logvar: np.ndarray | float = -2.0) -> Representation:
    factors = SPACE.unravel(np.arange(len(codes)) % SPACE.size)
    codes = np.asarray(codes, dtype=np.float32)
    return Representation(
        mean=codes,
        factors=factors,
        factor_space=SPACE,
        logvar=np.broadcast_to(np.float32(logvar), codes.shape),
    )


def noisy(seed: int = 0) -> Representation:
    """Codes that follow the factors, with noise, and two that follow none."""
    rng = np.random.default_rng(seed)
    factors = SPACE.unravel(np.arange(ROWS) % SPACE.size)
    codes = rng.normal(0, 0.5, (len(factors), LATENTS))
    codes[:, 1:4] += factors
    return representation(codes)


def random(seed: int = 0) -> Representation:
    return representation(np.random.default_rng(seed).normal(size=(2 * ROWS, LATENTS)))


def perfect() -> Representation:
    factors = SPACE.unravel(np.arange(SPACE.size))
    return representation(np.concatenate([factors, np.zeros((len(factors), 2))], axis=1))


def score(metric: Metric, table: Representation, seed: int = 0):
    return metric.score(table, Draws(seed, metric.stream or metric.name))


@functools.cache
def known(metric: Metric, make, seed: int = 0):
    """The score of a table by its maker, found once for all tests that begin with it."""
    return score(metric, make(), seed)


@every_metric
@pytest.mark.parametrize("make", [noisy, random, perfect])
def test_scores_lie_within_their_bounds(metric, make):
    low, high = metric.bounds
    found = known(metric, make)
    for name, value in (("", found.value), *found.parts.items()):
        assert type(value) is float
        assert np.isfinite(value)
        assert low is None or value >= low
        # A part with a unit of its own, such as a number of latents, is on a scale of its own.
        assert high is None or value <= high or found.units.get(name)


@every_metric
def test_good_codes_score_better_than_random_ones(metric):
    good, bad = known(metric, perfect).value, known(metric, random).value
    assert good > bad if metric.higher_is_better else good < bad


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK | FEWER)
def test_metrics_of_much_work_keep_their_promises_at_their_defaults(name):
    metric = parse(name, Metric)
    good, bad = score(metric, perfect()).value, score(metric, random()).value
    assert good > bad if metric.higher_is_better else good < bad
    found, (low, high) = score(metric, noisy()), metric.bounds
    for name, value in found.parts.items():
        assert low is None or value >= low
        assert high is None or value <= high or found.units.get(name)


@every_metric
def test_a_score_can_be_written_as_json(metric):
    found = known(metric, noisy)
    json.dumps([found.value, found.parts], allow_nan=False)
    if found.matrix is not None:
        form = json.loads(json.dumps(found.matrix.to_dict(), allow_nan=False))
        assert np.shape(form["values"]) == (len(form["rows"]), len(form["columns"]))
        assert form["label"]


@every_metric
def test_the_same_seed_gives_the_same_score(metric):
    # Another seed, or NumPy's own generator, may not matter where nothing is drawn.
    one = known(metric, noisy, seed=1)
    np.random.seed(0)  # noqa: NPY002 - to show that it is not read
    again = score(metric, noisy(), seed=1)
    assert one.value == again.value
    assert one.parts == again.parts


@every_metric
def test_neither_order_nor_sign_nor_scale_of_latents_matters(metric):
    table = noisy()
    # Equal numbers where nothing is drawn; else what other seeds would give.
    seeds = [known(metric, noisy, seed) for seed in range(4)]
    expected = seeds[0]
    spread = 8 * float(np.std([found.value for found in seeds])) + 1e-9
    spreads = {
        name: 8 * float(np.std([found.parts[name] for found in seeds])) + 1e-9
        for name in expected.parts
    }
    order = np.array([3, 0, 4, 2, 1])
    scale = np.float32([1, 8, 0.5, 2, 4])  # powers of two round nothing
    sign = np.float32([1, -1, -1, 1, -1])
    # Parts that are named after latents go with them.
    moved = {f"z{new}": f"z{old}" for new, old in enumerate(order)}
    for what, codes, logvar in (
        ("order", table.mean[:, order], -2.0),
        ("scale", table.mean * scale, -2.0 + 2 * np.log(scale)),
        ("sign", table.mean * sign, -2.0),
    ):
        if what not in metric.invariant_to:
            continue
        found = score(metric, representation(codes, logvar))
        assert found.value == pytest.approx(expected.value, abs=spread)
        assert found.parts.keys() == expected.parts.keys()
        for name, value in found.parts.items():
            before = moved.get(name, name) if what == "order" else name
            assert value == pytest.approx(expected.parts[before], abs=spreads[before])


@every_metric
def test_the_table_is_left_as_it_was_and_may_be_read_only(metric, tmp_path):
    table = noisy()
    np.save(tmp_path / "mean.npy", table.mean)
    mapped = np.load(tmp_path / "mean.npy", mmap_mode="r")
    factors = table.factors.copy()
    factors.setflags(write=False)
    read_only = Representation(
        mean=mapped, factors=factors, factor_space=SPACE, logvar=table.logvar
    )
    before = table.mean.copy()
    assert score(metric, read_only).value == known(metric, noisy).value
    np.testing.assert_array_equal(table.mean, before)


@every_metric
def test_latents_that_have_collapsed_are_scored(metric):
    codes = noisy().mean.copy()
    codes[:, 0] = 0.25
    codes[:, 4] = np.where(np.arange(len(codes)) % 2, 1.0, np.nextafter(np.float32(1), 2))
    assert np.isfinite(score(metric, representation(codes)).value)


@every_metric
def test_what_a_metric_is(metric):
    low, high = metric.bounds
    assert low is None or high is None or low < high
    assert set(metric.needs) <= {"codes", "factors", "logvar", "images", "model"}
    assert metric.source


def test_metrics_need_no_torch():
    code = "import unweave.metrics, sys; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


# Protocols


@pytest.mark.parametrize("name", PROTOCOLS)
def test_protocols_name_metrics_that_exist_in_full(name):
    found = protocol(name)
    assert found.name == name
    assert found.version >= 1
    assert found.label == f"{name}/{found.version}"
    assert found.about.endswith(".")
    names = [component.name for component in (*found.metrics, *analyses_of(found))]
    assert names
    assert len(set(names)) == len(names)
    for metric in found.metrics:
        assert parse(str(metric), Metric) == metric


def test_a_metric_is_found_by_the_names_of_published_code():
    aliases = [alias for metric in METRICS for alias in metric.aliases]
    assert len(set(aliases)) == len(aliases)
    assert not set(aliases) & {metric.name for metric in METRICS}
    for metric in protocol("dlib").metrics:
        for name in (metric.name, *metric.aliases):
            assert metrics_of(protocol("dlib"), (name,)) == (metric,)
    found = evaluate(noisy(), metrics="beta_vae_sklearn, factor_vae_metric")
    assert list(found) == ["beta_vae", "factor_vae"]
    with pytest.raises(SpecError, match="A metric is named twice in beta_vae, beta_vae"):
        metrics_of(protocol("dlib"), ("beta_vae", "beta_vae_sklearn"))
    with pytest.raises(SpecError, match="Protocol disvae/1 does not define beta_vae; it"):
        metrics_of(protocol("disvae"), ("beta_vae_sklearn",))


def test_the_default_protocol_exists():
    assert DEFAULT in PROTOCOLS


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        (("mgi",), "Unknown metric 'mgi'. Did you mean mig?"),
        (("mig", "mig"), "A metric is named twice in mig, mig"),
        (("",), "Unknown metric ''"),
    ],
)
def test_metrics_that_a_protocol_cannot_give_are_refused(names, reason):
    with pytest.raises(SpecError) as caught:
        metrics_of(protocol(DEFAULT), names)
    assert reason in str(caught.value)
    with pytest.raises(SpecError):
        evaluate(noisy(), metrics=names)


def test_an_unknown_protocol_is_refused():
    with pytest.raises(SpecError, match=r"Unknown protocol 'unweve'\. Did you mean unweave\?"):
        evaluate(noisy(), protocol="unweve")


def test_evaluate_scores_what_is_asked_for():
    defined = protocol(DEFAULT).metrics
    unasked = [metric.name for metric in defined if not metric.opt_in]
    assert list(evaluate(noisy())) == unasked
    names = tuple(metric.name for metric in defined if metric.name not in QUICK)
    scores = evaluate(noisy(), metrics=names)
    assert list(scores) == list(names)
    for name, found in scores.items():
        # On a table of its own, which no other metric has left anything in.
        alone = evaluate(noisy(), metrics=(name,))
        assert list(alone) == [name]
        assert alone[name].value == found.value, "a score depends on which others are asked for"
