"""Small pieces of HTML: well-formed whatever the words are, and with the numbers as they are."""

from __future__ import annotations

import base64
import io
import math

import numpy as np
import pytest
from PIL import Image

from notebooks.reading import read
from unweave import display

NASTY = "<script>alert('x')</script> & \"quotes\" {braces} %s"


def test_every_word_is_escaped():
    pieces = [
        display.note(NASTY),
        display.facts({NASTY: NASTY}),
        display.table((NASTY, "b"), [(NASTY, NASTY)], (NASTY,)),
        display.heat([[1.0]], [NASTY], [NASTY], {NASTY: [0.5]}),
        display.folded(NASTY, NASTY),
        display.picture(b"", "png", NASTY),
        display.picture(b"", "mp4", NASTY),
        NASTY,
    ]
    found = read(display.shown(NASTY, *pieces))
    assert found.of("script") == []
    assert found.text.count(NASTY) == 15
    assert found.of("img")[0]["alt"] == NASTY
    line = read(display.shown_line(NASTY, 0.5))
    assert line.text.strip() == NASTY
    assert line.of("progress") == [{"max": "1", "value": "0.5000", "style": "width: 12rem"}]


def test_a_table_has_its_cells_where_they_belong():
    found = read(display.table(("name", "n", "word"), [("a", 1, "x"), ("b", 20, "y")], ("n",)))
    assert found.tables == [[["name", "n", "word"], ["a", "1", "x"], ["b", "20", "y"]]]
    right = [attributes.get("class") for attributes in found.of("td")]
    assert right == ["u-n", None, "u-n", None]


def test_what_is_not_known_is_no_fact():
    found = read(display.facts({"a": None, "b": "", "c": 0, "d": "here"}))
    assert found.tables == [[["c", "0"], ["d", "here"]]]


def test_shades_are_shares_of_the_largest_number():
    values = [[0.5, 0.0, math.nan], [0.25, -1.0, 0.1]]
    found = read(display.heat(values, ["z0", "z1"], ["a", "b", "c"], marked=True))
    assert found.tables[0][1:] == [
        ["z0", "0.500", "0.000", "-"],
        ["z1", "0.250", "-1.000", "0.100"],
    ]
    shades = [float(cell["style"].split(":")[1]) for cell in found.of("td")]
    assert shades == [0.25, 0.0, 0.0, 0.125, 0.5, 0.05]
    best = [("u-best" in cell["class"]) for cell in found.of("td")]
    # The largest of the second column is 0, which follows nothing.
    assert best == [True, False, False, False, False, True]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345678, "0.1235"), (12345.6, "12,345.6000"), (-0.5, "-0.5000"), (math.nan, "-"),
     (math.inf, "-"), (None, "-"), ("text", "-"), (True, "-"), (3, "3.0000")],
)  # fmt: skip
def test_numbers(value, text):
    assert display.number(value) == text


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_come_back_from_a_png(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, channels), dtype=np.uint8)
    with Image.open(io.BytesIO(display.png_of(pixels, 3))) as opened:
        found = np.asarray(opened).reshape(15, 21, channels)
    np.testing.assert_array_equal(found[1::3, 1::3], pixels)


def test_a_picture_holds_its_file():
    (image,) = read(display.picture(b"content", "gif", "name", width=40, exact=True)).of("img")
    head, _, body = image["src"].partition(",")
    assert head == "data:image/gif;base64"
    assert base64.b64decode(body) == b"content"
    assert image["style"] == "width: 40px"
    assert image["class"] == "u-pixels"
    (film,) = read(display.picture(b"content", "mp4", "name")).of("video")
    assert film["src"].startswith("data:video/mp4;base64,")
    assert "controls" in film
