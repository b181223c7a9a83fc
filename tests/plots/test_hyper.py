"""Scores over tuned settings: points where there are few, means of parts where there are many."""

from __future__ import annotations

import collections

import numpy as np
import pytest
from matplotlib.collections import PatchCollection, PathCollection

from unweave.plots import hyper_map

RNG = np.random.default_rng(1)
FEW = {"lr": 10 ** RNG.uniform(-5, -1, 30), "beta": RNG.uniform(1, 9, 30)}
SCORES = RNG.random(30)


def panels(figure):
    return [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]


def test_few_scores_are_points_in_their_places():
    figure = hyper_map(FEW, np.where(np.arange(30) == 4, np.nan, SCORES), ["lr"])
    [axes] = panels(figure)
    [points] = [c for c in axes.collections if isinstance(c, PathCollection)]
    found = {
        tuple(where): score
        for where, score in zip(points.get_offsets().tolist(), points.get_array(), strict=True)
    }
    wanted = {
        (FEW["lr"][k], FEW["beta"][k]): SCORES[k] for k in range(30) if k != 4
    }  # fmt: skip
    assert found == wanted
    # The better ones are drawn last, and what has no score is a cross.
    assert (np.diff(points.get_array()) >= 0).all()
    [cross] = [line for line in axes.lines if line.get_marker() == "x"]
    assert cross.get_xydata().tolist() == [[FEW["lr"][4], FEW["beta"][4]]]
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "linear")
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("lr", "beta")


def test_the_best_score_has_a_ring():
    best = int(SCORES.argmax())
    [axes] = panels(hyper_map(FEW, SCORES))
    [ring] = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert ring.get_xydata().tolist() == [[FEW["lr"][best], FEW["beta"][best]]]


def test_many_scores_are_means_of_parts_of_the_plane():
    n = 500
    size = RNG.choice([8, 16, 32], n)
    beta = RNG.uniform(0, 12, n)
    scores = np.where(RNG.random(n) < 0.05, np.nan, RNG.random(n))
    figure = hyper_map({"batch_size": size, "beta": beta}, scores, ["batch_size"])
    [axes] = panels(figure)
    [squares] = [c for c in axes.collections if isinstance(c, PatchCollection)]
    # By hand: three sizes, and twelve equal parts from the least beta to the greatest.
    low, high = beta.min(), beta.max()
    cells = collections.defaultdict(list)
    for k in range(n):
        if np.isfinite(scores[k]):
            part = min(int(12 * (beta[k] - low) / (high - low)), 11)
            cells[int(size[k]), part].append(scores[k])
    boxes = [path.get_extents() for path in squares.get_paths()]
    drawn = {}
    for box, mean in zip(boxes, squares.get_array(), strict=True):
        middle = np.sqrt(box.x0 * box.x1), (box.y0 + box.y1) / 2
        part = int(12 * (middle[1] - low) / (high - low))
        drawn[round(middle[0]), part] = (mean, box)
    assert drawn.keys() == cells.keys()
    for key, values in cells.items():
        assert drawn[key][0] == pytest.approx(np.mean(values))
    # The more scores, the larger; all stay within their parts.
    counts = [len(cells[key]) for key in drawn]
    areas = [box.height for _, box in drawn.values()]
    order = np.argsort(counts, kind="stable")
    assert (np.diff(np.array(areas)[order]) > -1e-9).all()
    assert max(areas) < (high - low) / 12
    assert figure.axes[-1].get_ylabel() == "mean score"
    assert (
        f"{int(np.isfinite(scores).sum())} scores" in figure.legends[0].get_texts()[-1].get_text()
    )


def test_more_fields_are_shown_pair_by_pair():
    fields = {name: RNG.uniform(1, 2, 20) for name in "abcd"}
    axes = panels(hyper_map(fields, RNG.random(20)))
    assert len(axes) == 6
    assert [one.get_xlabel() for one in axes[-3:]] == ["a", "b", "c"]
    assert [one.get_ylabel() for one in axes if one.get_ylabel()] == ["b", "c", "d"]


def test_one_field_is_shown_under_its_scores():
    scores = SCORES.copy()
    scores[3] = np.nan
    [axes] = hyper_map({"lr": FEW["lr"]}, scores, ["lr"], score_label="mig").axes
    [points] = axes.collections
    known = np.isfinite(scores)
    np.testing.assert_array_equal(
        points.get_offsets(), np.stack([FEW["lr"][known], scores[known]], axis=1)
    )
    assert (axes.get_xscale(), axes.get_ylabel()) == ("log", "mig")
    [cross] = [line for line in axes.lines if line.get_marker() == "x"]
    assert cross.get_xdata().tolist() == [FEW["lr"][3]]


def test_texts_lie_beside_their_names():
    kinds = ["sgd", "adam", "rmsprop"] * 10
    [axes] = panels(hyper_map({"lr": FEW["lr"], "kind": kinds}, SCORES))
    [points] = [c for c in axes.collections if isinstance(c, PathCollection)]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["adam", "rmsprop", "sgd"]
    rows = dict(zip(points.get_offsets()[:, 0].tolist(), points.get_offsets()[:, 1], strict=True))
    for rate, kind in zip(FEW["lr"], kinds, strict=True):
        assert abs(rows[rate] - ["adam", "rmsprop", "sgd"].index(kind)) <= 0.2
    many = hyper_map({"lr": np.tile(FEW["lr"], 5), "kind": kinds * 5}, np.tile(SCORES, 5))
    [squares] = [c for c in panels(many)[0].collections if isinstance(c, PatchCollection)]
    middles = {round((b.y0 + b.y1) / 2, 6) for b in (p.get_extents() for p in squares.get_paths())}
    assert middles == {0, 1, 2}


def test_choices_have_marks_of_their_own_and_points_that_do_not_hide_each_other():
    sizes, latents = np.tile([8, 32, 1024], 10), np.repeat([4, 8], 15)
    figure = hyper_map({"batch_size": sizes, "latents": latents}, SCORES, ["batch_size"],
                       choices=["batch_size", "latents"])  # fmt: skip
    [axes] = panels(figure)
    assert [label.get_text() for label in axes.get_xticklabels()] == ["8", "32", "1,024"]
    assert axes.get_xticks().tolist() == [0, 1, 2]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["4", "8"]
    assert (axes.get_xscale(), axes.get_yscale()) == ("linear", "linear")
    [points] = [c for c in axes.collections if isinstance(c, PathCollection)]
    # Points are drawn by their scores, the best last.
    places = np.empty((30, 2))
    places[np.argsort(SCORES, kind="stable")] = points.get_offsets()
    assert (places.round() == np.stack([np.tile([0, 1, 2], 10), latents // 4 - 1], axis=1)).all()
    apart = np.linalg.norm(places[:, None] - places, axis=2)[np.triu_indices(30, 1)]
    assert apart.min() > 0.03
    # In no line: both ways of being apart have nothing to do with each other.
    off = places - places.round()
    assert abs(np.corrcoef(off.T)[0, 1]) < 0.3
    [ring] = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert ring.get_xydata().tolist() == [places[SCORES.argmax()].tolist()]


def test_choices_of_one_field_and_of_many_scores():
    sizes = np.tile([16, 32, 64], 10)
    [axes] = hyper_map({"batch_size": sizes}, SCORES, choices=["batch_size"]).axes
    [points] = axes.collections
    places = points.get_offsets()
    np.testing.assert_array_equal(places[:, 0].round(), np.tile([0, 1, 2], 10))
    np.testing.assert_array_equal(places[:, 1], SCORES)
    assert len(set(places[:, 0])) == 30
    [ring] = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
    assert ring.get_xydata().tolist() == [places[SCORES.argmax()].tolist()]
    many = {"batch_size": np.tile(sizes, 5), "lr": np.tile(FEW["lr"], 5)}
    [axes] = panels(hyper_map(many, np.tile(SCORES, 5), ["lr"], choices=["batch_size"]))
    [squares] = [c for c in axes.collections if isinstance(c, PatchCollection)]
    boxes = [path.get_extents() for path in squares.get_paths()]
    assert {round((box.x0 + box.x1) / 2, 6) for box in boxes} == {0, 1, 2}
    assert [label.get_text() for label in axes.get_xticklabels()] == ["16", "32", "64"]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("n", [1, 12, 1680])
def test_words_stay_inside_the_figure(count, n):
    names = ["lr", "batch_size", "objective.density_ratio_tc.weight", "beta"][:count]
    fields = {name: 10 ** RNG.uniform(-5, 3, n) for name in names}
    if count > 2:
        fields[names[1]] = 2.0 ** RNG.integers(4, 11, n)
    figure = hyper_map(fields, RNG.random(n), names, title="Scores by tuned fields, all rounds",
                       score_label="mig", choices=names[1:2] * (count > 2))  # fmt: skip
    figure.draw_without_rendering()
    width, height = figure.bbox.width, figure.bbox.height
    assert figure.get_figwidth() <= 8.05
    for text in [*figure.texts, *figure.legends[0].get_texts()]:
        box = text.get_window_extent()
        assert box.x0 >= 0
        assert box.x1 <= width
        assert box.y1 <= height
    assert figure.texts[0].get_window_extent().x1 < figure.legends[0].get_window_extent().x0


def test_what_does_not_fit_is_refused():
    for fields, scores in (({}, [1.0]), ({"lr": []}, [])):
        with pytest.raises(ValueError, match="at least one field and one score"):
            hyper_map(fields, scores)
    with pytest.raises(ValueError, match="lr has shape"):
        hyper_map({"lr": [1.0]}, [1.0, 2.0])
