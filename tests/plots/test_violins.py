"""Violins, rank lines and correlations show what they are given."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from plots.rendered import pixels
from unweave.plots import correlation_matrix, rank_lines, violins

RNG = np.random.default_rng(0)
GROUPS = {
    "one": RNG.normal(size=30),
    "few": [0.1, 0.4, np.nan, 0.2],
    "none": [],
    "equal": [0.3] * 9,
}


def points(axes):
    """Position of the row -> values that are drawn as points."""
    return {
        round(float(np.mean(line.get_ydata()))): line.get_xdata()
        for line in axes.lines
        if line.get_marker() == "o"
    }


def test_each_group_has_its_points_its_median_and_its_number():
    figure = violins({"": GROUPS}, value_label="mig")
    (axes,) = figure.axes
    found = points(axes)
    assert found[0] == pytest.approx(np.sort(GROUPS["one"]))
    assert found[1] == pytest.approx([0.1, 0.2, 0.4])
    assert 2 not in found
    medians = [line for line in axes.lines if line.get_marker() == "|"]
    assert [line.get_xdata()[0] for line in medians] == pytest.approx(
        [np.median(GROUPS["one"]), 0.2, 0.3]
    )
    assert [text.get_text() for text in axes.texts] == ["n = 30", "n = 3", "n = 0", "n = 9"]
    assert [label.get_text() for label in axes.get_yticklabels()] == list(GROUPS)
    # The first group is on top.
    low, high = axes.get_ylim()
    assert low > high
    # Only the first has a shape, which ends where its values do.
    (body,) = axes.collections
    x = body.get_paths()[0].vertices[:, 0]
    assert (x.min(), x.max()) == pytest.approx((GROUPS["one"].min(), GROUPS["one"].max()))
    assert axes.get_xlabel() == "mig"


def test_many_values_have_a_shape_and_no_points():
    (axes,) = violins({"": {"many": RNG.normal(size=500)}}).axes
    assert points(axes) == {}
    assert len(axes.collections) == 1


def test_panels_share_groups_and_scale():
    figure = violins({"a": {"x": [0.0, 1.0]}, "b": {"y": [5.0, 6.0]}})
    one, other = figure.axes
    assert one.get_xlim() == other.get_xlim()
    assert [text.get_text() for text in other.texts] == ["n = 0", "n = 2"]
    assert [label.get_text() for label in one.get_yticklabels()] == ["x", "y"]


def test_long_words_lie_within_the_figure_and_beside_no_shape():
    groups = {f"a_method(of_a_field_with_a_long_name=linear(stop={k}, steps=9))": GROUPS["one"]
              for k in range(4)}  # fmt: skip
    words = "a protocol, a dataset with all its settings, a part, score seed 1, repeats 10"
    figure = violins({f"{k} {words}": groups for k in "abcd"}, title="mig")
    figure.draw_without_rendering()
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert len(set(names)) == 4
    assert ["stop=2" in name for name in names] == [False, False, True, False]
    titles = [axes.title.get_window_extent() for axes in figure.axes]
    heads = [*titles, figure._suptitle.get_window_extent()]
    assert all(box.x0 >= 0 and box.x1 <= figure.bbox.x1 for box in heads)
    assert all(box.y1 <= figure.bbox.y1 for box in heads)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(heads, 2))
    for axes in figure.axes:
        end = axes.transData.transform((GROUPS["one"].max(), 0))[0]
        assert all(text.get_window_extent().x0 > end for text in axes.texts)


@pytest.mark.filterwarnings("error")
def test_values_that_no_axis_reaches_are_passed_over_and_tiny_ones_have_no_shape():
    groups = {
        "huge": [1.7e308, -1.7e308, 0.5, np.inf],
        "tiny": 1e-300 * np.arange(6),
    }
    figure = violins({"": groups})
    figure.draw_without_rendering()
    (axes,) = figure.axes
    assert points(axes)[0] == pytest.approx([0.5])
    assert len(axes.collections) == 0


@pytest.mark.parametrize("panels", [{}, {"a": {}}, {"a": {"x": [[1.0]]}}])
def test_what_is_no_list_of_values_is_refused(panels):
    with pytest.raises(ValueError, match=r"at least one group|must be a list"):
        violins(panels)


def test_lines_go_through_their_ranks_with_the_best_on_top():
    ranks = [[1, 2, 1], [2, 1, np.nan], [3, 3, 1]]
    figure = rank_lines({"panel": ranks}, ["a", "b", "c"], ["mig", "dci", "sap"])
    (axes,) = figure.axes
    drawn = [line.get_ydata() for line in axes.lines]
    assert drawn[0] == pytest.approx([1, 2, 1])
    assert drawn[1][:2] == pytest.approx([2, 1])
    assert np.isnan(drawn[1][2])
    # Equal ranks lie side by side, within the same rank.
    assert 1 < drawn[2][2] < 1.5
    low, high = axes.get_ylim()
    assert low > high
    assert [text.get_text() for text in axes.texts] == ["a", "b", "c"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["mig", "dci", "sap"]


def test_names_of_lines_lie_within_the_figure_and_apart():
    names = [f"a_method_with_a_long_name(beta={k})" for k in range(12)]
    ranks = np.argsort(RNG.normal(size=(12, 6)), axis=0) + 1.0
    figure = rank_lines({"": ranks}, names, [f"metric_{k}" for k in range(6)], title="Ranks")
    figure.draw_without_rendering()
    boxes = [text.get_window_extent() for text in figure.axes[0].texts]
    assert all(box.x1 <= figure.bbox.x1 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.combinations(boxes, 2))


@pytest.mark.parametrize(
    ("ranks", "lines", "places"),
    [([[1, 2]], ["a"], ["x"]), ([[1.0]], [], ["x"]), ([[1.0]], ["a"], [])],
)
def test_ranks_that_do_not_fit_are_refused(ranks, lines, places):
    with pytest.raises(ValueError, match=r"must be 1 by 1|at least one panel"):
        rank_lines({"p": ranks}, lines, places)


def test_correlations_stand_in_their_cells():
    values = [[1.0, -0.456, np.nan], [-0.456, 1.0, 0.2], [np.nan, 0.2, 1.0]]
    figure = correlation_matrix(values, ["mig", "dci", "sap"], title="T", value_label="rho")
    axes = figure.axes[0]
    cells = {text.get_position(): text.get_text() for text in axes.texts}
    assert cells[(1, 0)] == cells[(0, 1)] == "−0.46"
    assert cells[(2, 0)] == "–"
    assert cells[(2, 1)] == "0.20"
    assert axes.images[0].get_clim() == (-1, 1)
    # From one end to the other the colours differ, and their middle is light.
    picture = pixels(figure).reshape(-1, 3).astype(int)
    assert len(np.unique(picture, axis=0)) > 100


def test_many_names_have_no_numbers_but_fit():
    names = [f"score_{k:02}" for k in range(40)]
    figure = correlation_matrix(np.eye(40), names)
    figure.draw_without_rendering()
    axes = figure.axes[0]
    assert [text.get_text() for text in axes.texts] == []
    boxes = [label.get_window_extent() for label in axes.get_yticklabels()]
    assert all(box.x0 >= 0 for box in boxes)
    assert not any(one.overlaps(other) for one, other in itertools.pairwise(boxes))


def test_long_names_of_scores_and_places_stay_apart_and_within_the_figure():
    names = [f"modularity_explicitness.modularity [dlib/1, holdout, sampled, repeats {k}]"
             for k in range(5)]  # fmt: skip
    for figure in (
        correlation_matrix(np.eye(5), names, title="T"),
        rank_lines({"": np.ones((2, 5))}, ["a", "b"], names),
    ):
        figure.draw_without_rendering()
        axes = figure.axes[0]
        labels = axes.get_xticklabels()
        assert len({label.get_text() for label in labels}) == 5
        boxes = [label.get_window_extent() for label in (*labels, *axes.get_yticklabels())]
        assert all(box.x0 >= 0 and box.y0 >= 0 for box in boxes)


@pytest.mark.parametrize("values", [np.eye(2), np.full((3, 3), 1.5)])
def test_what_is_no_correlation_is_refused(values):
    with pytest.raises(ValueError, match=r"3 by 3|between -1 and 1"):
        correlation_matrix(values, ["a", "b", "c"])
