"""The lineage of a population: every node in its place, every origin as a line."""

from __future__ import annotations

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PathCollection

from plots.rendered import pixels
from unweave.plots import lineage
from unweave.plots.lineage import descent
from unweave.plots.style import MARK

# Three members, three rounds: 2 is lost and gets the weights of 0, whose copy is the best.
ROUNDS = [1, 1, 1, 2, 2, 2, 3, 3, 3]
MEMBERS = [0, 1, 2] * 3
SCORES = [0.5, 0.1, np.nan, 0.6, 0.2, 0.7, 0.3, 0.9, 0.4]
ORIGINS = [-1, -1, -1, 0, 1, 0, 5, 5, -1]


def draw(**options):
    return lineage(ROUNDS, MEMBERS, SCORES, ORIGINS, 7, title="Lineage", **options)


def test_the_way_of_a_nodes_weights():
    assert descent(ORIGINS, 7) == [0, 5, 7]
    assert descent(ORIGINS, 8) == [8]
    with pytest.raises(ValueError, match="circle"):
        descent([1, 0], 0)


def test_lines_go_from_each_origin_to_what_came_of_it():
    axes = draw().axes[0]
    drawn = [
        tuple(map(tuple, segment.tolist()))
        for collection in axes.collections
        if isinstance(collection, LineCollection)
        for segment in collection.get_segments()
    ]
    place = list(zip(ROUNDS, MEMBERS, strict=True))
    wanted = [(place[o], place[k]) for k, o in enumerate(ORIGINS) if o >= 0]
    assert sorted(drawn) == sorted(wanted)


def test_the_winners_way_stands_out():
    axes = draw().axes[0]
    [line] = [line for line in axes.lines if line.get_color() == MARK]
    assert [tuple(point) for point in line.get_xydata()] == [(1, 0), (2, 2), (3, 1)]
    without = lineage(ROUNDS, MEMBERS, SCORES, ORIGINS).axes[0]
    assert not without.lines


def test_better_scores_are_darker_and_lost_ones_are_crosses():
    figure = draw()
    axes = figure.axes[0]
    figure.draw_without_rendering()
    points = [c for c in axes.collections if isinstance(c, PathCollection)]
    known = points[0]
    finite = np.isfinite(SCORES)
    where = np.stack([ROUNDS, MEMBERS], axis=1)
    np.testing.assert_array_equal(known.get_offsets(), where[finite])
    lightness = known.get_facecolors()[:, :3].sum(axis=1)
    order = np.argsort(np.array(SCORES)[finite])
    assert (np.diff(lightness[order]) < 0).all()
    # Even the worst one can be told from the paper.
    assert lightness.max() < 2.85
    np.testing.assert_array_equal(points[1].get_offsets(), where[~finite])


def test_the_scale_says_what_scores_are():
    figure = draw(score_label="mig")
    assert figure.axes[1].get_ylabel() == "mig"
    assert [text.get_text() for text in figure.legends[0].get_texts()][-1] == "no score"
    fine = lineage(ROUNDS, MEMBERS, np.ones(9), ORIGINS)
    assert "no score" not in [text.get_text() for text in fine.legends[0].get_texts()]


@pytest.mark.parametrize(("members", "rounds"), [(1, 1), (4, 3), (56, 30), (300, 3)])
def test_small_and_large_populations_fit_on_a_page(members, rounds):
    rng = np.random.default_rng(0)
    of = np.repeat(np.arange(1, rounds + 1), members)
    who = np.tile(np.arange(members), rounds)
    parents = np.where(rng.random(len(of)) < 0.2, rng.integers(members, size=len(of)), who)
    origins = np.where(of > 1, (of - 2) * members + parents, -1)
    figure = lineage(
        of, who, rng.random(len(of)), origins, len(of) - 1,
        title="Lineage: member 299 of round 30 is best", score_label="mig",
    )  # fmt: skip
    picture = pixels(figure)
    height, width, _ = picture.shape
    assert figure.get_figwidth() == 8
    assert figure.get_figheight() < 10.5
    texts = [*figure.texts, *figure.legends[0].get_texts()]
    boxes = [text.get_window_extent() for text in texts if text.get_text()]
    for box in boxes:
        assert box.x0 >= 0
        assert box.y0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    # The title and the key stand side by side.
    assert figure.texts[0].get_window_extent().x1 < figure.legends[0].get_window_extent().x0


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        (([], [], [], []), "one length"),
        (([1, 2], [0, 0], [0.1], [-1, 0]), "one length"),
        (([1, 2], [0, 0], [0.1, 0.2], [-1, 2]), "one of the 2 nodes"),
        (([1, 2], [0, 0], [0.1, 0.2], [-2, 0]), "one of the 2 nodes"),
    ],
)
def test_what_does_not_fit_is_refused(arrays, words):
    with pytest.raises(ValueError, match=words):
        lineage(*arrays)
