"""Scores side by side only where they are comparable, with intervals over draws and over runs."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import bootstrap

from unweave.comparison.scores import scores_of
from unweave.metrics.interval import over_draws

ROW = {
    "metric": "mig", "text": "mig", "protocol": "unweave/1", "value": 0.5, "data": "dsprites",
    "source": "rendered", "part": "all", "codes": "mean", "samples": 100, "seed": 0, "step": 9,
    "unweave": "0.1", "precision": "float32",
}  # fmt: skip


def row(value=0.5, **changes):
    return ROW | {"value": value} | changes


def scored(*runs, groups=None, steps=None):
    groups = groups or tuple((place,) for place in range(len(runs)))
    return scores_of(runs, steps or [9] * len(runs), groups)


def test_the_same_circumstances_are_one_row():
    found = scored([row(0.1), row(0.7, metric="dci", text="dci")], [row(0.2)])
    (table,) = found.tables
    (line,) = table.rows
    assert (line.metric, [cell.value for cell in line.cells]) == ("mig", [0.1, 0.2])
    assert line.higher_is_better
    assert table.circumstances["protocol"] == "unweave/1"
    assert [(a.metric, a.run, a.cell.value) for a in found.apart] == [("dci", 0, 0.7)]


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "dlib/1"}, {"data": "shapes3d"}, {"source": "archive"}, {"part": "holdout"},
        {"codes": "sampled"}, {"seed": 1}, {"samples": 50}, {"precision": "bfloat16"},
        {"text": "mig(bins=10)"}, {"unit": "nats"},
        {"interval": over_draws((0.4, 0.6)).to_dict()},
    ],
    ids=lambda changes: next(iter(changes)),
)  # fmt: skip
def test_other_circumstances_are_never_side_by_side(changes):
    found = scored([row(0.1)], [row(0.2, **changes)])
    assert found.tables == ()
    assert [(a.run, a.cell.value) for a in found.apart] == [(0, 0.1), (1, 0.2)]
    one, other = (dict(a.circumstances, unit=a.unit) for a in found.apart)
    # What tells them apart is told.
    assert one != other


def test_only_finite_scores_of_the_last_weights_count_and_the_newest_of_them():
    found = scored(
        [row(0.1), row(0.3), row(0.9, step=5)], [row(0.2), row(float("nan")), row(None)]
    )
    ((line,),) = (table.rows for table in found.tables)
    assert [cell.value for cell in line.cells] == [0.3, 0.2]
    assert found.earlier == (0,)


def test_tables_with_more_rows_come_first_and_a_run_without_a_score_has_a_gap():
    dci = row(0.4, metric="dci", text="dci")
    found = scored(
        [row(protocol="dlib/1"), row(), dci], [row(protocol="dlib/1"), row(), dci], [dci]
    )
    assert [table.circumstances["protocol"] for table in found.tables] == ["unweave/1", "dlib/1"]
    cells = {line.metric: line.cells for line in found.tables[0].rows}
    assert cells["mig"][2] is None
    assert cells["dci"][2].value == 0.4


def test_intervals_over_draws_are_those_of_student():
    # The mean of 1, 2, 3 is 2; t(0.975, 2 degrees) = 4.30265; sd / sqrt(3) = 0.57735.
    interval = over_draws((1.0, 2.0, 3.0)).to_dict()
    found = scored([row(2.0, interval=interval)], [row(2.5, interval=interval)])
    cell = found.tables[0].rows[0].cells[0]
    assert (cell.low, cell.high) == pytest.approx((2 - 2.48414, 2 + 2.48414), abs=1e-4)
    assert found.tables[0].circumstances["repeats"] == 3


def test_intervals_over_runs_are_those_of_a_bootstrap():
    values = np.array([0.11, 0.32, 0.18, 0.41, 0.27, 0.22, 0.35, 0.29])
    runs = [[row(value)] for value in values]
    found = scored(*runs, groups=(tuple(range(8)),))
    mean = found.tables[0].rows[0].means[0]
    assert mean.runs == 8
    assert mean.mean == pytest.approx(values.mean())
    assert mean.sd == pytest.approx(values.std(ddof=1))
    expected = bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", rng=np.random.default_rng(0)
    ).confidence_interval
    assert (mean.low, mean.high) == pytest.approx((expected.low, expected.high), abs=0.006)


def test_means_of_few_runs_have_no_interval():
    found = scored([row(0.1)], [row(0.3)], [row(0.4)], groups=((0, 1), (2,)))
    pair, alone = found.tables[0].rows[0].means
    assert (pair.runs, pair.low, pair.high) == (2, None, None)
    assert pair.mean == pytest.approx(0.2)
    assert pair.sd == pytest.approx(np.sqrt(0.02))
    assert (alone.runs, alone.mean, alone.sd) == (1, 0.4, None)


def test_a_group_that_has_no_score_has_no_mean():
    found = scored([row(0.1)], [row(0.3)], [], groups=((0, 1), (2,)))
    assert found.tables[0].rows[0].means[1] is None


def test_whether_less_is_better():
    loss = {"metric": "test_losses", "text": "test_losses", "unit": "nats an image"}
    found = scored([row(90.0, **loss)], [row(80.0, **loss)])
    assert not found.tables[0].rows[0].higher_is_better
