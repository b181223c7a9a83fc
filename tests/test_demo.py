"""The demo trains once, goes on where it was stopped, and ends with scores and a page."""

from __future__ import annotations

import re
import shutil
import signal

import pytest

import unweave
from session.runs import (
    Watcher,
    assert_same_state,
    checkpoint_step,
    cli,
    document,
    full_disk,
    listing,
    paragraph,
)
from unweave.demo import demo
from unweave.errors import RunError
from unweave.presets import Preset

MINI = "dsprites(grid=(3, 2, 4, 4, 4))"
STEPS = 12


SMALL = Preset(
    name="demo",
    about="A small demo.",
    dataset=MINI,
    objective="beta_tcvae(beta=4)",
    settings={
        "steps": STEPS, "batch_size": 8, "lr": 1e-3, "seed": 0, "threads": 1, "latents": 4,
    },
)  # fmt: skip


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    asked = []
    monkeypatch.setattr("unweave.demo.preset", lambda name: (asked.append(name), SMALL)[1])
    yield
    assert set(asked) <= {"demo"}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A demo in one go, with what it said and showed; it must not be changed."""
    place, said, watch = tmp_path_factory.mktemp("whole") / "demo", [], Watcher()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("unweave.demo.preset", lambda name: SMALL)
        result = demo(place, watch=watch, say=said.append)
    return place, result, said, watch


@pytest.fixture
def finished(whole, tmp_path):
    """A copy of it."""
    return shutil.copytree(whole[0], tmp_path / "demo")


def interrupt():
    signal.raise_signal(signal.SIGINT)


def test_from_nothing_to_a_page(whole):
    place, result, said, watch = whole
    assert [text[:3] for text in said] == ["1/4", "2/4", "3/4", "4/4"]
    assert "384 images, rendered" in said[0]
    assert watch.steps == list(range(1, STEPS + 1))
    assert result.report == place / "report.html"
    page = result.report.read_text(encoding="utf-8")
    assert "beta_tcvae(beta=4)" in page
    assert "data:image/png;base64," in page
    assert "rendered" in page
    assert 0 <= result.scores["mig"].value <= 1
    assert result.scores["mig"].samples == 384
    assert list(result.seconds) == ["prepare", "train", "score", "report"]
    assert all(seconds >= 0 for seconds in result.seconds.values())
    assert len(result.summary.splitlines()) == 5
    for factor in ("shape", "scale", "orientation", "pos_x", "pos_y"):
        assert factor in result.summary


@pytest.mark.usefixtures("one_figure")
def test_again_nothing_is_trained_and_all_is_shown(whole, finished):
    watch = Watcher()
    (finished / "report.html").unlink()
    again = demo(finished, watch=watch, say=len)
    assert watch.begun == watch.steps == []
    assert again.scores["mig"].value == whole[1].scores["mig"].value
    assert checkpoint_step(finished) == STEPS
    assert again.report.is_file()


@pytest.mark.usefixtures("one_figure")
def test_overwriting_trains_anew_to_the_same_weights(whole, finished):
    watch = Watcher()
    demo(finished, overwrite=True, watch=watch, say=len)
    assert watch.begun == [0]
    assert document(finished / "config.json") == document(whole[0] / "config.json")
    assert_same_state(finished, whole[0])


@pytest.mark.usefixtures("one_figure")
def test_stopped_it_goes_on(tmp_path, whole):
    watch = Watcher({5: interrupt})
    with pytest.raises(RunError, match="Run the demo again to go on"):
        demo(tmp_path / "demo", watch=watch, say=len)
    stopped = checkpoint_step(tmp_path / "demo")
    assert 5 <= stopped < STEPS
    assert not (tmp_path / "demo" / "report.html").exists()
    watch = Watcher()
    demo(tmp_path / "demo", watch=watch, say=len)
    assert watch.begun == [stopped]
    assert watch.steps == list(range(stopped + 1, STEPS + 1))
    assert_same_state(tmp_path / "demo", whole[0])


@pytest.mark.usefixtures("one_figure")
def test_a_page_that_could_not_be_written_is_written_the_next_time(tmp_path, monkeypatch):
    with full_disk(monkeypatch, "report.html"):
        result = cli("demo", "--out", tmp_path / "demo")
    assert result.code == 2
    assert "disk is full" in result.err
    watch = Watcher()
    assert demo(tmp_path / "demo", watch=watch, say=len).report.is_file()
    assert watch.steps == []


def test_another_run_is_not_taken_for_the_demo(tmp_path):
    run = tmp_path / "mine"
    unweave.train(MINI, "vae", steps=1, batch_size=8, out=run)
    before = listing(run)
    with pytest.raises(RunError, match="objective=vae"):
        demo(run, say=len)
    assert listing(run) == before


def test_a_folder_that_is_in_the_way(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    said = []
    for overwrite in (False, True):
        with pytest.raises(RunError, match="not a run folder"):
            demo(tmp_path, overwrite=overwrite, say=said.append)
    assert said == []
    assert listing(tmp_path).keys() == {"notes.txt"}


@pytest.mark.usefixtures("one_figure")
def test_the_command(tmp_path, monkeypatch, finished):
    monkeypatch.setenv("UNWEAVE_RUNS", str(tmp_path))
    result = cli("demo", "--json")
    assert result.code == 0, result.err
    value = result.json
    assert value["run"] == str(tmp_path / "demo")
    assert value["report"] == str(tmp_path / "demo" / "report.html")
    assert 0 <= value["scores"]["mig"]["value"] <= 1
    assert value["seconds"].keys() == {"prepare", "train", "score", "report"}
    assert "1/4 Preparing" in result.err
    spoken = cli("demo")
    assert re.search(r"^mig +0\.", spoken.out, re.MULTILINE)
    assert f"Report: {tmp_path / 'demo' / 'report.html'}" in spoken.out
    paragraph(cli("demo", "--out", tmp_path), "not a run folder")
