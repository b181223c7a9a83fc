"""Codes of factors: numbers worked out by hand, in a whole dataset, in its parts and in others."""

from __future__ import annotations

import math

import numpy as np
import pytest

from unweave.data import from_arrays, parse_dataset
from unweave.data.codes import Coding
from unweave.errors import DataError
from unweave.factors import Factor, FactorIndexError, FactorSpace

MINI = "dsprites(grid=(3, 2, 4, 8, 8))"
SPACE = FactorSpace(
    (
        Factor("shape", 3, (1.0, 2.0, 3.0), "categorical", labels=("square", "ellipse", "heart")),
        Factor("scale", 3, (0.5, 0.75, 2.5)),
        Factor("turn", 5, tuple(math.pi / 2 * k for k in range(5)), "circular", closed=True),
        Factor("hue", 10, tuple(k / 10 for k in range(10)), "circular"),
        Factor("place", 5),
        Factor("still", 1, (7.0,)),
    )
)
ROWS = [[0, 0, 0, 0, 0, 0], [2, 1, 1, 5, 3, 0], [1, 2, 4, 9, 4, 0]]
SIN, COS = math.sin(1.8 * math.pi), math.cos(1.8 * math.pi)
# The numbers of each row, by hand: shape, scale, turn, hue, place, and what does not vary.
SCALED = [
    [1, 0, 0, -1, 0, 1, 0, 1, -1, 0],
    [0, 0, 1, -0.75, 1, 0, 0, -1, 0.5, 0],
    [0, 1, 0, 1, 0, 1, SIN, COS, 1, 0],
]
RAW = [
    [1, 0.5, 0, 0, 0, 7],
    [3, 0.75, math.pi / 2, 0.5, 3, 7],
    [2, 2.5, 2 * math.pi, 0.9, 4, 7],
]


def open_(text: str):
    return parse_dataset(text).open()


def test_scaled_inputs():
    codes = Coding().on(SPACE)
    found = codes.encode(ROWS)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, SCALED, atol=1e-6)
    assert codes.width == 10
    assert codes.names == (
        "shape=square", "shape=ellipse", "shape=heart", "scale", "sin(turn)", "cos(turn)",
        "sin(hue)", "cos(hue)", "place", "still",
    )  # fmt: skip
    assert [(span.start, span.stop) for span in codes.spans] == [
        (0, 3), (3, 4), (4, 6), (6, 8), (8, 9), (9, 10),
    ]  # fmt: skip


def test_raw_inputs_are_values_and_published_ones_of_mpi3d_are_multiplied_by_sizes():
    codes = Coding("raw").on(SPACE)
    np.testing.assert_allclose(codes.encode(ROWS), RAW, rtol=1e-6)
    assert codes.names == SPACE.names
    whole = parse_dataset("mpi3d(subset=real)").factor_space
    published = Coding("raw", by_size=True).on(whole)
    assert published.encode([[5, 1, 1, 2, 0, 39, 3]]).tolist() == [
        [5 * 6, 1 * 6, 1 * 2, 2 * 3, 0, 39 * 40, 3 * 40]
    ]


def test_one_hot_inputs():
    codes = Coding("one_hot").on(SPACE)
    found = codes.encode(ROWS)
    assert codes.width == sum(SPACE.sizes) == 27
    for row, indices in zip(found, ROWS, strict=True):
        places = np.cumsum([0, *SPACE.sizes[:-1]]) + indices
        assert np.flatnonzero(row).tolist() == places.tolist()
        assert set(row) == {0, 1}


def test_what_is_published_of_dsprites_and_3dshapes():
    """Values as the source has them: shapes from 1, angles in radians or degrees."""
    dsprites = Coding("raw").on(parse_dataset("dsprites").factor_space)
    expected = [3, 0.6, 2 * math.pi * 13 / 39, 16 / 31, 1]
    np.testing.assert_allclose(dsprites.encode([[2, 1, 13, 16, 31]])[0], expected, rtol=1e-6)
    shapes3d = Coding("raw").on(parse_dataset("shapes3d").factor_space)
    expected = [0.5, 0.9, 0, 0.75 + 2 / 14, 3, -30 + 60 * 2 / 14]
    np.testing.assert_allclose(shapes3d.encode([[5, 9, 0, 2, 3, 2]])[0], expected, rtol=1e-6)
    # A hue of 0.5 is opposite to one of 0; the angles of dSprites end where they begin.
    angles = Coding().on(parse_dataset("shapes3d").factor_space).encode([[5, 0, 0, 0, 0, 0]])
    np.testing.assert_allclose(angles[0, :4], [0, -1, 0, 1], atol=1e-6)
    ends = Coding().on(parse_dataset("dsprites").factor_space)
    np.testing.assert_allclose(*ends.encode([[0, 0, 0, 0, 0], [0, 0, 39, 0, 0]]), atol=1e-6)


@pytest.mark.parametrize("inputs", ["scaled", "raw", "one_hot"])
def test_a_combination_has_one_code_in_every_part(inputs):
    whole = open_(MINI)
    codes = Coding(inputs).on(parse_dataset(MINI).factor_space)
    every = np.arange(len(whole))
    expected = codes.encode(whole.factors(every))
    np.testing.assert_array_equal(codes.of(whole)(every), expected)
    for text in (
        f"without(data={MINI}, where=\"shape == 'square' or pos_x > 0.6\")",
        f"only(data={MINI}, where=\"shape == 'heart' and index(orientation) > 1\")",
        f"without(data={MINI}, where='index(pos_x) == 3 and scale > 0.6')",
        f"subset(data=only(data={MINI}, where='pos_y > 0.5'), images=50, seed=2)",
    ):
        spec = parse_dataset(text)
        assert spec.whole_space == whole.factor_space
        part = spec.open()
        found = Coding(inputs).on(spec.whole_space).of(part)(np.arange(len(part)))
        # Which images of the whole these are is told by their values.
        values = part.values(np.arange(len(part)))
        place = {tuple(row): k for k, row in enumerate(whole.values(every).tolist())}
        rows = [place[tuple(row)] for row in values.tolist()]
        np.testing.assert_array_equal(found, expected[rows])
    # Numbered by the part, the first value that is left would have the code of what was left out.
    part = open_(f"without(data={MINI}, where='index(pos_x) == 0')")
    assert part.factor_space.sizes[3] == 7
    lowest = codes.of(part)(np.array([0]))
    assert (lowest == codes.encode([[0, 0, 0, 1, 0]])).all()


def test_parts_of_parts_know_their_whole():
    inner = f"only(data={MINI}, where='pos_x < 0.9')"
    for text in (
        f"without(data={inner}, where='pos_y > 0.5')",
        f"correlated(data={inner}, pairs=((pos_x, pos_y),))",
        f"color_dsprites(data={inner})",
    ):
        assert parse_dataset(text).whole_space == parse_dataset(MINI).factor_space
        assert parse_dataset(text).factor_space.sizes[3] == 7
    hidden = parse_dataset(f"dsprites_noshape(data={inner})")
    assert hidden.whole_space.sizes == (2, 4, 8, 8)
    assert hidden.factor_space.sizes == (2, 4, 7, 8)


def test_values_between_those_of_the_whole_have_codes_and_names_without_one_have_none():
    fine, coarse = (
        open_("dsprites(grid=(3, 2, 4, 8, 8))"),
        parse_dataset("dsprites(grid=(3, 2, 4, 3, 3))"),
    )
    found = Coding().on(coarse.factor_space).of(fine)(np.array([8]))
    np.testing.assert_allclose(found[0, -2:], [2 * fine.values(np.array([8]))[0, 3] - 1, -1])
    with pytest.raises(
        DataError, match=r"has the value 0.\d+ of pos_x, for which the decoder has"
    ):
        Coding("one_hot").on(coarse.factor_space).of(fine)
    with pytest.raises(DataError, match=r"The decoder is given shape, scale, .* has the factors"):
        Coding().on(SPACE).of(fine)


def test_exact_values_and_names_of_labels_of_ones_own(monkeypatch, tmp_path):
    """A continuous label is coded by its value; names are told apart, not their order."""
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path))
    rng = np.random.default_rng(0)
    height = rng.uniform(10, 20, 60)
    kind = np.array(["cat", "dog", "ant"])[rng.integers(0, 3, 60)]
    images = rng.integers(0, 255, (60, 8, 8), dtype=np.uint8)
    mine = from_arrays(images, {"kind": kind, "height": height}, name="mine")
    space = mine.spec.whole_space
    codes = Coding().on(space)
    found = codes.of(mine)(np.arange(60))
    low, high = min(space.factors[1].values), max(space.factors[1].values)
    np.testing.assert_allclose(found[:, 3], 2 * (height - low) / (high - low) - 1, rtol=1e-5)
    assert codes.names[:3] == ("kind=ant", "kind=cat", "kind=dog")
    np.testing.assert_array_equal(found[:, :3].argmax(1), np.unique(kind, return_inverse=True)[1])
    # Without the first kind the others are numbered anew; their codes stay.
    few = kind != "ant"
    other = from_arrays(images[few], {"kind": kind[few], "height": height[few]}, name="fewer")
    np.testing.assert_allclose(codes.of(other)(np.arange(few.sum())), found[few], rtol=1e-6)


FULL = {"shape": "heart", "scale": 0.75, "turn": math.pi / 2, "hue": 0.5, "place": 3}


class TestRead:
    codes = Coding().on(SPACE)

    def test_values_names_and_indices_are_the_same(self):
        expected = self.codes.encode([ROWS[1]])
        for given in (
            FULL,
            FULL | {"shape": 3, "still": 7.0},
            FULL | {"scale": [0.75], "shape": np.array(["heart"])},
            ROWS[1],
            [ROWS[1]],
        ):
            np.testing.assert_allclose(self.codes.read(given), expected, atol=1e-6)
        assert self.codes.read(ROWS).shape == (3, 10)

    def test_one_value_stands_for_many(self):
        found = self.codes.read(FULL | {"scale": [0.5, 1.0, 1.5], "place": np.arange(3)})
        np.testing.assert_allclose(found[:, 3], [-1, -0.5, 0], atol=1e-6)
        np.testing.assert_allclose(found[:, 8], [-1, -0.5, 0], atol=1e-6)
        assert (found[:, 2] == 1).all()
        assert self.codes.read(FULL | {"scale": []}).shape == (0, 10)

    @pytest.mark.parametrize(
        ("change", "reason"),
        [
            ({"size": 1}, "There is no factor 'size'. Give a value of each of shape, scale"),
            ({"shape": "cross"}, "shape has no value 'cross'. Choose one of: square"),
            ({"shape": 4}, "shape has no value '4'"),
            ({"scale": "big"}, "Values of scale must be numbers"),
            ({"scale": math.nan}, "Values of scale must be numbers"),
            ({"scale": [1, 2], "place": [1, 2, 3]}, "must be one or"),
            ({"scale": [[1, 2]]}, "must be one or"),
        ],
    )
    def test_what_is_refused(self, change, reason):
        with pytest.raises(DataError, match=reason):
            self.codes.read(FULL | change)

    def test_a_factor_that_is_missing_and_indices_that_do_not_fit(self):
        few = {name: value for name, value in FULL.items() if name != "hue"}
        with pytest.raises(DataError, match="give hue, too"):
            self.codes.read(few)
        for rows in ([[0, 0]], [[3, 0, 0, 0, 0, 0]], [0.5] * 6):
            with pytest.raises(FactorIndexError):
                self.codes.read(rows)

    def test_one_hot_inputs_take_values_of_the_space_alone(self):
        codes = Coding("one_hot").on(SPACE)
        np.testing.assert_array_equal(codes.read(FULL), codes.encode([ROWS[1]]))
        with pytest.raises(DataError, match=r"scale has no value '0\.6'"):
            codes.read(FULL | {"scale": 0.6})


def test_one_factor_varied():
    for coding in (Coding(), Coding("raw"), Coding("one_hot")):
        codes = coding.on(SPACE)
        start = codes.encode(ROWS)
        for column, index in ((0, 1), (1, 2), (3, 4), (5, 0)):
            rows = np.array(ROWS)
            rows[:, column] = index
            found = codes.varied(start, column, index)
            np.testing.assert_allclose(found, codes.encode(rows), atol=1e-6)
        np.testing.assert_array_equal(start, codes.encode(ROWS))
