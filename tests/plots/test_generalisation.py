"""Each run is two points and a line between them, on an axis that suits the errors."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from matplotlib.colors import to_hex

from unweave.plots import disentanglement_against_error
from unweave.plots.broken import axis_kind, broken_limits, linear_limits

TITLE = " ".join(["A title of many words"] * 6)
# Published errors of dSprites and of 3DShapes, from the lowest to the highest.
DSPRITES = [8.06, 18.82, 29.04, 60.81, 117.65, 215.95, 2007.42, 2810.55, 3962.4]
SHAPES = [3466.43, 3923.29, 4294.88, 5275.71, 13215.34, 16879.42, 21371.26]
RUNS = {
    "near": {"VAE": [[0.2, 10, 20], [0.3, 12, 18]], "GT decoder": [[1, 30, 31]]},
    "far": {"VAE": [[0.25, 15, 3000]], "GT decoder": [[1, 40, 2000]]},
}


def points(axes):
    """(score, error) -> marker, colour and colour within of each point."""
    return {
        (line.get_xdata()[0], line.get_ydata()[0]): (
            line.get_marker(),
            to_hex(line.get_markeredgecolor()),
            to_hex(line.get_markerfacecolor()),
        )
        for line in axes.lines
        if line.get_marker() in ("o", "D")
    }


def joins(axes):
    return [
        (*line.get_xdata(), *line.get_ydata())
        for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_transform() == axes.transData
    ]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (DSPRITES, "broken"),
        (SHAPES, "broken"),
        (np.arange(20.0), "linear"),
        # Two values have nothing else that could be told apart, and need no break.
        ([1.0, 100.0], "linear"),
        ([1.0, 1.1, 100.0], "broken"),
        ([-1.0, 1.1, 100.0], "broken"),
        ([-100.0, -1.1, -1.0], "broken"),
        # Gaps of a little more and a little less than a quarter.
        ([0.0, 6.0, 12.0, 19.0, 45.0, 63.0, 82.0, 100.0], "broken"),
        ([0.0, 6.0, 12.0, 19.0, 43.0, 63.0, 82.0, 100.0], "linear"),
        # Sides of a fifth and of a little less; with half of the values and with fewer.
        ([0.0, 20.0, 80.0, 100.0], "linear"),
        ([0.0, 19.0, 79.0, 100.0], "broken"),
        ([0.0, 19.0, 79.0, 85.0, 100.0], "linear"),
        # Eight of twelve below a tenth of the greatest; of negative ones there is no logarithm.
        (2.0 ** np.arange(12), "log"),
        (-(2.0 ** np.arange(12)), "linear"),
        # So it is in the lower part of a broken axis.
        ([1.0, 2.0, 4.0, 5.0, 100.0, 1000.0], "log"),
        ([0.0, 2.0, 4.0, 5.0, 100.0, 1000.0], "broken"),
        ([8.06, 8.59, 18.82, 29.04, 200.36, 3576.8], "broken"),
        ([5.0], "linear"),
        ([], "linear"),
        ([5.0, 5.0, np.nan, np.inf], "linear"),
    ],
)
def test_the_axis_is_chosen_from_the_largest_gap(values, kind):
    assert axis_kind(values) == kind
    assert axis_kind(np.random.default_rng(0).permutation(np.repeat(values, 3))) == kind


@pytest.mark.parametrize("values", [DSPRITES, SHAPES, [0, 1], [0, 1, 2, 3], [-7, -3, 5, 6.5]])
def test_parts_hold_all_values_and_do_not_meet(values):
    (low, end), (start, high) = broken_limits(values)
    assert low < end < start < high
    place = int(np.diff(values).argmax())
    assert low <= values[0]
    assert values[place] < end
    assert start < values[place + 1]
    assert values[-1] < high


def test_axes_start_at_zero_where_that_is_near():
    assert linear_limits([8, 100])[0] == 0
    assert linear_limits([0, 100])[0] == 0
    assert 0 < linear_limits([60, 100])[0] < 60
    assert linear_limits([-1, 100])[0] < -1
    low, high = linear_limits([5, 5])
    assert low < 5 < high


def test_each_run_is_two_points_and_a_line():
    figure = disentanglement_against_error({"near": RUNS["near"]}, error_label="nats")
    (axes,) = figure.axes
    found = points(axes)
    assert set(found) == {(0.2, 10), (0.2, 20), (0.3, 12), (0.3, 18), (1, 30), (1, 31)}
    assert joins(axes) == [(0.2, 0.2, 10, 20), (0.3, 0.3, 12, 18), (1, 1, 30, 31)]
    markers = {place: of[0] for place, of in found.items()}
    assert [markers[0.2, 10], markers[0.2, 20]] == ["o", "D"]
    # Seeds of a model have one colour, and models different ones.
    inner = {place: of[2] for place, of in found.items()}
    assert inner[0.2, 10] == inner[0.2, 20] == inner[0.3, 12]
    assert inner[1, 30] == inner[1, 31] != inner[0.2, 10]
    assert axes.get_xlim() == (0, 1.03)
    assert figure.get_supylabel() == "nats"
    regions, models = figure.legends
    assert [text.get_text() for text in regions.get_texts()] == ["in distribution", "held out"]
    assert [text.get_text() for text in models.get_texts()] == ["VAE", "GT decoder"]
    assert [to_hex(line.get_color()) for line in models.get_lines()] == [
        inner[0.2, 10],
        inner[1, 30],
    ]


def test_a_broken_axis_has_two_parts_that_all_panels_share():
    figure = disentanglement_against_error(RUNS)
    near_up, near_low, far_up, far_low = figure.axes
    assert near_up.get_ylim() == far_up.get_ylim()
    assert near_low.get_ylim() == far_low.get_ylim()
    assert near_low.get_ylim()[1] < near_up.get_ylim()[0]
    assert set(points(far_low)) == {(0.25, 15), (1, 40)}
    assert set(points(far_up)) == {(0.25, 3000), (1, 2000)}
    assert points(near_up) == {}
    # The line goes on in both parts.
    assert joins(far_low) == joins(far_up) == [(0.25, 0.25, 15, 3000), (1, 1, 40, 2000)]
    figure.draw_without_rendering()
    assert far_up.get_window_extent().y0 > far_low.get_window_extent().y1
    assert far_up.get_window_extent().x0 == pytest.approx(far_low.get_window_extent().x0)
    assert [axes.get_title("left") for axes in figure.axes] == ["near", "", "far", ""]


@pytest.mark.parametrize(("axis", "parts"), [("linear", 1), ("log", 1), ("broken", 2)])
def test_an_axis_that_is_asked_for_is_drawn(axis, parts):
    figure = disentanglement_against_error(RUNS, axis=axis)
    assert len(figure.axes) == 2 * parts
    scale = "log" if axis == "log" else "linear"
    assert {axes.get_yscale() for axes in figure.axes} == {scale}
    drawn = [place for axes in figure.axes for place in points(axes)]
    assert len(drawn) == 10


def test_published_numbers_are_hollow():
    figure = disentanglement_against_error(
        {"near": RUNS["near"]}, {"near": {"VAE": [[0.25, 11, 19]], "other": [[0.5, 12, 15]]}},
        published_label="a paper",
    )  # fmt: skip
    found = points(figure.axes[0])
    assert found[0.25, 11][2] == found[0.25, 19][2] == "#ffffff"
    assert found[0.25, 11][1] == found[0.2, 10][2]
    assert found[0.5, 12][1] not in {found[0.2, 10][2], found[1, 30][2]}
    regions, models = figure.legends
    assert regions.get_texts()[-1].get_text() == "a paper"
    assert [text.get_text() for text in models.get_texts()] == ["VAE", "GT decoder", "other"]


def test_values_that_are_not_finite_are_passed_over():
    runs = [[0.2, 10, np.nan], [np.nan, 5, 6], [0.4, np.inf, 8]]
    (axes,) = disentanglement_against_error({"a": {"VAE": runs, "none": np.empty((0, 3))}}).axes
    assert set(points(axes)) == {(0.2, 10), (0.4, 8)}
    assert joins(axes) == []


def test_points_at_the_ends_are_whole():
    (axes,) = disentanglement_against_error({"a": {"VAE": [[0, 0, 5]]}}).axes
    marks = [line for line in axes.lines if line.get_marker() in ("o", "D")]
    assert len(marks) == 2
    assert not any(line.get_clip_on() for line in marks)


def many(conditions, models, seed=0):
    rng = np.random.default_rng(seed)
    return {
        f"condition {k}: recombination to range": {
            f"model {m} of a kind": np.stack(
                [rng.uniform(size=3), rng.uniform(5, 90, 3), rng.uniform(5, 90, 3)], axis=1
            )
            * [1, 1, 100 if k else 1]
            for m in range(models)
        }
        for k in range(conditions)
    }


@pytest.mark.parametrize(
    ("conditions", "models", "axis"),
    [
        *(
            (*sizes, axis)
            for sizes in ((1, 1), (1, 12), (2, 3), (3, 7))
            for axis in ("linear", "broken", "log")
        ),
        (5, 20, "broken"),
        pytest.param(5, 20, "linear", marks=pytest.mark.slow),
        pytest.param(5, 20, "log", marks=pytest.mark.slow),
    ],
)
def test_words_do_not_overlap(conditions, models, axis):
    panels = many(conditions, models)
    figure = disentanglement_against_error(panels, panels, title=TITLE, axis=axis)
    figure.draw_without_rendering()
    texts = [*figure.texts, *(text for of in figure.legends for text in of.get_texts())]
    for axes in figure.axes:
        low, high = axes.get_ylim()
        texts += [axes.title, axes._left_title, axes.xaxis.label]
        texts += [tick.label1 for tick in axes.xaxis.get_major_ticks()]
        texts += [
            tick.label1 for tick in axes.yaxis.get_major_ticks() if low <= tick.get_loc() <= high
        ]
    boxes = [text.get_window_extent() for text in texts if text.get_text() and text.get_visible()]
    # Letters reach less far than lines of text do.
    boxes = [box.from_extents(box.x0 + 1, box.y0 + 2, box.x1 - 1, box.y1 - 2) for box in boxes]
    boxes += [axes.get_window_extent() for axes in figure.axes]
    assert len(boxes) >= 5 + conditions + models
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in boxes)
    assert all(box.y0 >= 0 and box.y1 <= figure.bbox.y1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))
    assert figure.get_figwidth() <= 8.05


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one condition"):
        disentanglement_against_error({})
    with pytest.raises(ValueError, match="at least one run"):
        disentanglement_against_error({"a": {"VAE": [[np.nan, 1, 2]]}})
    with pytest.raises(ValueError, match=r"'VAE' of 'a' must be runs by 3.*shape \(3,\)"):
        disentanglement_against_error({"a": {"VAE": [0.5, 1, 2]}})
    with pytest.raises(ValueError, match="must lie between 0 and 1"):
        disentanglement_against_error({"a": {"VAE": [[1.5, 1, 2]]}})
    with pytest.raises(ValueError, match="published has 'b'"):
        disentanglement_against_error(RUNS, {"b": {}})
    with pytest.raises(ValueError, match="errors above 0"):
        disentanglement_against_error({"a": {"VAE": [[0.5, 0, 2]]}}, axis="log")
    with pytest.raises(ValueError, match="two different errors"):
        disentanglement_against_error({"a": {"VAE": [[0.5, 2, 2]]}}, axis="broken")
    with pytest.raises(ValueError, match="got 'cubic'"):
        disentanglement_against_error(RUNS, axis="cubic")
