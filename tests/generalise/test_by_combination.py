"""Maps of several runs, both regions in one, against a loop over cells."""

from __future__ import annotations

import numpy as np
import pytest

from generalise.runs import found_of, nll
from unweave.generalise import groups_of
from unweave.generalise.by_combination import error_map, errors_figure, lacking_maps
from unweave.generalise.page import write_page

ROWS, COLUMNS = ["square", "ellipse", "heart"], ["0", "0.290323", "0.709677", "1"]


def matrix_of(values, **changes):
    known = [[None if np.isnan(value) else float(value) for value in row] for row in values]
    form = {"rows": ROWS, "columns": COLUMNS, "values": known, "label": "excess"}
    return form | {"axes": ["shape", "pos_x"]} | changes


def drawn(seed):
    """Values of images like those trained on, of which one cell has none, and held-out ones."""
    rng = np.random.default_rng(seed)
    inside, outside = rng.uniform(1, 9, (3, 4)), rng.uniform(50, 90, (3, 4))
    inside[1, 1] = np.nan
    inside[2, seed % 4] = np.nan
    # A mixed cell: some of its images are held out, and others are not.
    held = np.zeros((3, 4), bool)
    held[0, 2:] = held[1, 3] = True
    inside[0, 2:] = np.nan
    outside[~held] = np.nan
    return inside, outside


def run_of(seed, objective="vae", **changes):
    inside, outside = drawn(seed)
    maps = {"in_distribution": matrix_of(inside), "held_out": matrix_of(outside)}
    return found_of(objective, seed=seed, inside=nll(5), outside=nll(70), maps=maps | changes)


def by_loops(seeds):
    found = np.full((3, 4), np.nan)
    for row in range(3):
        for column in range(4):
            numbers = []
            for seed in seeds:
                inside, outside = (each[row, column] for each in drawn(seed))
                number = inside if np.isnan(outside) else outside
                numbers += [] if np.isnan(number) else [number]
            if numbers:
                found[row, column] = sum(numbers) / len(numbers)
    return found


@pytest.mark.parametrize("seeds", [(0,), (0, 1), (0, 1, 2, 3, 4)])
def test_a_cell_is_the_mean_over_runs_of_what_was_held_out_or_else_of_the_rest(seeds):
    found = error_map([run_of(seed) for seed in seeds])
    np.testing.assert_allclose(found.values, by_loops(seeds), rtol=1e-12)
    assert found.held_out.tolist() == [[0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]
    assert found.runs == len(seeds)
    assert found.axes == ("shape", "pos_x")
    assert np.isnan(found.values[1, 1])


def test_runs_that_lack_a_side_or_have_other_cells_have_no_part():
    other = {"columns": ["a", "b", "c", "d"]}
    without = found_of(seed=7, inside=nll(1), outside=nll(2))
    one_side = found_of(seed=8, maps={"held_out": matrix_of(drawn(0)[1])})
    apart = run_of(9, held_out=matrix_of(drawn(0)[1], **other))
    found = error_map([without, one_side, run_of(1), apart, run_of(2)])
    np.testing.assert_allclose(found.values, by_loops((1, 2)), rtol=1e-12)
    assert found.runs == 2
    assert error_map([without, one_side, apart]) is None


def test_the_figure_has_a_map_for_each_model():
    groups = groups_of([run_of(0), run_of(1), run_of(0, "beta_vae(beta=8)")])
    heading, caption, figure = errors_figure(groups)
    assert heading == "Errors by combination"
    first, second, _ = figure.axes
    np.testing.assert_allclose(first.images[0].get_array().filled(np.nan), by_loops((0, 1)))
    np.testing.assert_allclose(second.images[0].get_array().filled(np.nan), by_loops((0,)))
    assert [label.get_text() for label in first.get_xticklabels()] == ["0", "0.29", "0.71", "1"]
    assert "kept apart from training" in caption
    assert "have most values" not in caption
    assert lacking_maps(groups) == ""


def test_of_more_factors_the_caption_says_why_these_are_shown():
    both = {
        region: matrix_of(values) | {"axes": ["pos_x", "orientation"]}
        for region, values in zip(("in_distribution", "held_out"), drawn(0), strict=True)
    }
    groups = groups_of([found_of(condition="leave1out", holdout=0.0, maps=both,
                                 data="dsprites(grid=(3, 6, 8, 8, 8))")])  # fmt: skip
    _, caption, _ = errors_figure(groups)
    assert "Of the 5 factors in the rule, pos_x and orientation have most values." in caption
    assert "others show images that were trained on" in caption


def test_what_is_lacking_is_told_with_what_adds_it(tmp_path):
    old = found_of(seed=3, inside=nll(5), outside=nll(70))
    sentence = lacking_maps(groups_of([run_of(0), old]))
    assert sentence.startswith("Some runs were scored without errors by combination")
    assert f"with RUN each of {old.folder}." in sentence
    assert "--part holdout, and unweave evaluate RUN" in sentence
    page = write_page([run_of(0), old], tmp_path / "page.html").read_text()
    assert "Errors by combination" in page
    assert sentence in page
    many = [found_of(seed=k, holdout=0.0, inside=nll(5), outside=nll(9)) for k in range(5)]
    sentence = lacking_maps(groups_of(many))
    assert sentence.startswith("These runs were scored without")
    assert "--part all" in sentence
    assert sentence.endswith(f"{many[2].folder} and 2 more.")
    page = write_page(many, tmp_path / "page.html").read_text()
    assert sentence in page
    assert "Errors by combination" not in page
    # Composers reconstruct nothing.
    assert lacking_maps(groups_of([found_of("composer", composition={"id_id.excess": 1.0})])) == ""


def test_factors_with_too_many_values_have_no_map():
    data = "dsprites(grid=(3, 2, 2, 8, 8))"
    old = found_of(condition="index(pos_x) > 3", data=data, inside=nll(5), outside=nll(70))
    assert "these two commands add" in lacking_maps(groups_of([old]))
    from unweave.generalise import by_combination

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(by_combination, "axes_of", lambda condition, space: ())
        sentence = lacking_maps(groups_of([old]))
    assert "no factor in the rule of what is held out has between 2 and 64 values" in sentence
