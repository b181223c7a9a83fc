"""The Hugging Face Hub as a place, with a stand-in for its library."""

from __future__ import annotations

import sys

import pytest

from session.runs import copy_of, listing
from sharing.made import whole
from sharing.stand_in_hub import (
    GatedRepoError,
    HFValidationError,
    Hub,
    HubHTTPError,
    LocalTokenNotFoundError,
    OfflineModeIsEnabled,
)
from unweave import load_run
from unweave.errors import RunError, SpecError
from unweave.sharing import pull_run, push_run


@pytest.fixture
def hub(monkeypatch):
    hub = Hub()
    library = hub.library()
    for module in (library, library.errors, library.utils):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    return hub


def test_there_and_back(hub, tmp_path):
    result = push_run(whole(), "hf://org/mine", license="mit", private=True)
    assert result.pull == "unweave pull hf://org/mine"
    assert hub.private == {"org/mine": True}
    assert set(hub.files("org/mine")) == {*result.files, ".gitattributes"}
    assert b"unweave pull hf://org/mine" in hub.files("org/mine")["README.md"]
    # One commit, which whoever reads sees whole or not at all.
    assert len(hub.repositories["org/mine"]) == 2
    pulled = pull_run("hf://org/mine", tmp_path / "back")
    assert pulled.commit == hub.head("org/mine")
    back = listing(tmp_path / "back")
    ours = listing(whole())
    assert {name for name in back if back[name] != "folder"} == {*pulled.files, "README.md"}
    assert all(back[name] == ours[name] for name in pulled.files)
    assert load_run(tmp_path / "back").step == 24
    # All of one commit, also if another one comes in the meantime.
    revisions = {facts[1] for what, *facts in hub.asked if what == "download"}
    assert revisions == {hub.head("org/mine")}


def test_the_name_of_the_repository_is_that_of_the_run(hub, tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
    push_run(whole(), "hf://org/mine")
    assert hub.private == {"org/mine": None}
    assert pull_run("hf://org/mine").folder == tmp_path / "mine"
    assert pull_run("hf://org/mine").state == "there"


def test_a_second_push_replaces_the_first_and_leaves_what_is_others(hub, tmp_path):
    push_run(whole(), "hf://org/mine")
    first = hub.head("org/mine")
    hub.commit("org/mine", hub.files("org/mine") | {"LICENSE": b"mine", "notes.md": b"mine"})
    run = copy_of(whole(), tmp_path)
    (run / "report.html").unlink()
    assert push_run(run, "hf://org/mine").replaced
    files = hub.files("org/mine")
    assert "report.html" not in files
    assert files["LICENSE"] == files["notes.md"] == b"mine"
    # The first is still there under its commit.
    pull_run(f"hf://org/mine@{first}", tmp_path / "first", report=True)
    assert (tmp_path / "first" / "report.html").is_file()
    pull_run("hf://org/mine@main", tmp_path / "second", report=True)
    assert not (tmp_path / "second" / "report.html").exists()


def test_a_repository_that_its_page_has_made_is_taken_and_no_other(hub):
    hub.repositories["org/new"] = {}
    hub.commit("org/new", {".gitattributes": b"", "README.md": b"---\nlicense: mit\n---\n"})
    result = push_run(whole(), "hf://org/new")
    assert any("kept" in note for note in result.notes)
    assert hub.files("org/new")["README.md"].startswith(b"---\nlicense: mit")
    hub.repositories["org/other"] = {}
    hub.commit("org/other", {"model.bin": b"", "README.md": b""})
    with pytest.raises(RunError, match=r"other files \(README\.md, model\.bin\)"):
        push_run(whole(), "hf://org/other")
    assert len(hub.repositories["org/other"]) == 1


def test_somebody_who_was_faster_is_not_written_over(hub, monkeypatch):
    push_run(whole(), "hf://org/mine")
    real = hub.ask

    def ask(what, *facts):
        real(what, *facts)
        if what == "create_commit":
            hub.commit("org/mine", {"README.md": b"faster"})

    monkeypatch.setattr(hub, "ask", ask)
    with pytest.raises(RunError, match=r"has changed in the meantime\. Push again"):
        push_run(whole(), "hf://org/mine")
    assert hub.files("org/mine") == {"README.md": b"faster"}


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ("model_info", None, "is not there, or is private. Log in"),
        ("model_info", GatedRepoError(403), "ask on its page"),
        ("model_info", HubHTTPError(403), "may not do so there. Log in .* read it"),
        ("model_info", HubHTTPError(503, "busy"), "does not answer: .*busy.*Is there a network"),
        ("model_info", ConnectionError("refused"), "does not answer: ConnectionError: refused"),
        ("model_info", OfflineModeIsEnabled("off"), "HF_HUB_OFFLINE is set"),
        ("model_info", HFValidationError("bad"), "no name of a repository: bad"),
        ("download", HubHTTPError(500, "x"), "does not answer"),
    ],
)
def test_what_a_pull_is_told(hub, tmp_path, asked, error, words):
    if error is not None:
        push_run(whole(), "hf://org/mine")
        hub.fail[asked] = error
    with pytest.raises((RunError, SpecError), match=words):
        pull_run("hf://org/mine", tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("asked", "error", "words"),
    [
        ("create_repo", HubHTTPError(401), "cannot be written: you may not.*HF_TOKEN.*write to"),
        ("create_repo", LocalTokenNotFoundError("x"), "Log in with 'hf auth login'"),
        ("create_commit", HubHTTPError(403), "you may not do so there"),
        ("create_commit", ValueError("Invalid license"), "the hub refuses it .Invalid license"),
        ("create_commit", HubHTTPError(400, "bad"), "the hub refuses it .bad"),
        ("create_commit", HubHTTPError(500, "x"), "cannot be written"),
    ],
)
def test_what_a_push_is_told(hub, asked, error, words):
    hub.fail[asked] = error
    with pytest.raises(RunError, match=words):
        push_run(whole(), "hf://org/mine")
    files = hub.files("org/mine") if "org/mine" in hub.repositories else {}
    assert "manifest.json" not in files


def test_a_revision_that_is_not_there(hub, tmp_path):
    push_run(whole(), "hf://org/mine")
    with pytest.raises(RunError, match="no branch, tag or commit 'v2'"):
        pull_run("hf://org/mine@v2", tmp_path / "back")
    with pytest.raises(SpecError, match="names a revision, and a push makes one"):
        push_run(whole(), "hf://org/mine@v2")


@pytest.mark.parametrize("text", ["hf://mine", "hf://datasets/org/mine", "hf://../x", "hf://"])
def test_names_that_are_none(hub, tmp_path, text):
    with pytest.raises(SpecError, match="Write hf://ORG/NAME"):
        pull_run(text, tmp_path / "back")
    assert hub.asked == []


def test_damaged_content_is_refused(hub, tmp_path):
    push_run(whole(), "hf://org/mine")
    files = hub.files("org/mine")
    name = "checkpoint/state.safetensors"
    right = files[name]
    for content, words in [(right[:-1] + b"x", "is not what"), (right + b"x", "has more than")]:
        files[name] = content
        with pytest.raises(RunError, match=words):
            pull_run("hf://org/mine", tmp_path / "back")
    del files[name]
    with pytest.raises(RunError, match=r"state\.safetensors is not there"):
        pull_run("hf://org/mine", tmp_path / "back")
    assert list(tmp_path.iterdir()) == []


def test_the_library_shows_its_progress_only_where_somebody_looks(hub, tmp_path):
    push_run(whole(), "hf://org/mine")
    assert {bars for what, *_, bars in hub.asked if what == "create_commit"} == {False}
    assert hub.bars
    hub.asked.clear()
    pull_run("hf://org/mine", tmp_path / "back", progress=lambda *_: None)
    assert {bars for what, *_, bars in hub.asked if what == "download"} == {True}


def test_without_the_library_its_extra_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    for ask in (
        lambda: push_run(whole(), "hf://o/n"),
        lambda: pull_run("hf://o/n", tmp_path / "x"),
    ):
        with pytest.raises(SpecError, match=r"pip install 'unweave\[hub\]'"):
            ask()
    # Folders do without it.
    push_run(whole(), tmp_path / "shared")
    assert pull_run(tmp_path / "shared", tmp_path / "back").step == 24
