"""Means, intervals and runs stand where the errors say, and gaps are of each run."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex
from scipy import stats

from unweave.plots import generalisation_gaps
from unweave.plots.style import BLUE, INK, MARK

TITLE = " ".join(["A title of many words"] * 6)
RUNS = np.array([[10, 14], [12, 13], [11, 18], [10.5, 16]])


def marks(axes, marker):
    """(x, y, colour) of the means."""
    return [
        (line.get_xdata()[0], line.get_ydata()[0], to_hex(line.get_color()))
        for line in axes.lines
        if line.get_marker() == marker and len(line.get_xdata()) == 1
    ]


def spans(axes):
    """Row -> ends of the interval there."""
    return {
        round(line.get_ydata()[0], 2): tuple(line.get_xdata())
        for line in axes.lines
        if line.get_marker() == "None" and line.get_transform() == axes.transData
    }


def test_means_and_intervals_are_those_of_the_runs():
    figure = generalisation_gaps({"range": {"VAE": RUNS}})
    left, right = figure.axes
    assert marks(left, "o") == [(pytest.approx(RUNS[:, 0].mean()), -0.19, BLUE)]
    assert marks(left, "D") == [(pytest.approx(RUNS[:, 1].mean()), 0.19, MARK)]
    gaps = RUNS[:, 1] - RUNS[:, 0]
    assert marks(right, "s") == [(pytest.approx(gaps.mean()), 0, INK)]
    for axes, row, values in (
        (left, -0.19, RUNS[:, 0]),
        (left, 0.19, RUNS[:, 1]),
        (right, 0, gaps),
    ):
        ends = stats.t.interval(0.95, len(values) - 1, values.mean(), stats.sem(values))
        assert spans(axes)[row] == pytest.approx(ends)
        (runs,) = (
            line
            for line in axes.lines
            if len(line.get_xdata()) == 4 and line.get_ydata()[0] == row
        )
        assert runs.get_xdata() == pytest.approx(values)
    low, high = stats.t.interval(0.95, 3, gaps.mean(), stats.sem(gaps))
    (numbers,) = right.texts
    assert numbers.get_text() == f"+{gaps.mean():.2f}  [+{low:.2f}, +{high:.2f}]"
    # The line of no gap.
    assert [0, 0] in [list(line.get_xdata()) for line in right.lines]


def test_intervals_that_are_given_are_drawn():
    given = [[9, 12], [np.nan, np.nan], [-1, 8]]
    figure = generalisation_gaps({"a": {"VAE": RUNS, "other": RUNS}}, {"a": {"VAE": given}})
    left, right = figure.axes
    assert spans(left)[-0.19] == (9, 12)
    assert 0.19 not in spans(left)
    assert spans(right)[0] == (-1, 8)
    assert right.texts[0].get_text().endswith("[−1.00, +8.00]")
    # Those of the other model are of Student's t.
    ends = stats.t.interval(0.95, 3, RUNS[:, 1].mean(), stats.sem(RUNS[:, 1]))
    assert spans(left)[1.19] == pytest.approx(ends)


def test_few_runs_have_no_interval():
    figure = generalisation_gaps({"a": {"VAE": RUNS[:2]}})
    left, right = figure.axes
    assert spans(left) == {}
    assert right.texts[0].get_text() == "+2.50"
    assert [text.get_text() for text in figure.legends[0].get_texts()][3:] == ["runs"]


def test_a_single_run_is_its_mean():
    figure = generalisation_gaps({"a": {"VAE": [[10, 200], [np.nan, 5]]}})
    left, right = figure.axes
    assert spans(left) == {}
    assert right.texts[0].get_text() == "+190"
    assert marks(right, "s") == [(190, 0, INK)]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["in distribution", "held out", "gap"]


@pytest.mark.parametrize(
    ("ends", "text"),
    [
        ((-0.001, 0.25), "+0.190  [−0.001, +0.250]"),
        ((-21.35, 2.0), "+0.2  [−21.4, +2.0]"),
        ((-12345.6, 3.0), "0  [−12,346, +3]"),
        ((0.0, 1e-9), "+0.190  [0.000, 0.000]"),
    ],
)
def test_numbers_of_a_row_have_equally_many_digits(ends, text):
    intervals = {"a": {"VAE": [[9, 12], [9, 12], ends]}}
    (numbers,) = generalisation_gaps({"a": {"VAE": [[10, 10.19]]}}, intervals).axes[1].texts
    assert numbers.get_text() == text


def test_conditions_have_rows_and_scales_of_their_own():
    panels = {
        "element": {"VAE": RUNS, "GT decoder": RUNS - 1},
        "extrapolation": {"VAE": RUNS * [1, 200]},
    }
    figure = generalisation_gaps(panels, error_label="nats", gap_label="difference", title="Gaps")
    near, near_gap, far, far_gap = figure.axes
    assert [near.get_title("left"), far.get_title("left")] == [*panels]
    assert [label.get_text() for label in near.get_yticklabels()] == ["VAE", "GT decoder"]
    assert [label.get_text() for label in far.get_yticklabels()] == ["VAE"]
    assert near.yaxis_inverted()
    assert near.get_ylim() == near_gap.get_ylim()
    assert [axes.get_xscale() for axes in figure.axes] == ["linear", "linear", "log", "linear"]
    assert [far.get_xlabel(), far_gap.get_xlabel()] == ["nats", "difference"]
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == ["in distribution", "held out", "gap", "95 % interval of the mean", "runs"]


@pytest.mark.parametrize("shift", [0, -30])
def test_all_runs_and_ends_are_seen(shift):
    figure = generalisation_gaps({"a": {"VAE": RUNS + shift, "other": RUNS * 3 + shift}})
    for axes in figure.axes:
        low, high = axes.get_xlim()
        for line in axes.lines:
            assert low <= min(line.get_xdata())
            assert max(line.get_xdata()) <= high


@pytest.mark.parametrize(
    ("conditions", "models", "runs"), [(1, 1, 1), (1, 3, 5), (3, 7, 3), (8, 2, 2), (8, 2, 3)]
)
def test_words_do_not_overlap(conditions, models, runs):
    rng = np.random.default_rng(0)
    panels = {
        f"condition {k}: recombination to a range of the factors": {
            f"model {m} with a long name of several words": rng.uniform(5, 100, (runs, 2))
            * [1, 100 if k == 2 else 1]
            for m in range(models)
        }
        for k in range(conditions)
    }
    figure = generalisation_gaps(panels, title=TITLE)
    figure.draw_without_rendering()
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    for axes in figure.axes:
        low, high = axes.get_xlim()
        texts += [axes._left_title, axes.xaxis.label, *axes.texts, *axes.get_yticklabels()]
        texts += [
            tick.label1 for tick in axes.xaxis.get_major_ticks() if low <= tick.get_loc() <= high
        ]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    # Letters reach less far than lines of text do.
    boxes = [box.from_extents(box.x0 + 1, box.y0 + 2, box.x1 - 1, box.y1 - 2) for box in boxes]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    assert len(boxes) >= 8 + conditions * (3 + models)
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


def test_what_does_not_fit_is_refused():
    for panels in ({}, {"a": {}}):
        with pytest.raises(ValueError, match="at least one model"):
            generalisation_gaps(panels)
    with pytest.raises(ValueError, match=r"'VAE' of 'a' must be runs by 2.*shape \(2,\)"):
        generalisation_gaps({"a": {"VAE": [1, 2]}})
    with pytest.raises(ValueError, match="no run whose errors are finite"):
        generalisation_gaps({"a": {"VAE": [[np.nan, 2]]}})
    with pytest.raises(ValueError, match=r"must be 3 by 2; got shape \(2,\)"):
        generalisation_gaps({"a": {"VAE": RUNS}}, {"a": {"VAE": [1, 2]}})
