"""How far work is, in a notebook: one line that is written over, and nothing elsewhere."""

from __future__ import annotations

import sys
import types

import pytest

import unweave
from notebooks.reading import read
from session.runs import MINI, TINY, Watcher
from unweave import notebook
from unweave.errors import UnweaveError
from unweave.notebook import Cell, in_notebook, telling


class Handle:
    """A display of IPython, which keeps all that it showed."""

    def __init__(self):
        self.contents = []

    def update(self, content, *, raw):
        assert raw
        self.contents.append(content)


@pytest.fixture
def kernel(monkeypatch):
    """What is displayed in the kernel of a notebook, as IPython would be told."""
    displays = []

    def display(content, *, raw, display_id):
        assert raw
        assert display_id
        displays.append(Handle())
        displays[-1].contents.append(content)
        return displays[-1]

    shell = types.SimpleNamespace(kernel=object())
    modules = {
        "IPython": types.SimpleNamespace(get_ipython=lambda: shell),
        "IPython.display": types.SimpleNamespace(display=display),
    }
    for name, module in modules.items():
        monkeypatch.setitem(sys.modules, name, module)
    return displays


def test_it_is_told_from_a_terminal(monkeypatch, kernel):
    assert in_notebook()
    terminal = types.SimpleNamespace(get_ipython=lambda: types.SimpleNamespace())
    monkeypatch.setitem(sys.modules, "IPython", terminal)
    assert not in_notebook()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: None))
    assert not in_notebook()
    monkeypatch.delitem(sys.modules, "IPython")
    assert not in_notebook()


def test_a_line_is_written_over_and_not_too_often(monkeypatch, kernel):
    now = [100.0]
    monkeypatch.setattr(notebook.time, "monotonic", lambda: now[0])
    cell = Cell()
    assert kernel == []
    for step in range(100):
        now[0] += 0.01
        cell.write(f"step {step}", step / 100)
    cell.write("<done>", now=True)
    (handle,) = kernel
    # A second of work, four times a second.
    assert 4 <= len(handle.contents) <= 6
    assert handle.contents[-1]["text/plain"] == "<done>"
    assert read(handle.contents[-1]["text/html"]).text == "<done>"


def test_outside_a_notebook_nothing_is_told():
    with telling("auto") as told:
        assert told is None
    with telling(None) as told:
        assert told is None
    given = lambda what, done, total: None  # noqa: E731 - any callable will do
    with telling(given) as told:
        assert told is given


def test_work_says_at_last_that_it_is_done(kernel):
    with telling("auto") as told:
        told("encoding", 5, 10)
    (handle,) = kernel
    first, last = (content["text/plain"] for content in (handle.contents[0], handle.contents[-1]))
    assert first == "encoding 5/10"
    assert last.startswith("encoding: done in ")


def test_work_that_tells_nothing_leaves_no_line(kernel):
    with telling("auto"):
        pass
    assert kernel == []


def test_a_training_is_one_line(tmp_path, kernel):
    settings = {**TINY, "steps": 12, "log_every": 2}
    run = unweave.train(MINI, "beta_tcvae", out=tmp_path / "run", **settings)
    assert run.status["state"] == "finished"
    # One of the dataset, where it is made for the first time, and one of the training.
    training = [handle for handle in kernel if "step" in handle.contents[-1]["text/plain"]]
    assert len(training) == 1
    last = training[0].contents[-1]
    assert last["text/plain"].startswith("step 12/12  in 0:0")
    assert "reconstruction" in last["text/plain"]
    assert float(read(last["text/html"]).of("progress")[0]["value"]) == 1


def test_a_training_that_is_watched_otherwise_has_no_line(tmp_path, kernel):
    watcher = Watcher()
    settings = {**TINY, "steps": 2, "progress": None}
    unweave.train(MINI, "vae", out=tmp_path / "one", watch=watcher, **settings)
    unweave.train(MINI, "vae", out=tmp_path / "two", watch=None, **settings)
    assert watcher.steps == [1, 2]
    assert kernel == []


def test_a_training_that_is_refused_has_no_line(tmp_path, kernel):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "mine.txt").write_text("mine")
    with pytest.raises(UnweaveError):
        unweave.train(MINI, "vae", out=tmp_path / "run", **TINY, steps=2, progress=None)
    assert kernel == []


def test_scoring_is_one_line(tmp_path, kernel):
    settings = {**TINY, "steps": 2, "latents": 3, "progress": None, "watch": None}
    run = unweave.train(MINI, "vae", out=tmp_path / "run", **settings)
    run.evaluate(("mig",))
    (handle,) = kernel
    assert ": done in " in handle.contents[-1]["text/plain"]
    run.evaluate(("mig",), progress=None)
    assert len(kernel) == 1
