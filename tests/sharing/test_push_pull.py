"""A run goes to a folder or an object storage and comes back as it was."""

from __future__ import annotations

import hashlib

import filelock
import fsspec
import numpy as np
import pytest
from fsspec.implementations.memory import MemoryFileSystem

import unweave
from session.runs import MINI, TINY, assert_same_state, copy_of, listing, rich, timeless
from session.runs import lines as metrics
from sharing.made import manifest, pushed, whole
from unweave import load_run
from unweave.errors import RunError
from unweave.rundir import LOCK, alone, work_lock
from unweave.scores import load_scores
from unweave.sharing import pull_run, push_run
from unweave.sharing.storage import StoragePlace

STAY = ("cache", "tracking", "log.txt", "notes.txt", ".hidden", "snapshots")


@pytest.fixture(params=["folder", "memory"])
def place(request, tmp_path):
    """A folder, and what stands for an object storage: it has no renames, and no folders."""
    if request.param == "folder":
        yield str(tmp_path / "shared" / "mine")
        return
    url = f"memory://{tmp_path}/mine"
    yield url
    system, root = fsspec.core.url_to_fs(url)
    if system.exists(root):
        system.rm(root, recursive=True)


def found(place):
    """Names of the files of a place, with digests of what is in them."""
    system, root = fsspec.core.url_to_fs(place)
    return {
        path[len(root) + 1 :]: hashlib.sha256(system.cat_file(path)).hexdigest()
        for path in system.find(root)
    }


def test_what_is_pushed_comes_back_byte_for_byte(place, tmp_path):
    result = push_run(whole(), place)
    there = found(place)
    assert set(result.files) == set(there)
    assert not any(name.split("/")[0] in STAY for name in there)
    assert {"config.json", "environment.json", "status.json", "scores.json", "metrics.jsonl",
            "checkpoint/state.safetensors", "figures/traversals.png", "report.html",
            "README.md", "manifest.json"} <= set(there)  # fmt: skip
    assert set(result.left_out) == {"cache", "tracking", "log.txt", "notes.txt", "snapshots"}
    assert result.bytes == sum(result.files.values())
    pulled = pull_run(place, tmp_path / "back")
    assert (pulled.state, pulled.step) == ("pulled", 24)
    back = {k: v for k, v in listing(tmp_path / "back").items() if v != "folder"}
    # The page of scripts and the list itself are no part of what is fetched unasked.
    assert back == {k: v for k, v in there.items() if k not in ("manifest.json", "report.html")}
    ours = listing(whole())
    assert all(ours[name] == digest for name, digest in back.items() if name != "README.md")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_pulled_run_decodes_to_the_same_bytes_and_is_scored_the_same(tmp_path, one_figure):
    z = np.random.default_rng(0).normal(size=(9, 4))
    before = load_run(whole())
    run = unweave.pull(pushed(tmp_path / "shared"), tmp_path / "back")
    assert run.decode(z).tobytes() == before.decode(z).tobytes()
    images = before.dataset.images(np.arange(20))
    assert all(
        a.tobytes() == b.tobytes()
        for a, b in zip(run.encode(images), before.encode(images), strict=True)
    )
    again = run.evaluate(("mig",), repeats=3)["mig"]
    assert again.to_dict() == next(
        row for row in load_scores(before.folder) if row["metric"] == "mig"
    )
    assert run.plot("kl")
    assert run.report(explorer=False).stat().st_size > 1000


def test_a_training_goes_on_as_if_it_had_never_been_away(tmp_path):
    settings = {**TINY, "checkpoint_every": 3, "log_every": 3}
    unweave.train(MINI, "beta_tcvae", steps=12, out=tmp_path / "whole", **settings)
    half = unweave.train(MINI, "beta_tcvae", steps=6, out=tmp_path / "half", **settings)
    half.push(tmp_path / "shared")
    unweave.pull(tmp_path / "shared", tmp_path / "back")
    unweave.train(MINI, "beta_tcvae", steps=12, out=tmp_path / "back", resume=True, **settings)
    assert_same_state(tmp_path / "whole", tmp_path / "back")
    assert timeless(metrics(tmp_path / "whole")) == timeless(metrics(tmp_path / "back"))
    # To go on is no other run: what was pushed of its first half is replaced.
    assert load_run(tmp_path / "back").push(tmp_path / "shared").replaced
    assert manifest(tmp_path / "shared")["step"] == 12


def test_snapshots_and_the_page_come_when_they_are_asked_for(tmp_path):
    push_run(whole(), tmp_path / "shared", snapshots=True)
    names = ["snapshots/step-0000009.safetensors", "snapshots/step-0000018.safetensors"]
    assert set(names) <= set(manifest(tmp_path / "shared")["files"])
    result = pull_run(tmp_path / "shared", tmp_path / "back", report=True)
    assert (tmp_path / "back" / "report.html").read_text() == "<p>A page.</p>"
    assert {*names, "report.html"} <= set(result.files)
    assert result.left_out == {}
    assert "report.html" in pull_run(tmp_path / "shared", tmp_path / "other").left_out
    # What is no longer asked for goes, and what nobody pushed stays.
    (tmp_path / "shared" / "mine.txt").write_text("mine")
    push_run(whole(), tmp_path / "shared")
    assert not (tmp_path / "shared" / names[0]).exists()
    assert (tmp_path / "shared" / "mine.txt").read_text() == "mine"


def test_pushed_again_the_new_version_takes_the_place_of_the_old(place, tmp_path):
    run = copy_of(whole(), tmp_path)
    assert push_run(run, place).replaced is False
    (run / "figures" / "traversals.png").unlink()
    (run / "scores.json").unlink()
    result = push_run(run, place)
    assert result.replaced is True
    names = set(found(place))
    assert names == set(result.files)
    assert not {"scores.json", "figures/traversals.png"} & names
    pull_run(place, tmp_path / "back")
    assert not (tmp_path / "back" / "scores.json").exists()


def test_the_same_run_that_is_there_already_is_left_as_it_is(tmp_path):
    shared = pushed(tmp_path / "shared")
    pull_run(shared, tmp_path / "back")
    (tmp_path / "back" / "cache").mkdir()
    before = listing(tmp_path / "back")
    assert pull_run(shared, tmp_path / "back").state == "there"
    assert listing(tmp_path / "back") == before
    (tmp_path / "back" / "scores.json").write_text('{"format": 1, "scores": []}')
    with pytest.raises(RunError, match=r"differs in scores\.json.*--overwrite"):
        pull_run(shared, tmp_path / "back")
    assert pull_run(shared, tmp_path / "back", overwrite=True).state == "pulled"
    assert listing(tmp_path / "back") == {k: v for k, v in before.items() if k != "cache"}
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_an_empty_folder_is_filled_and_no_other_is_touched(tmp_path):
    shared = pushed(tmp_path / "shared")
    (tmp_path / "back").mkdir()
    inode = (tmp_path / "back").stat().st_ino
    pull_run(shared, tmp_path / "back")
    # As of a folder that is another disk.
    assert (tmp_path / "back").stat().st_ino == inode
    assert load_run(tmp_path / "back").step == 24
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("mine")
    with pytest.raises(RunError, match="not a run folder"):
        pull_run(shared, tmp_path / "notes", overwrite=True)
    assert listing(tmp_path / "notes").keys() == {"a.txt"}


def test_the_working_directory_is_filled(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    here = (tmp_path / "here").resolve()
    here.mkdir()
    monkeypatch.chdir(here)
    assert pull_run(shared, ".").folder == here
    assert load_run(here).step == 24
    assert [path.name for path in here.iterdir() if path.name.startswith(".")] == []
    assert pull_run(shared, ".").state == "there"


def test_the_name_of_the_source_is_that_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    shared = pushed(tmp_path / "best one")
    assert pull_run(shared).folder == tmp_path / "runs" / "best one"
    assert load_run(tmp_path / "runs" / "best one").step == 24


def test_a_run_that_is_trained_or_has_no_weights_stays(tmp_path):
    run = copy_of(rich(), tmp_path)
    for lock in (run / LOCK, work_lock(run)):
        with alone(lock, "", remove=True), pytest.raises(RunError, match="being trained"):
            push_run(run, tmp_path / "shared")
    (run / "checkpoint" / "state.safetensors").unlink()
    with pytest.raises(RunError, match="no weights yet"):
        push_run(run, tmp_path / "shared")
    assert not (tmp_path / "shared").exists()
    assert not (run / LOCK).exists()


def test_a_run_that_is_trained_is_not_replaced(tmp_path):
    shared = pushed(tmp_path / "shared")
    run = copy_of(rich(), tmp_path)
    (run / "status.json").write_text('{"format": 1, "state": "stopped"}')
    with alone(run / LOCK, "", remove=True), pytest.raises(RunError, match="being trained"):
        pull_run(shared, run, overwrite=True)
    assert (run / "snapshots").is_dir()


def test_places_that_are_in_the_way_are_refused_and_left_alone(tmp_path):
    run = whole()
    foreign = tmp_path / "foreign"
    foreign.mkdir()
    (foreign / "README.md").write_text("mine")
    with pytest.raises(RunError, match=r"has other files \(README\.md\)"):
        push_run(run, foreign)
    assert listing(foreign).keys() == {"README.md"}
    with pytest.raises(RunError, match="other files"):
        push_run(run, copy_of(rich(), tmp_path))
    (tmp_path / "file").write_text("mine")
    with pytest.raises(RunError, match="is a file"):
        push_run(run, tmp_path / "file")
    for inside in (run, run / "shared", run.parent):
        with pytest.raises(RunError, match="within each other"):
            push_run(run, inside)
    assert not (run / "shared").exists()


def test_another_run_is_replaced_only_when_it_is_asked_for(tmp_path):
    shared = pushed(tmp_path / "shared")
    settings = {**TINY, "out": tmp_path / "other"}
    other = unweave.train(MINI, "beta_tcvae(beta=3)", steps=2, **settings)
    before = listing(shared)
    with pytest.raises(RunError, match=r"another run, of other settings or seed.*--overwrite"):
        other.push(shared)
    assert listing(shared) == before
    assert other.push(shared, overwrite=True).replaced
    assert unweave.pull(shared, tmp_path / "back").config == other.config
    assert not (shared / "scores.json").exists()


def test_a_card_that_people_wrote_is_kept(tmp_path):
    shared = pushed(tmp_path / "shared")
    (shared / "README.md").write_text("# By hand\n")
    result = push_run(whole(), shared)
    assert any("README.md" in note and "kept" in note for note in result.notes)
    assert (shared / "README.md").read_text() == "# By hand\n"
    pull_run(shared, tmp_path / "back")
    assert (tmp_path / "back" / "README.md").read_text() == "# By hand\n"
    push_run(whole(), shared, overwrite=True)
    assert "By hand" not in (shared / "README.md").read_text()


def test_a_run_that_can_only_be_read_is_pushed(tmp_path, monkeypatch):
    run = copy_of(whole(), tmp_path)
    real = filelock.FileLock.acquire

    def refuse(self, *args, **kwargs):
        if self.lock_file.endswith("/copy/.lock"):
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(filelock.FileLock, "acquire", refuse)
    push_run(run, tmp_path / "shared")
    assert manifest(tmp_path / "shared")["complete"] is True


def test_progress_tells_of_every_byte(tmp_path):
    told = []
    push_run(whole(), tmp_path / "shared", progress=lambda *what: told.append(what))
    sizes = [e["bytes"] for e in manifest(tmp_path / "shared")["files"].values()]
    assert {what for what, _, _ in told} == {"pushing"}
    assert [done for _, done, _ in told] == sorted({done for _, done, _ in told})
    assert told[-1][1:] == (sum(sizes), sum(sizes))
    told.clear()
    pull_run(
        tmp_path / "shared", tmp_path / "back", report=True,
        progress=lambda *what: told.append(what),
    )  # fmt: skip
    assert told[-1] == ("pulling", sum(sizes), sum(sizes))
    assert len({done for _, done, _ in told}) == len(told)


def test_paths_of_this_machine_are_told(tmp_path):
    run = copy_of(whole(), tmp_path)
    first = unweave.train(MINI, "vae", steps=1, out=tmp_path / "first", **TINY)
    second = unweave.train(
        MINI, "vae", steps=1, init_from=str(first.folder), out=tmp_path / "second", **TINY
    )
    assert push_run(run, tmp_path / "a", dry_run=True).notes == ()
    notes = second.push(tmp_path / "b", dry_run=True).notes
    assert len(notes) == 1
    assert str(first.folder) in notes[0]
    assert "config.json" in notes[0]
    assert not (tmp_path / "b").exists()


def test_storages_that_rename_and_those_without_folders(tmp_path, monkeypatch):
    url = f"memory://{tmp_path}/mine"
    push_run(whole(), url)

    def refuse(self, *args, **kwargs):
        raise NotImplementedError

    def rename(self, one, other):
        # As that of SFTP, which does not write over anything.
        assert other not in self.store
        self.store[other] = self.store.pop(one)

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "cp_file", refuse)
        patch.setattr(MemoryFileSystem, "mv", rename)
        assert push_run(whole(), url).replaced
    with monkeypatch.context() as patch:
        # To make a folder there is to make a bucket.
        patch.setattr(MemoryFileSystem, "protocol", ("s3", "s3a"))
        patch.setattr(MemoryFileSystem, "makedirs", refuse)
        StoragePlace(url)._make_folder("/bucket/folder")
    assert pull_run(url, tmp_path / "back").state == "pulled"
    MemoryFileSystem().rm(f"{tmp_path}/mine", recursive=True)
