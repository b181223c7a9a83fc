"""Figures of several runs: scores where they belong, curves of each, matches on the diagonal."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from unweave.plots import matched_latents, run_curves, run_scores
from unweave.plots.run_curves import MOST_RUNS, run_look
from unweave.plots.style import INK

STEPS = np.arange(1, 101) * 10.0


# Scores


def dots(axes):
    """Row -> (value, colour)."""
    return {
        int(line.get_ydata()[0]): (line.get_xdata()[0], to_hex(line.get_color()))
        for line in axes.lines
        if len(line.get_xdata()) == 1
    }


def spans(axes):
    """Row -> ends of the interval."""
    return {
        int(line.get_ydata()[0]): tuple(line.get_xdata())
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_transform() == axes.transData
    }


def test_dots_and_intervals_stand_where_the_scores_say():
    figure = run_scores(
        {
            "mig": {"A": (0.2, 0.1, 0.25), "B": (0.4, None, None), "A, B": (0.3, 0.28, 0.33)},
            "dci": {"B": (0.7, None, None)},
        },
        ["A", "B"],
        ["A, B"],
    )
    mig, dci = figure.axes
    assert dots(mig) == {0: (0.2, run_look(0)[0].lower()), 1: (0.4, run_look(1)[0].lower()),
                         2: (0.3, INK)}  # fmt: skip
    assert spans(mig) == {0: (0.1, 0.25), 2: (0.28, 0.33)}
    assert dots(dci).keys() == {1}
    # Those without a score are said to have none.
    assert [text.get_text() for text in dci.texts] == ["\N{EN DASH}"] * 2
    low, high = mig.get_xlim()
    assert low < 0.1
    assert high > 0.4
    assert [label.get_text() for label in mig.get_yticklabels()] == ["A", "B", "A, B"]
    words = [text.get_text() for text in figure.legends[0].get_texts()]
    assert words == [
        "run, with its 95 % interval over draws",
        "mean, with the 95 % interval of the mean over runs",
    ]


def test_intervals_that_are_not_there_are_not_in_the_legend():
    figure = run_scores({"mig": {"A": (0.2, None, None)}}, ["A", "B"])
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["run"]


@pytest.mark.parametrize(
    ("panels", "runs"),
    [
        ({}, ["A"]),
        ({"mig": {"A": (1.0, None, None)}}, []),
        ({"mig": {"C": (1.0, None, None)}}, ["A"]),
        ({"mig": {}}, [str(k) for k in range(MOST_RUNS + 1)]),
    ],
)
def test_scores_that_cannot_be_drawn(panels, runs):
    with pytest.raises(ValueError, match=r"must|not there"):
        run_scores(panels, runs)


# Curves


def test_each_run_has_its_line_in_each_panel():
    figure = run_curves(
        {"loss": {"A": (STEPS, 100 / STEPS), "B": (STEPS[:50], 50 / STEPS[:50])},
         "KL": {"B": (STEPS, STEPS / 100)}},
        ["A", "B"],
    )  # fmt: skip
    loss, kl = figure.axes
    assert [to_hex(line.get_color()) for line in loss.lines] == [
        run_look(k)[0].lower() for k in range(2)
    ]
    np.testing.assert_array_equal(loss.lines[1].get_xdata(), STEPS[:50])
    np.testing.assert_array_equal(loss.lines[1].get_ydata(), 50 / STEPS[:50])
    assert to_hex(kl.lines[0].get_color()) == run_look(1)[0].lower()
    assert loss.get_xlim()[1] == kl.get_xlim()[1] == STEPS[-1]
    assert [text.get_text() for text in figure.legends[0].get_texts()] == ["A", "B"]


def test_a_fall_is_on_a_logarithmic_scale_which_is_said():
    figure = run_curves({"loss": {"A": (STEPS, 1e4 / STEPS)}}, ["A"])
    (axes,) = figure.axes
    assert axes.get_yscale() == "log"
    assert axes.get_ylabel() == "logarithmic scale"


def test_a_start_that_would_flatten_the_rest_is_said_and_not_drawn():
    values = np.where(STEPS < 30, -500.0, np.sin(STEPS))
    figure = run_curves({"loss": {"A": (STEPS, values)}}, ["A"])
    (axes,) = figure.axes
    assert axes.get_ylim()[0] > -2
    assert [text.get_text() for text in axes.texts] == [
        "\N{DOWNWARDS ARROW} from \N{MINUS SIGN}500"
    ]


def test_values_that_are_not_finite_are_gaps():
    values = STEPS.copy()
    values[10:20] = np.nan
    figure = run_curves({"loss": {"A": (STEPS, values)}, "KL": {"A": (STEPS, values * np.nan)}},
                        ["A"])  # fmt: skip
    figure.draw_without_rendering()
    assert np.isnan(figure.axes[0].lines[0].get_ydata()[10:20]).all()
    assert not len(figure.axes[1].get_yticks())


def test_all_runs_can_be_told_apart():
    looks = {run_look(k)[:2] for k in range(MOST_RUNS)}
    assert len(looks) == MOST_RUNS


@pytest.mark.parametrize(
    ("panels", "names"),
    [
        ({}, ["A"]),
        ({"loss": {"A": (STEPS, STEPS)}}, []),
        ({"loss": {"A": (STEPS, STEPS)}}, ["B"]),
        ({"loss": {"A": (STEPS, STEPS[:-1])}}, ["A"]),
        ({"loss": {}}, [str(k) for k in range(MOST_RUNS + 1)]),
    ],
)
def test_curves_that_cannot_be_drawn(panels, names):
    with pytest.raises(ValueError, match=r"must|not there"):
        run_curves(panels, names)


# Heat maps


def test_matches_are_outlined_on_the_diagonal():
    table = np.array([[0.9, -0.1], [0.2, -0.8], [0.0, 0.1]])
    figure = matched_latents(
        table, ["z4", "z0", "z1"], ["z2", "z3"], row_label="latents of A",
        column_label="latents of B",
    )  # fmt: skip
    axes = figure.axes[0]
    np.testing.assert_array_equal(axes.images[0].get_array(), table)
    assert axes.images[0].get_clim() == (-1, 1)
    assert [patch.get_xy() for patch in axes.patches] == [(-0.5, -0.5), (0.5, 0.5)]
    assert [text.get_text() for text in axes.texts] == [
        "0.90", "\N{MINUS SIGN}0.10", "0.20", "\N{MINUS SIGN}0.80", "0.00", "0.10",
    ]  # fmt: skip
    assert [label.get_text() for label in axes.get_yticklabels()] == ["z4", "z0", "z1"]
    assert {text.get_text() for text in figure.texts} == {"latents of A", "latents of B"}


def test_of_many_latents_no_numbers_are_written():
    figure = matched_latents(
        np.eye(40), [f"z{k}" for k in range(40)], [f"z{k}" for k in range(40)]
    )
    assert not figure.axes[0].texts


@pytest.mark.parametrize(
    ("table", "rows", "columns"),
    [
        (np.ones((2, 2)), ["z0"], ["z0", "z1"]),
        (np.empty((0, 2)), [], ["z0", "z1"]),
        (np.full((1, 1), 1.5), ["z0"], ["z0"]),
        (np.full((1, 1), np.nan), ["z0"], ["z0"]),
    ],
)
def test_heat_maps_that_cannot_be_drawn(table, rows, columns):
    with pytest.raises(ValueError, match="must"):
        matched_latents(table, rows, columns)
