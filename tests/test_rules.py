"""Rules on factors against rules of whole numbers, asked of one combination after the other."""

from __future__ import annotations

import contextlib
import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.factors import Factor, FactorIndexError, FactorSpace
from unweave.rules import Rule, check_rule

SPACE = FactorSpace(
    (
        Factor("shape", 3, (1.0, 2.0, 3.0), "categorical", labels=("disc", "bar", "ring")),
        Factor("angle", 5, tuple(np.linspace(0, 2 * np.pi, 5).tolist()), "circular", closed=True),
        Factor("pos_x", 7, tuple(np.linspace(-1, 1, 7).tolist())),
        Factor("size", 4),
    )
)
ROWS = list(itertools.product(*map(range, SPACE.sizes)))
PYTHON = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


@dataclass
class Slow:
    """A rule in words, and what it means for one row of indices."""

    text: str
    means: Any


@st.composite
def comparisons(draw) -> Slow:
    """A factor compared with a value of its own, or with the middle between two, in any form.

    All values rise with the index, so each comparison of values is one of indices.
    """
    column = draw(st.integers(0, 3))
    factor = SPACE.factors[column]
    sign = draw(st.sampled_from(sorted(PYTHON)))
    index = draw(st.integers(0, factor.size - 1))
    form = draw(st.sampled_from(["value", "rounded", "between", "index", "label"]))
    threshold: float = index
    table = factor.values or tuple(map(float, range(factor.size)))
    name = factor.name
    if form == "label" and factor.labels and sign in ("==", "!="):
        other = repr(factor.labels[index])
    elif form == "between" and index + 1 < factor.size and sign not in ("==", "!="):
        threshold, other = index + 0.5, repr((table[index] + table[index + 1]) / 2)
    elif form == "rounded":
        other = f"{table[index]:.6g}"
    elif form == "index":
        name, other = f"index({name})", str(index)
    else:
        other = repr(table[index])
    if draw(st.booleans()):
        return Slow(f"{name} {sign} {other}", lambda row: PYTHON[sign](row[column], threshold))
    turned = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}.get(sign, sign)
    return Slow(f"{other} {turned} {name}", lambda row: PYTHON[sign](row[column], threshold))


@st.composite
def chains(draw) -> Slow:
    """Two bounds of one factor."""
    column = draw(st.integers(0, 3))
    low, high = (draw(st.integers(0, SPACE.sizes[column] - 1)) for _ in range(2))
    first, second = (draw(st.sampled_from(["<", "<="])) for _ in range(2))
    text = f"{low} {first} index({SPACE.names[column]}) {second} {high}"
    return Slow(
        text, lambda row: PYTHON[first](low, row[column]) and PYTHON[second](row[column], high)
    )


@st.composite
def choices(draw) -> Slow:
    """Some values of one factor, or all others."""
    column = draw(st.integers(0, 3))
    factor = SPACE.factors[column]
    chosen = draw(st.sets(st.integers(0, factor.size - 1), min_size=1))
    table: Any = factor.labels or factor.values or range(factor.size)
    word = draw(st.sampled_from(["in", "not in"]))
    listed = ", ".join(repr(table[index]) for index in sorted(chosen))
    text = f"{factor.name} {word} ({listed},)"
    return Slow(text, lambda row: (row[column] in chosen) == (word == "in"))


@st.composite
def remainders(draw) -> Slow:
    """Every second value, or the like."""
    column, divisor = draw(st.integers(0, 3)), draw(st.integers(2, 4))
    rest = draw(st.integers(0, divisor - 1))
    text = f"index({SPACE.names[column]}) % {divisor} == {rest}"
    return Slow(text, lambda row: row[column] % divisor == rest)


def joined(parts) -> st.SearchStrategy[Slow]:
    def join(word: str, some: list[Slow]) -> Slow:
        ask = all if word == "and" else any
        text = f" {word} ".join(f"({part.text})" for part in some)
        return Slow(text, lambda row: ask(part.means(row) for part in some))

    return st.builds(
        join, st.sampled_from(["and", "or"]), st.lists(parts, min_size=2, max_size=3)
    ) | st.builds(lambda part: Slow(f"not ({part.text})", lambda row: not part.means(row)), parts)


rules = st.recursive(
    st.one_of(comparisons(), chains(), choices(), remainders()), joined, max_leaves=6
)


@given(rules)
@settings(max_examples=150, deadline=None)
def test_a_rule_takes_what_its_words_say(slow):
    expected = [slow.means(row) for row in ROWS]
    rule = Rule(slow.text, SPACE)
    check_rule(slow.text)
    assert rule.grid().tolist() == expected
    assert rule.grid().dtype == bool
    order = np.random.default_rng(0).permutation(len(ROWS))[:40]
    taken = rule.rows(np.array(ROWS)[order])
    assert taken.tolist() == [expected[place] for place in order]


# What published studies hold out, and how many images that is, of the tables of Montero et al.
# (2021, and 2022, arXiv 2204.02283).
HELD_OUT = [
    ("dsprites", "pos_x > 0.5", 368_640),
    ("dsprites", "shape == 'square' and pos_x > 0.5", 122_880),
    (
        "dsprites",
        "shape == 'ellipse' and scale > 0.6 and 2 * pi / 3 < orientation < 4 * pi / 3 "
        "and pos_x > 0.66 and pos_y > 0.66",
        5_808,
    ),
    ("dsprites", "shape == 1 and scale >= 0.8", 122_880),
    ("dsprites", "shape == 'square' and 8 <= index(pos_x) <= 23", 122_880),
    ("dsprites", "shape == 'square' and 13 <= index(pos_x) <= 27", 115_200),
    ("dsprites", "shape == 'ellipse' and not 4 <= index(pos_x) <= 18", 130_560),
    ("shapes3d", "floor_hue >= 0.5", 240_000),
    ("shapes3d", "shape == 'pill' and object_hue >= 0.5", 60_000),
    ("shapes3d", "shape == 'pill' and floor_hue >= 0.5", 60_000),
    ("shapes3d", "object_hue >= 0.8 and wall_hue <= 0.2", 28_800),
    ("shapes3d", "object_hue >= 0.8 and wall_hue <= 0.5", 57_600),
    ("shapes3d", "index(shape) == 3 and index(object_hue) <= 2", 36_000),
    ("shapes3d", "shape == 'pill' and orientation >= 0", 64_000),
    ("shapes3d", "shape == 'pill' and 0.3 <= object_hue <= 0.7", 60_000),
    (
        "shapes3d",
        "object_hue >= 0.8 and wall_hue >= 0.8 and floor_hue >= 0.8 and scale >= 1.1 "
        "and shape == 'cylinder' and orientation > 20",
        72,
    ),
    ("mpi3d", "horizontal_axis > 20", 492_480),
    ("mpi3d", "object_color > 3", 345_600),
    ("mpi3d", "object_color in ('brown', 'olive')", 345_600),
    ("mpi3d", "horizontal_axis < 20 and object_shape == 'cylinder'", 86_400),
    ("mpi3d", "horizontal_axis < 20 and object_color == 'red'", 86_400),
    (
        "mpi3d",
        "object_color == 5 and object_shape == 2 and object_size == 1 and camera_height == 1 "
        "and background_color == 1 and horizontal_axis > 35 and vertical_axis > 35",
        16,
    ),
    # Without a published count: five columns, values but the first two, the last of 40.
    ("dsprites", "index(pos_x) in (0, 7, 15, 23, 31)", 737_280 * 5 // 32),
    ("dsprites", "scale > 0.6", 737_280 * 4 // 6),
    ("dsprites", "orientation == 2 * pi", 737_280 // 40),
]


@pytest.mark.parametrize(("dataset", "text", "count"), HELD_OUT)
def test_counts_of_published_held_out_sets(dataset, text, count):
    space = parse_dataset(dataset).factor_space
    rule = Rule(text, space)
    assert rule.grid().sum() == count
    assert f"{count:,} of {space.size:,} combinations" in rule.describe()


def test_spaces_that_nobody_can_list_are_counted():
    space = FactorSpace(tuple(Factor(f"a_{k}", 2) for k in range(60)))
    for text, taken in (
        ("a_3 == 1", 2**59),
        ("a_3 == 1 and not a_59 == 0 or a_7 == 0", 2**60 * 5 // 8),
        ("a_3 < 7", 2**60),
        ("a_3 + a_4 > 5", 0),
    ):
        first = Rule(text, space).describe().splitlines()[0]
        assert first == f"{text}: {taken:,} of {2**60:,} combinations"
    # Of too many factors together, the number is not said.
    text = " and ".join(f"a_{k} == 1" for k in range(40))
    lines = Rule(text, space).describe().splitlines()
    assert lines[0] == f"{text}: some of {2**60:,} combinations"
    assert len(lines) == 41


def test_factors_can_be_compared_with_each_other():
    space = FactorSpace(
        (Factor("a", 5, (0.0, 0.1, 0.2, 0.3, 0.4)), Factor("b", 4), Factor("c", 3))
    )
    table = [(a, b, c) for a in range(5) for b in range(4) for c in range(3)]
    for text, means in (
        ("index(a) == b", lambda a, b, c: a == b),
        ("abs(10 * a - b) > 1", lambda a, b, c: abs(a - b) > 1),
        # 0.1 + 0.2 is not 0.3 in floating point, but is the third value all the same.
        ("a + 0.1 >= 0.3", lambda a, b, c: a >= 2),
        ("-b < c - 3", lambda a, b, c: -b < c - 3),
        ("b + c / 2 <= 2.5", lambda a, b, c: 2 * b + c <= 5),
    ):
        assert Rule(text, space).grid().tolist() == [means(*row) for row in table], text
    assert "goes by b and c together" in Rule("b > c", space).describe()


@pytest.mark.parametrize(
    ("rule", "means"),
    [
        # The same in whole tenths, where nothing is rounded.
        ("abs(a - b) - 0.2 == 0", lambda a, b: abs(a - b) == 2),
        ("a - b - 0.1 > 0", lambda a, b: a - b > 1),
        ("a - 0.1 - b >= 0", lambda a, b: a - 1 >= b),
        ("a + b - 0.3 != 0", lambda a, b: a + b != 3),
        ("0 == a * 3 - b", lambda a, b: 3 * a == b),
        ("a % 0.2 == 0", lambda a, b: a % 2 == 0),
        ("a % 0.2 > 0", lambda a, b: a % 2 > 0),
        ("a % 0.3 == 0.2", lambda a, b: a % 3 == 2),
        ("-a % 0.1 == 0", lambda a, b: True),
        ("(a + b) % 0.3 < 0.1", lambda a, b: (a + b) % 3 < 1),
    ],
)
def test_rounding_decides_nothing_where_numbers_are_computed(rule, means):
    tenths = tuple(k / 10 for k in range(11))
    space = FactorSpace((Factor("a", 11, tenths), Factor("b", 11, tenths)))
    expected = [means(a, b) for a in range(11) for b in range(11)]
    assert Rule(rule, space).grid().tolist() == expected
    rows = space.unravel(np.arange(121))
    assert Rule(rule, space).rows(rows, space.values(rows)).tolist() == expected


def test_exact_values_are_compared_where_they_are_given():
    indices = np.array([[0, 0, 3, 1], [0, 0, 3, 2], [2, 0, 4, 2]])
    values = np.array([[1.0, 0.0, -0.05, 1.0], [1.0, 0.0, 0.05, 2.0], [3.0, 0.0, 0.3, 2.0]])
    rule = Rule("pos_x > 0.01 and index(pos_x) < 4", SPACE)
    assert rule.rows(indices, values).tolist() == [False, True, False]
    assert rule.rows(indices).tolist() == [False, False, False]
    assert Rule("shape == 'ring'", SPACE).rows(indices, values).tolist() == [False, False, True]
    with pytest.raises(FactorIndexError, match="pos_x: 7 is out of range"):
        rule.rows(np.array([[0, 0, 7, 0]]))


def test_factors_that_are_compared_are_named():
    assert Rule("size > 1 or not index(angle) in (0, 2)", SPACE).compared == (1, 3)
    assert Rule("abs(pos_x - size) < 1 and shape == 'bar' and size > 0", SPACE).compared == (
        0,
        2,
        3,
    )


def test_the_borders_are_named():
    assert Rule("shape != 'bar' and 0.3 < pos_x", SPACE).describe().splitlines() == [
        "shape != 'bar' and 0.3 < pos_x: 120 of 420 combinations",
        "  shape != 'bar' takes 0 ('disc'), 2 ('ring'); leaves 1 ('bar')",
        "  0.3 < pos_x takes 4 (0.333333) to 6 (1); leaves 0 (-1) to 3 (0)",
    ]
    assert "takes 0, 2; leaves 1, 3" in Rule("index(size) % 2 == 0", SPACE).describe()
    assert "takes none; leaves 0 to 3" in Rule("size >= 4", SPACE).describe()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("pos_x == 0.5", "pos_x has no value 0.5; next to it are 0.333333 (index 4) and 0.666667"),
        ("pos_x in (0, 2)", "pos_x has no value 2; next to it is 1 (index 6)."),
        ("index(size) == 4", "size has no index 4; it has the indices 0 to 3"),
        ("shape == 'square'", "no value named 'square'; it has 'disc', 'bar', 'ring'"),
        ("shape == bar", "Write shape == 'bar', with quotes"),
        ("size == 'large'", "the values of size have no names: they are 0, 1, 2, 3"),
        ("sizes > 1", "'sizes' is no factor. Did you mean size?"),
        ("shape < 'bar'", "by ==, != or in"),
        ("shape + 'bar' > 1", "nothing can be computed with the name 'bar'"),
        ("index(2) > 1", "must be the index of a factor"),
        ("size % 0 == 1", "must divide by a number other than 0"),
        ("1 / size > 1", "must divide by a number other than 0"),
        ("shape in 'bar'", "needs values in parentheses"),
        ("shape in ()", "needs values in parentheses"),
        ("size > 1e999", "a number in it is too large"),
        ("size > 1e200 * 1e200", "a number in it is too large"),
        ("size > (1, 2)", "where a number or factor is expected"),
    ],
)
def test_what_the_factors_cannot_be_is_said(text, said):
    with pytest.raises(SpecError) as caught:
        Rule(text, SPACE)
    assert said in str(caught.value)
    # The form alone is right: names and values need the factors.
    check_rule(text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "the text is empty"),
        ("size >", "cannot be read"),
        ("size", None),
        ("1 < 2", None),
        ("True", "True is neither a number nor a name"),
        ("size > 1j", "neither a number nor a name"),
        ("size > None", "neither a number nor a name"),
        ("size is 1", "no place in a rule"),
        ("size ** 2 > 1", "no place in a rule"),
        ("~size > 1", "no place in a rule"),
        ("size.real > 1", "no place in a rule"),
        ("size[0] > 1", "no place in a rule"),
        ("[x for x in (1, 2)] == size", "no place in a rule"),
        ("(lambda: size)() > 1", "of calls it may have"),
        ("__import__('os').system('true') > 1", "of calls it may have"),
        ("abs(size, 1) > 1", "of calls it may have"),
        ("index(size=1) > 1", "of calls it may have"),
        ("not " * 3000 + "size > 1", "characters; at most"),
        ("not " * 2000 + "size > 1", None),
        ("size > " + "9" * 400, "cannot be read"),
        ("size > '\0'", "cannot be read"),
    ],
)
def test_what_is_no_rule_is_refused_and_never_run(text, said):
    with pytest.raises(SpecError) as caught:
        Rule(text, SPACE)
    if said is not None:
        assert said in str(caught.value)
        with pytest.raises(SpecError):
            check_rule(text)
    assert len(str(caught.value)) < 700


@given(st.text(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_text_is_a_rule_or_refused(text):
    with contextlib.suppress(SpecError):
        Rule(text, SPACE)


def test_one_value_and_no_values_are_factors_too():
    space = FactorSpace((Factor("a", 1, (0.5,)), Factor("b", 3)))
    assert Rule("a == 0.5", space).grid().tolist() == [True] * 3
    assert Rule("a > 0.5", space).grid().tolist() == [False] * 3
    assert Rule("b > 1 or a > 1", space).grid().tolist() == [False, False, True]


def test_a_factor_may_be_called_pi():
    assert Rule("pi > 1", FactorSpace((Factor("pi", 3),))).grid().tolist() == [False, False, True]
