"""`unweave push` and `unweave pull`."""

from __future__ import annotations

import json

from session.runs import cli, copy_of, listing, paragraph, rich
from sharing.made import manifest, pushed, whole


def test_a_dry_run_lists_files_and_touches_nothing(tmp_path):
    result = cli("push", whole(), tmp_path / "shared", "--dry-run", "--json")
    said = result.json
    assert said["dry_run"] is True
    assert said["replaced"] is None
    assert said["bytes"] == sum(said["files"].values())
    assert said["files"]["config.json"] == (whole() / "config.json").stat().st_size
    assert said["left_out"]["log.txt"].startswith("messages may name folders")
    assert not (tmp_path / "shared").exists()
    more = cli("push", whole(), tmp_path / "shared", "--dry-run", "--json", "--snapshots").json
    assert set(more["files"]) - set(said["files"]) == {
        "snapshots/step-0000009.safetensors", "snapshots/step-0000018.safetensors",
    }  # fmt: skip
    text = cli("push", whole(), f"memory://{tmp_path}/x", "--dry-run").out
    assert "would be sent. Nothing was." in text
    assert "checkpoint/state.safetensors" in text


def test_there_and_back(tmp_path, monkeypatch):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path / "runs"))
    shared = tmp_path / "mine"
    text = cli("push", whole(), shared, "--license", "mit").out
    assert f"Pull it with: unweave pull {shared}" in text
    assert "cache stays here: codes of images" in text
    result = cli("pull", shared)
    assert result.code == 0
    assert "step 24" in result.out
    assert "report.html was not fetched" in result.err
    again = cli("pull", shared, "--json").json
    assert (again["state"], again["run"]) == ("there", str(tmp_path / "runs" / "mine"))
    assert "there already" in cli("pull", shared).out
    run = tmp_path / "runs" / "mine"
    for words in (
        ("evaluate", run, "--metrics", "mig"),
        ("plot", run, "kl"),
        ("runs", "show", run),
    ):
        assert cli(*words).code == 0
    assert cli("push", whole(), shared, "--json").json["replaced"] is True


def test_what_is_wrong_is_said_in_one_paragraph(tmp_path):
    def refused(*words, says=()):
        before = listing(tmp_path)
        paragraph(cli(*words), *says)
        assert listing(tmp_path) == before

    shared = pushed(tmp_path / "shared")
    refused("push", "nowhere", tmp_path / "x", says=("nowhere", "does not exist"))
    refused("push", whole(), "", says=("is pushed to",))
    refused("push", whole(), tmp_path / "x", "--license", "Any", says=("no name of a licence",))
    refused("push", whole(), "nosuch://x", says=("nosuch://x", "cannot be opened"))
    refused("push", whole(), "hf://mine", says=("hf://ORG/NAME",))
    refused("pull", tmp_path / "nowhere", says=("no run was pushed there",))
    refused("pull", whole(), "--out", tmp_path / "x", says=("no run was pushed there",))
    run = copy_of(rich(), tmp_path)
    refused("pull", shared, "--out", run, says=("differs in", "--overwrite"))
    (run / "checkpoint" / "state.safetensors").unlink()
    refused("push", run, tmp_path / "x", says=("no weights yet",))
    (shared / "manifest.json").write_text(json.dumps(manifest(shared) | {"complete": False}))
    refused("pull", shared, "--out", tmp_path / "x", says=("not all is there",))


def test_a_study_is_no_run(tmp_path):
    (tmp_path / "study.json").write_text("{}")
    paragraph(cli("push", tmp_path, tmp_path / "x"), "is a study, and no run")


def test_paths_are_warned_of(tmp_path):
    run = copy_of(whole(), tmp_path)
    status = json.loads((run / "status.json").read_text()) | {"message": "/home/me/x.npz is gone"}
    (run / "status.json").write_text(json.dumps(status))
    result = cli("push", run, tmp_path / "shared", "--json")
    assert result.json["notes"] == [
        "status.json names /home/me/x.npz, of this machine, and whoever pulls the run sees it."
    ]
