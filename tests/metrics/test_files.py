"""Tables from files: what is read, and what is said of files that cannot be."""

from __future__ import annotations

import numpy as np
import pytest

from unweave.errors import DataError
from unweave.metrics.files import read_table

RNG = np.random.default_rng(0)
CODES = RNG.normal(size=(12, 3)).astype(np.float32)
FACTORS = np.stack([np.arange(12) // 4, np.arange(12) % 4], axis=1)


def read(folder, name, beside=None, **arrays):
    np.savez(folder / name, **arrays)
    return read_table(folder / name, beside)


# npz


def test_an_npz_with_factors(tmp_path):
    table = read(tmp_path, "x.npz", codes=CODES, factors=FACTORS, logvar=CODES)
    assert table.mean.dtype == np.float32
    np.testing.assert_array_equal(table.mean, CODES)
    np.testing.assert_array_equal(table.factors, FACTORS)
    np.testing.assert_array_equal(table.logvar, CODES)


def test_an_npz_of_a_full_grid_with_names(tmp_path):
    table = read(
        tmp_path, "x.npz", codes=CODES, factor_sizes=[3, 4], factor_names=["shape", "place"]
    )
    np.testing.assert_array_equal(table.factors, FACTORS)
    assert table.factor_space.names == ("shape", "place")


@pytest.mark.parametrize(
    ("arrays", "words"),
    [
        ({"code": CODES}, "must hold an array named codes, (N, L), but holds code"),
        ({"codes": CODES}, "Factors are needed"),
        ({"codes": CODES.astype(object), "factors": FACTORS}, "x.npz holds Python objects"),
        ({"codes": CODES, "factor_sizes": [3, 5]}, "make a grid of 15 rows"),
        ({"codes": CODES, "factors": FACTORS[:5]}, "factors has 5"),
    ],
)
def test_an_npz_that_is_refused(tmp_path, arrays, words):
    with pytest.raises(DataError) as caught:
        read(tmp_path, "x.npz", **arrays)
    assert words in str(caught.value)
    assert "x.npz" in str(caught.value)


def test_a_pickle_is_not_opened(tmp_path):
    np.save(tmp_path / "x.npy", np.array([{}, 1], object), allow_pickle=True)
    (tmp_path / "x.npy").rename(tmp_path / "x.npz")
    with pytest.raises(DataError, match="pickles and are not read"):
        read_table(tmp_path / "x.npz")


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"", "cannot be read"), (b"PK\x03\x04torn", "cannot be read"), (b"text", "is damaged")],
)
def test_a_damaged_npz(tmp_path, content, words):
    (tmp_path / "x.npz").write_bytes(content)
    with pytest.raises(DataError, match=words):
        read_table(tmp_path / "x.npz")


# Pairs of files


def test_npy_files(tmp_path):
    np.save(tmp_path / "codes.npy", CODES)
    np.save(tmp_path / "factors.npy", FACTORS)
    table = read_table(tmp_path / "codes.npy", tmp_path / "factors.npy")
    np.testing.assert_array_equal(table.mean, CODES)
    np.testing.assert_array_equal(table.factors, FACTORS)


@pytest.mark.parametrize("mark", [",", ";", "\t", " "])
@pytest.mark.parametrize("header", ["", "a{0}b{0}c"])
def test_csv_files(tmp_path, mark, header):
    np.savetxt(tmp_path / "codes.csv", CODES, delimiter=mark, header=header.format(mark))
    lines = [f"{('red', 'blue', 'green')[i]}{mark}{4 - j}" for i, j in FACTORS]
    names = [f"wall hue{mark}2nd"] if header and mark != " " else []
    (tmp_path / "factors.csv").write_text("\n".join([*names, *lines, ""]))
    table = read_table(tmp_path / "codes.csv", tmp_path / "factors.csv")
    np.testing.assert_array_equal(table.mean.astype(np.float32), CODES)
    assert table.factor_space.names == (
        ("wall_hue", "_2nd") if names else ("factor_0", "factor_1")
    )
    # Colours by the alphabet: blue, green, red; places by size.
    assert table.factors[:, 0].tolist() == [2] * 4 + [0] * 4 + [1] * 4
    assert table.factors[:, 1].tolist() == [3, 2, 1, 0] * 3


def test_a_file_of_codes_and_an_npz_go_with_a_file_of_factors(tmp_path):
    np.savetxt(tmp_path / "factors.csv", FACTORS, fmt="%d", delimiter=",")
    table = read(tmp_path, "x.npz", tmp_path / "factors.csv", codes=CODES)
    np.testing.assert_array_equal(table.factors, FACTORS)
    with pytest.raises(DataError, match="factors of its own"):
        read(tmp_path, "y.npz", tmp_path / "factors.csv", codes=CODES, factors=FACTORS)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty"),
        ("1,2\n3\n", "line 2 has 1 cells, but the first has 2"),
        ("a,b\n1,2\n3,x\n", "row 1 has 'x'"),
        (",z0,z1\n0,1,2\n1,3,4\n", "row numbers that pandas writes"),
    ],
)
def test_a_csv_of_codes_that_is_refused(tmp_path, text, words):
    (tmp_path / "codes.csv").write_text(text)
    np.save(tmp_path / "factors.npy", np.array([[0], [1]]))
    with pytest.raises(DataError) as caught:
        read_table(tmp_path / "codes.csv", tmp_path / "factors.npy")
    assert words in str(caught.value)


def test_files_that_are_not_there_or_of_another_kind(tmp_path):
    np.save(tmp_path / "codes.npy", CODES)
    for name, factors, words in (
        ("codes.npy", None, "has only codes"),
        ("none.npz", None, "does not exist"),
        ("codes.npy", "none.npy", "does not exist"),
        ("codes.npy", "none.csv", "does not exist"),
        ("codes.mat", "codes.npy", r"must end in \.npz, \.npy or \.csv"),
        ("codes.npy", "codes.mat", r"must end in \.npz, \.npy or \.csv"),
    ):
        given = None if factors is None else tmp_path / factors
        with pytest.raises(DataError, match=words):
            read_table(tmp_path / name, given)
    (tmp_path / "codes.npy").rename(tmp_path / "codes.npz")
    with pytest.raises(DataError, match="is not an npz file"):
        read_table(tmp_path / "codes.npz")
    np.savez(tmp_path / "x.npz", codes=CODES)
    (tmp_path / "x.npz").rename(tmp_path / "x.npy")
    with pytest.raises(DataError, match="is an npz file"):
        read_table(tmp_path / "x.npy", tmp_path / "x.npy")
