"""The tables that published scores belong to are made again exactly."""

from __future__ import annotations

import numpy as np
import pytest

from reference import tables

# The others rest on a decomposition, or on functions that processors round in different ways.
ARITHMETIC = ["g1_perfect", "g1_dup", "g2_noisy", "g2_mixed", "g2_missing"]


@pytest.mark.parametrize("name", ARITHMETIC)
def test_codes_have_the_published_bytes(name):
    assert tables.digest(name) == tables.SHA256[name]


@pytest.mark.parametrize("name", tables.NAMES)
def test_codes_are_those_of_the_published_files(reference, name):
    with np.load(reference / "metrics" / "tables" / f"{name}.npz") as file:
        table = tables.table(name)
        assert table.factor_space.sizes == tuple(file["factor_sizes"].tolist())
        np.testing.assert_allclose(table.mean, file["codes"], atol=1e-6)
