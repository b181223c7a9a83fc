"""`unweave reproduce`: rows that are run on a small grid, stopped, gone on with and shown."""

from __future__ import annotations

import functools
import tempfile
from pathlib import Path

import pytest

from session.runs import MINI, cli, copy_of, document, listing, paragraph
from unweave.reproduction import ROWS, read_records, record_of, reproduction_page

VAE = "disvae/VAE_dsprites"
DECODER = "dag/decoder_higgins_dsprites_shape2tx"
FAST = ("--threads", 1, "--precision", "float32", "--repeats", 2)


@functools.cache
def ran():
    """Two rows, each trained for two steps; and what the command said."""
    out = Path(tempfile.mkdtemp())
    result = cli(
        "reproduce", "run", VAE, DECODER, "--dataset", MINI, "--steps", 2, *FAST, "--out", out,
        "--json",
    )  # fmt: skip
    assert result.code == 0, result.err
    return out, result.json


@pytest.fixture
def place(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    return tmp_path


def test_rows_are_trained_and_scored_as_published():
    out, result = ran()
    first, second = result["rows"]
    assert (first["row"], first["state"], first["shortened"]) == (VAE, "finished", True)
    assert (first["steps"], first["published_steps"], first["seeds"]) == (2, 345_600, [1234])
    assert [score["score"] for score in first["scores"]] == ["loss", "recon", "kl"]
    stored = document(Path(first["runs"][0]) / "scores.json")["scores"]
    assert [(row["metric"], row["protocol"]) for row in stored] == [("test_losses", "disvae/1")]
    for score in first["scores"]:
        assert score["ours"] == stored[0]["parts"][score["score"]]
        assert score["difference"] == pytest.approx(score["ours"] - score["published"])
    assert [score["score"] for score in second["scores"]] == ["recon", "recon, held out"]
    assert second["scores"][0]["ours"] != second["scores"][1]["ours"]
    config = document(Path(second["runs"][0]) / "config.json")
    assert (config["steps"], config["architecture"]["type"]) == (2, "decoder_higgins")
    assert config["preset"] == second["row"]
    assert config["dataset"]["data"]["grid"] == [3, 2, 4, 8, 8]
    assert sorted(path.name.rpartition("-seed-")[2] for path in out.iterdir()) == ["0", "1234"]


def test_what_is_done_is_only_shown():
    out, result = ran()
    before = listing(out)
    again = cli(
        "reproduce", "run", VAE, DECODER, "--dataset", MINI, "--steps", 2, *FAST, "--out", out
    )
    assert again.code == 0, again.err
    assert listing(out) == before
    shown = f"{result['rows'][0]['scores'][1]['ours']:.2f}"
    assert shown in again.out
    assert "shortened: the published training has 345,600" in again.out


def test_it_goes_on_after_its_time_and_to_more_steps(place):
    given = ("reproduce", "run", VAE, "--dataset", MINI, *FAST, "--out", "here", "--json")
    piece = cli(*given, "--steps", 40, "--max-minutes", 1e-6)
    assert piece.code == 0, piece.err
    (row,) = piece.json["rows"]
    assert (row["state"], row["scores"]) == ("stopped", [])
    assert 0 < row["steps"] < 40
    assert (
        "Go on with the same command" in cli(*given[:-1], "--steps", 40, "--max-minutes", 1e-6).out
    )
    done = cli(*given, "--steps", 41)
    assert done.code == 0, done.err
    assert done.json["rows"][0]["steps"] == 41
    (folder,) = Path("here").iterdir()
    # Scores of its earlier weights are not taken for those of the last.
    made = record_of(folder)
    assert {score["step"] for score in made.scores} == {made.steps} == {41}
    paragraph(cli(*given, "--steps", 3), "steps can only grow")


def test_a_page_and_a_record(place):
    out, _ = ran()
    shown = cli("reproduce", "page", out)
    assert shown.code == 0
    written = cli(
        "reproduce", "page", out, "--out", "page.md", "--record", "record.json", "--json"
    ).json
    assert written["files"] == ["record.json", "page.md"]
    text = Path("page.md").read_text(encoding="utf-8")
    assert text == shown.out
    assert "**shortened**: 2 of 345,600" in text
    assert "**a part**, 1,536 of 737,280, drawn" in text
    records = read_records(Path("record.json"))
    assert reproduction_page(records) == text
    # Nothing tells of this machine's folders.
    assert str(out) not in Path("record.json").read_text(encoding="utf-8")
    first = record_of(next(path for path in out.iterdir() if path.name.endswith("-1234")))
    assert (first.row, first.steps, len(first.weights)) == (VAE, 2, 16)
    assert first.address == document(next(out.glob("*-1234")) / "config.json")["address"]
    # From the record alone, and both together, it is the same page.
    for places in (["record.json"], ["record.json", str(out)]):
        assert cli("reproduce", "page", *places).out == text


def test_a_page_and_a_record_are_written_again_and_over_nothing_else(place):
    out, _ = ran()
    given = ("reproduce", "page", out, "--out", "page.md", "--record", "record.json")
    for _ in range(2):
        assert cli(*given).code == 0
    text = Path("page.md").read_text(encoding="utf-8")
    for flag, name, content, kind in (
        ("--out", "mine.md", f"# My notes\n\n{text}", "no page of published numbers"),
        ("--record", "mine.json", '{"format": 1, "runs": [], "more": 1}', "no record of"),
    ):
        Path(name).write_text(content, encoding="utf-8")
        paragraph(cli(*given[:3], flag, name), f"{name} is there already", kind, "left as it is")
        assert Path(name).read_text(encoding="utf-8") == content


def test_what_is_passed_over_is_told(place):
    out, _ = ran()
    (folder,) = out.glob("*-1234")
    run = copy_of(folder, place)
    (run / "scores.json").unlink()
    paragraph(cli("reproduce", "page", run), "no scores of its weights of step 2", VAE)
    other = place / "other"
    assert cli("train", MINI, "vae", "--steps", 1, "--threads", 1, "--out", other).code == 0
    paragraph(cli("reproduce", "page", other), "repeats no published training")
    result = cli("reproduce", "page", out, other, run, "--json")
    assert result.code == 0
    assert len(result.json["notes"]) == 2
    assert [row["row"] for row in result.json["rows"]] == [VAE, DECODER]


def test_every_row_is_said_beforehand(place, monkeypatch):
    """Each row's command is read, and says what it would train and how it would be scored."""
    cost = {
        "seconds_per_step": 0.5, "dataset_missing": None, "precision": "float32", "threads": 1,
    }  # fmt: skip
    monkeypatch.setattr("unweave.estimate.estimate", lambda config: cost)
    for name, row in ROWS.items():
        result = cli("reproduce", "run", name, "--dry-run", "--json")
        assert result.code == 0, result.err
        (found,) = result.json["rows"]
        *first, last = found["trainings"]
        assert last["steps"] == found["published_steps"] == row.config.steps
        assert last["seconds"] == 0.5 * row.config.steps
        assert len(first) == (row.preset.after is not None)
        asked = [metric for request in found["scores"] for metric in request["metrics"]]
        assert set(asked) == {value.metric for value in row.values}
    told = cli("reproduce", "run", "clg/hessian_1", "--steps", 7, "--seeds", 3, "--dry-run").out
    assert told.count("7 of 7 steps are left") == 3
    assert "shortened: the published training has 181,440 steps" in told
    assert listing(place) == {}


def test_a_dry_run_measures(place, monkeypatch):
    monkeypatch.setattr("unweave.estimate._MEASURED_STEPS", 1)
    result = cli("reproduce", "run", VAE, "--steps", 10, "--dry-run", "--threads", 1)
    assert result.code == 0, result.err
    assert "10 of 10 steps are left" in result.out
    assert "scored: test_losses, protocol disvae" in result.out


def test_the_list():
    rows = cli("reproduce", "list", "--json").json["rows"]
    assert [row["row"] for row in rows] == list(ROWS)
    (row,) = cli("reproduce", "list", "clg/dsprites", "--json").json["rows"]
    assert row["values"] == [
        {
            "score": "factor_vae", "value": 0.861, "sd": 0.02, "runs": 10, "metric": "factor_vae",
            "part": None, "protocol": "clg", "data": None, "printed": "poster",
        }
    ]  # fmt: skip
    shown = cli("reproduce", "list", "dlib").out
    assert "dlib/150  (beta_vae 6): 300,000 steps of dsprites" in shown
    assert shown.count(" steps of ") == 13


def test_what_is_wrong_is_refused_before_any_work(place):
    for words, told in (
        (("run", "disvae/VAE_dsprite"), "Did you mean disvae/VAE_dsprites"),
        (("run", "demo"), "demo is a preset without published numbers"),
        (("run", VAE, "--steps", 0), "--steps must be at least 1"),
        (("run", VAE, "--seeds", 0), "--seeds must be at least 1"),
        (("run", VAE, "--repeats", "x"), "--repeats takes a whole number"),
        (("run", VAE, "--dataset", "shapes3d"), "no form of dsprites"),
        (("run", VAE, "--max-minutes", 0), "--max-minutes must be more than 0"),
        (("list", "clgg"), "There is no row 'clgg'. Did you mean clg?"),
        (("page", "nowhere"), "nowhere is no folder"),
        (("page", "nowhere.json"), "does not exist"),
        (("page", ".", "--out", "page.html"), "--out must end in .md"),
        (("page", ".", "--record", "page.md"), "--record must end in .json"),
    ):
        paragraph(cli("reproduce", *words), told)
    assert listing(place) == {}


@pytest.mark.slow
def test_a_row_from_end_to_end(place):
    """Three seeds in pieces, all metrics of a row, an interval, and the page's own command."""
    name = "clg/commutator_40"
    given = (
        "reproduce", "run", name, "--dataset", MINI, "--steps", 60, "--seeds", 3, *FAST, "--json",
    )  # fmt: skip
    pieces = 0
    while True:
        result = cli(*given, "--max-minutes", 0.02)
        assert result.code == 0, result.err
        pieces += 1
        rows = result.json["rows"]
        if rows[-1]["state"] == "finished":
            break
        assert pieces < 100
    assert pieces > 1
    whole = cli(*given, "--out", "whole")
    assert whole.json["rows"][0]["scores"] == rows[0]["scores"]
    assert [score["score"] for score in rows[0]["scores"]] == [
        "factor_vae", "sap_continuous", "mig", "dci",
    ]  # fmt: skip
    for score in rows[0]["scores"]:
        assert len(score["values"]) == 3
        assert score["low"] <= score["ours"] <= score["high"]
        assert score["over"] == "runs"
    text = cli("reproduce", "page", "runs").out
    assert f"unweave reproduce run {name} --steps 60 --dataset" in text
    assert "--seeds 3 --repeats 2" in text
    assert "3, published 10" in text
