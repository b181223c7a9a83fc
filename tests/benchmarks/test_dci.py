"""The benchmark of DCI's trees: its table, and a run of the script."""

from __future__ import annotations

import dci
import numpy as np
from dci import Measured

from unweave.splits import keyed_generator


def test_times_are_means_over_rounds_and_differences_are_the_largest():
    factors = np.stack([np.arange(60) % 3, np.arange(60) % 5], axis=1)
    first = [Measured(30, 1, 4.0, 1.0, 1e-15, 0), Measured(50, 0, 8.0, 2.0, 2e-14, 1)]
    second = [Measured(30, 1, 6.0, 1.0, 3e-15, 0), Measured(50, 4, 6.0, 2.0, 1e-14, 0)]
    lines = dci.report(factors, [first, second])
    assert lines[2:] == [
        "| 3 | 30 | 1 | 5.0 | 1.0 | 5.0 | 3.0e-15 | 0 |",
        "| 5 | 50 | 2 | 7.0 | 2.0 | 3.5 | 2.0e-14 | 1 |",
        "| all | 80 | 3 | 12.0 | 3.0 | 4.0 | 2.0e-14 | 1 |",
    ]


def test_both_grow_the_same_trees():
    codes, factors = dci.noisy_codes(keyed_generator(0, "test"), 300, (3, 4, 5))
    found = dci.measure(codes, factors[:, 1], 3)
    assert found.trees == 12
    assert found.deviation < 1e-12
    assert found.labels == 0
    assert min(found.reference, found.ours) > 0


def test_the_script_runs(capsys, tmp_path):
    dci.main(["--stages", "1", "--rows", "150", "--out", str(tmp_path / "dci.md")])
    said = capsys.readouterr().out
    assert "## 150 rows drawn anew" in said
    assert "## 150 rows of 840 different ones" in said
    text = (tmp_path / "dci.md").read_text(encoding="utf-8")
    assert text.startswith("# Boosted trees of DCI beside scikit-learn's")
    assert said.strip() in text
