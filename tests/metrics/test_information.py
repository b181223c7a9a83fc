"""Binning, entropy and mutual information against counting, scikit-learn and closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import mutual_info_score

from reference import metrics_reference
from unweave.metrics.plug_in import discretise, entropies, mutual_information


@given(
    st.lists(
        st.one_of(st.integers(-4, 4).map(float), st.floats(-1e6, 1e6, width=32)),
        min_size=1,
        max_size=60,
    ),
    st.integers(2, 30),
)
@settings(deadline=None)
def test_bins_are_those_of_numpy_histogram_as_disentanglement_lib_labels_them(values, bins):
    column = np.array(values, dtype=np.float32)
    try:
        expected = metrics_reference.bin_labels(column, bins)
    except ValueError:
        # The reference crashes on a range that is too narrow for its precision.
        expected = metrics_reference.bin_labels(column.astype(np.float64), bins)
    found = discretise(column[:, None], bins)
    assert found.dtype == np.int64
    assert (found[:, 0] + 1).tolist() == expected
    assert found.max() < bins
    counts, _ = np.histogram(column.astype(np.float64), bins)
    assert counts.sum() == len(column)


def test_documented_examples_of_the_discretiser():
    row = np.array([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    codes = np.stack([row, row[::-1]], axis=1)
    found = discretise(codes, 3)
    assert found[:, 0].tolist() == [0, 0, 1, 1, 2, 2]
    assert found[:, 1].tolist() == [2, 2, 1, 1, 0, 0]
    assert entropies(found, (3, 3)) == pytest.approx([np.log(3)] * 2)


def test_the_largest_value_falls_into_the_last_bin_and_a_constant_into_one():
    codes = np.array([[0.0, 5.0], [1.0, 5.0], [10.0, 5.0]])
    found = discretise(codes, 10)
    assert found[:, 0].tolist() == [0, 1, 9]
    assert len(set(found[:, 1].tolist())) == 1


@pytest.mark.parametrize(
    ("values", "kind", "distinct"),
    [
        ((1.0, np.nextafter(np.float32(1), 2)), np.float32, 2),
        ((1.0, np.nextafter(1.0, 2)), np.float64, 1),
        ((1e20, np.nextafter(np.float32(1e20), np.float32(2e20))), np.float32, 2),
    ],
)
def test_ranges_that_are_too_narrow_for_their_precision(values, kind, distinct):
    found = discretise(np.array(values * 3, dtype=kind)[:, None], 20)
    assert len(set(found[:, 0].tolist())) == distinct
    assert found.min() >= 0
    assert found.max() < 20


@pytest.fixture(scope="module")
def table():
    """Bins of four latents that follow two factors more or less."""
    rng = np.random.default_rng(0)
    factors = np.stack([rng.integers(0, 3, 500), rng.integers(0, 7, 500)], axis=1)
    codes = rng.normal(size=(500, 4)) * [0.1, 1, 1, 1]
    codes[:, 0] += factors[:, 0]
    codes[:, 1] += factors[:, 1]
    codes[:, 2] += factors.sum(axis=1)
    return discretise(codes, 20), factors


def test_mutual_information_is_that_of_scikit_learn_and_of_counting(table):
    binned, factors = table
    found = mutual_information(binned, factors, 20, (3, 7))
    assert found.shape == (4, 2)
    for j in range(4):
        for k in range(2):
            assert found[j, k] == pytest.approx(mutual_info_score(binned[:, j], factors[:, k]))
            counted = metrics_reference.mutual_information(
                binned[:, j].tolist(), factors[:, k].tolist()
            )
            assert found[j, k] == pytest.approx(counted)


def test_information_is_between_zero_and_the_entropies(table):
    binned, factors = table
    found = mutual_information(binned, factors, 20, (3, 7))
    assert found.min() >= 0
    assert (found <= entropies(factors, (3, 7)) + 1e-12).all()
    assert (found <= entropies(binned, (20,) * 4)[:, None] + 1e-12).all()


def test_information_of_equal_and_of_independent_columns():
    columns = np.array([[0, 0], [0, 1], [1, 0], [1, 1]] * 5)
    found = mutual_information(columns, columns, 2, (2, 2))
    np.testing.assert_allclose(found, np.log(2) * np.eye(2), atol=1e-15)
    assert (found >= 0).all()


def test_entropies_are_those_of_scipy(table):
    _, factors = table
    expected = [stats.entropy(np.bincount(column)) for column in factors.T]
    assert entropies(factors, (3, 7)) == pytest.approx(expected)
    assert entropies(factors, (9, 12)) == pytest.approx(expected), "values may be missing"
    assert metrics_reference.entropy(factors[:, 1].tolist()) == pytest.approx(expected[1])
    assert entropies(np.zeros((5, 1), dtype=np.int64), (4,)).tolist() == [0.0]


def test_rounded_edges_are_those_of_double_precision_cast_down():
    rng = np.random.default_rng(0)
    ends = np.float32([-1.7, 2.9])
    double = np.linspace(float(ends[0]), float(ends[1]), 21)
    single = np.linspace(ends[0], ends[1], 21, dtype=np.float32)
    edges = double.astype(np.float32)
    moved = np.flatnonzero(edges != single)
    # Where both differ, a code between them falls on different sides.
    assert moved.size
    column = np.concatenate([ends, edges[moved], rng.uniform(*ends, 50)]).astype(np.float32)
    found = discretise(column[:, None], 20, rounded=True)
    expected = [sum(bool(value >= edge) for edge in edges[1:-1]) for value in column]
    assert found[:, 0].tolist() == expected
    assert (found != discretise(column[:, None], 20)).any()


def test_a_constant_and_a_very_narrow_column_have_rounded_edges_too():
    narrow = np.where(np.arange(6) % 2, np.nextafter(np.float32(1), 2), np.float32(1))
    codes = np.stack([np.full(6, 0.1), narrow], axis=1).astype(np.float32)
    found = discretise(codes, 20, rounded=True)
    assert len(set(found[:, 0].tolist())) == 1
    assert len(set(found[:, 1].tolist())) == 2
