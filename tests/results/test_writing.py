"""Tables as files: whole, or not at all with an error that says why."""

import errno
from pathlib import Path

import polars as pl
import pytest

from unweave.errors import SpecError
from unweave.results.writing import check_out, write_table, write_to

FRAME = pl.LazyFrame({"a": range(100_000), "b": ["x" * 50] * 100_000, "c": [None, 0.1] * 50_000})


@pytest.mark.parametrize("name", ["t.parquet", "t.csv", "T.CSV"])
def test_a_table_comes_back(tmp_path, name):
    path = tmp_path / "folder" / name
    write_table(FRAME, path)
    found = pl.read_parquet(path) if name.endswith("parquet") else pl.read_csv(path)
    assert found.equals(FRAME.collect())
    assert [p.name for p in path.parent.iterdir()] == [name]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the system has no file that is full")
@pytest.mark.parametrize("kind", [".parquet", ".csv"])
def test_a_full_disk_is_an_error_of_the_system(kind):
    with (
        Path("/dev/full").open("wb", buffering=0) as file,
        pytest.raises(OSError, match="No space left") as caught,
    ):
        write_to(file, FRAME, kind)
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("name", ["t.xlsx", "t", "csv"])
def test_other_kinds_of_files_are_refused(tmp_path, name):
    with pytest.raises(SpecError, match=r"ends in \.parquet or \.csv"):
        check_out(tmp_path / name)
