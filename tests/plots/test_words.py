"""Words of all figures can be read: whole, apart from each other, and large enough."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.figure import Figure

from plots.cases import CASES
from plots.cases.given import RNG
from plots.words import drawn_words, faults, meet
from unweave import plots
from unweave.plots.style import new_figure

START = RNG.bit_generator.state


def test_every_figure_has_cases():
    made = {
        name
        for name in plots.__all__
        if getattr(getattr(plots, name), "__annotations__", {}).get("return") == "Figure"
    }
    assert made == set(CASES), "give each function of plots its cases in tests/plots/cases"


@pytest.mark.parametrize(
    ("name", "case"), [(name, case) for name, cases in CASES.items() for case in cases]
)
def test_words_can_be_read(name, case):
    RNG.bit_generator.state = START
    figure = CASES[name][case]()
    assert isinstance(figure, Figure)
    assert faults(figure) == []
    assert figure.get_figwidth() <= 8.3


class TestFaults:
    """What `faults` finds, so that the tests above can fail."""

    def figure(self):
        figure = new_figure(4, 2, dpi=100)
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, 400), ylim=(0, 200))
        axes.set_axis_off()
        return figure, axes

    def test_words_beyond_an_edge(self):
        figure, axes = self.figure()
        axes.text(390, 100, "too far to the right")
        (line,) = faults(figure)
        assert line.startswith("cut by")

    def test_words_over_each_other(self):
        figure, axes = self.figure()
        axes.text(100, 100, "one")
        axes.text(105, 102, "other")
        assert faults(figure) == ["overlap: 'one' and 'other'"]

    def test_tilted_words_side_by_side_are_apart(self):
        figure, axes = self.figure()
        for place in range(3):
            axes.text(60 + 25 * place, 60, "words that are tilted", rotation=45,
                      rotation_mode="anchor", fontsize=8)  # fmt: skip
        assert faults(figure) == []
        # Their upright boxes do meet.
        boxes = [text.get_window_extent() for text in axes.texts]
        assert boxes[0].overlaps(boxes[1])

    def test_small_words(self):
        figure, axes = self.figure()
        axes.text(100, 100, "small", fontsize=3)
        assert faults(figure) == ["only 3.0 points: 'small'"]

    def test_ticks_beyond_the_ends_of_an_axis_are_not_drawn(self):
        figure = new_figure(4, 2, dpi=100)
        axes = figure.add_subplot()
        axes.set_xticks([0, 1, 50], ["first", "second", "beyond"])
        axes.set_xlim(0, 2)
        words = {text.get_text() for text, _ in drawn_words(figure)}
        assert {"first", "second"} <= words
        assert "beyond" not in words

    def test_turned_boxes(self):
        square = np.array([[-1.0, -1.0], [1.0, -1.0], [1.0, 1.0], [-1.0, 1.0]]) * 10
        turn = np.array([[1.0, 1.0], [-1.0, 1.0]]) / np.sqrt(2)
        # Corner to corner along the diagonal: sides are 24 apart where middles are.
        assert meet(square, square @ turn + [23.0, 0])
        assert not meet(square, square @ turn + [25.0, 0])
