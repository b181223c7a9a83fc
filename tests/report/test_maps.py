"""Tables of latents and factors stand on the page cell by cell."""

from __future__ import annotations

import re

import pytest

from report.conftest import SCORE, write
from report.pages import Page
from unweave.report import write_report
from unweave.report.maps import maps

IMPORTANCE = {
    "rows": ["z0", "z1", "z2"], "columns": ["shape", "scale", "position_x"],
    "values": [[0.5, -0.25, None], [0.0, 0.75, 0.1], [0.2, 0.5, 0.3]], "label": "importance",
}  # fmt: skip
DCI = SCORE | {"metric": "dci", "value": 0.5, "parts": {}, "matrix": IMPORTANCE}


def test_cells_are_the_numbers_of_the_score_and_the_best_are_marked():
    (found,) = maps([DCI])
    assert (found.name, found.label) == ("dci", "importance")
    assert found.told == "dci 0.500 (unweave/1, 737,280 images)."
    assert (found.latents, found.factors) == (IMPORTANCE["rows"], IMPORTANCE["columns"])
    assert [[cell.text for cell in row] for row in found.rows] == [
        ["0.50", "\N{MINUS SIGN}0.25", "\N{EN DASH}"], ["0.00", "0.75", "0.10"],
        ["0.20", "0.50", "0.30"],
    ]  # fmt: skip
    assert [[cell.best for cell in row] for row in found.rows] == [
        [True, False, False], [False, True, False], [False, False, True],
    ]  # fmt: skip
    # From the least, -0.25, to the largest, 0.75.
    assert [cell.shade for cell in found.rows[0]] == ["0.750", "0.000", "0.000"]
    assert [cell.shade for cell in found.rows[1]] == ["0.250", "1.000", "0.350"]
    assert found.rows[0][2].exact == ""
    assert found.rows[1][2].exact == "0.1"
    # Shades of 0.45, 0.75 and 0.55 in the last row, and 1 above.
    assert [cell.tone for cell in found.rows[2]] == ["", "mid", ""]
    assert found.rows[1][1].tone == "mid dark"


def test_the_newest_of_each_metric_is_shown_once_a_table():
    older = DCI | {"value": 0.1}
    other = SCORE | {"metric": "irs", "matrix": IMPORTANCE | {"label": "robustness"}}
    shared = SCORE | {"metric": "jemmig", "value": 0.125}
    found = maps([other, older, SCORE, shared, DCI])
    assert [each.name for each in found] == ["mig", "dci", "irs"]
    assert found[0].told.startswith("mig 0.221 (unweave/1, 737,280 images) and jemmig 0.125")
    assert found[1].told.startswith("dci 0.500")


def test_a_map_of_earlier_weights_says_so():
    older = SCORE | {"metric": "irs", "matrix": IMPORTANCE, "step": 1_000}
    mig, irs = maps([older, SCORE | {"step": 1_500}])
    assert "step" not in mig.told
    assert irs.told == "irs 0.221 (unweave/1, 737,280 images, of the weights of step 1,000)."


def test_large_tables_lose_their_smallest_latents():
    names = [f"z{j}" for j in range(70)]
    values = [[j % 7 + (100 if j > 10 else 0)] for j in range(70)]
    matrix = {"rows": names, "columns": ["f"], "values": values, "label": "votes"}
    (found,) = maps([SCORE | {"matrix": matrix}])
    assert len(found.latents) == 64
    assert set(names[11:]) <= set(found.latents)
    assert found.left_out == "Left out: 6 latents with the smallest values."
    assert found.rows[-1][0].text == "106"


@pytest.mark.parametrize("values", [[[None, None, None]] * 3, [[0, 0, 0]] * 3])
def test_tables_without_a_value_above_zero_have_no_best(values):
    (found,) = maps([DCI | {"matrix": IMPORTANCE | {"values": values}}])
    assert not any(cell.best for row in found.rows for cell in row)
    assert {cell.shade for row in found.rows for cell in row} == {"0.000"}


def test_maps_stand_on_the_page_as_tables_with_the_names_of_factors(run):
    write(run, "scores.json", {"format": 1, "scores": [SCORE, DCI]})
    html = write_report(run).read_text(encoding="utf-8")
    page = Page(html)
    assert [one["data-map"] for one in page.all("table") if "data-map" in one] == ["mig", "dci"]
    assert ["latent", "shape", "scale", "position_x"] in page.rows
    assert ["z0", "0.12 most", "0.00", "1.50 most"] in page.rows
    assert ["z1", "0.00", "0.75 most", "0.10"] in page.rows
    heads = re.findall(r'<th scope="(col|row)">(?:latent|z\d|shape|scale)', html)
    assert {"col", "row"} == set(heads)
    words = page.sections["Which latent follows which factor"]
    assert "mutual information (nats)" in words
    assert "Importance of each latent for each factor" in words
