"""Text and components: what is read, what is refused and how, and that nothing is ever run."""

from __future__ import annotations

import dataclasses
import json
import warnings
from typing import Any, ClassVar, Literal, final

import pytest

from unweave.errors import SpecError
from unweave.spec import (
    Component,
    build,
    field_hints,
    from_dict,
    member,
    members,
    number,
    option,
    parse,
    parse_sum,
    to_dict,
)


class Ramp(Component):
    """Another family, to be nested."""

    family: ClassVar[str] = "ramp"


@final
class Straight(Ramp):
    """A member with a required field."""

    name: ClassVar[str] = "straight"

    to: float = number(help="Where it ends.")
    steps: int = number(default=10, low=1, high=100, help="How long it is.")


class Animal(Component):
    """A family for these tests."""

    family: ClassVar[str] = "animal"


@final
class Cat(Animal):
    """A member with a field of every type."""

    name: ClassVar[str] = "cat"

    weight: float | Ramp = number(default=4.0, above=0, below=50, help="Kilograms.")
    lives: int = number(default=9, low=0, high=9, help="Lives left.")
    indoors: bool = option(default=False, help="Whether it stays in.")
    coat: Literal["short", "long", "no coat"] = option(default="short", help="Its fur.")
    called: str | None = option(default=None, help="Its name.")
    spots: tuple[int, ...] = number(default=(), low=0, help="Sizes of its spots.")
    home: tuple[float, float] | None = number(default=None, help="Where it lives.")
    friends: tuple[tuple[str, str], ...] = option(default=(), help="Pairs of other cats.")
    toy: str | Ramp | None = option(default=None, help="What it plays with.")


@final
class Caterpillar(Animal):
    """A member whose name is near to another's."""

    name: ClassVar[str] = "caterpillar"


def refusal(text: str) -> str:
    with pytest.raises(SpecError) as caught:
        parse(text, Animal)
    return str(caught.value)


# What is read


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        ("cat", {}),
        ("cat()", {}),
        ("  cat  ", {}),
        ("cat(weight=5)", {"weight": 5.0}),
        ("cat(weight=5e-1)", {"weight": 0.5}),
        ("cat(weight=straight(to=-2))", {"weight": Straight(to=-2.0)}),
        ("cat(weight=straight(to=+2.5, steps=3))", {"weight": Straight(to=2.5, steps=3)}),
        ("cat(lives=0, indoors=True)", {"lives": 0, "indoors": True}),
        ("cat(coat=long)", {"coat": "long"}),
        ("cat(coat='long')", {"coat": "long"}),
        ("cat(coat='no coat')", {"coat": "no coat"}),
        ("cat(called='Tom + Jerry (2)')", {"called": "Tom + Jerry (2)"}),
        ("cat(called=None)", {}),
        ("cat(spots=(3,))", {"spots": (3,)}),
        ("cat(spots=[3, 4])", {"spots": (3, 4)}),
        ("cat(home=(-1, 2.5))", {"home": (-1.0, 2.5)}),
    ],
)
def test_a_text_gives_a_component(text: str, fields: dict[str, Any]):
    assert parse(text, Animal) == Cat(**fields)


def test_numbers_take_the_type_of_their_field():
    cat = Cat(weight=5, home=(1, 2))
    assert type(cat.weight) is float
    assert [type(value) for value in cat.home or ()] == [float, float]


def test_the_short_text_leaves_out_defaults_and_keeps_the_order_of_fields():
    assert str(Cat()) == "cat"
    assert str(Cat(lives=3, weight=5.0)) == "cat(weight=5, lives=3)"
    assert str(Cat(coat="long", called="Tom")) == "cat(coat=long, called=Tom)"
    assert str(Cat(friends=(("Tom", "Tim"),))) == "cat(friends=((Tom, Tim),))"
    assert str(Cat(coat="no coat", spots=(1,))) == "cat(coat='no coat', spots=(1,))"
    assert str(Cat(weight=Straight(to=1.5))) == "cat(weight=straight(to=1.5))"
    assert str(Cat(home=(0.1, -3.0))) == "cat(home=(0.1, -3))"


@pytest.mark.parametrize(
    "called",
    ["Tom", "None", "lambda", "2nd", "a b", "", "straight", "cat", "\N{LATIN SMALL LIGATURE FI}x"],
)
def test_a_text_that_is_no_plain_name_stands_in_quotes(called: str):
    for cat in (Cat(called=called), Cat(friends=((called, "x"),)), Cat(toy=called)):
        assert parse(str(cat), Animal) == cat
    assert ("'" in str(Cat(called=called))) == (called not in ("Tom", "straight", "cat"))
    # Where it could be a component, it is in quotes, too.
    assert str(Cat(toy="straight")) == "cat(toy='straight')"


def test_the_full_form_holds_every_field():
    form = to_dict(Cat(weight=Straight(to=2), spots=(1, 2)))
    assert form == {
        "type": "cat",
        "weight": {"type": "straight", "to": 2.0, "steps": 10},
        "lives": 9,
        "indoors": False,
        "coat": "short",
        "called": None,
        "spots": [1, 2],
        "home": None,
        "friends": [],
        "toy": None,
    }
    assert from_dict(json.loads(json.dumps(form)), Animal) == Cat(
        weight=Straight(to=2), spots=(1, 2)
    )


def test_a_sum_keeps_its_order():
    assert parse_sum("cat + caterpillar + cat(lives=1)", Animal) == (
        Cat(),
        Caterpillar(),
        Cat(lives=1),
    )


def test_members_are_the_concrete_classes_of_a_family():
    assert members(Animal) == {"cat": Cat, "caterpillar": Caterpillar}
    assert members(Ramp) == {"straight": Straight}
    assert member("straight", Animal, Ramp) is Straight


def test_components_are_values():
    assert hash(Cat(lives=2)) == hash(Cat(lives=2))
    assert len({Cat(), Cat(lives=9), Cat(weight=4)}) == 1
    assert Cat() != Cat(lives=2)
    assert dataclasses.replace(Cat(), lives=2) == Cat(lives=2)
    with pytest.raises(dataclasses.FrozenInstanceError):
        Cat().lives = 3  # type: ignore[misc]
    with pytest.raises(TypeError):
        Cat(4.0)  # type: ignore[misc]


def test_hints_are_those_of_the_fields():
    assert field_hints(Straight) == {"to": float, "steps": int}


def test_a_backslash_in_a_text_is_a_backslash():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        cat = parse(r"cat(called='C:\data')", Animal)
    assert cat == Cat(called=r"C:\data")
    assert parse(str(cat), Animal) == cat


# What is refused


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Expected the text of"),
        (" \n", "Expected the text"),
        ("ct", "Unknown animal 'ct'. Did you mean cat?"),
        ("caterpilar", "Did you mean caterpillar"),
        ("zebra", "Choose one of: cat, caterpillar"),
        ("straight(to=1)", "Unknown animal 'straight': it is a ramp, and an animal is expected."),
        ("cat(wieght=3)", "cat has no field 'wieght'. Did you mean weight?"),
        ("cat(zzz=3)", "Choose one of: called, coat, friends, home, indoors, lives, spots, toy"),
        ("caterpillar(legs=3)", "There are none to choose from"),
        ("cat(weight=straight)", "straight needs to: write straight(to=...)"),
        ("cat(weight=straight(too=1))", "straight has no field 'too'. Did you mean to"),
        ("cat(weight=cat)", "cat: weight takes a number or a ramp (straight), not 'cat'."),
        ("cat(weight=strait(to=1))", "not 'strait(to=1)'. Did you mean straight?"),
        ("cat(3)", "fields are given by name. Write cat(weight=3)"),
        ("cat(*a)", "fields are given by name"),
        ("cat(**{'lives': 3})", "'**' is not allowed"),
        ("cat(lives=1, lives=2)", "lives is given twice"),
        ("cat + caterpillar", "is a sum; one animal is expected"),
        ("cat - caterpillar", "name or name(field=value, ...) is expected"),
        ("2 * cat", "name or name(field=value, ...) is expected"),
        ("cat; cat", "Cannot read"),
        ("cat(", "Cannot read"),
        ("cat(lives=)", "Cannot read"),
        ("cat(lives=1)(lives=2)", "Cannot read"),
        ("cat.lives", "Cannot read"),
        ("cat[0]", "Cannot read"),
        ("'cat'", "Cannot read"),
        ("lambda: cat", "Cannot read"),
        ("cat\x00", "Cannot read"),
        ("\ud800", "Cannot read"),
    ],
)
def test_texts_that_are_refused(text: str, reason: str):
    assert reason in refusal(text)


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("weight", "'heavy'", "cat: weight takes a number or a ramp (straight), not 'heavy'"),
        ("weight", "None", "weight takes a number"),
        ("weight", "True", "weight takes a number"),
        ("weight", "1j", "weight takes a number"),
        ("weight", "b'1'", "weight takes a number"),
        ("weight", "...", "weight takes a number"),
        ("weight", "{}", "cannot read '{}'"),
        ("weight", "f'{1}'", "cannot read"),
        ("weight", "1 if True else 2", "cannot read"),
        ("weight", "2 + 2", "cannot read '2 + 2'"),
        ("weight", "-True", "cannot read '-True'"),
        ("weight", "nan", "weight takes a number or a ramp (straight), not 'nan'"),
        ("weight", "-inf", "weight: cannot read '-inf'; a number or a ramp (straight) is"),
        ("weight", "1e999", "cat: weight must be finite, not inf"),
        ("weight", "-1e999", "cat: weight must be finite, not -inf"),
        ("weight", "1" + 400 * "0", "weight must be finite"),
        ("weight", "0x" + 5000 * "f", "weight must be finite"),
        ("weight", "0", "cat: weight must be more than 0, but is 0"),
        ("weight", "50.0", "cat: weight must be less than 50, but is 50"),
        ("lives", "-1", "cat: lives must be at least 0, but is -1"),
        ("lives", "10", "cat: lives must be at most 9, but is 10"),
        ("lives", "1.0", "cat: lives takes a whole number, not 1.0"),
        ("lives", "True", "lives takes a whole number"),
        ("lives", "'1'", "lives takes a whole number"),
        ("lives", "-1" + 400 * "0", "lives must be a whole number of less than 64 bits"),
        ("lives", "0x" + 5000 * "f", "lives must be a whole number of less than 64 bits"),
        ("indoors", "1", "indoors takes True or False, not 1"),
        ("indoors", "true", "cannot read 'true'; True or False is expected. Write True, with a"),
        ("indoors", "FALSE", "True or False is expected. Write False, with a capital letter."),
        ("home", "none", "each a number or None is expected. Write None, with a capital letter."),
        ("coat", "lomg", "cat: coat: 'lomg' is not allowed. Did you mean long?"),
        ("coat", "'red'", "cat: coat: 'red' is not allowed. Choose one of: long, no coat, short"),
        ("coat", "3", "coat takes one of short, long, no coat, not 3"),
        ("called", "3", "called takes a text in quotes or None, not 3"),
        ("called", "0x" + 5000 * "f", "called takes a text in quotes or None, not a number of"),
        ("spots", "3", "each a whole number, not 3. For one alone write spots=(3,)."),
        ("spots", "(1, 'x')", "spots takes a whole number, not 'x'"),
        ("spots", "(1, -2)", "cat: spots must be at least 0, but is -2"),
        ("spots", "(*a,)", "cannot read"),
        ("friends", "(Tom, Tim)", "For one alone write friends=((Tom, Tim),)."),
        ("friends", "[(Tom, Tim), Jim]", "friends takes a tuple of values, each a tuple of 2"),
        ("home", "(1,)", "home takes a tuple of 2 values, each a number"),
        ("home", "(1, 2, 3)", "home takes a tuple of 2 values"),
    ],
)
def test_values_that_are_refused(field: str, value: str, reason: str):
    message = refusal(f"cat({field}={value})")
    assert reason in message
    assert len(message) < 700


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), 10**400])
def test_values_that_are_not_finite_are_refused_in_python_too(value: float):
    with pytest.raises(SpecError, match="weight must be finite"):
        Cat(weight=value)


@final
class Flock(Component):
    """A member with tuples of any length."""

    name: ClassVar[str] = "flock"
    family: ClassVar[str] = "flock"

    names: tuple[str, ...] | None = option(default=(), help="Of its animals.")
    ramps: tuple[Ramp, ...] = option(default=(), help="Which they walk on.")


@pytest.mark.parametrize(
    ("given", "written"),
    [
        ("names=Tom", "names=(Tom,)"),
        ("names='Tom'", "names=('Tom',)"),
        ("ramps=straight(to=2)", "ramps=(straight(to=2),)"),
        ("names=3", None),
        ("names=2 + 2", None),
        ("ramps=strait(to=2)", None),
        ("ramps=straight", None),
    ],
)
def test_one_value_where_a_tuple_is_expected_is_told_how_it_is_written(given, written):
    with pytest.raises(SpecError) as caught:
        parse(f"flock({given})", Flock)
    if written is None:
        assert "For one alone" not in str(caught.value)
        return
    assert f"For one alone write {written}." in str(caught.value)
    assert parse(f"flock({written})", Flock) != Flock()


def test_none_in_small_letters_is_not_taken_for_a_name():
    with pytest.raises(SpecError, match="Write None, with a capital letter") as caught:
        parse("flock(names=none)", Flock)
    assert "For one alone" not in str(caught.value)


def test_one_value_is_told_how_it_is_written_in_python_too():
    with pytest.raises(SpecError, match=r"For one alone write names=\('Tom',\)"):
        Flock(names="Tom")


def test_missing_and_unknown_fields_are_named():
    with pytest.raises(SpecError, match=r"straight needs to: write straight\(to=\.\.\.\)"):
        build(Straight, {})
    with pytest.raises(SpecError, match=r"no field 'ste'\. Did you mean steps"):
        build(Straight, {"to": 1.0, "ste": 2})


@pytest.mark.parametrize(
    "text",
    [
        "(" * 5000,
        "[" * 3000,
        "-" * 5000 + "1",
        "-" * 900 + "1",
        "cat(" * 2000,
        "cat(weight=" + "(" * 3000,
        "cat(weight=" + "1+" * 2000 + "1)",
        "cat(weight=" + "straight(to=" * 90 + "1" + ")" * 91,
        "cat(weight=" + "straight(to=" * 700 + "1" + ")" * 701,
        "cat(spots=" + "(" * 150 + "1," + "),)" * 150 + ")",
        "cat" + ".a" * 3000,
        "cat(weight=a" + ".a" * 3000 + ")",
        "1" + "+1" * 3000,
        "cat + " * 1500 + "dog",
        "cat(" + "lives=1, " * 800 + ")",
        "x" * 9000,
        "cat(" + "x" * 9000 + "=1)",
        "cat(called='" + "x" * 20_000 + "')",
        "cat" * 1_000_000,
    ],
)
def test_deep_and_long_texts_are_refused_in_a_paragraph(text: str):
    message = refusal(text)
    assert len(message) < 1000
    assert "\n" not in message


TRAPS = (
    "__import__('pathlib').Path({path!r}).touch()",
    "open({path!r}, 'w')",
    "exec('open({path!r}, chr(119))')",
    "[open({path!r}, 'w') for _ in (1,)][0]",
    "(lambda: open({path!r}, 'w'))()",
    "(x := open({path!r}, 'w'))",
)


@pytest.mark.parametrize("trap", TRAPS)
@pytest.mark.parametrize(
    "place",
    [
        "{trap}",
        "cat + {trap}",
        "cat(weight={trap})",
        "cat(called={trap})",
        "cat(coat={trap})",
        "cat(spots=({trap},))",
        "cat(weight=straight(to={trap}))",
        "cat({trap})",
        "cat(**{trap})",
        "cat(zzz={trap})",
        "{trap}(lives=1)",
    ],
)
def test_nothing_is_ever_run(trap: str, place: str, tmp_path):
    target = tmp_path / "trace"
    text = place.format(trap=trap.format(path=str(target)))
    with pytest.raises(SpecError):
        parse_sum(text, Animal)
    assert not target.exists()


def test_a_call_where_a_number_is_expected_is_named():
    message = refusal("cat(lives=__import__('os').getpid())")
    assert "is a call" in message
    assert "a whole number is expected" in message
    # Where a family is allowed in its place, only a call of one of its members is read.
    message = refusal("cat(weight=eval('1'))")
    assert "weight takes a number or a ramp (straight), not \"eval('1')\"" in message


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        (None, 'Expected an object with a "type"'),
        ([], 'Expected an object with a "type"'),
        ({}, 'Expected an object with a "type"'),
        ({"type": 3}, 'Expected an object with a "type"'),
        ({"type": "ct"}, "Did you mean cat"),
        ({"type": "cat", "wieght": 3}, "Did you mean weight"),
        ({"type": "cat", "weight": "3"}, "weight takes a number"),
        ({"type": "cat", "weight": {"type": "strait", "to": 1}}, "Did you mean straight"),
        ({"type": "cat", "weight": {"type": "straight"}}, "straight needs to"),
        ({"type": "cat", "spots": [1, None]}, "spots takes a whole number"),
        ({"type": "cat", "lives": -1}, "lives must be at least 0"),
    ],
)
def test_full_forms_that_are_refused(form: Any, reason: str):
    with pytest.raises(SpecError) as caught:
        from_dict(form, Animal)
    assert reason in str(caught.value)
