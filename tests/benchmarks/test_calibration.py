"""Metrics give the codes of known quality what the calibration page says they do."""

from __future__ import annotations

import json

import calibration
import pytest
from calibration import CASES, RESULTS, ROWS, metrics, score_case, tables

from unweave.metrics.protocols import DEFAULT, protocol

QUICK = metrics(quick=True)
LONG = tuple(metric for metric in metrics() if metric.opt_in)
# Rows of the page's scores are too many for metrics that take a second each.
FEW = ("m1c1i1", "m0c0i1", "m0c1i1", "m1c0i0", "turned 30", "noise 1.0")


@pytest.fixture(scope="module")
def stored():
    return json.loads(RESULTS.read_text(encoding="utf-8"))


def test_the_page_shows_every_metric_of_the_default_protocol_on_every_code(stored):
    assert set(stored["scores"]) == {metric.name for metric in protocol(DEFAULT).metrics}
    assert stored["metrics"] == {m.name: str(m) for m in protocol(DEFAULT).metrics}
    assert all(set(scores) == set(CASES) for scores in stored["scores"].values())
    page = calibration.PAGE.read_text(encoding="utf-8")
    assert tables(stored["scores"], metrics()) in page


@pytest.mark.parametrize("metric", QUICK, ids=lambda metric: metric.name)
def test_metrics_give_what_the_page_says(metric, stored):
    assert stored["rows"] == ROWS
    for case in FEW:
        found, expected = (
            score_case(metric, CASES[case](ROWS)),
            stored["scores"][metric.name][case],
        )
        assert found == (None if expected is None else pytest.approx(expected, abs=1e-6)), case


@pytest.mark.slow
@pytest.mark.parametrize("metric", LONG, ids=lambda metric: metric.name)
def test_long_metrics_give_what_the_page_says(metric, stored):
    found = score_case(metric, CASES["m1c0i0"](ROWS))
    assert found == pytest.approx(stored["scores"][metric.name]["m1c0i0"], abs=1e-6)


@pytest.mark.parametrize("metric", metrics(), ids=lambda metric: metric.name)
def test_perfect_codes_are_never_worse_than_codes_that_are_wrong_in_all_ways(metric, stored):
    scores = stored["scores"][metric.name]
    best, worst = scores["m1c1i1"]["value"], scores["m0c0i0"]["value"]
    assert best >= worst if metric.higher_is_better else best <= worst


def test_a_run_without_a_folder_writes_nothing(capsys, monkeypatch):
    monkeypatch.setattr(calibration, "metrics", lambda quick: QUICK[:1])
    before = RESULTS.read_bytes()
    calibration.main([])
    assert f"| `{QUICK[0].name}`" in capsys.readouterr().out
    assert RESULTS.read_bytes() == before
