"""What every test may use: folders of the test run's own, one thread, a small dataset."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

MINI = "dsprites(grid=(3, 2, 4, 8, 8))"


@pytest.fixture(scope="session", autouse=True)
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Stores and runs go to folders of this test run, no disk is waited for, one thread computes.

    Small networks are no faster with two threads, and where several processes run tests, their
    threads spin while they wait for a core, which costs many times the work itself. What a
    process has written all others read, whether or not it has come to the disk: only a power cut
    tells these apart, and none comes in a test. A small run flushes twenty files, each for
    milliseconds. Processes that a test starts do flush theirs.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("UNWEAVE_HOME", str(tmp_path_factory.mktemp("home")))
        runs = str(tmp_path_factory.mktemp("runs"))
        patch.setenv("UNWEAVE_RUNS", runs)
        # What tests share lies there, also where a test has runs of its own.
        patch.setenv("UNWEAVE_TEST_RUNS", runs)
        # Like a flush it takes an open file, and raises OSError where there is none.
        patch.setattr(os, "fsync", os.fstat)
        torch.set_num_threads(1)
        yield


@pytest.fixture(autouse=True)
def _arithmetic() -> Iterator[None]:
    """Training sets threads and subnormal numbers of the whole process; each test begins anew."""
    torch.set_flush_denormal(False)
    yield
    torch.set_num_threads(1)
    torch.set_flush_denormal(False)


@pytest.fixture
def one_figure(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports and plots that name no figures draw one alone: all of them take a second."""
    from unweave.figures import FIGURES

    for room in ("run.drawn_run", "figures.asked"):
        monkeypatch.setattr(f"unweave.{room}.FIGURES", {"kl": FIGURES["kl"]})


@pytest.fixture(scope="session")
def mini() -> str:
    """Text of a dataset of 1,536 images, for tests that train or score."""
    return MINI


@pytest.fixture(scope="session")
def reference() -> Path:
    """Folder of published artefacts that are not part of the project."""
    folder = os.environ.get("UNWEAVE_REFERENCE")
    if not folder:
        pytest.skip("UNWEAVE_REFERENCE names no folder of published artefacts")
    return Path(folder)
