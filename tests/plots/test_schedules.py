"""The schedules of a population: every value over its own steps, and the best one's way."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection

from plots.rendered import pixels
from unweave.plots import schedules
from unweave.plots.scales import as_numbers, magnitude
from unweave.plots.style import MARK

# Two members, two rounds of ten steps; both go on from member 0.
STARTS, STOPS = [0, 0, 10, 10], [10, 10, 20, 20]
ORIGINS = [-1, -1, 0, 0]
LR = [0.01, 0.1, 0.01, 0.001]
KIND = ["b", "a", "b", "a"]


def draw(winner=3, **options):
    fields = {"lr": LR, "kind": KIND, "beta": [4, 2, 4, 8]}
    return schedules(STARTS, STOPS, fields, ORIGINS, winner, ["lr"], **options)


def segments(axes):
    [collection] = [c for c in axes.collections if isinstance(c, LineCollection)]
    return [[tuple(point) for point in path] for path in collection.get_segments()]


def test_each_node_has_its_value_from_its_first_step_to_its_last():
    axes = draw().axes
    assert segments(axes[0]) == [
        [(0, 0.01), (10, 0.01)],
        [(0, 0.1), (10, 0.1)],
        [(10, 0.01), (10, 0.01), (20, 0.01)],
        [(10, 0.01), (10, 0.001), (20, 0.001)],
    ]
    # Texts stand in their order.
    assert segments(axes[1])[3] == [(10, 1), (10, 0), (20, 0)]
    assert [label.get_text() for label in axes[1].get_yticklabels()] == ["a", "b"]


def test_the_best_ones_way_is_bold():
    for axes, before, after in zip(draw().axes, (0.01, 1, 4), (0.001, 0, 8), strict=True):
        [line] = [line for line in axes.lines if line.get_color() == MARK]
        x, y = line.get_data()
        # At each step the value that was in force.
        for step in range(1, 21):
            of = [k for k in range(len(x) - 1) if x[k] < step <= x[k + 1]]
            assert {y[k] for k in of} == {before if step <= 10 else after}
    assert not [line for line in draw(winner=None).axes[0].lines if line.get_color() == MARK]


def test_titles_scales_and_last_values():
    figure = draw(title="Tuned fields")
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["lr", "kind", "beta"]
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear", "linear"]
    assert [axes.texts[0].get_text() for axes in figure.axes] == [
        "0.001 at the end", "a at the end", "8 at the end",
    ]  # fmt: skip
    assert figure.axes[-1].get_xlabel() == "step"
    # A magnitude of nothing there is not.
    [axes] = schedules([0], [5], {"w": [0.0]}, [-1], 0, ["w"]).axes
    assert axes.get_yscale() == "linear"


def test_steps_far_behind_the_best_ones_end_are_cut_off_and_said():
    axes = schedules([0, 0], [100, 10_000], {"lr": [1, 2]}, [-1, -1], 0).axes[0]
    assert axes.get_xlim() == (0, 150)
    assert axes.get_xlabel() == "step; other members go on to 10,000"
    whole = schedules([0, 0], [100, 200], {"lr": [1, 2]}, [-1, -1], 0).axes[0]
    assert whole.get_xlim() == (0, 200)


@pytest.mark.parametrize("nodes", [1, 1680])
def test_words_stay_inside_the_figure(nodes):
    rng = np.random.default_rng(0)
    fields = {name: 10 ** rng.uniform(-5, 3, nodes) for name in ("lr", "objective.tc.weight")}
    figure = schedules(
        np.zeros(nodes), np.full(nodes, 5000), fields, np.full(nodes, -1), 0, list(fields),
        title="Tuned fields over training",
    )  # fmt: skip
    height, width, _ = pixels(figure).shape
    for text in [*figure.texts, *figure.legends[0].get_texts(), *figure.axes[0].texts]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    assert figure.texts[0].get_window_extent().x1 < figure.legends[0].get_window_extent().x0


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="at least one field"):
        schedules([0], [1], {}, [-1])
    with pytest.raises(ValueError, match="lr has shape"):
        schedules([0], [1], {"lr": [1, 2]}, [-1])
    with pytest.raises(ValueError, match="stops has shape"):
        schedules([0], [1, 2], {"lr": [1]}, [-1])


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.001, "0.001"), (20, "20"), (1000, "1,000"), (1e-4, "1e−4"), (5e-5, "5e−5"), (1e6, "1e6")],
)
def test_marks_of_magnitudes(value, text):
    assert magnitude(value) == text


def test_choices_are_marked_each():
    given = {"batch_size": [8, 64, 8, 16], "beta": [4, 2, 4, 8]}
    figure = schedules(
        STARTS, STOPS, given, ORIGINS, 3, ["batch_size"], choices=["batch_size", "beta"]
    )
    first, second = figure.axes
    assert [label.get_text() for label in first.get_yticklabels()] == ["8", "16", "64"]
    assert [label.get_text() for label in second.get_yticklabels()] == ["2", "4", "8"]
    assert segments(first)[3] == [(10, 0), (10, 1), (20, 1)]
    assert first.texts[0].get_text() == "16 at the end"
    assert first.get_yscale() == "linear"


def test_choices_become_places_in_their_order():
    values, texts = as_numbers([64, 8, 1024, 8], choices=True)
    assert (values.tolist(), texts) == ([1, 0, 2, 0], ["8", "64", "1,024"])
    assert as_numbers([0.5, 1e-4, 0.5], choices=True)[1] == ["1e−4", "0.5"]
    assert as_numbers(["b", "a"], choices=True)[1] == ["a", "b"]


def test_texts_become_places_in_the_alphabet():
    values, texts = as_numbers(["sgd", "adam", "sgd"])
    assert (values.tolist(), texts) == ([1, 0, 1], ["adam", "sgd"])
    assert as_numbers([3, 0.5])[1] == []
