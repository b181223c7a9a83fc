"""`unweave generalise splits` says what is held out, to people and to scripts."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from session.runs import cli, listing, paragraph
from unweave.conditions import CONDITIONS, MODIFIERS, split_of

SMALL = "dsprites(grid=(3, 3, 4, 8, 8))"
CORNER = "shape == 'heart' and pos_x > 0.5"


@pytest.fixture(autouse=True)
def _nothing_is_here(tmp_path_factory, monkeypatch):
    monkeypatch.setenv("UNWEAVE_HOME", str(tmp_path_factory.mktemp("home")))


def splits(*arguments):
    return cli("generalise", "splits", *arguments)


def test_all_published_conditions():
    value = splits("--json").json
    assert value.keys() == {"splits", "files"}
    rows = value["splits"]
    assert [(row["dataset"], row["name"]) for row in rows] == [
        (condition.dataset, condition.name) for condition in CONDITIONS
    ]
    for row, condition in zip(rows, CONDITIONS, strict=True):
        assert row["condition"] == condition.kind
        assert row["predicate"] == condition.held_out
        assert row["source"] == condition.source
        assert row["num_train"] > 0
        assert row["num_held_out"] > 0
        assert row["boundaries"]
        assert row["problem"] is None
        assert len(row["sha256"]["train"]) == 64
    found = {(row["dataset"], row["name"]): row for row in rows}
    row = found["mpi3d(subset=real)", "horz_gt20"]
    assert (row["num_train"], row["num_held_out"], row["num_discarded"]) == (
        518_400, 492_480, 25_920,
    )  # fmt: skip
    assert row["trained_predicate"] == "not horizontal_axis >= 20"
    assert row["train"] == "without(data=mpi3d(subset=real), where='horizontal_axis >= 20')"
    assert row["test"] == "only(data=mpi3d(subset=real), where='horizontal_axis > 20')"


def test_the_list_for_people():
    out = splits("--data", SMALL).out
    [line] = [line for line in out.splitlines() if "shape2tx, sqr2tx" in line]
    assert "1,920 trained on" in line
    assert "384 held out (16.7 %)" in line
    assert "recombination_to_range: shape == 'square' and pos_x > 0.5" in out
    assert "24 neither" in splits("--data", "mpi3d(grid=(6, 4, 1, 1, 1, 40, 1))").out
    out = splits("--data", "circles").out
    assert "recombination_to_range, found recombination_to_element: pos_x > 0.5" in out


def test_those_of_a_dataset():
    rows = splits("--data", SMALL, "--json").json["splits"]
    assert {row["dataset"] for row in rows} == {SMALL}
    assert len(rows) == 9
    for row in rows:
        assert row["num_train"] + row["num_held_out"] == 2304
    # Where a grid is too small for some, the others are listed.
    value = splits("--data", "dsprites(grid=(1, 1, 4, 8, 8))", "--json").json
    problems = {row["name"]: row["problem"] for row in value["splits"]}
    assert problems["blank_side"] is None
    assert "'square'" in problems["shape2tx"]
    [row] = [row for row in value["splits"] if row["name"] == "shape2tx"]
    assert row["num_train"] is None
    assert "shape2tx" in splits("--data", "dsprites(grid=(1, 1, 4, 8, 8))").out


def test_one_condition():
    value = splits("--condition", "sqr2tx", "--data", SMALL, "--json").json
    [row] = value["splits"]
    split = split_of("shape2tx", SMALL)
    assert (row["name"], row["also"], row["dataset"]) == ("shape2tx", ["sqr2tx"], SMALL)
    assert row["condition"] == row["kind"] == "recombination_to_range"
    assert (row["num_train"], row["num_held_out"]) == (len(split.train), len(split.held_out))
    assert row["sha256"] == split.digests
    assert row["boundaries"][1] == (
        "pos_x: the last trained value is 3 (0.419), the first held out 4 (0.581)"
    )
    assert row["leaks"]["num_copies"] is None
    assert [each["num_near"] for each in row["leaks"]["symmetries"]] == [0]
    out = splits("--condition", "shape2tx", "--data", SMALL).out
    assert out.startswith("shape2tx: recombination_to_range on dsprites(grid=(3, 3, 4, 8, 8))")
    assert row["boundaries"][1] in out


def test_a_name_of_several_datasets_is_a_list():
    rows = splits("--condition", "leave1out", "--json").json["splits"]
    assert [row["num_held_out"] for row in rows] == [5808, 72, 16]
    refused = splits("--condition", "leave1out", "--leaks")
    paragraph(refused, "--leaks is of one condition", "--data", "dsprites, shapes3d, mpi3d")


def test_any_rule_with_a_modifier():
    given = ["--data", SMALL, "--condition", CORNER, "--modifier", "scale < 0.9"]
    [row] = splits(*given, "--json").json["splits"]
    assert (row["name"], row["condition"]) == (CORNER, "recombination_to_range")
    assert (row["modifier"], row["modifier_predicate"]) == ("scale < 0.9", "scale < 0.9")
    assert row["num_discarded"] == 768
    assert row["train"] == f"only(data={SMALL}, where={f'scale < 0.9 and not ({CORNER})'!r})"
    assert "Held out by a rule" in splits(*given).out
    [row] = splits("--condition", "ohue2whue", "--modifier", "even_ohues", "--json").json["splits"]
    assert row["modifier"] == "even_ohues"


def test_leaks_are_counted():
    turns = "dsprites(grid=(3, 1, 40, 1, 1))"
    given = ["--data", turns, "--condition", "orientation > 6", "--leaks"]
    [row] = splits(*given, "--json").json["splits"]
    # The last two orientations of each shape, of which the last is the first.
    assert row["num_held_out"] == 6
    assert row["leaks"]["num_copies"] >= 3
    full, square, ellipse = row["leaks"]["symmetries"]
    assert (full["num_concerned"], full["num_same"]) == (6, 3)
    assert (square["num_near"], ellipse["num_near"]) == (2, 2)
    assert row["leaks"]["share"] == pytest.approx(5 / 6)
    assert f"{row['leaks']['num_copies']} of 6 held-out images are in training" in (
        splits(*given).out
    )


def test_index_lists(tmp_path):
    folder = tmp_path / "lists"
    given = ["--data", SMALL, "--condition", "shape2tx", "--holdout", "0.1", "--seed", "4"]
    value = splits(*given, "--out", folder, "--json").json
    npz, document = value["files"]
    split = split_of("shape2tx", SMALL)
    train, left = split.in_distribution(0.1, 4)
    with np.load(npz) as arrays:
        np.testing.assert_array_equal(arrays["train"], train)
        np.testing.assert_array_equal(arrays["in_distribution"], left)
        np.testing.assert_array_equal(arrays["held_out"], split.held_out)
    form = json.loads(Path(document).read_text("utf-8"))
    [row] = value["splits"]
    assert row["in_distribution"] == form["in_distribution"]
    assert row["in_distribution"]["num_in_distribution"] == len(left)
    assert row["num_train"] == len(split.train)
    assert f"--holdout 0.1 --seed 4 is on {len(train):,} images" in splits(*given).out
    # Of many at once, each in files of its own.
    files = splits("--data", SMALL, "--out", folder, "--json").json["files"]
    assert len(set(files)) == 18
    assert {*files} <= {str(folder / name) for name in listing(folder)}


def test_a_picture(tmp_path):
    path = tmp_path / "picture.png"
    value = splits("--data", SMALL, "--condition", CORNER, "--picture", path, "--json").json
    assert value["files"] == [str(path)]
    assert imread(path).shape[1] == 1280
    # Nothing is downloaded for it.
    given = ["--data", "mpi3d(grid=(2, 2, 1, 1, 1, 40, 4))", "--picture", path]
    result = splits("--condition", "horz_gt20", *given)
    assert result.code == 0
    assert "not on this machine" in result.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--condition", "shape2t"], ["Unknown condition 'shape2t'", "shape2tx"]),
        (["--condition", "shape2tx", "--data", "shapes3d"], ["not of shapes3d", "fhue_gt50"]),
        (["--condition", CORNER], ["Of which dataset", "--data"]),
        (["--condition", "pos_x >", "--data", SMALL], ["cannot be read"]),
        (["--condition", "pos_z > 0.5", "--data", SMALL], ["'pos_z' is no factor"]),
        (["--condition", "index(pos_x) > 7", "--data", SMALL], ["holds nothing out"]),
        (["--condition", "index(pos_x) < 8", "--data", SMALL], ["nothing to train on"]),
        (["--condition", "", "--data", SMALL], ["The condition is empty"]),
        (["--data", "dsprit"], ["Unknown dataset"]),
        (["--data", "cars3d"], ["No published condition is known of cars3d"]),
        (["--data", SMALL, "--modifier", "sparse"], ["Unknown modifier 'sparse'", "sparse_posX"]),
        (["--data", "mnist"], ["No published condition is known of mnist"]),
        (["--modifier", "even_ohues"], ["--modifier", "--data or --condition"]),
        (["--condition", "shape2tx", "--modifier", "even_ohues"], ["not of dsprites"]),
        (["--condition", "shape2tx", "--picture", "a.jpg"], ["--picture must end in .png"]),
        (["--picture", "a.png"], ["--picture is of one condition"]),
        (["--condition", "shape2tx", "--seed", "-1"], ["--seed must be at least 0"]),
        (["--condition", "shape2tx", "--seed", "x"], ["--seed takes a whole number"]),
        (["--condition", "shape2tx", "--holdout", "2"], ["holdout must be at least 0"]),
        (["--condition", "shape2tx", "--holdout", "x"], ["--holdout takes a number"]),
        (["--out", ""], ["--out is empty"]),
        (["--condition", "horz_gt20", "--leaks", "--data", "mpi3d(path=none.npz)"], ["none.npz"]),
    ],
)
def test_bad_input_is_a_paragraph_and_nothing_is_written(arguments, words, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    paragraph(splits(*arguments), *words)
    assert listing(tmp_path) == {}


def test_modifiers():
    rows = cli("generalise", "modifiers", "--json").json["modifiers"]
    assert [(row["name"], row["predicate"]) for row in rows] == [
        (modifier.name, modifier.rule) for modifier in MODIFIERS
    ]
    rows = cli("generalise", "modifiers", "--data", SMALL, "--json").json["modifiers"]
    assert [row["name"] for row in rows] == ["sparse_posX"]
    assert "The name misleads" in cli("generalise", "modifiers").out
    assert "No modifier" in cli("generalise", "modifiers", "--data", "circles").out
