"""Files of one JSON value a line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, last_line, read_lines, read_rows, trim_lines


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_what_json_has_no_word_for_is_refused(tmp_path, value):
    with pytest.raises(ValueError, match="JSON"):
        append_line(tmp_path / "x.jsonl", {"a": value})
    assert not list(tmp_path.iterdir())


def test_the_last_line_of_a_long_file(tmp_path):
    path = tmp_path / "x.jsonl"
    assert last_line(path) is None
    for step in range(5000):
        append_line(path, {"step": step, "text": "x" * 20})
    assert path.stat().st_size > 2**17
    assert last_line(path)["step"] == 4999
    assert last_line(path, lambda row: row["step"] % 10 == 3)["step"] == 4993
    assert last_line(path, lambda row: row["step"] == 5) is None
    with path.open("a") as handle:
        handle.write('{"step": 50')
    assert last_line(path)["step"] == 4999


def test_appended_ones_come_back(tmp_path):
    path = tmp_path / "x.jsonl"
    rows = [{"step": step, "value": 0.1 * step} for step in range(4)]
    for row in rows:
        append_line(path, row)
    assert read_lines(path) == rows
    assert [json.loads(line) for line in path.read_text().splitlines()] == rows


def test_none(tmp_path):
    assert read_lines(tmp_path / "x.jsonl") == []
    trim_lines(tmp_path / "x.jsonl", lambda row: True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("torn", ['{"step": 2', '{"step": 2, "v', "\x00\x00", "{", "[]", "null"])
def test_a_torn_last_line_is_passed_over_and_trimmed(tmp_path, torn):
    path = tmp_path / "x.jsonl"
    append_line(path, {"step": 1})
    with path.open("a") as handle:
        handle.write(torn)
    assert read_rows(path) == [{"step": 1}]
    trim_lines(path, lambda row: True)
    assert path.read_text() == '{"step": 1}\n'
    append_line(path, {"step": 2})
    assert read_lines(path) == [{"step": 1}, {"step": 2}]


def test_a_letter_torn_in_two_is_passed_over(tmp_path):
    path = tmp_path / "x.jsonl"
    append_line(path, {"step": 1})
    with path.open("ab") as handle:
        handle.write('{"name": "é'.encode()[:-1])
    assert read_lines(path) == [{"step": 1}]


def test_trim(tmp_path):
    path = tmp_path / "x.jsonl"
    for step in range(6):
        append_line(path, {"step": step})
    trim_lines(path, lambda row: row["step"] <= 2)
    assert [row["step"] for row in read_lines(path)] == [0, 1, 2]
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk():
    with pytest.raises(UnweaveError, match="disk is full"):
        append_line(Path("/dev/full"), {"step": 1})
