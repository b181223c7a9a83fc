"""Scores from round to round: the best, the middle ones, and how many are missing."""

from __future__ import annotations

import numpy as np
import pytest

from plots.rendered import pixels
from unweave.plots import round_scores
from unweave.plots.style import BLUE, MARK

ROUNDS = [1] * 5 + [2] * 3 + [3] * 2
SCORES = [0.5, 0.1, 0.3, 0.2, 0.4, 0.9, np.nan, 0.7, np.nan, np.inf]


def lines(axes):
    return {line.get_label(): line for line in axes.lines}


def test_the_best_and_the_middle_scores():
    axes = round_scores(ROUNDS, SCORES, title="Scores", score_label="mig").axes[0]
    found = lines(axes)
    assert found["best of the round"].get_ydata()[:2].tolist() == [0.5, 0.9]
    assert found["median"].get_ydata()[:2].tolist() == [0.3, pytest.approx(0.8)]
    assert np.isnan(found["median"].get_ydata()[2])
    assert (found["best of the round"].get_color(), found["median"].get_color()) == (MARK, BLUE)
    band = axes.collections[0].get_paths()[0].vertices
    # Of 0.1, ..., 0.5 the quartiles are 0.2 and 0.4; of 0.7 and 0.9 they are 0.75 and 0.85.
    for place, ends in ((1, (0.2, 0.4)), (2, (0.75, 0.85))):
        heights = band[band[:, 0] == place, 1]
        assert (heights.min(), heights.max()) == pytest.approx(ends)
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("round", "mig")


def test_members_without_a_score_are_counted():
    axes = round_scores(ROUNDS, SCORES).axes[0]
    assert lines(axes)["members without a score"].get_xdata().tolist() == [2, 3]
    assert [text.get_text() for text in axes.texts] == ["1", "2"]
    fine = round_scores([1, 2], [0.1, 0.2]).axes[0]
    assert "members without a score" not in lines(fine)


@pytest.mark.parametrize("rounds", [1, 3, 300])
def test_words_stay_inside_the_figure(rounds):
    of = np.repeat(np.arange(1, rounds + 1), 4)
    figure = round_scores(of, np.where(of == 1, np.nan, of / 7) if rounds > 1 else of,
                          title="Scores by round", score_label="mig")  # fmt: skip
    height, width, _ = pixels(figure).shape
    for text in [*figure.texts, *figure.legends[0].get_texts()]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    assert figure.texts[0].get_window_extent().x1 < figure.legends[0].get_window_extent().x0


def test_rounds_are_whole_and_marks_of_scores_are_those_of_scores():
    axes = round_scores([1, 1, 1], [0.5, 0.7, np.nan]).axes[0]
    axes.figure.draw_without_rendering()
    assert [t.get_text() for t in axes.get_xticklabels() if 0.5 <= t.get_position()[0] <= 1.5] == [
        "1"
    ]
    # None stands beside the strip of those without a score.
    assert min(axes.get_yticks()) >= 0.48


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="one length"):
        round_scores([], [])
    with pytest.raises(ValueError, match="one length"):
        round_scores([1, 2], [0.5])
