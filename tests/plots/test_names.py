"""Names in little room stay apart."""

import pytest

from unweave.plots.names import shortened, wrapped


def test_short_names_stay_as_they_are():
    assert shortened(["a", "b", "a"], 16) == ["a", "b", "a"]


def test_the_end_is_cut_where_the_beginnings_differ():
    assert shortened(["one_with_a_long_end", "two_with_a_long_end"], 16) == [
        "one_with_a_long\N{HORIZONTAL ELLIPSIS}",
        "two_with_a_long\N{HORIZONTAL ELLIPSIS}",
    ]


def test_the_middle_is_cut_where_only_the_ends_differ():
    names = [f"a_method_with_a_long_name(first=1, gamma={k}, last=3)" for k in (10, 20)]
    assert shortened([*names, "b"], 24) == [
        "a_method_wi\N{HORIZONTAL ELLIPSIS}gamma=10, l\N{HORIZONTAL ELLIPSIS}",
        "a_method_wi\N{HORIZONTAL ELLIPSIS}gamma=20, l\N{HORIZONTAL ELLIPSIS}",
        "b",
    ]


@pytest.mark.parametrize("longest", [16, 24, 44])
def test_all_names_differ_and_fit(longest):
    long = [f"{'x' * 30}{a}{'y' * 40}{b}{'z' * 9}" for a in "123" for b in "45678"]
    prefix = ["q" * 50, "q" * 60, "q" * 70]
    short = shortened([*long, *prefix], longest)
    assert len(set(short)) == len(long) + 3
    assert max(map(len, short)) <= longest


def test_words_are_broken_between_words_where_they_can():
    assert wrapped("one two", 8.0, 8.5) == "one two"
    lines = wrapped("a protocol, a dataset, a part " + "x" * 40, 1.5, 8.5).splitlines()
    assert lines[0] == "a protocol, a"
    assert max(map(len, lines)) <= 18
