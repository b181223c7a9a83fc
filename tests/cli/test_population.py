"""`unweave population run|resume|status|recurse`: what scripts get, and what is refused."""

from __future__ import annotations

import functools
import json
import shutil
import signal
from pathlib import Path

import pytest

from reference.populations import MINI
from session.runs import (
    assert_same_state,
    cli,
    document,
    folder_for_runs,
    listing,
    paragraph,
    train,
)
from unweave.population import PopulationFolder
from unweave.run import load_run
from unweave.rundir import POPULATION_FILE, write_json

STEPS, BATCH = 2, 4
WORDS = (
    "population", "run", "--data", MINI, "--objective", "beta_tcvae", "--fitness", "mig",
    "--steps-per-round", STEPS, "--batch-size", BATCH, "--latents", 3, "--precision", "float32",
    "--metrics", "mig", "--seed", 0,
)  # fmt: skip


def run(folder, *more, members=3, rounds=2):
    given = ("--population", members, "--rounds", rounds, "--executor", "serial")
    return cli(*WORDS, *given, "--out", folder, "--json", *more)


@functools.cache
def finished():
    """A finished population, and what the command printed; it must not be changed."""
    place = folder_for_runs() / "population"
    return place, run(place)


def test_the_table_for_scripts():
    place, result = finished()
    assert result.code == 0, result.err
    value = result.json
    assert [row["id"] for row in value["population"]] == [0, 1, 2]
    for row in value["population"]:
        assert set(row) == {"id", "score", "hyper", "parent"}
        assert set(row["hyper"]) == {"optimizer.lr", "objective.beta"}
        assert isinstance(row["score"], float)
        assert row["parent"] in (0, 1, 2)
    assert value["rounds"] == 2
    assert value["ended"] == "all 2 rounds are done"
    assert load_run(value["best"]).status["state"] == "finished"
    assert 0 <= value["judged"]["scores"]["mig"]["value"] <= 1
    assert value["folder"] == str(place)
    assert value["stopped_by"] is None


def test_the_same_command_and_resume_do_nothing_more():
    place, result = finished()
    before = listing(place / "rounds")
    again = run(place)
    assert again.json == result.json
    resumed = cli("population", "resume", place, "--executor", "serial", "--json")
    assert resumed.json == result.json
    assert listing(place / "rounds") == before


def test_status_for_people_and_for_scripts():
    place, result = finished()
    said = cli("population", "status", place)
    assert said.code == 0, said.err
    assert "2 of 2 rounds" in said.out
    assert result.json["best"] in said.out
    value = cli("population", "status", place, "--json").json
    assert value["state"] == "finished"
    assert len(value["table"]) == 3


def test_the_members_have_one_key_in_both_commands():
    place, result = finished()
    status = cli("population", "status", place, "--json").json
    assert status["population"] == result.json["population"]
    assert [row["member"] for row in status["table"]] != []


def test_status_says_whether_it_goes_on(tmp_path):
    place, _ = finished()
    assert "Go on with" not in cli("population", "status", place).out
    shutil.copy(place / POPULATION_FILE, tmp_path)
    said = cli("population", "status", tmp_path, "--plots")
    assert f"It is stopped. Go on with: unweave population resume {tmp_path}" in said.out
    assert said.out.endswith("No figures: no round is over yet.\n")
    assert cli("population", "status", tmp_path, "--plots", "--json").json["figures"] == []
    with PopulationFolder(tmp_path).alone():
        assert "A driver is at work." in cli("population", "status", tmp_path).out


@pytest.mark.parametrize("command", ["evaluate", "plot", "report", "export", "rank", "runs show"])
def test_a_population_is_no_run(tmp_path, command):
    place, result = finished()
    given = [place, *(["--format", "onnx", "--out", tmp_path / "x"] * (command == "export"))]
    more = [result.json["best"]] * (command == "rank")
    best = result.json["best"]
    paragraph(cli(*command.split(), *given, *more), f"{place} is a population", best)
    shutil.copy(place / POPULATION_FILE, tmp_path)
    given[0] = tmp_path
    paragraph(cli(*command.split(), *given, *more), f"{tmp_path} is a population", "none yet")


def test_a_member_goes_on_with_its_population(tmp_path):
    place, result = finished()
    copied = shutil.copytree(place, tmp_path / "a b")
    member = copied / Path(result.json["best"]).relative_to(place)
    status = document(member / "status.json")
    write_json(member / "status.json", status | {"state": "stopped"})
    said = cli("runs", "show", member, "--json").json
    assert said["resume"] == f"unweave population resume '{copied}'"
    # It is the population, too, that trains it anew.
    write_json(member / "status.json", status | {"state": "diverged", "message": "no"})
    said = cli("runs", "show", member).out
    assert "--overwrite" not in said
    write_json(member / "status.json", status | {"state": "stopped"})
    # The population of a stage is gone on with by its recursion.
    (tmp_path / "recursion.json").write_text("{}")
    said = cli("runs", "show", member, "--json").json
    assert said["resume"] == f"unweave population resume {tmp_path}"
    # A file of that name says nothing of runs that are no members.
    alone = shutil.copytree(member, copied / "runs" / "x")
    said = cli("runs", "show", alone, "--json").json
    assert said["resume"] == f"unweave train --out '{alone}' --resume"


def test_a_study_is_no_run(tmp_path):
    (tmp_path / "study.json").write_text("{}")
    paragraph(cli("evaluate", tmp_path), "is a study, and no run")
    train(tmp_path / "runs" / "a", steps=1)
    paragraph(cli("plot", tmp_path), f"such as {tmp_path / 'runs' / 'a'}")


def test_a_dry_run_says_what_is_left(tmp_path):
    place, _ = finished()
    before = listing(place)
    value = run(place, "--dry-run").json
    assert (value["done"], value["steps"], value["seconds"]) == (2, 0, 0)
    assert value["why"] == "all 2 rounds are done"
    assert run(place, "--dry-run", rounds=3).json["images"] == 3 * STEPS * BATCH
    said = cli("population", "resume", place, "--dry-run").out
    assert "nothing is left: all 2 rounds are done" in said
    assert listing(place) == before


def test_a_dry_run_says_what_is_tuned_and_asks_the_disk_of_out(tmp_path, monkeypatch):
    from unweave.population import costs

    asked = []
    monkeypatch.setattr(costs, "free_bytes", lambda path: asked.append(path) or 0)
    given = (*WORDS, "--population", 2, "--executor", "serial", "--out", tmp_path / "p")
    result = cli(*given, "--lr", 0.001, "--dry-run")
    assert asked == [tmp_path / "p"]
    assert result.err == "optimizer.lr has a value that is given, and will not be tuned.\n"
    assert "\nranked by scored(by=mig)\ntuned: objective.beta=log_uniform(low=1, high=100)\n" in (
        result.out
    )
    assert result.out.endswith("The disk is too small: give another --out.\n")
    value = cli(*given, "--lr", 0.001, "--dry-run", "--json").json
    assert value["fitness"] == "scored(by=mig)"
    assert [row["path"] for row in value["tuned"]] == ["objective.beta"]
    paragraph(
        cli(*given, "--lr", 0.001, "--objective", "beta_tcvae(beta=3)"), "Nothing is left to tune"
    )
    # So it is beside a preset, which says what is tuned.
    words = ("--preset", "rpu/reference", "--scale", 0.001, "--population", 2, "--rounds", 1)
    preset = cli(*given[:12], *words, *given[12:], "--lr", 0.001, "--json", "--dry-run")
    assert [row["path"] for row in preset.json["tuned"]] == ["objective.beta"]
    assert "batch_size and optimizer.lr have values that are given" in preset.err


def test_the_best_member_is_exported_as_a_study_of_one_run(tmp_path):
    place, result = finished()
    value = cli("population", "export", place, "--out", tmp_path / "best.toml", "--json").json
    assert value["run"] == result.json["best"]
    done = cli("study", "run", value["file"], "--out", tmp_path / "s", "--executor", "serial")
    assert done.code == 0, done.err
    (again,) = (tmp_path / "s" / "runs").glob("[!.]*")
    assert_same_state(again, Path(value["run"]))
    # It is written again, and over nothing else.
    file = Path(value["file"])
    assert cli("population", "export", place, "--out", file).code == 0
    file.write_text('about = "My study"\n')
    paragraph(
        cli("population", "export", place, "--out", file),
        "best.toml is there already", "no study that repeats a member", "left as it is",
    )  # fmt: skip
    assert file.read_text() == 'about = "My study"\n'
    paragraph(
        cli("population", "export", tmp_path, "--out", tmp_path / "x"),
        "no population in", "population.json; or begin one: unweave population run.",
    )  # fmt: skip


def test_figures_are_drawn_when_they_are_asked_for(tmp_path):
    shutil.copytree(finished()[0], tmp_path / "p")
    value = cli("population", "status", tmp_path / "p", "--plots", "--json").json
    assert len(value["figures"]) == 4
    for path in value["figures"]:
        assert path.startswith(str(tmp_path))
        assert path.endswith(".png")


def test_a_time_limit_stops_and_the_same_command_goes_on(tmp_path):
    _, result = finished()
    stopped = run(tmp_path / "p", "--max-minutes", 0.005)
    assert stopped.code in (0, 2)
    ended = run(tmp_path / "p").json
    without = {"folder", "best"}
    assert {k: v for k, v in ended.items() if k not in without} == {
        k: v for k, v in result.json.items() if k not in without
    }


def test_ctrl_c_says_how_to_go_on(tmp_path, monkeypatch):
    seen = []

    def interrupting(row):
        seen.append(row)
        if row["event"] == "finished":
            signal.raise_signal(signal.SIGINT)

    from unweave.population import running

    real = running.drive

    def drive(feed, engine, events, limits):
        events.listeners.append(interrupting)
        return real(feed, engine, events, limits)

    monkeypatch.setattr(running, "drive", drive)
    stopped = cli(
        *WORDS, "--population", 2, "--rounds", 2, "--executor", "serial", "--out", tmp_path / "p"
    )
    assert stopped.code == 130
    assert f"unweave population resume {tmp_path / 'p'}" in stopped.out
    monkeypatch.undo()
    went = cli("population", "resume", tmp_path / "p", "--executor", "serial", "--json")
    assert went.json["rounds"] == 2


def test_a_dry_run_writes_nothing(tmp_path):
    value = run(tmp_path / "p", "--dry-run").json
    assert value["images"] == 3 * 2 * STEPS * BATCH
    assert not (tmp_path / "p").exists()


def test_hours_become_rounds_once(tmp_path, monkeypatch):
    asked = []

    def count(population, hours, workers):
        asked.append((hours, workers))
        return 2

    monkeypatch.setattr("unweave.population.costs.rounds_of_budget", count)
    words = [*WORDS, "--population", 2, "--executor", "serial", "--out", tmp_path / "p", "--json"]
    assert cli(*words, "--budget-hours", 0.5).json["rounds"] == 2
    assert PopulationFolder(tmp_path / "p").population().rounds == 2
    assert cli(*words, "--budget-hours", 100).json["rounds"] == 2
    assert asked == [(0.5, 1)]
    paragraph(cli(*words, "--budget-hours", 1, "--rounds", 3), "either --rounds")
    # A folder that is something else is found out before anything is measured.
    (tmp_path / "notes.txt").write_text("mine")
    words[words.index(tmp_path / "p")] = tmp_path
    paragraph(cli(*words, "--budget-hours", 1), "is no population")
    paragraph(cli(*words, "--budget-hours", 1, "--cpus", 2), "--cpus is of a Ray cluster")
    assert asked == [(0.5, 1)]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (("--population", 1), "--population must be at least 2, but is 1"),
        (("--population", "many"), "whole number"),
        (("--rounds", 0), "--rounds must be at least 1, but is 0"),
        (("--steps-per-round", 0), "--steps-per-round must be at least 1"),
        (("--images-per-round", 50), "either --steps-per-round or --images-per-round, not both"),
        (("--fitness", "nonsense"), "nonsense"),
        (("--fitness", "mig(labels=99999)"), "labels"),
        (("--tune", "optimizer.lr"), "written as PATH=PRIOR"),
        (("--tune", "lr=log_uniform(low=1e-4, high=0.1)"), "Did you mean optimizer.lr?"),
        (("--tune", "objective.beta=choice(values=(1, -1))"), "beta must be at least 0"),
        (("--tune", "device=choice(values=(cpu, cuda))"), "device cannot be tuned"),
        (("--fitness", "dci(protocol=dlib, labels=20)"), "Write scored(by=dci, protocol=fast"),
        (("--address", "auto", "--gpus", 1), "--address and --gpus are of a Ray cluster"),
        (("--exploit", "nonsense"), "nonsense"),
        (("--scale", 0.5), "--preset"),
        (("--workers", 2), "one worker"),
        (("--max-minutes", 0), "more than 0"),
        (("--shrink", 9), "no member left"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_written(tmp_path, more, words):
    paragraph(run(tmp_path / "p", *more), words)
    assert not (tmp_path / "p").exists()


def test_what_is_missing_is_said(tmp_path):
    paragraph(cli("population", "run", "--objective", "vae"), "--data is missing")
    paragraph(cli("population", "run", "--data", MINI), "--objective is missing")
    paragraph(cli("population", "run", "--preset", "rpu/nonsense"), "rpu/nonsense")
    paragraph(cli("population", "status", tmp_path), "no population or recursion")
    (tmp_path / POPULATION_FILE).write_text("{}")
    paragraph(cli("population", "status", tmp_path), "format")


def test_a_full_folder_is_left_alone(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    paragraph(run(tmp_path), "is no population")
    assert (tmp_path / "notes.txt").read_text() == "mine"


def recurse(folder, *more):
    words = ("population", "recurse", "dsprites(grid=(3, 6, 1, 8, 8))", "--preset", "rpu/tiny")
    return cli(*words, "--scale", 0.01, "--executor", "serial", "--out", folder, "--json", *more)


@pytest.mark.slow
def test_a_recursion_for_scripts(tmp_path):
    """So short that its models have learned nothing: there are no labels, and it says so."""
    result = recurse(tmp_path / "r")
    assert result.code == 0, result.err
    value = result.json
    assert value["stages"][0]["name"] == "first"
    assert value["stages"][-1]["name"] == "final"
    assert isinstance(value["labels"], list)
    assert isinstance(value["scores"], dict)
    assert value["state"] == "finished"
    begun = (tmp_path / "r" / "state.jsonl").read_text().count('"started"')
    assert recurse(tmp_path / "r").json["stages"] == value["stages"]
    assert (tmp_path / "r" / "state.jsonl").read_text().count('"started"') == begun
    status = cli("population", "status", tmp_path / "r", "--json").json
    assert json.dumps(status["stages"]) == json.dumps(value["stages"])
    said = cli("population", "status", tmp_path / "r").out
    assert "leaf-1/level-0/labels" in said
    paragraph(recurse(tmp_path / "r", "--leaf-runs", 2), "leaf_runs")
    paragraph(recurse(tmp_path / "r", "--again", "leaf-7"), "no stage")


def test_a_dry_run_of_a_recursion_writes_nothing(tmp_path):
    value = recurse(tmp_path / "r", "--dry-run").json
    assert value["parts"]["first"]["images"] > 0
    assert value["parts"].keys() == {"first", "level", "final"}
    assert value["levels_left"] == 2
    level = value["parts"]["level"]
    for name in ("seconds", "seconds_serial", "disk_bytes"):
        ends = value["parts"]["first"][name] + value["parts"]["final"][name]
        assert value[name] == pytest.approx(ends + 2 * level[name])
    assert not (tmp_path / "r").exists()
    paragraph(recurse(tmp_path / "r", "--storage", "file:///x"), "no --storage")
    paragraph(recurse(tmp_path / "r", "--dry-run", "--again", "first"), "no recursion.json")
    assert not (tmp_path / "r").exists()
