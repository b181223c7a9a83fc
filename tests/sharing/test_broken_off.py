"""Whoever breaks off a push or a pull, wherever, leaves nothing that is taken for whole."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import fsspec
import pytest
import torch
from fsspec.implementations.local import LocalFileSystem
from fsspec.implementations.memory import MemoryFileSystem

from session.runs import copy_of, full_disk, listing
from sharing.made import manifest, pushed, whole
from unweave.errors import RunError, UnweaveError
from unweave.rundir import alone
from unweave.sharing import pull_run, push_run
from unweave.sharing.pull import _lock
from unweave.sharing.storage import StoragePlace
from unweave.training.checkpoint import save_tensors

CHANGES = ("put_file", "pipe_file", "cp_file", "rm_file", "rm", "makedirs")


class Stop(BaseException):
    """What ends a process in the middle of its work."""


@pytest.fixture
def versions(tmp_path):
    """A small run in two versions, of which each has a file that the other has not."""
    old, new = tmp_path / "old", tmp_path / "new"
    for run in (old, new):
        run.mkdir()
        for name in ("config.json", "environment.json", "status.json"):
            shutil.copy2(whole() / name, run / name)
        # Few numbers: what is in a checkpoint is not looked at here.
        weights = {"model/weight": torch.arange(3.0) + (run == new)}
        save_tensors(run / "checkpoint" / "state.safetensors", weights, step=24, seconds=1.0)
    (old / "report.html").write_text("a page")
    (new / "scores.json").write_text('{"format": 1, "scores": []}')
    status = json.loads((new / "status.json").read_text()) | {"seconds": 1.0}
    (new / "status.json").write_text(json.dumps(status))
    return old, new


def stopping(monkeypatch, after, error):
    """Have the change after so many of a file system end in an error."""
    left = [after]

    def wrap(real):
        def change(self, *args, **kwargs):
            if left[0] == 0:
                raise error
            left[0] -= 1
            return real(self, *args, **kwargs)

        return change

    patch = monkeypatch.context()
    inside = patch.__enter__()
    for system in (LocalFileSystem, MemoryFileSystem):
        for name in CHANGES:
            inside.setattr(system, name, wrap(getattr(system, name)))
    inside.setattr(Path, "replace", wrap(Path.replace))
    return patch, left


@pytest.mark.parametrize("kind", ["folder", "memory"])
def test_a_push_that_is_broken_off_anywhere(versions, kind, tmp_path, monkeypatch):
    old, new = versions
    seen = []
    for after in range(100):
        place = f"{tmp_path}/{after}" if kind == "folder" else f"memory://{tmp_path}/{after}"
        push_run(old, place)
        patch, left = stopping(monkeypatch, after, Stop())
        try:
            push_run(new, place)
        except Stop:
            pass
        finally:
            patch.__exit__(None, None, None)
        broken = left[0] == 0
        back, refusal = tmp_path / f"back-{after}", ""
        try:
            pull_run(place, back, report=True)
        except RunError as error:
            refusal = str(error)
        if refusal:
            assert "broken off: not all is there" in refusal
            assert not back.exists()
            seen.append("refused")
        else:
            # Nothing of one version is in the other.
            which = "new" if (back / "scores.json").exists() else "old"
            assert (back / "report.html").exists() == (which == "old")
            source = new if which == "new" else old
            for name in ("status.json", "checkpoint/state.safetensors"):
                assert (back / name).read_bytes() == (source / name).read_bytes()
            seen.append(which)
        push_run(new, place)
        again = pull_run(place, tmp_path / f"again-{after}")
        assert "scores.json" in again.files
        system, root = fsspec.core.url_to_fs(place)
        names = {path[len(root) + 1 :] for path in system.find(root)}
        assert names == {*again.files, "README.md", "manifest.json"}
        shutil.rmtree(tmp_path / f"again-{after}")
        system.rm(root, recursive=True)
        if not broken:
            break
    assert seen[-1] == "new"
    # First the old version, then what is refused, then the new one; each at least twice.
    assert seen == sorted(seen, key=["old", "refused", "new"].index)
    assert seen.count("old") > 4
    assert seen.count("refused") > 4


def test_a_first_push_that_is_broken_off_is_gone_on_with(tmp_path, monkeypatch):
    for after in (0, 3, 12):
        place = tmp_path / str(after)
        patch, _ = stopping(monkeypatch, after, Stop())
        with pytest.raises(Stop):
            push_run(whole(), place)
        patch.__exit__(None, None, None)
        with pytest.raises(RunError, match=r"no run was pushed there|not all is there"):
            pull_run(place, tmp_path / "back")
        push_run(whole(), place)
        assert manifest(place)["complete"] is True
        assert not (place / ".incoming").exists()


def halving(after):
    """Have a folder get half of a small file, the one after so many, before the process ends."""
    real, left = LocalFileSystem.pipe_file, [after]

    def half(self, path, value, *args, **kwargs):
        left[0] -= 1
        if left[0] < 0:
            real(self, path, value[: len(value) // 2], *args, **kwargs)
            raise Stop
        return real(self, path, value, *args, **kwargs)

    return half


def test_a_push_that_ends_within_a_small_file_is_gone_on_with(versions, tmp_path, monkeypatch):
    old, new = versions
    for after in range(100):
        place, ended = tmp_path / str(after), False
        push_run(old, place)
        with monkeypatch.context() as patch:
            patch.setattr(LocalFileSystem, "pipe_file", halving(after))
            try:
                push_run(new, place)
            except Stop:
                ended = True
        again = push_run(new, place)
        # Half a card would be taken for one that people wrote.
        assert not any("somebody else" in note for note in again.notes)
        assert manifest(place)["complete"] is True
        assert not (place / ".incoming").exists()
        pull_run(place, tmp_path / f"back-{after}")
        if not ended:
            break
    # The documents of the run, the card, and the manifest twice.
    assert after > 5


def test_a_disk_that_is_full_leaves_the_version_before(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    before = {k: v for k, v in listing(shared).items() if v != "folder"}
    patch, _ = stopping(monkeypatch, 4, OSError(28, "No space left on device"))
    with pytest.raises(UnweaveError, match="disk is full"):
        push_run(whole(), shared)
    patch.__exit__(None, None, None)
    after = {k: v for k, v in listing(shared).items() if v != "folder"}
    assert {k: v for k, v in after.items() if not k.startswith(".incoming/")} == before


def test_a_pull_that_is_broken_off_is_gone_on_with(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    real, asked = StoragePlace.fetch, []

    def fetch(self, name, folder, most, meter):
        asked.append(name)
        if len(asked) == 4:
            # Half of it came.
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(b"half")
            raise Stop
        real(self, name, folder, most, meter)

    monkeypatch.setattr(StoragePlace, "fetch", fetch)
    with pytest.raises(Stop):
        pull_run(shared, tmp_path / "runs" / "back")
    assert [path.name for path in (tmp_path / "runs").iterdir()] == [".back.pulling"]
    first, asked[:] = asked[:3], [None] * 4
    result = pull_run(shared, tmp_path / "runs" / "back")
    assert set(asked[4:]) == set(result.files) - set(first)
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["back"]


def test_an_empty_folder_that_was_half_filled_is_gone_on_with(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    real = Path.replace
    for after in range(4):
        back = tmp_path / str(after)
        back.mkdir()
        left = [after]

        def replace(self, target, left=left):
            if left[0] == 0:
                raise Stop
            left[0] -= 1
            return real(self, target)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", replace)
            with pytest.raises(Stop):
                pull_run(shared, back)
        assert not (back / "config.json").exists()
        pull_run(shared, back)
        assert {path.name for path in back.iterdir()} == {
            path.name for path in shared.iterdir()
        } - {"manifest.json", "report.html"}
        assert listing(back).items() <= listing(shared).items()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "checkpoint").write_text("mine")
    with pytest.raises(RunError, match="not a run folder"):
        pull_run(shared, tmp_path / "notes")


def test_what_was_left_of_another_pull_is_not_mixed_in(tmp_path):
    shared = pushed(tmp_path / "shared")
    left = tmp_path / ".back.pulling"
    (left / "figures").mkdir(parents=True)
    (left / "figures" / "other.png").write_bytes(b"other")
    (left / "status.json").write_text("{}")
    pull_run(shared, tmp_path / "back")
    assert not (tmp_path / "back" / "figures" / "other.png").exists()
    assert (tmp_path / "back" / "status.json").read_bytes() == (
        whole() / "status.json"
    ).read_bytes()


def test_a_swap_that_is_broken_off_loses_no_run(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    run = copy_of(whole(), tmp_path)
    (run / "scores.json").write_text('{"format": 1, "scores": []}')
    real, before = Path.rename, listing(run)

    def rename(self, target):
        if self.name.endswith(".pulling"):
            raise OSError(5, "Input/output error")
        return real(self, target)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "rename", rename)
        with pytest.raises(UnweaveError, match="could not be written"):
            pull_run(shared, run, overwrite=True)
    assert listing(run) == before
    pull_run(shared, run, overwrite=True)
    assert (run / "scores.json").read_bytes() == (whole() / "scores.json").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "shared"]


def test_a_disk_that_fills_up_while_pulling(tmp_path, monkeypatch):
    shared = pushed(tmp_path / "shared")
    with (
        full_disk(monkeypatch, "state.safetensors") as refused,
        pytest.raises(UnweaveError, match="disk is full"),
    ):
        pull_run(shared, tmp_path / "back")
    assert refused
    assert not (tmp_path / "back").exists()
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(RunError, match="Free some space"):
        pull_run(shared, tmp_path / "back")


def test_two_pulls_at_once_do_not_meet(tmp_path):
    shared = pushed(tmp_path / "shared")
    with (
        alone(_lock(tmp_path / "back"), "", remove=True),
        pytest.raises(RunError, match="being pulled by another process"),
    ):
        pull_run(shared, tmp_path / "back")
    pull_run(shared, tmp_path / "back")
