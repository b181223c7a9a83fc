"""A study trains and scores each run once, here or there, and goes on where it was."""

import functools
import json
import logging
import multiprocessing
import shutil
import subprocess
import sys

import pytest
from safetensors.numpy import load_file

from session.runs import folder_for_runs
from unweave import load_run
from unweave.errors import RunError, SpecError
from unweave.rundir import read_json
from unweave.studies import StudyFolder, run_study, study_of
from unweave.studies.cleaning import clean, superfluous

MINI = "dsprites(grid=(3, 2, 4, 4, 4))"
FORM = {
    "train": {"dataset": MINI, "steps": 6, "batch_size": 4},
    "sweep": [{"grid": {"objective": ["beta_vae", "beta_tcvae"]}}],
    "evaluate": {"metrics": ["mig", "jemmig"]},
}
# A single run of it.
SINGLE = {"train": FORM["train"] | {"objective": "beta_vae"}, "sweep": []}


def made(tmp_path, name="a", *, executor="serial", **change):
    return run_study(
        study_of(FORM | change, name), out=tmp_path / name / "study", executor=executor, workers=2
    )


@functools.cache
def carried_out():
    """The study, carried out serially; it is shared and must not be changed."""
    # So deep that other studies do not find it, which would take its runs.
    place = folder_for_runs() / "below" / "of" / "study"
    return run_study(study_of(FORM, "a"), out=place, executor="serial")


def there(tmp_path):
    """A copy of it, as `made` would have made it, for what comes later."""
    folder, states = carried_out()
    shutil.copytree(folder.path, tmp_path / "a" / "study")
    return StudyFolder(tmp_path / "a" / "study"), states


def events(folder, kind):
    return [row["key"] for row in folder.events.read() if row["event"] == kind]


def test_serial_and_processes_give_the_same_runs(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "elsewhere"))
    one, states = made(tmp_path, "one")
    two, others = made(tmp_path, "two", executor="processes")
    assert list(states) == list(others)
    assert {s.state for s in states.values()} == {s.state for s in others.values()} == {"finished"}
    for key in states:
        places = [folder.run_folder(key) for folder in (one, two)]
        weights = [load_file(p / "checkpoint" / "state.safetensors") for p in places]
        assert all((weights[0][name] == weights[1][name]).all() for name in weights[0])
        scores = [read_json(p / "scores.json") for p in places]
        assert scores[0] == scores[1]
        assert [row["metric"] for row in scores[0]["scores"]] == ["mig", "jemmig"]


def test_a_second_call_does_nothing_and_further_runs_only_themselves(tmp_path):
    folder, _ = there(tmp_path)
    made(tmp_path)
    assert len(events(folder, "started")) == 2
    _, states = made(tmp_path, seeds=2)
    assert len(states) == 4
    # Seed 0 was there.
    assert len(events(folder, "started")) == 4


def test_another_score_is_computed_without_another_training(tmp_path):
    folder, states = there(tmp_path)
    key = next(iter(states))
    curve = (folder.run_folder(key) / "metrics.jsonl").read_bytes()
    made(tmp_path, evaluate={"metrics": ["mig", "jemmig", "irs"]})
    assert (folder.run_folder(key) / "metrics.jsonl").read_bytes() == curve
    rows = read_json(folder.run_folder(key) / "scores.json")["scores"]
    assert {row["metric"] for row in rows} == {"mig", "jemmig", "irs"}


@pytest.mark.parametrize(
    ("keep", "kept"),
    [("scores", set()), ("codes", {"cache"}), ("all", {"cache", "checkpoint"})],
)
def test_only_what_shall_be_kept_stays(keep, kept, tmp_path):
    folder, states = made(tmp_path, keep=keep)
    for key in states:
        place = folder.run_folder(key)
        assert {n for n in ("cache", "checkpoint") if (place / n).exists()} == kept
        assert {"config.json", "scores.json", "metrics.jsonl"} <= {p.name for p in place.iterdir()}


def test_weights_that_were_not_kept_are_trained_again_for_new_scores(tmp_path):
    folder, _ = made(tmp_path, keep="scores")
    _, states = made(tmp_path, keep="scores", evaluate={"metrics": ["mig", "jemmig", "irs"]})
    assert {s.state for s in states.values()} == {"finished"}
    rows = read_json(folder.run_folder(next(iter(states))) / "scores.json")["scores"]
    assert "irs" in {row["metric"] for row in rows}


def test_runs_are_shared_between_studies(tmp_path):
    folder, states = there(tmp_path)
    study = study_of(FORM, "b")
    other, _ = run_study(study, out=tmp_path / "a" / "other", executor="serial")
    for key in states:
        places = [f.run_folder(key) / "checkpoint" / "state.safetensors" for f in (folder, other)]
        assert places[0].stat().st_ino == places[1].stat().st_ino
    # One study's folder can go without the other noticing.
    shutil.rmtree(folder.path)
    assert (other.run_folder(key) / "checkpoint" / "state.safetensors").is_file()


def test_a_training_that_diverges_is_a_result(tmp_path):
    form = FORM | {"train": FORM["train"] | {"lr": 1e30, "precision": "float32"}}
    folder, states = run_study(study_of(form, "wild"), out=tmp_path / "w", executor="serial")
    for state in states.values():
        assert state.state == "finished"
        assert state.result["state"] == "diverged"
        assert "was not finite" in state.result["message"]
    run_study(study_of(form, "wild"), out=tmp_path / "w", executor="serial")
    assert len(events(folder, "started")) == 2


def test_a_run_that_always_fails_is_told_and_the_others_are_done(tmp_path):
    # MIG and JEMMIG compare two latents, of which the first run has one.
    form = FORM | {"sweep": [{"grid": {"latents": [1, 10]}}]}
    form["train"] = FORM["train"] | {"objective": "beta_vae"}
    folder, states = run_study(study_of(form, "half"), out=tmp_path / "h", executor="serial")
    one, ten = states.values()
    assert (one.state, ten.state) == ("failed", "finished")
    assert "latent" in one.message
    assert [row["event"] for row in folder.events.read()].count("failed") == 1


def test_what_goes_wrong_is_in_the_log_of_the_run(tmp_path, monkeypatch):
    def broken(self, *args, **kwargs):
        logging.getLogger("unweave").warning("about to fail")
        raise ZeroDivisionError("no such number")

    monkeypatch.setattr("unweave.run.Run.evaluate", broken)
    folder, states = made(tmp_path)
    for key, state in states.items():
        # Tried twice: the error is none that was made for the user.
        assert (state.state, state.tries) == ("failed", 2)
        text = (folder.run_folder(key) / "log.txt").read_text()
        assert text.count("finished at step 6") == 1
        assert text.count("about to fail") == 2
        assert text.count("Failed: no such number\nTraceback") == 2
        assert "in broken" in text


def test_places_that_are_taken_are_refused(tmp_path):
    study = study_of(FORM, "x")
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("mine")
    with pytest.raises(RunError, match="exists and is no study"):
        run_study(study, out=tmp_path / "full", executor="serial")
    folder, _ = there(tmp_path)
    with pytest.raises(RunError, match="has a study already"):
        run_study(study, out=folder.path, executor="serial", resume=False)
    before = (folder.path / "study.json").read_bytes()
    with folder.alone(), pytest.raises(RunError, match="worked on by another process"):
        run_study(study_of(FORM | {"seeds": 2}, "x"), out=folder.path, executor="serial")
    other = study_of(FORM | {"train": FORM["train"] | {"steps": 7}}, "a")
    with pytest.raises(RunError, match="a study of which no run is part of this one"):
        run_study(other, out=folder.path, executor="serial")
    assert (folder.path / "study.json").read_bytes() == before
    with pytest.raises(SpecError, match="Unknown executor"):
        run_study(study, out=tmp_path / "y", executor="cloud")
    assert not (tmp_path / "y").exists()
    with pytest.raises(RunError, match="not the folder of a study"):
        StudyFolder(tmp_path).read()


@pytest.mark.parametrize("left", [(), (".lock",), (".lock", ".study.json-12ab.tmp")])
def test_a_driver_that_was_killed_before_it_wrote_anything_is_no_obstacle(tmp_path, left):
    place = tmp_path / "a" / "study"
    (place / "runs").mkdir(parents=True)
    for name in left:
        (place / name).touch()
    _, states = made(tmp_path, **SINGLE, evaluate={"metrics": ["mig"]})
    assert {state.state for state in states.values()} == {"finished"}


@pytest.mark.parametrize("mine", ["runs/mine.txt", ".thesis", "mine.tmp"])
def test_a_folder_with_anything_of_the_users_is_one(tmp_path, mine):
    place = tmp_path / "a" / "study"
    (place / "runs").mkdir(parents=True)
    (place / mine).write_text("mine")
    with pytest.raises(RunError, match="exists and is no study"):
        made(tmp_path)
    assert not (place / "study.json").exists()


def test_devices_are_refused_before_anything_is_written(tmp_path):
    for device, words in (("tpu", "unknown"), ("cuda:999", "is not there")):
        with pytest.raises(SpecError, match=words):
            made(tmp_path, train=FORM["train"] | {"device": device})
    assert not (tmp_path / "a").exists()


def test_all_of_a_protocol_is_more_than_one_score_of_it(tmp_path):
    folder, states = made(tmp_path, **SINGLE, evaluate={"metrics": ["mig"]})
    made(tmp_path, **SINGLE, evaluate={})
    for key in states:
        rows = read_json(folder.run_folder(key) / "scores.json")["scores"]
        assert len({row["metric"] for row in rows}) > 5
    assert len(events(folder, "started")) == 2
    made(tmp_path, **SINGLE, evaluate={})
    assert len(events(folder, "started")) == 2


def test_a_protocol_is_not_asked_again_for_what_cannot_be_scored(tmp_path):
    # With one latent there is no second one to compare.
    form = {"train": FORM["train"] | {"objective": "beta_vae", "latents": 1}, "sweep": []}
    folder, states = made(tmp_path, keep="scores", evaluate={}, **form)
    (key,) = states
    rows = read_json(folder.run_folder(key) / "scores.json")["scores"]
    assert "mig" not in {row["metric"] for row in rows}
    assert (folder.run_folder(key) / "left_out.json").is_file()
    made(tmp_path, keep="scores", evaluate={}, **form)
    assert len(events(folder, "started")) == 1
    # Another seed is another request.
    made(tmp_path, keep="scores", evaluate={"seed": 1}, **form)
    assert len(events(folder, "started")) == 2


def test_analyses_draw_once_however_often_metrics_do(tmp_path):
    asked = {"metrics": ["mig", "test_losses"], "repeats": 2}
    folder, _ = made(tmp_path, **SINGLE, evaluate=asked)
    made(tmp_path, **SINGLE, evaluate=asked)
    assert len(events(folder, "started")) == 1


def test_scores_on_another_dataset_are_none_of_the_study(tmp_path):
    folder, states = there(tmp_path)
    for key in states:
        other = "dsprites(grid=(3, 3, 2, 4, 4))"
        load_run(folder.run_folder(key)).evaluate(("irs",), data=other)
    made(tmp_path, evaluate={"metrics": ["mig", "jemmig", "irs"]})
    for key in states:
        rows = read_json(folder.run_folder(key) / "scores.json")["scores"]
        assert [row["metric"] for row in rows].count("irs") == 2


PART, REST = (
    f"{view}(data={MINI}, where=\"shape == 'square' and pos_x > 0.5\")"
    for view in ("without", "only")
)
SPLIT = {"train": FORM["train"] | {"dataset": PART, "objective": "vae"}, "sweep": []}


def rows_of(folder):
    (key,) = folder.keys()
    rows = read_json(folder.run_folder(key) / "scores.json")["scores"]
    return [(row["metric"], row["data"], row["samples"]) for row in rows]


@pytest.mark.parametrize("data", ["held_out", REST.replace(", ", ",")])
def test_what_was_held_out_is_scored_once(data, tmp_path):
    own = {"metrics": ["test_losses"]}
    folder, _ = made(tmp_path, **SPLIT, evaluate=own)
    before = (folder.path / "study.json").read_bytes()
    made(tmp_path, **SPLIT, evaluate=own)
    assert (folder.path / "study.json").read_bytes() == before
    assert len(events(folder, "started")) == 1
    (key,) = folder.keys()
    curve = (folder.run_folder(key) / "metrics.jsonl").read_bytes()
    # The run that is there is scored further, and no run of another kind.
    asked = [own, {"metrics": ["test_losses", "mig"], "data": data}]
    made(tmp_path, **SPLIT, evaluate=asked)
    made(tmp_path, **SPLIT, evaluate=asked)
    assert len(events(folder, "started")) == 2
    assert (folder.run_folder(key) / "metrics.jsonl").read_bytes() == curve
    assert rows_of(folder) == [
        ("test_losses", PART, 320), ("test_losses", REST, 64), ("mig", REST, 64),
    ]  # fmt: skip
    assert superfluous(folder) == []
    # What a run keeps no weights for is known to be scored, too.
    made(tmp_path, **SPLIT, evaluate=asked, keep="scores")
    clean(folder)
    assert not (folder.run_folder(key) / "checkpoint").exists()
    made(tmp_path, **SPLIT, evaluate=asked, keep="scores")
    assert len(events(folder, "started")) == 2


def test_scores_of_other_data_are_none_of_what_was_held_out(tmp_path):
    folder, _ = made(tmp_path, **SPLIT, evaluate={"metrics": ["test_losses"]})
    made(tmp_path, **SPLIT, evaluate={"metrics": ["test_losses"], "data": "held_out"})
    assert len(events(folder, "started")) == 2
    assert [data for _, data, _ in rows_of(folder)] == [PART, REST]


def test_all_of_a_protocol_of_what_was_held_out(tmp_path):
    # With one latent there is no second one to compare.
    form = {"train": SPLIT["train"] | {"latents": 1}, "sweep": []}
    asked = [{}, {"data": "held_out"}]
    folder, _ = made(tmp_path, keep="scores", evaluate=asked, **form)
    made(tmp_path, keep="scores", evaluate=asked, **form)
    assert len(events(folder, "started")) == 1
    assert {data for _, data, _ in rows_of(folder)} == {PART, REST}
    (key,) = folder.keys()
    # The first as earlier versions have written it.
    usual = {"protocol": "unweave", "part": "all", "codes": "mean", "seed": 0, "repeats": 1}
    found = read_json(folder.run_folder(key) / "left_out.json")["requests"]
    assert sorted(found, key=len) == [usual, usual | {"data": "held_out"}]


def test_weights_that_a_kill_has_half_removed_are_trained_again(tmp_path):
    folder, states = there(tmp_path)
    for key in states:
        (folder.run_folder(key) / "checkpoint" / "state.safetensors").unlink()
    _, states = made(tmp_path, evaluate={"metrics": ["irs"]})
    assert {state.state for state in states.values()} == {"finished"}


def test_a_run_that_another_study_does_meanwhile_is_not_done_again(tmp_path):
    study = study_of(FORM, "b")
    place = tmp_path / "a" / "other"
    first = []

    def listener(row):
        # The other study does both runs while this one is at its first.
        if row["event"] == "started" and not first:
            first.append(there(tmp_path))

    folder, states = run_study(study, out=place, executor="serial", listener=listener)
    for key in states:
        places = [
            f.run_folder(key) / "checkpoint" / "state.safetensors" for f in (folder, first[0][0])
        ]
        assert places[0].stat().st_ino == places[1].stat().st_ino


def test_a_run_whose_files_go_while_they_are_taken_is_done_here(tmp_path, monkeypatch):
    there(tmp_path)

    def gone(one, other):
        raise FileNotFoundError(one)

    monkeypatch.setattr("unweave.rundir.os.link", gone)
    monkeypatch.setattr("unweave.studies.folder.shutil.copy2", gone)
    study = study_of(FORM, "b")
    folder, states = run_study(study, out=tmp_path / "a" / "other", executor="serial")
    assert {state.state for state in states.values()} == {"finished"}
    assert sorted(p.name for p in (folder.path / "runs").glob("[!.]*")) == sorted(states)


def test_a_worker_that_reads_the_script_that_started_it_is_ended(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(multiprocessing.current_process(), "_inheriting", True, raising=False)
    with pytest.raises(SystemExit) as ended:
        made(tmp_path)
    assert ended.value.code == 1
    said = capsys.readouterr().err
    assert said.startswith("error: Worker processes read the script that starts them.")
    assert "Call run_study below if __name__ == '__main__': or" in said
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_script_that_its_workers_would_run_again_is_told(tmp_path):
    form = FORM | {"sweep": [], "limits": {"losses": 0, "retries": 0}}
    form["train"] = FORM["train"] | {"objective": "beta_vae"}
    script = tmp_path / "script.py"
    script.write_text(
        "from unweave.studies import run_study, study_of\n"
        f"study = study_of({form!r}, 'x')\n"
        f"_, states = run_study(study, out={str(tmp_path / 'x')!r}, workers=1)\n"
        "print([state.state for state in states.values()])\n"
    )
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True)
    assert done.stdout == "['failed']\n", done.stderr
    assert "below if __name__ == '__main__'" in done.stderr
    assert "Traceback" not in done.stderr


def test_what_was_asked_for_can_be_read_back():
    folder, states = carried_out()
    assert folder.study() == study_of(FORM, "a")
    assert list(folder.states()) == list(states)
    form = json.loads((folder.path / "study.json").read_text())
    assert form["runs"][0]["command"].startswith("unweave train ")
