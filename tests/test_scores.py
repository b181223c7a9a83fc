"""Scores are kept with all that must be known to compare them."""

from __future__ import annotations

import json

import numpy as np
import pytest

from reference.score_records import record_of
from unweave.errors import RunError
from unweave.metrics import Matrix, Score
from unweave.metrics.interval import over_draws
from unweave.scores import Scores, load_scores, save_scores

COLUMNS = ("shape", "scale", "pos_x")
MATRIX = Matrix(
    values=np.array([[0.5, 0.0, 0.0], [0.25, 0.75, 0.0]]),
    rows=("z0", "z1"),
    columns=COLUMNS,
    label="mutual information (nats)",
)


def record(**changes):
    return record_of(MATRIX, **changes)


def test_none_yet(tmp_path):
    assert load_scores(tmp_path) == []


def test_a_record_comes_back(tmp_path):
    save_scores(tmp_path, (record(),))
    (row,) = load_scores(tmp_path)
    assert row == record().to_dict()
    assert row["value"] == 0.25
    assert row["parts"] == {"shape": 0.125, "scale": 0.5}
    assert row["matrix"]["rows"] == ["z0", "z1"]
    assert row["matrix"]["columns"] == list(COLUMNS)
    np.testing.assert_array_equal(row["matrix"]["values"], MATRIX.values)
    document = json.loads((tmp_path / "scores.json").read_text())
    assert document["format"] == 1


@pytest.mark.parametrize(
    "change",
    [
        {"metric": "dci"},
        {"protocol": "unweave/2"},
        {"data": "dsprites(grid=(3, 2, 4, 8, 8))"},
        {"part": "holdout"},
        {"codes": "sampled"},
        {"seed": 1},
        {"score": Score(0.5, interval=over_draws((0.25, 0.75)))},
    ],
)
def test_another_provenance_is_kept_beside(tmp_path, change):
    save_scores(tmp_path, (record(),))
    save_scores(tmp_path, (record(**change),))
    assert load_scores(tmp_path) == [record().to_dict(), record(**change).to_dict()]


def test_the_same_provenance_is_replaced_and_becomes_the_newest(tmp_path):
    save_scores(tmp_path, (record(), record(part="train")))
    newer = record(score=Score(0.75), step=200)
    save_scores(tmp_path, (newer,))
    assert load_scores(tmp_path) == [record(part="train").to_dict(), newer.to_dict()]


def test_the_precision_in_which_images_were_encoded(tmp_path):
    fast = record(precision="bfloat16")
    save_scores(tmp_path, (fast,))
    (row,) = load_scores(tmp_path)
    assert row["precision"] == "bfloat16"
    assert str(Scores((fast,))).splitlines()[0].endswith("images, mean codes in bfloat16)")
    # One of another machine takes its place, as one of other weights does.
    save_scores(tmp_path, (record(precision="float32"),))
    assert [row["precision"] for row in load_scores(tmp_path)] == ["float32"]
    # Of codes that were given it is not known.
    assert record().to_dict()["precision"] is None


def test_a_score_stored_before_precision_was(tmp_path):
    old = {key: value for key, value in record().to_dict().items() if key != "precision"}
    (tmp_path / "scores.json").write_text(json.dumps({"format": 1, "scores": [old]}))
    assert load_scores(tmp_path) == [old]
    save_scores(tmp_path, (record(metric="dci", precision="float32"),))
    assert [row.get("precision") for row in load_scores(tmp_path)] == [None, "float32"]
    save_scores(tmp_path, (record(precision="float32"),))
    assert [row["metric"] for row in load_scores(tmp_path)] == ["dci", "mig"]


def test_a_damaged_file(tmp_path):
    (tmp_path / "scores.json").write_text("{")
    with pytest.raises(RunError, match=r"scores\.json"):
        save_scores(tmp_path, (record(),))
    assert (tmp_path / "scores.json").read_text() == "{"


def test_scores_are_a_mapping():
    scores = Scores((record(), record(metric="dci", score=Score(0.5))))
    assert list(scores) == ["mig", "dci"]
    assert len(scores) == 2
    assert scores["dci"].value == 0.5
    assert scores["mig"].parts["scale"] == 0.5
    assert scores["mig"].matrix is MATRIX
    with pytest.raises(KeyError):
        _ = scores["nothing"]


def test_the_table():
    rows = str(Scores((record(),))).splitlines()
    assert rows[0] == (
        "mig = 0.2500   (mig(bins=20), protocol unweave/1; dsprites, rendered, part all, "
        "737,280 images, mean codes)"
    )
    assert rows[2].split() == list(COLUMNS)
    # The best latent of a factor is marked; a factor that no latent knows has none.
    assert rows[3].split() == ["z0", "0.500*", "0.000", "0.000"]
    assert rows[4].split() == ["z1", "0.250", "0.750*", "0.000"]
    # pos_x has no part: it did not vary.
    assert rows[5].split() == ["gap", "0.125", "0.500", "-"]
    assert "mutual information (nats)" in rows[6]
    # What is no gap is not called one.
    for metric, what in (("mig_sampled", "gap"), ("aam", "part")):
        rows = str(Scores((record(metric=metric),))).splitlines()
        assert rows[5].split() == [what, "0.125", "0.500", "-"]


def test_columns_stand_under_their_names():
    rows = str(Scores((record(),))).splitlines()
    for name, cell in zip(COLUMNS, ("0.500", "0.000", "0.000"), strict=True):
        end = rows[2].index(name) + len(name)
        # The last place is for the mark.
        assert rows[3][:end].rstrip("* ").endswith(cell)


def test_a_score_without_a_table():
    rows = str(Scores((record(score=Score(0.5, {"a": 0.25, "b": 0.75})),))).splitlines()
    assert rows[0].startswith("mig = 0.5000")
    assert [row.split() for row in rows[1:]] == [["a", "0.2500"], ["b", "0.7500"]]


def test_a_score_with_a_unit(tmp_path):
    parts = {"loss": -287.5181, "recon": 25.1998, "a_term_of_long_name": 0.5}
    score = Score(-287.5181, parts, unit="nats an image", units={"a_term_of_long_name": ""})
    rows = str(Scores((record(metric="test_losses", score=score),))).splitlines()
    assert rows[0].startswith("test_losses = -287.5181 nats an image   (")
    assert [row.split(maxsplit=2) for row in rows[1:]] == [
        ["loss", "-287.5181", "nats an image"],
        ["recon", "25.1998", "nats an image"],
        ["a_term_of_long_name", "0.5000"],
    ]
    assert len({row.index(number) + len(number) for row, number in zip(
        rows[1:], ("-287.5181", "25.1998", "0.5000"), strict=True
    )}) == 1  # fmt: skip
    save_scores(tmp_path, (record(score=score),))
    (row,) = load_scores(tmp_path)
    assert (row["unit"], row["units"]) == ("nats an image", {"a_term_of_long_name": ""})
    assert record().to_dict()["unit"] == ""


def test_two_tables_have_a_line_between():
    text = str(Scores((record(), record(metric="dci", score=Score(0.5)))))
    assert "\n\ndci = 0.5000" in text
