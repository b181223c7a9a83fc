"""Running means, and the first step at which something was not finite."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from unweave.training.tracker import Tracker


@pytest.fixture
def tracker():
    return Tracker(["loss", "kl", "tc"], torch.device("cpu"))


def test_means_are_over_the_steps_since_the_last_reset(tracker):
    rows = np.random.default_rng(0).normal(size=(7, 3)).astype(np.float32)
    for step, row in enumerate(rows, start=1):
        tracker.add(torch.tensor(row), step)
    record = tracker.read()
    assert record.steps == 7
    expected = rows.astype(np.float64).mean(axis=0)
    assert list(record.values) == ["loss", "kl", "tc"]
    np.testing.assert_allclose(list(record.values.values()), expected, rtol=1e-12)
    assert tracker.read() == record, "reading resets nothing"
    tracker.reset()
    assert tracker.read().steps == 0
    assert set(tracker.read().values.values()) == {0.0}
    tracker.add(torch.tensor([1.0, 2.0, 3.0]), 8)
    assert tracker.read().values == {"loss": 1.0, "kl": 2.0, "tc": 3.0}


def test_sums_are_kept_in_double_precision(tracker):
    tracker.add(torch.tensor([1e8, 0.0, 0.0]), 1)
    for step in range(2, 102):
        tracker.add(torch.tensor([1.0, 0.0, 0.0]), step)
    assert tracker.read().values["loss"] == (1e8 + 100) / 101


def test_the_first_step_and_name_that_were_not_finite_are_kept(tracker):
    tracker.add(torch.tensor([1.0, 2.0, 3.0]), 10)
    assert tracker.read().first_bad == {}
    tracker.add(torch.tensor([1.0, math.nan, 3.0]), 11)
    tracker.add(torch.tensor([math.inf, math.nan, 3.0]), 12)
    tracker.add(torch.tensor([-math.inf, 2.0, 3.0]), 13)
    assert tracker.read().first_bad == {"loss": 12, "kl": 11}
    tracker.reset()
    assert tracker.read().first_bad == {"loss": 12, "kl": 11}, "a reset forgets no failure"


def test_adding_copies_and_keeps_no_graph(tracker):
    values = torch.ones(3, requires_grad=True)
    tracker.add(values * 2, 1)
    assert not tracker.sums.requires_grad
    with torch.no_grad():
        values.zero_()
    assert tracker.read().values["loss"] == 2.0


def test_adding_never_waits_for_the_device(tracker, monkeypatch):
    """On a GPU each of these would wait for the device to finish the step."""

    def waits(*args, **kwargs):
        raise AssertionError("a step reads from the device")

    values = torch.tensor([1.0, math.nan, 2.0])
    with monkeypatch.context() as patch:
        for name in ("item", "tolist", "cpu", "numpy", "__bool__", "__float__", "__int__"):
            patch.setattr(torch.Tensor, name, waits)
        tracker.add(values, 5)
    assert tracker.read().first_bad == {"kl": 5}
