"""Rank correlations are those of SciPy, over the runs that have both scores."""

import numpy as np
import pytest
import scipy.stats

from results.made import made, score
from unweave.errors import RunError
from unweave.results import choose, collect, correlate
from unweave.results.correlation import rank_intervals
from unweave.splits import keyed_generator

RNG = np.random.default_rng(0)
QUALITY = RNG.normal(size=12)
MIG = np.round(QUALITY + 0.3 * RNG.normal(size=12), 1)  # with ties
SAP = QUALITY + RNG.normal(size=12)
LOSS = -QUALITY + RNG.normal(size=12)


@pytest.fixture
def results(tmp_path):
    for seed in range(12):
        rows = [score("mig", MIG[seed]), score("sap", SAP[seed])]
        if seed != 4:
            rows.append(score("downstream_logistic", LOSS[seed]))
        made(tmp_path / f"{seed:02}", *rows, seed=seed)
    made(tmp_path / "x", score("mig", 9.0), score("sap", -9.0), state="diverged", seed=50)
    made(tmp_path / "y", score("mig", 9.0), score("sap", -9.0, step=5), seed=51)
    return collect([tmp_path])


def test_correlations_are_those_of_scipy(results):
    pairs = correlate(results).pairs
    assert [(p.one, p.other, p.n) for p in pairs] == [
        ("downstream_logistic", "mig", 11),
        ("downstream_logistic", "sap", 11),
        ("mig", "sap", 12),
    ]
    kept = np.arange(12) != 4
    for pair, (a, b) in zip(
        pairs, ((LOSS[kept], MIG[kept]), (LOSS[kept], SAP[kept]), (MIG, SAP)), strict=True
    ):
        assert pair.rho == pytest.approx(scipy.stats.spearmanr(a, b).statistic, abs=1e-12)
        assert -1 <= pair.low < pair.rho < pair.high <= 1


@pytest.mark.parametrize("runs", [3, 12, 40])
def test_intervals_are_those_of_a_slow_bootstrap(runs, monkeypatch):
    monkeypatch.setattr("unweave.results.correlation.RESAMPLES", 200)
    generator = np.random.default_rng(runs)
    values = np.round(generator.normal(size=(runs, 3)), 1)
    values[:, 1] += 0.5 * values[:, 0]
    # Ranks and correlations of each draw by SciPy.
    draws = keyed_generator(7, "bootstrap of rank correlations").integers(runs, size=(200, runs))
    found = rank_intervals(values, 7)
    for a, b in ((0, 1), (0, 2), (1, 2)):
        rhos = [
            scipy.stats.spearmanr(values[draw, a], values[draw, b]).statistic
            for draw in draws
            if np.ptp(values[draw, a]) and np.ptp(values[draw, b])
        ]
        assert found[a, b] == pytest.approx(np.percentile(rhos, (2.5, 97.5)), abs=1e-9)
        assert (found[a, b] == found[b, a]).all()


def test_draws_in_blocks_change_nothing(monkeypatch):
    values = np.random.default_rng(1).normal(size=(9, 3))
    whole = rank_intervals(values, 0)
    monkeypatch.setattr("unweave.results.correlation._BLOCK", 100)
    assert rank_intervals(values, 0) == pytest.approx(whole, abs=1e-12)


def test_scores_of_two_protocols_are_two_scores(tmp_path):
    for seed in range(6):
        rows = (
            score("mig", SAP[seed]),
            score("mig", -SAP[seed], protocol="dlib/1", seed=2),
            score("sap", SAP[seed] ** 3),
        )
        made(tmp_path / str(seed), *rows, seed=seed)
    found = correlate(collect([tmp_path]))
    assert found.names == (
        "mig [dlib/1, score seed 2]",
        "mig [unweave/1, score seed 0]",
        "sap [unweave/1, score seed 0]",
    )
    assert [pair.rho for pair in found.pairs] == pytest.approx([-1, -1, 1])
    assert "part all" in found.same
    assert found.matrix(found.names[1:]) == pytest.approx(np.ones((2, 2)))


def test_datasets_are_not_mixed(tmp_path):
    for seed in range(5):
        for data, sign in (("dsprites", 1), ("shapes3d", -1)):
            rows = (
                score("mig", SAP[seed], data=data),
                score("sap", sign * SAP[seed], data=data),
            )
            made(tmp_path / f"{data}{seed}", *rows, dataset=data, seed=seed)
    found = correlate(collect([tmp_path]))
    assert [(pair.n, pair.rho) for pair in found.pairs] == [
        (5, pytest.approx(1)),
        (5, pytest.approx(-1)),
    ]
    assert found.data == ("dsprites", "shapes3d", "dsprites", "shapes3d")


def test_a_constant_score_has_no_correlation(tmp_path):
    for seed in range(4):
        made(tmp_path / str(seed), score("mig", 0.5), score("sap", SAP[seed]), seed=seed)
    (pair,) = correlate(collect([tmp_path])).pairs
    assert pair.n == 4
    assert pair.rho is pair.low is pair.high is None


def test_too_few_runs_are_an_error(tmp_path, results):
    with pytest.raises(RunError, match=r"at least 3 finished runs.*Scores found: mig"):
        correlate(choose(results, metrics=["mig"]))
    made(tmp_path / "few" / "a", score("mig", 0.5), score("sap", 0.1))
    with pytest.raises(RunError, match="at least 3"):
        correlate(collect([tmp_path / "few"]))
