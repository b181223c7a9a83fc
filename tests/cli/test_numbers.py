"""Numbers of flags: read, or refused with the flag's name."""

from __future__ import annotations

import pytest

from unweave.cli.common import to_number
from unweave.errors import SpecError


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [(None, int, None), ("3", int, 3), ("-3", int, -3), ("3", float, 3.0), ("1e-3", float, 1e-3)],
)
def test_numbers_are_read(text, kind, value):
    found = to_number("--flag", text, kind)
    assert found == value
    assert type(found) is type(value)


def test_a_whole_number_longer_than_any_float_is_left_to_its_field():
    assert to_number("--steps", "1" + "0" * 400, int) == 10**400


@pytest.mark.parametrize(
    ("text", "kind", "what"),
    [
        ("1.5", int, "a whole number"),
        ("1e3", int, "a whole number"),
        ("", int, "a whole number"),
        ("9" * 5000, int, "a whole number"),
        ("x", float, "a number"),
        ("nan", float, "a number"),
        ("-inf", float, "a number"),
        ("1e999", float, "a number"),
    ],
)
def test_what_is_no_number_is_refused(text, kind, what):
    with pytest.raises(SpecError) as caught:
        to_number("--flag", text, kind)
    assert str(caught.value).startswith(f"--flag takes {what}, not ")
    assert len(str(caught.value)) < 200
