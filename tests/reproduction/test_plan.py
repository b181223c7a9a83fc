"""What is trained for a row, of what is there already."""

from __future__ import annotations

from unweave.reproduction import ROWS, plan_of
from unweave.rundir import write_json

# It goes on from the weights of another one.
CHAINED = ROWS["dpt/table1_real"]


def lengths(place, **asked):
    return [piece.config.steps for piece in plan_of(CHAINED, out=place, **asked).pieces]


def begun(folder, step):
    write_json(folder / "config.json", {})
    write_json(folder / "status.json", {"state": "stopped", "step": step})


def test_weights_that_a_row_has_begun_with_are_not_trained_further(tmp_path):
    start, row = plan_of(CHAINED, steps=100, out=tmp_path).pieces
    assert lengths(tmp_path, steps=100) == [100, 100]
    begun(start.folder, 100)
    assert lengths(tmp_path, steps=1000) == [1000, 1000]
    begun(row.folder, 100)
    # The page says of how many steps they were.
    assert lengths(tmp_path, steps=1000, seeds=2) == [100, 1000, 1000]
    assert lengths(tmp_path) == [100, CHAINED.config.steps]
