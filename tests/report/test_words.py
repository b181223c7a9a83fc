"""Numbers, times and lists read well."""

from __future__ import annotations

import pytest

from unweave.report.words import duration, flatten, number, plain, sentence_list


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.22134, "0.2213"), (94.882, "94.88"), (123456.7, "123,457"), (12000, "12,000"),
        (0.0, "0.0000"), (-1.5, "-1.500"), (3e-7, "3.0e-07"), (9999.7, "10,000"),
        (float("nan"), "not finite"), (None, "not finite"), ("x", "not finite"),
    ],
)  # fmt: skip
def test_number(value, text):
    assert number(value) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(3.21, "3.2 s"), (59.4, "59 s"), (59.6, "1 min 0 s"), (264.4, "4 min 24 s"),
     (7384, "2 h 3 min"), (None, ""), (-1, ""), (float("inf"), "")],
)  # fmt: skip
def test_duration(seconds, text):
    assert duration(seconds) == text


def test_plain_values():
    assert [plain(v) for v in (None, True, 0.1, 6.0, [1, None], "a")] == [
        "none", "true", "0.1", "6", "1, none", "a",
    ]  # fmt: skip


def test_nested_settings_become_rows():
    assert flatten({"a": {"b": {"c": 1}}, "d": []}) == [("a.b.c", "1"), ("d", "none")]


def test_lists_in_sentences():
    assert sentence_list([]) == ""
    assert sentence_list(["a"]) == "a"
    assert sentence_list(["a", "b"]) == "a and b"
    assert sentence_list(["a", "b", "c"], "or") == "a, b or c"
