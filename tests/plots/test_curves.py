"""Curves show the numbers they are given, on a scale that lets them be read."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.text import Text
from scipy.optimize import minimize

from plots.rendered import pixels
from unweave.plots import kl_bars, kl_curves, loss_curves
from unweave.plots.kl import _spread
from unweave.plots.series import short, thin

STEPS = np.arange(50, 5001, 50)


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_each_series_has_a_panel_with_its_points():
    history = {
        "model": (STEPS, np.linspace(200, 100, len(STEPS))),
        "kl": (STEPS, np.linspace(1, 12, len(STEPS))),
        "tc": ([1, 2], [-1.0, -3.0]),
    }
    figure = loss_curves(history, {"kl": "nats an image"})
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(history)
    for axes, (steps, values) in zip(figure.axes, history.values(), strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_xdata(), steps)
        np.testing.assert_array_equal(axes.lines[0].get_ydata(), values)
    assert texts(figure.axes[1])[0] == "nats an image; 12 at the end"
    assert texts(figure.axes[2])[0] == "−3 at the end"


def test_a_fall_of_more_than_tenfold_is_shown_in_logarithms_and_others_are_not():
    falling = 40 + 3000 * np.exp(-STEPS / 200)
    axes = loss_curves({"falling": (STEPS, falling), "kl": (STEPS, falling / 100 - 1)}).axes
    assert [one.get_yscale() for one in axes] == ["log", "linear"]
    assert [one.get_ylabel() for one in axes] == ["logarithmic scale", ""]
    rising = loss_curves({"rising": (STEPS, 1e-3 + STEPS / 100)}).axes[0]
    assert rising.get_yscale() == "linear"
    assert rising.get_ylim()[0] < 0.6


def test_a_start_that_would_flatten_the_rest_is_cut_and_said():
    values = np.where(STEPS < 120, 60.0, np.sin(STEPS))
    axes = loss_curves({"tc": (STEPS, values)}).axes[0]
    low, high = axes.get_ylim()
    assert low < -1
    assert 1 < high < 5
    assert "↑ from 60" in texts(axes)
    calm = loss_curves({"tc": (STEPS, np.sin(STEPS))}).axes[0]
    assert not any("from" in text for text in texts(calm))


def test_the_first_value_that_is_not_finite_is_marked():
    values = np.where(STEPS >= 3000, np.nan, 5.0)
    axes = loss_curves({"kl": (STEPS, values)}).axes[0]
    assert "not finite" in texts(axes)
    assert axes.lines[-1].get_xdata()[0] == 3000
    nothing = loss_curves({"kl": (STEPS, np.full(len(STEPS), np.nan))}).axes[0]
    assert "no finite value" in texts(nothing)


def test_latents_keep_their_last_finite_kl():
    kl = np.stack([np.full(len(STEPS), 3.0), np.full(len(STEPS), 1.0)], axis=1)
    kl[STEPS >= 3000] = np.nan
    axes = kl_curves(STEPS, kl).axes[0]
    assert {"z0  3.00", "z1  1.00", "not finite"} <= set(texts(axes))
    assert axes.lines[-1].get_xdata()[0] == 3000


def test_history_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one series"):
        loss_curves({})
    with pytest.raises(ValueError, match=r"history\['kl'\]"):
        loss_curves({"kl": ([1, 2], [1.0])})


def test_thinning_keeps_ends_peaks_dips_and_order():
    rng = np.random.default_rng(0)
    steps, values = np.arange(100_000), rng.normal(size=100_000)
    values[54_321], values[12_345], values[77_777] = 99, -99, np.nan
    x, y = thin(steps, values, most=500)
    assert len(x) <= 510
    assert (np.diff(x) > 0).all()
    assert (x[0], x[-1]) == (0, 99_999)
    assert {54_321, 12_345, 77_777} <= set(x)
    np.testing.assert_array_equal(y, values[x.astype(int)])


def test_short_series_are_not_thinned():
    x, y = thin([1, 2, 3], [4.0, 5.0, 6.0])
    assert x.tolist() == [1, 2, 3]
    assert y.tolist() == [4, 5, 6]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0, "0"), (12.345, "12.3"), (-0.5, "−0.5"), (12345, "12,345"), (2e-6, "2.0e−06")],
)
def test_short_numbers(value, text):
    assert short(value) == text


def test_kl_lines_are_named_at_their_ends_and_idle_latents_together():
    kl = np.outer(np.linspace(0, 1, len(STEPS)), [0.001, 3.0, 0.0, 1.5])
    axes = kl_curves(STEPS, kl).axes[0]
    assert texts(axes) == ["z1  3.00", "z3  1.50", "z0 z2\nbelow 0.01"]
    drawn = {tuple(line.get_ydata()): line.get_color() for line in axes.lines}
    assert set(drawn) == {tuple(column) for column in kl.T}
    assert drawn[tuple(kl[:, 0])] == drawn[tuple(kl[:, 2])]
    assert len({drawn[tuple(kl[:, latent])] for latent in (0, 1, 3)}) == 3


def test_names_at_the_ends_do_not_overlap():
    kl = np.tile([2.0, 2.01, 1.99, 0.02, 0.03, 0.0], (len(STEPS), 1))
    figure = kl_curves(STEPS, kl)
    pixels(figure)
    # Of the words alone: an annotation's own extent has its line in it.
    boxes = sorted((Text.get_window_extent(text) for text in figure.axes[0].texts),
                   key=lambda box: box.y0)  # fmt: skip
    assert len(boxes) == 6
    for lower, upper in itertools.pairwise(boxes):
        assert lower.y1 <= upper.y0 + 1


@pytest.mark.parametrize("ends", [np.linspace(3, 2.9, 30), [3.0] * 6 + [0.02] * 6 + [0.0] * 12])
def test_names_stay_within_the_axes(ends):
    figure = kl_curves(STEPS, np.tile(ends, (len(STEPS), 1)))
    pixels(figure)
    axes = figure.axes[0]
    frame = axes.get_window_extent()
    for text in axes.texts:
        box = Text.get_window_extent(text)
        assert frame.y0 - 1 <= box.y0
        assert box.y1 <= frame.y1 + 1
        assert box.x1 <= figure.bbox.x1


def test_places_are_spread_about_where_they_belong_within_bounds():
    assert _spread([], 1.0, 0.0, 9.0) == []
    assert _spread([3.0, 1.0], 0.5, 0.0, 4.0) == [3.0, 1.0]
    assert _spread([2.0, 2.0, 2.0], 0.5, 0.0, 4.0) == [2.5, 2.0, 1.5]
    assert _spread([3.0, 0.1, 0.0], 0.5, 0.0, 4.0) == [3.0, 0.5, 0.0]
    assert _spread([4.0, 4.0, 1.0], 0.5, 0.0, 4.0) == [4.0, 3.5, 1.0]
    # As little as may be: no other places at that distance are nearer, by quadratic programming.
    rng = np.random.default_rng(0)
    wanted = -np.sort(-rng.uniform(0, 5, 12))
    best = minimize(
        lambda q: ((q - wanted) ** 2).sum(), np.linspace(4.5, 0.5, 12), method="SLSQP",
        bounds=[(0.25, 4.75)] * 12,
        constraints={"type": "ineq", "fun": lambda q: q[:-1] - q[1:] - 0.3},
    )  # fmt: skip
    np.testing.assert_allclose(_spread(list(wanted), 0.3, 0.25, 4.75), best.x, atol=1e-4)


def test_bars_stand_from_the_highest_down_with_their_numbers():
    axes = kl_bars([0.5, 2.0, 0.001]).axes[0]
    assert [bar.get_height() for bar in axes.patches] == [2.0, 0.5, 0.001]
    assert [tick.get_text() for tick in axes.get_xticklabels()] == ["z1", "z0", "z2"]
    assert texts(axes) == ["2.00", "0.50", "0.00"]
    colours = [bar.get_facecolor() for bar in axes.patches]
    assert colours[0] == colours[1] != colours[2]


def test_kl_that_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="do not fit"):
        kl_curves([1, 2], np.zeros((3, 2)))
    with pytest.raises(ValueError, match="one name for each of 2 latents"):
        kl_curves([1], np.zeros((1, 2)), names=["a"])
    with pytest.raises(ValueError, match="one number for each latent"):
        kl_bars(np.zeros((2, 2)))


@pytest.mark.parametrize(("decades", "fewest", "most"), [(1.5, 3, 7), (5, 2, 6), (12, 2, 6)])
def test_a_logarithmic_scale_has_a_few_marks(decades, fewest, most):
    values = 10.0 ** np.linspace(0, -decades, 100)
    axes = loss_curves({"term": (np.arange(100), values)}).axes[0]
    low, high = axes.get_ylim()
    marks = [tick for tick in axes.get_yticks() if low <= tick <= high]
    assert fewest <= len(marks) <= most
