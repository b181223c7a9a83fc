"""Scores as text: short tables, matrices and intervals; and as JSON."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from unweave.metrics import Matrix, Score
from unweave.metrics.interval import over_draws
from unweave.metrics.show import compact, details, form

FACTORS = Matrix(np.array([[0.1, 0.5], [0.4, 0.0]]), ("z0", "z1"), ("a", "b"), "information")
LATENTS = Matrix(np.eye(2), ("z0", "z1"), ("z0", "z1"), "correlation")


def test_a_short_table_has_a_line_for_each_metric():
    rows = compact(
        {
            "mig": Score(0.25, {"a": 0.125, "b": 0.5}, FACTORS),
            "unsupervised": Score(3.5, {"gaussian_total_correlation": 3.5}, unit="nats"),
            "alone": Score(0.5),
            "test_losses": Score(
                9.0, {"recon": 8.0, "dip_i": 1.0}, unit="nats an image", units={"dip_i": ""}
            ),
        }
    ).splitlines()
    assert rows.pop().split(maxsplit=2) == [
        "test_losses", "9.0000", "recon 8, dip_i 1, in nats an image but for dip_i",
    ]  # fmt: skip
    assert rows[0].split() == ["metric", "value", "parts"]
    assert rows[1].split(maxsplit=2) == ["mig", "0.2500", "a 0.125, b 0.5"]
    assert rows[2].split(maxsplit=2) == [
        "unsupervised", "3.5000", "gaussian_total_correlation 3.5, in nats",
    ]  # fmt: skip
    assert rows[3].split() == ["alone", "0.5000"]
    ends = {row.index(number) + len(number) for row, number in zip(
        rows[1:], ("0.2500", "3.5000", "0.5000"), strict=True
    )}  # fmt: skip
    assert ends == {rows[0].index("value") + 5}


def test_many_parts_are_wrapped_and_counted():
    parts = {f"a_part_of_the_score_{i}": i / 7 for i in range(40)}
    rows = compact({"dci": Score(0.5, parts)}).splitlines()
    assert max(map(len, rows)) <= 100
    assert "a_part_of_the_score_11 1.571" in " ".join(rows)
    assert "a_part_of_the_score_12" not in " ".join(rows)
    assert rows[-1].endswith("and 28 more")
    # A name and its number stay together, below the first part.
    assert len({len(row) - len(row.lstrip()) for row in rows[2:]}) == 1
    assert all(row.split(", ")[0].split()[-1].startswith(tuple("01")) for row in rows[2:])


def test_intervals_have_a_column_where_there_are_any():
    plain = Score(0.5)
    repeated = Score(2.0, {"a": 2.0}, interval=over_draws((1.0, 2.0, 3.0)))
    rows = compact({"one": plain, "two": repeated}).splitlines()
    assert "95 % over draws" in rows[0]
    assert rows[2].split(maxsplit=2) == ["two", "2.0000", "-0.4841 to 4.4841  a 2"]
    assert rows[1].split() == ["one", "0.5000"]


def test_the_matrix_marks_the_latent_of_each_factor():
    rows = details("mig", Score(0.25, {"a": 0.125, "total": 1.5}, FACTORS))
    assert rows.pop(5).strip().endswith("marks the latent that follows the factor most closely")
    assert [row.split() for row in rows] == [
        [],
        ["a", "b"],
        ["z0", "0.100", "0.500*"],
        ["z1", "0.400*", "0.000"],
        ["gap", "0.125", "-"],
        ["total", "1.5000"],
    ]


def test_a_table_of_latents_has_no_marks():
    rows = details("unsupervised", Score(0.25, {}, LATENTS))
    assert [row.split() for row in rows[2:]] == [
        ["z0", "1.000", "0.000"],
        ["z1", "0.000", "1.000"],
        ["correlation"],
    ]


@pytest.mark.parametrize(("columns", "shown"), [(3, True), (40, False)])
def test_a_table_by_values_is_shown_where_it_fits(columns, shown):
    values = np.full((2, columns), 0.25)
    values[1, 0] = np.nan
    names = tuple(f"{k}" for k in range(columns))
    matrix = Matrix(values, ("square", "heart"), names, "excess", ("shape", "pos_x"))
    rows = details("x", Score(0.25, {}, matrix))
    text = "\n".join(rows)
    assert "excess, by shape and pos_x" in text
    assert max(map(len, rows)) <= 100
    if shown:
        assert ["heart", "-", "0.250", "0.250"] in [row.split() for row in rows]
    else:
        assert "a table of 2 by 40, which --json shows" in text
    assert "marks" not in text


def test_repeats_are_told_with_their_number():
    (row,) = details("x", Score(2.0, interval=over_draws((1.0, 2.0, 3.0))))
    assert row.strip() == (
        "95 % over 3 draws of this table: -0.4841 to 4.4841, standard deviation 1.0000"
    )


def test_what_is_not_finite_is_null_in_json():
    matrix = Matrix(np.array([[0.5, np.nan]]), ("z0",), ("a", "b"), "information")
    found = form(Score(math.nan, {"a": math.inf, "b": 1.0}, matrix))
    text = json.dumps(found, allow_nan=False)
    assert json.loads(text)["parts"] == {"a": None, "b": 1.0}
    assert found["value"] is None
    assert found["matrix"]["values"] == [[0.5, None]]
    assert found["interval"] is None
    again = form(Score(2.0, interval=over_draws((1.0, 3.0))))["interval"]
    assert again["values"] == [1.0, 3.0]
    assert again["over"] == "draws"
