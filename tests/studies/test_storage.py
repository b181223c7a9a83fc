"""Runs in a storage: what a kill leaves can be read, and nodes need not share a disk."""

import shutil
import time

import pytest
from fsspec.implementations.local import LocalFileSystem
from safetensors.numpy import load_file

from unweave.errors import RunError, SpecError, UnweaveError
from unweave.execution import Serial, execute
from unweave.rundir import read_json
from unweave.studies import StudyFolder, plan, run_study, study_of
from unweave.studies.collecting import Collecting
from unweave.studies.storage import StoredRun, TakenOverError, ended_runs, stored_keys
from unweave.studies.task import TASK, check_seen, run_one, write_marker

FORM = {
    "train": {
        "dataset": "dsprites(grid=(3, 2, 4, 4, 4))",
        "steps": 6,
        "batch_size": 4,
        "checkpoint_every": 2,
    },
    "sweep": [{"grid": {"objective": ["beta_vae", "beta_tcvae"]}}],
    "evaluate": {"metrics": ["mig"]},
}


@pytest.fixture(autouse=True)
def nodes_own(tmp_path, monkeypatch):
    """Datasets stay where they are; the runs of this machine lie under a home of their own."""
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "elsewhere"))
    monkeypatch.setattr("unweave.studies.storage.home", lambda: tmp_path / "home")


@pytest.fixture(params=["file", "memory"])
def url(request, tmp_path):
    if request.param == "file":
        return f"file://{tmp_path}/storage"
    return f"memory://{tmp_path}/storage"


def written(folder, **files):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def content(folder):
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_text() for path in paths}


def test_what_was_put_is_fetched_elsewhere(url, tmp_path):
    one = written(tmp_path / "one" / "k", a="1", deep__b="2", cache__c="3")
    (one / ".lock").write_text("")
    writer = StoredRun(url, "k")
    assert not writer.exists
    writer.put(one, without=("cache",))
    assert ended_runs(url) == set()
    two = written(tmp_path / "two" / "k", a="old", mine="kept")
    assert StoredRun(url, "k").fetch(two)
    assert content(two) == {"a": "1", "deep/b": "2", "mine": "kept"}
    (one / "a").write_text("changed")
    shutil.rmtree(one / "deep")
    writer.put(one, done=True, without=("cache",))
    assert ended_runs(url) == {"k"}
    three = tmp_path / "three"
    assert StoredRun(url, "k").fetch(three)
    assert content(three) == {"a": "changed"}
    assert not StoredRun(url, "other").fetch(tmp_path / "four")


def test_folders_are_left_out_at_whatever_depth(url, tmp_path):
    folder = written(tmp_path / "k", cache="a file", models__0="1")
    for name in ("cache", "0/cache", "0/kept"):
        path = folder / "deep" / name / "x"
        path.parent.mkdir(parents=True)
        path.write_text(name)
    StoredRun(url, "k").put(folder, without=("cache",))
    assert StoredRun(url, "k").fetch(tmp_path / "there")
    assert content(tmp_path / "there") == {
        "cache": "a file",
        "models/0": "1",
        "deep/0/kept/x": "0/kept",
    }


def test_what_is_removed_is_gone_and_who_still_goes_on_with_it_is_refused(url, tmp_path):
    slow = StoredRun(url, "k")
    slow.put(written(tmp_path / "run", a="1"), done=True)
    StoredRun(url, "other").put(tmp_path / "run")
    assert stored_keys(url) == {"k", "other"}
    StoredRun(url, "k").remove()
    assert stored_keys(url) == {"other"}
    assert not StoredRun(url, "k").exists
    with pytest.raises(TakenOverError):
        slow.put(written(tmp_path / "run", a="2"))
    assert stored_keys(url) == {"other"}
    # It may be gone already, and so may all of the storage.
    StoredRun(url, "k").remove()
    StoredRun(url, "other").remove()
    assert stored_keys(url) == stored_keys(f"{url}/elsewhere") == set()


def test_only_what_the_last_state_needs_stays(tmp_path):
    url, folder = f"file://{tmp_path}/storage", tmp_path / "run"
    stored = StoredRun(url, "k")
    for number in range(4):
        stored.put(written(folder, config="same", checkpoint=str(number)))
    assert len(list((tmp_path / "storage" / "k" / "data").iterdir())) == 2
    assert len(list((tmp_path / "storage" / "k" / "state").iterdir())) == 1


@pytest.mark.parametrize("point", range(5))
def test_a_kill_at_any_point_of_a_put_leaves_the_state_before_or_the_new_one(
    point, tmp_path, monkeypatch
):
    url = f"file://{tmp_path}/storage"
    StoredRun(url, "k").put(written(tmp_path / "run", a="1", b="1"))
    killed = StoredRun(url, "k")
    assert killed.exists
    calls = 0

    def torn(name):
        real = getattr(LocalFileSystem, name)

        def call(self, *arguments, **fields):
            nonlocal calls
            calls += 1
            if calls > point:
                if name == "pipe_file":
                    real(self, arguments[0], arguments[1][:20])
                raise KeyboardInterrupt
            return real(self, *arguments, **fields)

        return call

    with monkeypatch.context() as patch:
        for name in ("put_file", "pipe_file", "rm_file"):
            patch.setattr(LocalFileSystem, name, torn(name))
        with pytest.raises(KeyboardInterrupt):
            killed.put(written(tmp_path / "run", a="2", b="3"))
    there = tmp_path / "there"
    assert StoredRun(url, "k").fetch(there)
    assert content(there) == ({"a": "1", "b": "1"} if point < 3 else {"a": "2", "b": "3"})
    # The next worker goes on, and clears away what was left.
    after = StoredRun(url, "k")
    assert after.exists
    after.put(written(tmp_path / "run", a="4", b="5"), done=True)
    assert len(list((tmp_path / "storage" / "k" / "data").iterdir())) == 2
    assert len(list((tmp_path / "storage" / "k" / "state").iterdir())) == 1
    assert StoredRun(url, "k").fetch(there)
    assert content(there) == {"a": "4", "b": "5"}


def test_a_worker_that_was_taken_for_dead_writes_no_more(url, tmp_path):
    slow, quick = StoredRun(url, "k"), StoredRun(url, "k")
    slow.put(written(tmp_path / "slow", a="1"))
    assert quick.fetch(tmp_path / "quick")
    quick.put(written(tmp_path / "quick", a="2"))
    with pytest.raises(TakenOverError, match="Another worker has gone on"):
        slow.put(written(tmp_path / "slow", a="3"))
    assert StoredRun(url, "k").fetch(tmp_path / "there")
    assert content(tmp_path / "there") == {"a": "2"}


def test_checkpoints_are_stored_as_often_as_that_takes_little_of_the_time(url, tmp_path):
    stored = StoredRun(url, "k")
    assert stored.put(written(tmp_path / "run", a="1"), sparing=True)
    # For twenty times as long as that took nothing is put there unless it must be.
    stored._soonest += 60
    assert not stored.put(written(tmp_path / "run", a="2"), sparing=True)
    assert stored.put(written(tmp_path / "run", a="3"))
    assert StoredRun(url, "k").fetch(tmp_path / "there")
    assert content(tmp_path / "there") == {"a": "3"}
    begun = time.monotonic()
    while not stored.put(written(tmp_path / "run", a="4"), sparing=True):
        time.sleep(0.01)
        assert time.monotonic() < begun + 60
    assert 0 < stored.seconds < 20 * (time.monotonic() - begun)


def test_damaged_files_are_not_used(tmp_path):
    url = f"file://{tmp_path}/storage"
    StoredRun(url, "k").put(written(tmp_path / "run", a="1"))
    (path,) = (tmp_path / "storage" / "k" / "data").iterdir()
    path.write_text("2")
    assert not StoredRun(url, "k").fetch(tmp_path / "there")
    assert not (tmp_path / "there").exists()
    # Whoever begins anew can put its run there.
    again = StoredRun(url, "k")
    again.fetch(tmp_path / "there")
    again.put(tmp_path / "run", done=True)
    assert StoredRun(url, "k").fetch(tmp_path / "there")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("cloud://bucket", "cannot be opened: .*fsspec"),
        ("/shared/folder", "a folder of one machine"),
    ],
)
def test_storages_that_cannot_be_opened_are_refused_before_any_work(given, message, tmp_path):
    with pytest.raises(SpecError, match=message):
        run_study(study_of(FORM, "a"), out=tmp_path / "a", executor="serial", storage=given)
    assert not (tmp_path / "a").exists()


def test_a_storage_that_does_not_answer_is_named(tmp_path):
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(UnweaveError, match=r"storage file://.* does not answer") as caught:
        StoredRun(f"file://{tmp_path}/file", "k").put(written(tmp_path / "run", a="1"))
    assert not caught.value.lasting


def weights(folder):
    return load_file(folder / "checkpoint" / "state.safetensors")


def same(one, two):
    return set(one) == set(two) and all((one[name] == two[name]).all() for name in one)


def test_a_study_with_a_storage_gives_the_same_runs(url, tmp_path):
    plain, states = run_study(study_of(FORM, "a"), out=tmp_path / "1" / "a", executor="serial")
    far, others = run_study(
        study_of(FORM, "a"), out=tmp_path / "2" / "a", executor="serial", storage=url
    )
    assert list(states) == list(others)
    assert {state.state for state in others.values()} == {"finished"}
    for key in states:
        one, two = plain.run_folder(key), far.run_folder(key)
        assert same(weights(one), weights(two))
        assert read_json(one / "scores.json") == read_json(two / "scores.json")
    assert ended_runs(url) == set(states)
    # Nothing is left on the machine of the workers but the folder of their runs.
    assert not [path for path in (tmp_path / "home" / "runs").glob("*/*") if path.is_dir()]
    # The storage is remembered; a second call starts nothing, further scores train nothing.
    run_study(study_of(FORM, "a"), out=far.path, executor="serial")
    curve = (far.run_folder(key) / "metrics.jsonl").read_bytes()
    more = FORM | {"evaluate": {"metrics": ["mig", "jemmig"]}}
    run_study(study_of(more, "a"), out=far.path, executor="serial")
    assert (far.run_folder(key) / "metrics.jsonl").read_bytes() == curve
    assert len(read_json(far.run_folder(key) / "scores.json")["scores"]) == 2
    starts = [row["event"] for row in far.events.read()].count("started")
    assert starts == 2 * len(states)


def test_runs_that_ended_while_no_driver_was_there_are_taken_and_not_done_again(tmp_path):
    url, study = f"file://{tmp_path}/storage", study_of(FORM, "a")
    folder = StudyFolder(tmp_path / "study" / "a")
    items = [run.item(study, str(folder.run_folder(run.key))) for run in plan(study)]
    # One worker has come to the end, one only to its first checkpoint.
    run_one({**items[0].payload, "storage": url}, lambda: None)
    beats = 0

    def dying():
        nonlocal beats
        beats += 1
        if any((tmp_path / "storage" / items[1].key / "state").glob("*")):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_one({**items[1].payload, "storage": url}, dying)
    shutil.rmtree(tmp_path / "home")
    _, states = run_study(study, out=folder.path, executor="serial", storage=url)
    assert {state.state for state in states.values()} == {"finished"}
    plain, _ = run_study(study, out=tmp_path / "plain" / "a", executor="serial")
    for item in items:
        assert same(weights(plain.run_folder(item.key)), weights(folder.run_folder(item.key)))
    # The first was not trained again, and the second from its checkpoint.
    log = (folder.run_folder(items[0].key) / "log.txt").read_text()
    assert log.count("from step 0") == 1
    log = (folder.run_folder(items[1].key) / "log.txt").read_text()
    assert log.count("from step 0") == 1
    assert log.count("from step 2") == 1


def test_a_run_that_does_not_come_is_tried_again(tmp_path, monkeypatch):
    url, study = f"file://{tmp_path}/storage", study_of(FORM, "a")
    folder = StudyFolder(tmp_path / "study" / "a")
    items = [
        type(item)(item.key, {**item.payload, "storage": url})
        for item in (run.item(study, str(folder.run_folder(run.key))) for run in plan(study))
    ]
    real, failed = StoredRun.fetch, []

    def fetch(self, place):
        if place.parent == folder.path / "runs" and not failed:
            failed.append(place.name)
            raise ConnectionError("gone")
        return real(self, place)

    monkeypatch.setattr(StoredRun, "fetch", fetch)
    folder.path.mkdir(parents=True)
    states = execute(items, Collecting(Serial(TASK), url), folder.events)
    assert {state.state for state in states.values()} == {"finished"}
    (lost,) = [row for row in folder.events.read() if row["event"] == "lost"]
    assert (lost["key"], "gone" in lost["message"]) == (failed[0], True)
    assert all(folder.run_folder(item.key).is_dir() for item in items)


def test_a_run_that_fails_comes_with_its_log(tmp_path):
    # MIG compares two latents.
    form = FORM | {"train": FORM["train"] | {"latents": 1}}
    folder, states = run_study(
        study_of(form, "a"),
        out=tmp_path / "s" / "a",
        executor="serial",
        storage=f"file://{tmp_path}/storage",
    )
    for key, state in states.items():
        assert state.state == "failed"
        assert state.message in (folder.run_folder(key) / "log.txt").read_text()


def test_runs_taken_over_from_another_study_are_given_to_no_worker(tmp_path, monkeypatch):
    run_study(study_of(FORM, "a"), out=tmp_path / "s" / "a", executor="serial")
    monkeypatch.setattr("unweave.studies.task._train", None)
    url = f"file://{tmp_path}/storage"
    _, states = run_study(
        study_of(FORM, "b"), out=tmp_path / "s" / "b", executor="serial", storage=url
    )
    assert {state.state for state in states.values()} == {"finished"}


def test_a_study_begun_without_a_storage_goes_on_with_one(tmp_path):
    folder, states = run_study(study_of(FORM, "a"), out=tmp_path / "s" / "a", executor="serial")
    key = next(iter(states))
    curve = (folder.run_folder(key) / "metrics.jsonl").read_bytes()
    more = FORM | {"evaluate": {"metrics": ["mig", "jemmig"]}}
    run_study(
        study_of(more, "a"),
        out=folder.path,
        executor="serial",
        storage=f"file://{tmp_path}/storage",
    )
    assert (folder.run_folder(key) / "metrics.jsonl").read_bytes() == curve
    assert len(read_json(folder.run_folder(key) / "scores.json")["scores"]) == 2


def test_a_machine_that_does_not_see_the_study_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr("unweave.studies.task._PATIENCE", 0.1)
    study = study_of(FORM, "a")
    run = plan(study)[0]
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    marker = write_marker(here)
    check_seen(here / "runs" / run.key, marker)
    item = run.item(study, str(there / "runs" / run.key))
    with pytest.raises(RunError, match=r"does not see the study in .*storage"):
        run_one({**item.payload, "marker": marker}, lambda: None)
    assert not there.exists()
