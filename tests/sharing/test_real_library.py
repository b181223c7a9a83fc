"""The library huggingface_hub itself, with a hub on this machine that speaks its HTTP."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from session.runs import copy_of, listing
from sharing.local_hub import running
from sharing.made import whole
from unweave import load_run

pytest.importorskip("huggingface_hub")
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture
def server():
    with running() as server:
        yield server


@pytest.fixture
def unweave(server, tmp_path):
    """The command line in a process of its own, which asks that hub and no other."""

    def environment(token, **more):
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "HUGGING"))}
        return kept | {
            "HF_ENDPOINT": server.url,
            "HF_HOME": str(tmp_path / "hf"),
            # Large files go by HTTP: the protocol of Xet is one of its own.
            "HF_HUB_DISABLE_XET": "1",
            "UNWEAVE_RUNS": str(tmp_path / "runs"),
            **({"HF_TOKEN": token} if token else {}),
            **more,
        }

    def run(*words, token="hf_org", code=0, **more):
        given = [sys.executable, "-m", "unweave", *map(str, words)]
        ended = subprocess.run(
            given, env=environment(token, **more), capture_output=True, text=True, timeout=300
        )
        assert ended.returncode == code, ended.stderr
        assert "Traceback" not in ended.stderr
        return ended

    run.environment = environment
    return run


def test_there_and_back(server, unweave, tmp_path):
    said = json.loads(
        unweave("push", whole(), "hf://org/mine", "--license", "mit", "--json").stdout
    )
    files = server.hub.files("org/mine")
    assert set(files) == {*said["files"], ".gitattributes"}
    assert said["pull"] == "unweave pull hf://org/mine"
    # Weights went as large files, all else within the one commit.
    assert set(server.hub.large.values()) == {files["checkpoint/state.safetensors"]}
    assert len(server.hub.repositories["org/mine"]) == 2
    unweave("pull", "hf://org/mine", token=None)
    back = load_run(tmp_path / "runs" / "mine")
    z = np.random.default_rng(0).normal(size=(5, 4))
    assert back.decode(z).tobytes() == load_run(whole()).decode(z).tobytes()
    ours = listing(whole())
    left = {k: v for k, v in listing(back.folder).items() if v != "folder" and k != "README.md"}
    assert all(ours[name] == digest for name, digest in left.items())
    assert {*left, "README.md", "manifest.json", "report.html"} == set(said["files"])
    again = json.loads(unweave("pull", "hf://org/mine", "--json").stdout)
    assert again["state"] == "there"
    assert again["commit"] == server.hub.head("org/mine")


def test_the_card_is_read_by_the_library(server, unweave):
    from huggingface_hub import ModelCard

    unweave("push", whole(), "hf://org/mine", "--license", "mit")
    card = ModelCard(server.hub.files("org/mine")["README.md"].decode())
    assert (card.data.license, card.data.library_name) == ("mit", "unweave")
    (result,) = card.data.eval_results
    row = json.loads((whole() / "scores.json").read_text())["scores"][0]
    assert (result.metric_type, result.metric_value) == ("mig", row["value"])
    assert (result.dataset_type, result.dataset_split) == ("dsprites", "all")
    assert result.metric_args["protocol"] == "unweave/1"


def test_versions_follow_one_another(server, unweave, tmp_path):
    unweave("push", whole(), "hf://org/mine")
    first = server.hub.head("org/mine")
    run = copy_of(whole(), tmp_path)
    (run / "report.html").unlink()
    unweave("push", run, "hf://org/mine")
    assert "report.html" not in server.hub.files("org/mine")
    uploads = sum("/large/" in asked for asked in server.hub.asked)
    assert uploads == 1  # the weights are the same
    unweave("pull", f"hf://org/mine@{first}", "--out", tmp_path / "first", "--report")
    assert (tmp_path / "first" / "report.html").exists()
    refused = unweave("pull", "hf://org/mine@v9", "--out", tmp_path / "x", code=2)
    assert "no branch, tag or commit 'v9'" in refused.stderr


def test_rights(server, unweave, tmp_path):
    refused = unweave("push", whole(), "hf://org/mine", token=None, code=2)
    assert "you may not do so there" in refused.stderr
    assert "HF_TOKEN" in refused.stderr
    unweave("push", whole(), "hf://org/mine", "--private")
    assert server.hub.private == {"org/mine": True}
    for token in (None, "hf_else"):
        refused = unweave("pull", "hf://org/mine", token=token, code=2)
        assert "is not there, or is private" in refused.stderr
    server.hub.private["org/mine"] = False
    refused = unweave("push", whole(), "hf://org/mine", token="hf_else", code=2)
    assert "you may not do so there" in refused.stderr
    assert "hf_else" not in refused.stderr
    refused = unweave("push", whole(), "hf://org/new", "--license", "nonsense", code=2)
    assert "the hub refuses it" in refused.stderr
    assert "manifest.json" not in server.hub.files("org/new")
    assert not (tmp_path / "runs").exists()


def test_a_hub_that_is_not_there_or_stumbles(server, unweave, tmp_path):
    nobody = {"HF_ENDPOINT": "http://127.0.0.1:9"}
    for words in (("push", whole(), "hf://org/mine"), ("pull", "hf://org/mine")):
        refused = unweave(*words, code=2, **nobody)
        assert "Is there a network? HF_ENDPOINT" in refused.stderr
    unweave("push", whole(), "hf://org/mine")
    refused = unweave("pull", "hf://org/mine", code=2, HF_HUB_OFFLINE="1")
    assert "HF_HUB_OFFLINE" in refused.stderr
    server.hub.trouble["/status.json"] = [500] * 99
    refused = unweave("pull", "hf://org/mine", code=2)
    assert "does not answer" in refused.stderr
    assert not (tmp_path / "runs" / "mine").exists()
    asked = len(server.hub.asked)
    server.hub.trouble.clear()
    # What came before stays, and is not asked for again.
    unweave("pull", "hf://org/mine")
    got = [
        line
        for line in server.hub.asked[asked:]
        if line.startswith("GET") and ("safetensors" in line or "config.json" in line)
    ]
    assert got == []
    assert load_run(tmp_path / "runs" / "mine").step == 24


def test_a_pull_that_is_killed(server, unweave, tmp_path):
    unweave("push", whole(), "hf://org/mine")
    process = subprocess.Popen(
        [sys.executable, "-m", "unweave", "pull", "hf://org/mine"],
        env=unweave.environment(None), stderr=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip
    staging = tmp_path / "runs" / ".mine.pulling"
    while not (staging / "checkpoint").is_dir() and process.poll() is None:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL
    assert not (tmp_path / "runs" / "mine").exists()
    unweave("pull", "hf://org/mine")
    assert load_run(tmp_path / "runs" / "mine").step == 24
    assert [path.name for path in (tmp_path / "runs").iterdir()] == ["mine"]
