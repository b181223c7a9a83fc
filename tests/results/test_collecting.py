"""Which runs are found, and what is read of them."""

import json
import shutil

import polars as pl
import pytest

from results.made import made, score, series, study
from unweave.errors import RunError
from unweave.results import collect
from unweave.rundir import LOCK, alone


def table(*folders, **given):
    return collect([str(folder) for folder in folders], **given).tidy().collect()


def test_one_row_a_score_with_all_that_is_known_beside_it(tmp_path):
    run = made(
        tmp_path / "a",
        score("mig", 0.25, repeats=3, seed=7, samples=50, text="mig(bins=5)",
              precision="bfloat16"),
        score("test_losses", 90.0, unit="nats an image", part="holdout", codes="sampled"),
        beta=8.0, seed=3, seconds=12.5,
    )  # fmt: skip
    one, other = table(run).sort("metric").to_dicts()
    expected = {
        "run": str(run), "key": "a", "study": None, "state": "finished", "step": 10,
        "seconds": 12.5, "images_per_second": 100.0, "metric": "mig", "value": 0.25, "unit": "",
        "draws_low": 0.15, "draws_high": 0.35, "draws_sd": 0.05, "protocol": "unweave/1",
        "data": "dsprites", "source": "rendered", "part": "all", "codes": "mean", "score_seed": 7,
        "repeats": 3, "settings": "mig(bins=5)", "samples": 50, "score_precision": "bfloat16",
        "score_step": 10, "score_unweave": "0.1.0", "message": None, "unweave": "0.1.0",
        "objective": "beta_vae(beta=8)", "objective.type": "beta_vae", "objective.beta": 8.0,
        "dataset": "dsprites", "dataset.source": "rendered", "optimizer.lr": 0.0005, "seed": 3,
        "precision": "float32", "init_from": None,
    }  # fmt: skip
    assert {name: one[name] for name in expected} == expected
    assert other["unit"] == "nats an image"
    assert (other["part"], other["codes"], other["repeats"]) == ("holdout", "sampled", 1)
    assert other["draws_low"] is None


def test_runs_are_found_in_folders_of_folders_and_in_a_fixed_order(tmp_path):
    for seed, name in enumerate(("b/two", "b/one", "a/x/y/z/y")):
        made(tmp_path / name, score("mig", 0.1), seed=seed)
    made(tmp_path / ".hidden" / "run", score("mig", 0.9), seed=99)
    (tmp_path / "b" / "notes").mkdir()
    # A folder within a run is none of its own.
    made(tmp_path / "b" / "two" / "inner", score("mig", 0.9), seed=98)
    assert table(tmp_path)["key"].to_list() == ["y", "one", "two"]
    assert table(tmp_path / "b", tmp_path / "a")["key"].to_list() == ["one", "two", "y"]
    assert table(tmp_path / "b" / "two")["key"].to_list() == ["two"]


def test_scores_stand_in_an_order_that_does_not_depend_on_when_they_were_computed(tmp_path):
    rows = [score("sap", 0.1), score("mig", 0.2, seed=1), score("mig", 0.3)]
    made(tmp_path / "a", *rows)
    made(tmp_path / "b", *reversed(rows), seed=1)
    found = table(tmp_path).select("metric", "score_seed", "value").rows()
    assert found[:3] == found[3:] == [("mig", 0, 0.3), ("mig", 1, 0.2), ("sap", 0, 0.1)]


def test_a_study_has_the_runs_that_it_asks_for(tmp_path):
    folder = study(
        tmp_path / "study",
        ["k2", "k1", "k3", "k4"],
        events=[
            {"event": "begun", "time": 1},
            {"event": "started", "key": "k4", "time": 2},
            {"event": "failed", "key": "k4", "time": 3, "final": True, "message": "no memory"},
        ],
    )
    made(folder / "runs" / "k1", score("mig", 0.1), seed=1)
    made(folder / "runs" / "k2", score("mig", 0.2), seed=2)
    made(folder / "runs" / "old", score("mig", 0.9), seed=9)
    results = collect([folder])
    found = results.tidy().collect()
    assert found.select("key", "state", "study", "value").rows() == [
        ("k2", "finished", "a study", 0.2),
        ("k1", "finished", "a study", 0.1),
        ("k3", "waiting", "a study", None),
        ("k4", "failed", "a study", None),
    ]
    assert found["message"].to_list() == [None, None, None, "no memory"]
    (note,) = results.notes
    assert "1 of the runs" in note
    assert "old" in note
    # By its own folder it is there.
    assert table(folder, folder / "runs" / "old")["key"].to_list()[-1] == "old"


def test_a_run_that_studies_share_counts_once_with_the_scores_of_both(tmp_path):
    one, two = study(tmp_path / "one", ["k"], "one"), study(tmp_path / "two", ["k"], "two")
    made(one / "runs" / "k", score("mig", 0.1))
    shutil.copytree(one / "runs" / "k", two / "runs" / "k")
    rows = [score("mig", 0.1), score("sap", 0.2)]
    text = json.dumps({"format": 1, "scores": rows})
    (two / "runs" / "k" / "scores.json").write_text(text)
    results = collect([one, two])
    found = results.tidy().collect()
    assert found.select("study", "metric", "value").rows() == [
        ("one", "mig", 0.1),
        ("one", "sap", 0.2),
    ]
    (note,) = results.notes
    assert "1 folder" in note
    assert str(two / "runs" / "k") in note
    # The same folder twice is no other run either.
    assert len(table(one, one / "runs" / "k")) == 1


def test_folders_of_one_training_that_differ_are_told(tmp_path):
    made(tmp_path / "a", score("mig", 0.1))
    made(tmp_path / "b", score("mig", 0.3))
    results = collect([tmp_path])
    assert results.scores["value"].to_list() == [0.1]
    assert any("different values of a score" in n and "mig of a" in n for n in results.notes)


def test_of_two_folders_the_finished_one_tells_how_far_the_training_is(tmp_path):
    made(tmp_path / "a", state="stopped")
    made(tmp_path / "b", score("mig", 0.1))
    found = table(tmp_path)
    assert found.select("key", "state", "value").rows() == [("b", "finished", 0.1)]


def test_of_two_folders_a_score_of_the_last_weights_and_a_number_count(tmp_path):
    early = made(tmp_path / "a", score("mig", 0.5, step=5, repeats=2), state="stopped")
    status = json.loads((early / "status.json").read_text())
    (early / "status.json").write_text(json.dumps(status | {"step": 5}))
    made(tmp_path / "b", score("mig", 0.9, repeats=2), score("sap", None, parts={"x": None}))
    made(tmp_path / "c", score("mig", 0.7, step=3, repeats=2), score("sap", 0.2, parts={"x": 0.3}))
    broken = score("mig", 0.9, repeats=2) | {"value": None}
    made(tmp_path / "d", broken, score("sap", 0.2, parts={"x": 0.4}))
    results = collect([tmp_path], parts=None)
    found = results.tidy().collect().select("metric", "value", "score_step", "draws_low")
    assert found.rows() == [
        ("mig", 0.9, 10, pytest.approx(0.8)),
        ("sap", 0.2, 10, None),
        ("sap.x", 0.3, 10, None),
    ]
    # Only between d and c there is a choice.
    assert results.notes[-1].endswith("found first counts: sap.x of b.")


def test_of_two_rows_of_one_score_the_newest_counts(tmp_path):
    made(tmp_path / "a", score("mig", 0.1, repeats=2), score("sap", 1.0), score("mig", 0.3),
         score("mig", 0.2))  # fmt: skip
    results = collect([tmp_path])
    assert results.tidy().collect().select("metric", "repeats", "value").rows() == [
        ("mig", 1, 0.2),
        ("mig", 2, 0.1),
        ("sap", 1, 1.0),
    ]
    assert results.notes == ()


def test_a_folder_that_is_named_twice_in_other_words_is_there_once(tmp_path):
    made(tmp_path / "runs" / "a", score("mig", 0.1))
    (made(tmp_path / "runs" / "b", seed=1) / "config.json").write_text("{")
    (tmp_path / "link").symlink_to(tmp_path / "runs")
    results = collect([tmp_path / "runs", tmp_path / "runs" / ".." / "runs", tmp_path / "link"])
    assert results.runs["key"].to_list() == ["a", "b"]
    assert results.notes == ()


def test_a_field_of_a_configuration_hides_no_column_of_the_table(tmp_path):
    made(tmp_path / "a", score("mig", 0.1), value=3, case=4, score_step=5, run="x", draws_low=6)
    (row,) = table(tmp_path).to_dicts()
    assert (row["value"], row["score_step"], row["draws_low"]) == (0.1, 10, None)
    assert (row["config.value"], row["config.case"], row["config.run"]) == (3, 4, "x")


def test_imported_runs_of_one_configuration_are_different_runs(tmp_path):
    for name in ("a", "b"):
        made(tmp_path / name, score("mig", 0.1))
        (tmp_path / name / "import.json").write_text(json.dumps({"sha256": name * 64}))
    assert len(table(tmp_path)) == 2


def test_parts_are_scores_of_their_own_where_they_are_asked_for(tmp_path):
    parts = {"completeness": 0.4, "size": 3.0, "broken": None}
    made(
        tmp_path / "b" / "losses",
        score("test_losses", 9.0, parts={"dip_i": 0.5}, unit="nats an image", units={"dip_i": ""}),
    )
    found = table(tmp_path / "b", parts=None).select("metric", "unit").rows()
    assert found == [("test_losses", "nats an image"), ("test_losses.dip_i", "")]
    tmp_path = tmp_path / "a"
    made(tmp_path / "a", score("dci", 0.3, parts=parts, units={"size": "latents"}, repeats=2))
    assert table(tmp_path)["metric"].to_list() == ["dci"]
    found = table(tmp_path, parts=["dci.completeness"])
    assert found.select("metric", "value", "draws_low").rows() == [
        ("dci", 0.3, pytest.approx(0.2)),
        ("dci.completeness", 0.4, None),
    ]
    found = table(tmp_path, parts=None)
    assert found.select("metric", "value", "unit").rows() == [
        ("dci", 0.3, ""),
        ("dci.broken", None, ""),
        ("dci.completeness", 0.4, ""),
        ("dci.size", 3.0, "latents"),
    ]
    assert collect([tmp_path]).quantities == {"dci", *found["metric"]}


def test_what_cannot_be_read_is_a_state_and_no_error(tmp_path):
    good = made(tmp_path / "a", score("mig", 0.1))
    for name, file, text in (
        ("b", "config.json", "{"),
        ("c", "config.json", '{"format": 99}'),
        ("d", "status.json", "[]"),
        ("e", "scores.json", '{"scores": [{"value": 1}]}'),
        ("f", "scores.json", '{"format": 1}'),
        ("h", "scores.json", json.dumps({"scores": [score("mig", "0.1")]})),
        ("i", "scores.json", json.dumps({"scores": [score("mig", 0.1, parts=[1])]})),
        ("j", "scores.json", json.dumps({"scores": [score("mig", 0.1, interval={"low": 0})]})),
        ("k", "scores.json", json.dumps({"scores": [score("mig", 0.1, seed="0")]})),
        ("l", "scores.json", '{"scores": 5}'),
        ("m", "status.json", '{"state": "finished", "step": "10"}'),
    ):
        folder = made(tmp_path / name, seed=ord(name))
        (folder / file).write_text(text)
    shutil.copytree(good, tmp_path / "g")
    (tmp_path / "g" / "status.json").unlink()
    found = table(tmp_path)
    assert found.select("key", "state").rows() == [
        ("a", "finished"), *((name, "damaged") for name in "bcdefghijklm"),
    ]  # fmt: skip
    messages = dict(found.select("key", "message").rows())
    assert "99" in messages["c"]
    assert "scores.json" in messages["e"]
    assert "status.json" in messages["g"]


@pytest.mark.parametrize(
    "given",
    [
        {"data": {"type": "dsprites"}},
        {"part": ["all"]},
        {"codes": 3},
        {"text": 1},
        {"unit": 5},
        {"units": {"x": 1}},
        {"unweave": [0, 1]},
        {"precision": {}},
        {"step": 10**30},
        {"step": -1},
        {"seed": 10**30},
        {"samples": 1.5},
        {"value": 10**400},
        {"value": True},
        {"parts": {"x": 10**400}},
        {"interval": {"values": []}},
        {"interval": {"values": [1, 2], "low": "a"}},
    ],
)
def test_a_score_of_wrong_types_is_damage_of_its_run_alone(tmp_path, given):
    made(tmp_path / "a", score("mig", 0.1))
    made(tmp_path / "b", score("mig", 0.2) | given, seed=1)
    found = table(tmp_path, parts=None)
    assert found.select("state", "value").rows() == [("finished", 0.1), ("damaged", None)]
    assert "scores.json is damaged" in found["message"][1]


@pytest.mark.parametrize(
    "given", [{"step": 10**30}, {"step": -1}, {"seconds": "x"}, {"images_per_second": 1e999}]
)
def test_a_status_of_wrong_types_is_damage_of_its_run_alone(tmp_path, given):
    made(tmp_path / "a", score("mig", 0.1))
    folder = made(tmp_path / "b", score("mig", 0.2), seed=1)
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps(status | given))
    found = table(tmp_path)
    assert found.select("state", "value").rows() == [("finished", 0.1), ("damaged", None)]
    assert "status.json is damaged" in found["message"][1]


@pytest.mark.parametrize("line", ["5", "[1]", "{}"])
def test_a_damaged_log_of_a_study_is_an_error(tmp_path, line):
    study(tmp_path / "study", ["k"])
    (tmp_path / "study" / "state.jsonl").write_text(line + "\n")
    with pytest.raises(RunError, match=r"state\.jsonl is damaged"):
        collect([tmp_path / "study"])


def test_a_run_that_was_killed_is_told_from_one_that_is_under_way(tmp_path):
    killed = made(tmp_path / "a", state="running")
    busy = made(tmp_path / "b", state="running", seed=1)
    (killed / LOCK).touch()
    with alone(busy / LOCK, "busy"):
        assert table(tmp_path)["state"].to_list() == ["interrupted", "running"]


def test_columns_are_numbers_where_all_values_are(tmp_path):
    made(tmp_path / "a", beta=4.0, latents=6, init_from="x")
    made(
        tmp_path / "b",
        latents=10,
        objective={"type": "vae", "kl": {"type": "linear", "stop": 1.0}},
    )
    made(tmp_path / "c", objective={"type": "vae", "kl": 2.0}, holdout=0)
    runs = collect([tmp_path]).runs
    assert runs["objective.beta"].to_list() == [4.0, None, None]
    assert runs["latents"].dtype == pl.Int64
    assert runs["objective.kl"].to_list() == [None, "linear(stop=1.0)", "2"]
    assert runs["objective.kl.stop"].to_list() == [None, 1.0, None]
    assert runs["holdout"].dtype == pl.Float64
    assert runs["init_from"].to_list() == ["x", None, None]


@pytest.mark.parametrize("given", [[], ["nothing here"], ["."]])
def test_no_runs_are_an_error(tmp_path, monkeypatch, given):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match=r"Name |no folder|There are no runs in"):
        collect(given)


@pytest.mark.parametrize(
    "text", ["{}", '{"format": 1}', '{"format": 1, "study": {}, "runs": [1]}']
)
def test_a_damaged_study_is_an_error(tmp_path, text):
    (tmp_path / "study.json").write_text(text)
    with pytest.raises(RunError, match=r"study\.json"):
        collect([tmp_path])


def test_progress_is_told(tmp_path):
    told = []
    series(tmp_path, [0.1, 0.2])
    collect([tmp_path], progress=lambda *what: told.append(what))
    assert told == [("reading runs", 1, 2), ("reading runs", 2, 2)]
