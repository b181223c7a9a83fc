"""The page of a run is served to this machine alone, with nothing but what belongs to it."""

from __future__ import annotations

import http.client
import io
import json
import os
import signal
import subprocess
import sys

import pytest
from PIL import Image

from live.serving import serving
from session.runs import MINI, TINY, cli
from unweave import load_run, train
from unweave.curves import SCRIPTS, STYLE
from unweave.live.pictures import Pictures


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Four steps without pictures."""
    out = tmp_path_factory.mktemp("runs") / "mine"
    train(MINI, "beta_vae(beta=4)", steps=4, out=out, log_every=2, **TINY)
    return out


def ask(server, path, method="GET", **headers):
    """Status, headers and body of an answer; the path is sent as it is."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=60)
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers, answer.read()
    finally:
        connection.close()


def told(server, path):
    status, _, body = ask(server, path)
    assert status == 200, body
    return json.loads(body)


def test_a_page_and_its_parts_come_from_here_alone(run):
    with serving(run) as server:
        assert server.server_address[0] == "127.0.0.1"
        status, headers, page = ask(server, "/")
        assert status == 200
        assert headers["Content-Type"] == "text/html; charset=utf-8"
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        text = page.decode()
        assert "http://" not in text
        assert "https://" not in text
        for name in ("page.css", "page.js", STYLE, *SCRIPTS):
            assert f'"{name}"' in text
            status, _, body = ask(server, f"/{name}")
            assert status == 200
            assert body


def test_a_run_is_told_with_reconstructions_of_its_checkpoint(run, monkeypatch):
    with serving(run) as server:
        assert told(server, "/runs.json") == {"title": "mine", "runs": None}
        state = told(server, "/run.json")
        assert (state["state"], state["step"]) == ("finished", 4)
        assert state["picture"] == {"kind": "drawn", "step": 4, "name": ""}
        status, headers, drawn = ask(server, "/picture.png?name=")
        assert (status, headers["Content-Type"]) == (200, "image/png")
        with Image.open(io.BytesIO(drawn)) as image:
            assert image.width > image.height > 50
        # A page that has it is not sent it again.
        status, _, body = ask(server, "/picture.png?name=", **{"If-None-Match": headers["ETag"]})
        assert (status, body) == (304, b"")


def test_a_checkpoint_is_drawn_once_and_not_too_often(run, monkeypatch):
    pictures = Pictures(run)
    drawn = []
    monkeypatch.setattr(
        Pictures, "_reconstructions", lambda self: drawn.append(1) or (len(drawn), b"png")
    )
    written = [1]
    monkeypatch.setattr(Pictures, "_written", lambda self: written[0])
    now = [100.0]
    monkeypatch.setattr("unweave.live.pictures.time.monotonic", lambda: now[0])
    assert pictures.newest()["step"] == 1
    now[0] += 60
    assert pictures.newest()["step"] == 1
    written[0] = 2
    assert pictures.newest()["step"] == 2
    written[0] = 3
    now[0] += 1
    assert pictures.newest()["step"] == 2
    now[0] += 10
    assert pictures.newest()["step"] == 3


def test_what_cannot_be_drawn_is_said(tmp_path, run):
    empty = Pictures(tmp_path)
    assert empty.newest() == {"kind": "none", "reason": "There is no checkpoint yet."}
    (tmp_path / "checkpoint").mkdir()
    (tmp_path / "checkpoint" / "state.safetensors").write_bytes(b"torn")
    (tmp_path / "config.json").write_bytes((run / "config.json").read_bytes())
    assert Pictures(tmp_path).newest()["kind"] == "none"


def test_the_newest_picture_of_the_training_is_shown(tmp_path):
    out = tmp_path / "run"
    train(
        MINI, "beta_vae(beta=4)", steps=4, out=out, log_every=2, picture_every=2, **TINY
    )  # fmt: skip
    with serving(out) as server:
        found = told(server, "/run.json")["picture"]
        assert found == {"kind": "training", "step": 4, "name": "step-0000004.png"}
        _, _, body = ask(server, "/picture.png?name=step-0000004.png")
        assert body == (out / "figures" / "training" / "step-0000004.png").read_bytes()


@pytest.mark.parametrize(
    "path",
    [
        "/config.json",
        "/../config.json",
        "/%2e%2e/config.json",
        "/picture.png?name=../../config.json",
        "/picture.png?name=%2e%2e%2f%2e%2e%2fconfig.json",
        "/picture.png?name=step-0000001.png%00",
        "/picture.png?run=../mine&name=",
        "/run.json?run=..",
        "/run.json?run=/etc",
        "//etc/passwd",
    ],
)
def test_no_other_file_is_given(run, path):
    with serving(run) as server:
        assert ask(server, path)[0] == 404


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
def test_nothing_but_get_is_answered(run, method):
    with serving(run) as server:
        assert ask(server, "/", method)[0] == 501


def test_pages_from_elsewhere_are_refused(run):
    with serving(run) as server:
        assert ask(server, "/run.json", Host="evil.example")[0] == 403
        port = server.server_port
        assert ask(server, "/runs.json", Host=f"localhost:{port}")[0] == 200


def test_runs_of_a_folder_are_listed_with_a_page_for_each(run):
    with serving(run.parent) as server:
        (row,) = told(server, "/runs.json")["runs"]
        assert (row["run"], row["state"], row["step"]) == ("mine", "finished", 4)
        assert told(server, "/run.json?run=mine")["objective"] == "beta_vae"
        assert ask(server, "/run.json?run=other")[0] == 404


def test_scores_of_a_finished_run_are_told(run):
    scores = load_run(run).evaluate(("mig", "sap"))
    with serving(run) as server:
        rows = told(server, "/run.json")["scores"]
    assert [row["name"] for row in rows] == ["mig", "sap"]
    assert [row["value"] for row in rows] == [scores["mig"].value, scores["sap"].value]
    assert rows[0]["protocol"] == scores["mig"].protocol


def test_a_damaged_run_is_an_answer_and_no_crash(tmp_path, run):
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    for config, said in (("{", "config.json"), ('{"text": 3}', "cannot be read")):
        (damaged / "config.json").write_text(config)
        (damaged / "status.json").write_text("{}")
        with serving(damaged) as server:
            status, _, body = ask(server, "/run.json")
            assert status == 503
            assert said in json.loads(body)["error"]


def test_the_command_says_where_the_page_is_and_ends_with_ctrl_c(run):
    process = subprocess.Popen(
        [sys.executable, "-m", "unweave", "watch", str(run), "--json"],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    try:
        said = json.loads(process.stdout.readline())
        assert said["url"].startswith("http://127.0.0.1:")
        process.send_signal(signal.SIGINT)
        assert process.wait(60) == 0
    finally:
        process.kill()
        process.stdout.close()


@pytest.mark.parametrize(
    ("port", "message"), [("x", "a whole number"), ("70000", "at most 65535"), ("-1", "65535")]
)
def test_a_wrong_port_is_refused(run, port, message):
    result = cli("watch", run, "--port", port, "--no-browser")
    assert result.code == 2
    assert message in result.err


def test_a_port_that_is_taken_is_refused(run):
    with serving(run) as server:
        result = cli("watch", run, "--port", server.server_port, "--no-browser")
    assert result.code == 2
    assert "Choose another --port" in result.err


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    result = cli("watch", tmp_path / "none", "--no-browser")
    assert result.code == 2
    assert "is not a folder" in result.err
