"""What is pulled is not trusted: damaged, foreign and dangerous content is refused."""

from __future__ import annotations

import errno
import io
import json
import pickle
import zipfile
from pathlib import Path

import fsspec
import pytest

from session.runs import copy_of, listing
from sharing.made import change, manifest, pushed, whole
from unweave.errors import RunError, SpecError, UnweaveError
from unweave.sharing import pull_run, push_run
from unweave.sharing.contents import is_shared
from unweave.sharing.manifest import Entry
from unweave.sharing.place import without_secrets


@pytest.fixture
def shared(tmp_path):
    return pushed(tmp_path / "shared")


def refused(shared, tmp_path, words, **asked):
    """Pull what must be refused: no run appears, and nothing is left of it."""
    before = listing(tmp_path)
    with pytest.raises(RunError, match=words):
        pull_run(shared, tmp_path / "runs" / "back", **asked)
    assert listing(tmp_path) == before


def entry(content):
    import hashlib

    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def put(shared, name, content):
    """Put a file there as a push by a stranger would: listed with its right checksum."""
    path = shared / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    change(shared, files=manifest(shared)["files"] | {name: entry(content)})


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json", "/etc/cron.d/evil", "figures/../../evil.png", "figures/./x.png",
        "..\\evil.json", "C:\\evil.json", "figures\\x.png", "figures/..", "figures//x.png",
        "checkpoint/state.pt", "checkpoint/../config.json", "snapshots/step-1.pt", "model.pkl",
        "cache/x.npy", ".lock", "setup.py", "figures/x.svg", "figures/x.html", "figures/.x.png",
        "tracking/ids.json", "log.txt", "sub/config.json", "config.json/x.png", "figures/x\n.png",
        "snapshots/step-1.safetensors/x", "", "figures/a/b/c/d/e.png", "manifest.json",
    ],
)  # fmt: skip
def test_names_that_no_run_has(shared, tmp_path, name):
    assert not is_shared(name)
    change(shared, files=manifest(shared)["files"] | {name: entry(b"")})
    refused(shared, tmp_path, "which no run has")


def test_a_changed_byte_in_any_file(shared, tmp_path):
    for name in manifest(shared)["files"]:
        path = shared / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        refused(shared, tmp_path, f"{name} is not what its manifest.json says", report=True)
        path.write_bytes(content)
    pull_run(shared, tmp_path / "runs" / "back", report=True)


def test_files_that_are_cut_long_or_gone(shared, tmp_path):
    path = shared / "checkpoint" / "state.safetensors"
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    refused(shared, tmp_path, "is not what its")
    path.write_bytes(content + b"more")
    with pytest.raises(RunError, match="has more than"):
        pull_run(shared, tmp_path / "back")
    path.unlink()
    with pytest.raises(RunError, match="does not have a file that it should"):
        pull_run(shared, tmp_path / "back")
    assert not (tmp_path / "back").exists()


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"kind": "something"}, "of something else"),
        ({"format": 2}, "has format 2.*newer unweave"),
        ({"files": []}, "does not have what it should"),
        ({"files": {}}, "does not name config.json"),
        ({"step": "x"}, "does not have what it should"),
        ({"step": -1}, "does not have what it should"),
        ({"step": True}, "does not have what it should"),
        ({"complete": None}, "does not have what it should"),
        ({"card": 3}, "does not have what it should"),
        ({"complete": False}, "broken off"),
        ({"step": 23}, "is of step 24"),
    ],
)
def test_manifests_that_are_none(shared, tmp_path, fields, words):
    change(shared, **fields)
    refused(shared, tmp_path, words)


def test_entries_that_say_nothing(shared, tmp_path):
    files = manifest(shared)["files"]
    right = files["status.json"]
    wrong = [None, {}, right | {"bytes": -1}, right | {"bytes": 1.5}, right | {"bytes": 2**70},
             right | {"sha256": "x"}, right | {"sha256": right["sha256"].upper()}]  # fmt: skip
    for value in wrong:
        change(shared, files=files | {"status.json": value})
        refused(shared, tmp_path, r"does not say what status\.json is")
    change(shared, files=files | {"figures/KL.png": entry(b""), "figures/kl.png": entry(b"")})
    refused(shared, tmp_path, "names a file twice")


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b"\xff\xfe", b"[" * 100_000, b"null"])
def test_a_manifest_that_is_no_json(shared, tmp_path, content):
    (shared / "manifest.json").write_bytes(content)
    refused(shared, tmp_path, "of something else")


def test_a_manifest_that_is_too_large(shared, tmp_path):
    (shared / "manifest.json").write_bytes(b" " * (2**24 + 1))
    refused(shared, tmp_path, "too large")


class Evil:
    """Whoever unpickles it makes a file in the working directory."""

    def __reduce__(self):
        return (open, ("evil", "w"))


def test_pickles_in_the_place_of_weights_are_never_read(shared, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("archive/data.pkl", pickle.dumps(Evil()))
    name = "checkpoint/state.safetensors"
    for content in (pickle.dumps(Evil()), archive.getvalue()):
        path = shared / name
        path.write_bytes(content)
        change(shared, files=manifest(shared)["files"] | {name: entry(content)})
        with pytest.raises(RunError, match="not a checkpoint that can be read"):
            pull_run(shared, tmp_path / "back")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["shared"]


def test_documents_that_commands_could_not_read(shared, tmp_path):
    right = (shared / "config.json").read_bytes()
    config = json.loads(right)
    for name, content, words in [
        ("config.json", b"{}", "has format None"),
        ("config.json", json.dumps(config | {"format": 99}).encode(), "has format 99"),
        ("config.json", json.dumps(config | {"stepz": 1}).encode(), "no field 'stepz'"),
        ("config.json", json.dumps(config | {"steps": 1}).encode(), "is of step 24"),
        ("status.json", b"[]", "one JSON object"),
        ("status.json", b'{"format": 1}', "has no state"),
        ("scores.json", b'{"format": 1, "scores": 3}', "damaged"),
        ("import.json", b"[]", "one JSON object"),
        ("environment.json", b"no", "cannot be read"),
        ("snapshots/step-7.safetensors", b"no", "not a checkpoint"),
    ]:  # fmt: skip
        before = manifest(shared)["files"]
        old = (shared / name).read_bytes() if (shared / name).exists() else None
        put(shared, name, content)
        refused(shared, tmp_path, words)
        change(shared, files=before)
        if old is not None:
            (shared / name).write_bytes(old)
    pull_run(shared, tmp_path / "runs" / "back")


def test_places_without_a_run(tmp_path):
    (tmp_path / "empty").mkdir()
    for place in (tmp_path / "empty", tmp_path / "nowhere", whole(), f"memory://{tmp_path}/no"):
        with pytest.raises(RunError, match=r"no manifest\.json, so no run was pushed there"):
            pull_run(place, tmp_path / "back")
    for place, words in [("", "is pushed to"), ("nosuch://x/y", "cannot be opened"),
                         ("https://huggingface.co/org/name", "Write hf://org/name"),
                         ("a\0b", "is pushed to")]:  # fmt: skip
        with pytest.raises(SpecError, match=words):
            pull_run(place, tmp_path / "back")
        with pytest.raises(SpecError, match=words):
            push_run(whole(), place)
    with pytest.raises(SpecError, match="--private"):
        push_run(whole(), tmp_path / "x", private=True)
    for license in ("", "MIT", "apache 2.0", "x\ny"):
        with pytest.raises(SpecError, match="no name of a licence"):
            push_run(whole(), tmp_path / "x", license=license)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty"]


def test_a_storage_that_does_not_answer_or_may_not_be_written(tmp_path, monkeypatch):
    from fsspec.implementations.memory import MemoryFileSystem

    url = f"memory://{tmp_path}/mine"
    push_run(whole(), url)

    def fail(error):
        def ask(self, *args, **kwargs):
            raise error

        return ask

    with monkeypatch.context() as patch:
        patch.setattr(MemoryFileSystem, "pipe_file", fail(PermissionError("AccessDenied")))
        with pytest.raises(RunError, match="cannot be written: you may not do so there"):
            push_run(whole(), url)
    with monkeypatch.context() as patch:
        secret = ConnectionError("https://me:secret@host/x?token=secret timed out")
        patch.setattr(MemoryFileSystem, "_open", fail(secret))
        with pytest.raises(UnweaveError, match="does not answer") as told:
            pull_run(url, tmp_path / "back")
    assert "secret" not in str(told.value)
    fsspec.filesystem("memory").rm(f"{tmp_path}", recursive=True)


def test_a_folder_that_may_not_be_read(tmp_path, monkeypatch):
    run, read = copy_of(whole(), tmp_path), Path.iterdir

    def iterdir(folder):
        if folder.name == "figures":
            raise PermissionError(errno.EACCES, "Permission denied")
        return read(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(UnweaveError, match="figures cannot be read: Permission denied"):
        push_run(run, tmp_path / "shared")
    assert not (tmp_path / "shared").exists()


def test_secrets_in_urls_are_never_told():
    assert without_secrets("s3://key:secret@host/a?sig=1") == "s3://host/a"
    assert without_secrets("a folder? yes") == "a folder? yes"
    assert without_secrets("get https://x/y?t=1 failed?") == "get https://x/y failed?"


def test_an_entry_knows_its_file(tmp_path):
    (tmp_path / "x").write_bytes(b"abc")
    made = entry(b"abc")
    assert Entry(**made).fits(tmp_path / "x")
    assert not Entry(**made).fits(tmp_path / "y")
    assert not Entry(**(made | {"sha256": entry(b"xyz")["sha256"]})).fits(tmp_path / "x")
