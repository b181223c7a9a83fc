"""Benchmarks are scripts: their folder is where their modules are found."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

_FOLDER = str(Path(__file__).resolve().parents[2] / "benchmarks")
if _FOLDER not in sys.path:
    sys.path.insert(0, _FOLDER)


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Networks on a handful of images wait for threads longer than they compute."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
