"""Arrays as a table of codes: what becomes of them, and what is said of those that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import DataError, SpecError
from unweave.metrics.table import table_from_arrays

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(12, 3))
FACTORS = np.stack([np.arange(12) // 4, np.arange(12) % 4], axis=1)


# What becomes of them


def test_a_full_grid_has_its_last_factor_fastest():
    table = table_from_arrays(CODES, factor_sizes=(3, 4), factor_names=("shape", "place"))
    np.testing.assert_array_equal(table.factors, FACTORS)
    assert table.factor_space.names == ("shape", "place")
    assert table.factor_space.sizes == (3, 4)
    assert table.logvar is None


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("float16", "float32"),
        ("float32", "float32"),
        ("float64", "float64"),
        ("int8", "float64"),
        ("uint64", "float64"),
        ("bool", "float64"),
    ],
)
def test_codes_keep_single_precision_and_become_double_otherwise(given, kept):
    codes = (10 * CODES).round().astype(given)
    table = table_from_arrays(codes, FACTORS)
    assert table.mean.dtype == kept
    np.testing.assert_array_equal(table.mean, codes)


def test_lists_and_texts_that_are_numbers_are_codes():
    assert table_from_arrays(CODES.tolist(), FACTORS.tolist()).mean.tolist() == CODES.tolist()
    texts = np.array([["1.5", "-2e3"], ["0", "7"]])
    assert table_from_arrays(texts, [0, 1]).mean.tolist() == [[1.5, -2000], [0, 7]]


@pytest.mark.parametrize(
    ("column", "indices", "values", "kind"),
    [
        ([0, 1, 2, 1], [0, 1, 2, 1], (0, 1, 2), "ordinal"),
        # Values that do not occur do not count.
        ([7, -3, 9, 7], [1, 0, 2, 1], (-3, 7, 9), "ordinal"),
        ([2.0, 1.0, 2.0, 3.0], [1, 0, 1, 2], (1, 2, 3), "ordinal"),
        ([0.5, -0.25, 0.5, 1.0], [1, 0, 1, 2], (-0.25, 0.5, 1), "ordinal"),
        ([True, False, True, True], [1, 0, 1, 1], (0, 1), "ordinal"),
        (["b", "a", "c", "a"], [1, 0, 2, 0], None, "categorical"),
        # Texts that are numbers go by size, not by the alphabet.
        (["10", "9", "10", "-1"], [2, 1, 2, 0], (-1, 9, 10), "ordinal"),
        (["10", "9", "x", "-1"], [1, 2, 3, 0], None, "categorical"),
        (np.array([3, 2.5, True, 3], object), [2, 1, 0, 2], (1, 2.5, 3), "ordinal"),
        (np.array(["b", "a", "b", "b"], object), [1, 0, 1, 1], None, "categorical"),
        (np.array([b"b", b"a", b"b", b"b"]), [1, 0, 1, 1], None, "categorical"),
        ([5, 5, 5, 5], [0, 0, 0, 0], (5,), "ordinal"),
    ],
)
def test_a_column_becomes_categories_in_a_defined_order(column, indices, values, kind):
    table = table_from_arrays(np.eye(4), np.asarray(column)[:, None])
    (factor,) = table.factor_space.factors
    assert table.factors[:, 0].tolist() == indices
    assert (factor.name, factor.size) == ("factor_0", len(set(indices)))
    assert (factor.values, factor.kind) == (values, kind)
    # A single factor may be given as it is.
    np.testing.assert_array_equal(table_from_arrays(np.eye(4), column).factors, table.factors)


def test_columns_may_be_of_different_kinds():
    given = np.array([["red", 1.5], ["blue", 2], ["red", 2]], object)
    table = table_from_arrays(np.eye(3), given)
    assert table.factors.tolist() == [[1, 0], [0, 1], [1, 1]]


def test_sizes_beside_factors_say_which_values_there_could_be():
    table = table_from_arrays(np.eye(3), [[0, 4], [1, 0], [0, 0]], factor_sizes=(2, 6))
    assert table.factor_space.sizes == (2, 6)
    assert table.factors.tolist() == [[0, 4], [1, 0], [0, 0]]


def test_logvars_are_kept_in_single_precision():
    table = table_from_arrays(CODES, FACTORS, logvar=CODES - 3)
    assert table.logvar.dtype == np.float32
    np.testing.assert_allclose(table.logvar, CODES - 3, rtol=1e-6)


# What is said of those that cannot be


def nan_at(row, column, value=np.nan):
    codes = CODES.copy()
    codes[row, column] = value
    return codes


BAD_CODES = [
    (nan_at(3, 1), ("codes must be finite", "1 of 12 rows", "row 3", "nan in column 1")),
    (nan_at(0, 2, -np.inf), ("codes must be finite", "row 0", "-inf in column 2")),
    (CODES[:, 0], ("codes must have the shape (N, L)", "(12,)", "reshape(-1, 1)")),
    (CODES[None], ("codes must have the shape (N, L)", "(1, 12, 3)")),
    (CODES[:, :0], ("codes must have the shape (N, L)", "(12, 0)")),
    ([[1.0, 2.0], [3.0]], ("codes must be one array", "differ in length")),
    (CODES.astype(complex), ("codes must be numbers", "complex")),
    (np.full((12, 3), "a"), ("codes must be numbers", "texts")),
    (np.full((12, 3), None), ("codes must be finite", "row 0")),
    (np.full((12, 3), [{}]), ("codes must be numbers", "Python objects")),
    (np.full((12, 3), np.datetime64("2020-01-01")), ("codes must be numbers", "datetime64")),
    (CODES[:11], ("codes has 11 rows, but factors has 12",)),
]


@pytest.mark.parametrize(("codes", "words"), BAD_CODES)
def test_codes_that_are_refused(codes, words):
    with pytest.raises(DataError) as caught:
        table_from_arrays(codes, FACTORS)
    for word in words:
        assert word in str(caught.value)


def column(*values):
    return np.array([*values, *[0] * (12 - len(values))], object)[:, None]


BAD_FACTORS = [
    (None, ("Factors are needed", "factor_sizes, (K,)")),
    (np.zeros((12, 0)), ("factors must have the shape (N, K)", "(12, 0)")),
    (np.zeros((12, 2, 2)), ("factors must have the shape (N, K)", "(12, 2, 2)")),
    ([[0, 1], [0]], ("factors must be one array", "differ in length")),
    (np.where(np.arange(12) == 5, np.nan, 1.0), ("factor_0 has no value in 1 of 12", "row 5")),
    (np.where(np.arange(12) == 4, np.inf, 1.0), ("factor_0 has no value", "row 4", "inf")),
    (column(1, None), ("factor_0 has no value", "row 1", "None")),
    (column(1, 2, float("nan")), ("factor_0 has no value", "row 2", "nan")),
    (np.array(["a", ""] * 6), ("factor_0 has no value in 6 of 12", "row 1", "''")),
    (np.array(["1", "2", " nan"] * 4), ("factor_0 has no value in 4 of 12", "row 2")),
    (column("a"), ("factor_0 mixes texts with other values", "str(value)")),
    (np.full((12, 2), 1j), ("factor_0 must be numbers or texts", "complex")),
]


@pytest.mark.parametrize(("factors", "words"), BAD_FACTORS)
def test_factors_that_are_refused(factors, words):
    with pytest.raises(DataError) as caught:
        table_from_arrays(CODES, factors)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(("rows", "values", "kept"), [(100, 50, True), (100, 51, False)])
def test_a_factor_of_many_fractions_is_continuous(rows, values, kept):
    continuous = (np.arange(rows) % values + 0.5) / 3
    codes = np.zeros((rows, 1))
    if kept:
        assert table_from_arrays(codes, continuous).factor_space.sizes == (values,)
        return
    with pytest.raises(DataError, match=r"factor_0 takes 51 different values in 100 rows.*Bin it"):
        table_from_arrays(codes, continuous)


def test_a_thousand_fractions_are_the_most():
    codes = np.zeros((5000, 1))
    assert table_from_arrays(codes, np.arange(5000) % 1000 + 0.5).factor_space.sizes == (1000,)
    with pytest.raises(DataError, match="1,001 different values"):
        table_from_arrays(codes, np.arange(5000) % 1001 + 0.5)


def test_arrays_the_wrong_way_round_are_named():
    with pytest.raises(DataError, match=r"codes has 3 rows, but factors has 2\. .*codes\.T"):
        table_from_arrays(CODES.T, FACTORS.T)


SIZES = [
    ((3, 5), {}, ("factor_sizes (3, 5)", "15 rows", "codes has 12", "C order")),
    ((), {}, ("factor_sizes must be whole numbers",)),
    ((3, 0), {}, ("factor_sizes must be whole numbers of at least 1", "(3, 0)")),
    ((3.0, 4.0), {}, ("factor_sizes must be whole numbers",)),
    ([[3, 4]], {}, ("factor_sizes must be whole numbers",)),
    ((3, 4), {"factor_names": ("a",)}, ("factor_names has 1 names", "2 factors")),
    ((3, 4, 1), {"factors": FACTORS}, ("factor_sizes has 3 sizes", "2 columns")),
    ((3, 3), {"factors": FACTORS}, ("factor_1 has the index 3", "0 to 2")),
    ((3, 5), {"factors": FACTORS - 1}, ("factor_0 has the index -1", "0 to 2")),
    ((3, 4), {"factors": FACTORS + 0.5}, ("indices from 0", "factor_0")),
    ((3, 4), {"logvar": CODES[:, :2]}, ("logvar must have the shape of codes", "(12, 2)")),
    ((3, 4), {"logvar": nan_at(1, 0)}, ("logvar must be finite", "row 1")),
]


@pytest.mark.parametrize(("sizes", "given", "words"), SIZES)
def test_sizes_and_the_rest_that_are_refused(sizes, given, words):
    with pytest.raises(DataError) as caught:
        table_from_arrays(CODES, factor_sizes=sizes, **given)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize(
    ("names", "words"), [(("a b", "c"), "identifier"), (("a", "a"), "its own name")]
)
def test_names_that_are_refused(names, words):
    with pytest.raises(SpecError, match=words):
        table_from_arrays(CODES, FACTORS, factor_names=names)


@pytest.mark.parametrize("rows", [0, 1])
def test_a_table_has_two_rows(rows):
    with pytest.raises(DataError, match="codes"):
        table_from_arrays(CODES[:rows], FACTORS[:rows])
