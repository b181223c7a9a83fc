"""Tables beside the main one: their numbers, their intervals, and what regions are called."""

from __future__ import annotations

import re

import numpy as np
import pytest

from generalise.runs import found_of, nll
from unweave.generalise import groups_of, relations_of
from unweave.generalise.page import write_page
from unweave.generalise.tables import tables_of
from unweave.generalise.wording import NO_INTERVAL, ends_of, not_apart, region_words
from unweave.generalise.words import lines_of, told
from unweave.metrics.interval import over_runs

RIGHT = [0.5, 0.6, 0.8, 0.85]


def probed(right, true=0.98):
    """Scores of a probe that reads less of reconstructions than of true images."""
    parts = {"accuracy": right, "true_accuracy": true, "shape.accuracy": right - 0.1,
             "shape.true_accuracy": true - 0.01, "shape.steps": 1.0}  # fmt: skip
    return {"factor_errors": {"value": true - right, **parts}}


def blamed(excess, swapped, placed=1.0):
    parts = {"excess": excess + 5, "excess_placed": excess, "excess_swapped": swapped,
             "recovered": excess - swapped, "distance": 2.0, "nearest_expected": 0.25,
             "placed": placed}  # fmt: skip
    return {"attribution": {"value": excess + 5, **parts}}


def runs_of(count, **settings):
    return [
        found_of(
            seed=seed,
            inside=nll(1) | probed(RIGHT[seed] + 0.1) | blamed(30.0 + seed, 20.0),
            outside=nll(2) | probed(RIGHT[seed]) | blamed(90.0 + seed, 50.0),
            **settings,
        )
        for seed in range(count)
    ]


def table_of(name, groups):
    [table] = [table for table in tables_of(groups) if table.name == name]
    return table


def test_each_cell_has_the_interval_of_its_runs():
    table = table_of("factors", groups_of(runs_of(4)))
    assert table.heads == ("all factors", "shape")
    assert [row.images for row in table.rows] == [
        "in distribution", "in distribution, true images", "held out", "held out, true images",
    ]  # fmt: skip
    cell = table.rows[2].cells[0]
    values = np.array(RIGHT)
    expected = over_runs(values, np.mean, 0)
    assert cell.mean == pytest.approx(values.mean())
    assert (cell.low, cell.high) == (expected.low, expected.high)
    assert cell.low < cell.mean < cell.high
    assert table.rows[2].cells[1].mean == pytest.approx(values.mean() - 0.1)
    assert [cell.mean for cell in table.rows[3].cells] == pytest.approx([0.98, 0.97])


def test_what_is_recovered_and_what_is_left_add_up_in_the_table():
    table = table_of("blame", groups_of(runs_of(3)))
    assert "placed, share" not in table.heads
    own, left, recovered = (
        table.heads.index(head)
        for head in ("excess, own code", "without displacement", "recovered")
    )
    for row in table.rows:
        means = [cell.mean for cell in row.cells]
        assert means[own] == pytest.approx(means[left] + means[recovered])
    assert table.rows[1].cells[own].mean == 91


def test_images_without_an_expected_code_are_counted():
    part = {"value": 40.0, "excess": 40.0, "nll": 40.0, "placed": 0.0}
    runs = [found_of(inside=nll(1) | blamed(3.0, 2.0), outside=nll(2) | {"attribution": part})]
    table = table_of("blame", groups_of(runs))
    assert table.heads[0] == "placed, share"
    inside, outside = table.rows
    assert inside.cells[0].mean == 1
    assert outside.cells[0].mean == 0
    assert outside.cells[1:] == (None,) * 5


def test_composed_images_have_intervals_too():
    runs = [
        found_of("composer", seed=seed, composition={
            "id_id.excess": 10.0 + seed, "id_id.copied": 30.0, "ood_ood.excess": 50.0 - seed,
        })
        for seed in range(3)
    ]  # fmt: skip
    table = table_of("composed", groups_of(runs))
    assert [row.images for row in table.rows] == ["all known", "all new"]
    assert table.rows[0].cells[0].mean == 11
    assert table.rows[0].cells[0].interval
    assert table.rows[0].cells[0].low < 11 < table.rows[0].cells[0].high
    assert table.rows[1].cells[1] is None


@pytest.mark.parametrize(
    ("count", "said"), [(1, NO_INTERVAL), (2, "0.500 to 0.600"), (4, "0.562 to 0.800")]
)
def test_page_and_text_show_the_ends(tmp_path, count, said):
    groups = groups_of(runs_of(count))
    cell = table_of("factors", groups).rows[2].cells[0]
    if count == 4:
        said = f"{cell.low:.3f} to {cell.high:.3f}"
    assert ends_of(cell, 3) == said
    text = "\n".join(lines_of(groups, relations_of(groups)))
    [line] = re.findall(r"^vae, held out  +0\.\d.*$", text, re.MULTILINE)[:1]
    assert f"{cell.mean:.3f} ({said})" in line
    page = write_page(runs_of(count), tmp_path / "page.html").read_text()
    assert f'{cell.mean:.3f}<span class="ends">{said}</span>' in page
    # In all three tables.
    assert page.count('<span class="ends">') > 20
    for words in ("factor errors", "factor errors held out", "held out, true images"):
        assert words in page
        assert words in text


def test_errors_of_the_probe_stand_beside_those_of_the_model():
    [run] = runs_of(1)
    text = told(run)
    for words, numbers in (
        ("factor errors, share", ["0.380", "0.480"]),
        ("shape right, share", ["0.500", "0.400"]),
        ("shape right in true images, share", ["0.970", "0.970"]),
    ):
        [line] = [line for line in text.splitlines() if line.startswith(words)]
        assert line.removeprefix(words).split()[:2] == numbers
    number = groups_of([run])[0].number("factor_errors_held_out")
    assert number.mean == pytest.approx(0.48)


def test_what_was_trained_on_is_not_called_in_distribution(tmp_path):
    apart, not_ = runs_of(1), runs_of(2, holdout=0.0)
    assert region_words(apart)["in_distribution"] == "in distribution"
    assert region_words(not_)["in_distribution"] == "trained on"
    assert region_words(apart + not_)["in_distribution"] == "in distribution or trained on"
    assert not_apart(apart) == ""
    assert "Nothing was kept apart" in not_apart(not_)
    assert "Of 2 of 3 runs nothing was kept apart" in not_apart(apart + not_)
    groups = groups_of(not_)
    text = "\n".join(lines_of(groups, []))
    page = write_page(not_, tmp_path / "page.html").read_text()
    for shown in (text, page):
        assert not_apart(not_) in shown
        assert "trained on, true images" in shown
    assert '<td class="region">in distribution' not in page
    assert not_apart(not_) in told(not_[0])
    assert "Nothing was kept apart" not in write_page(apart, tmp_path / "p.html").read_text()
