"""Probes learn factors, are trained once, and are the same for every run."""

from __future__ import annotations

import logging
import math
import os
import subprocess
import sys

import filelock
import numpy as np
import pytest
import safetensors.torch
import scipy.ndimage
import torch

import unweave
from unweave.analysis.probe import (
    RIGHT,
    Alike,
    Probe,
    ProbeTraining,
    cache,
    cached_probe,
    train_probe,
    training,
)
from unweave.analysis.probe.blur import blurred
from unweave.analysis.probe.training import _learning_rate, targets_of
from unweave.data import Batches, from_arrays, parse_dataset
from unweave.errors import DataError, UnweaveError
from unweave.splits import keyed_uniform
from unweave.training.source import to_images

CPU = torch.device("cpu")
TINY = "dsprites(grid=(3, 2, 4, 4, 4))"
SHORT = ProbeTraining(steps=3, batch_size=16)


@pytest.fixture(scope="module")
def tiny():
    return unweave.load_dataset(TINY)


@pytest.fixture
def own_home(monkeypatch, tmp_path, tiny):
    """A folder of caches without a probe; what is stored of the images stays where it is."""
    monkeypatch.setattr(cache, "home", lambda: tmp_path)
    return tmp_path


@pytest.fixture
def trainings(monkeypatch):
    """Which trainings there were."""
    seen = []

    def train(dataset, asked, device, progress=None):
        seen.append(asked)
        return train_probe(dataset, asked, device, progress)

    monkeypatch.setattr(cache, "train_probe", train)
    return seen


def images_of(dataset, rows):
    pixels, scale = dataset.gather(rows)
    return to_images(pixels, scale, CPU)


def same(one, other):
    pairs = zip(one.state_dict().items(), other.state_dict().items(), strict=True)
    return all(a == b and v.equal(w) for (a, v), (b, w) in pairs)


def test_it_learns_the_factors(tiny):
    rows = np.arange(len(tiny))
    probe = train_probe(tiny, ProbeTraining(steps=110, batch_size=32), CPU)
    alike = Alike(tiny.spec, tiny.factor_space)
    told = probe.tell(images_of(tiny, rows)).numpy()
    right = (alike.steps(tiny.factors(rows), told) < RIGHT).mean(axis=0)
    # Chance is a third, a half, a quarter each, and a half of poses: those of a square are alike.
    found = dict(zip(tiny.factor_space.names, right, strict=True))
    for name, least in (("shape", 0.8), ("scale", 0.9), ("pos_x", 0.9), ("orientation", 0.8)):
        assert found[name] > least, found
    assert not probe.training
    assert not any(weight.requires_grad for weight in probe.parameters())


def test_it_is_a_function_of_its_seed(tiny):
    before = torch.get_rng_state()
    one, again = (train_probe(tiny, SHORT, CPU) for _ in range(2))
    assert same(one, again)
    assert torch.get_rng_state().equal(before)
    assert not same(one, train_probe(tiny, ProbeTraining(3, 16, seed=1), CPU))
    assert not same(one, train_probe(tiny, ProbeTraining(4, 16), CPU))


def test_a_training_within_inference_mode(tiny):
    with torch.no_grad():
        assert same(train_probe(tiny, SHORT, CPU), train_probe(tiny, SHORT, CPU))


def test_fewer_images_than_a_batch(tiny):
    few = tiny.select(np.arange(5))
    assert same(
        train_probe(few, ProbeTraining(2, 64), CPU), train_probe(few, ProbeTraining(2, 5), CPU)
    )


@pytest.mark.parametrize("sigma", [0.3, 1.0, 2.7])
def test_blur_is_a_gaussian_filter(sigma):
    images = np.random.default_rng(1).random((3, 2, 20, 24), np.float32)
    found = blurred(torch.from_numpy(images), sigma).numpy()
    reach = math.ceil(3 * sigma)
    filtered = scipy.ndimage.gaussian_filter(
        images.astype(np.float64), sigma, axes=(2, 3), mode="nearest", radius=reach
    )
    np.testing.assert_allclose(found, filtered, atol=1e-5)


def test_without_blur_images_stay_as_they_are():
    images = torch.rand(2, 1, 8, 8)
    assert blurred(images, 0.0) is images


def test_images_of_a_step_are_blurred_by_its_draw(tiny):
    source = training._Source(tiny, SHORT, CPU)
    order = Batches(len(tiny), 16, 0, "probe")
    for step in (1, 2):
        sigma = 1.5 * keyed_uniform(1, 0, "probe blur", step)[0]
        images, targets = source.batch(step)
        flat = order.indices(step)
        assert images.equal(blurred(images_of(tiny, flat), sigma))
        alike = Alike(tiny.spec, tiny.factor_space)
        assert targets.equal(torch.from_numpy(targets_of(alike, tiny.factors(flat))))


def test_targets_lie_around_the_true_values():
    data = parse_dataset("dsprites(grid=(3, 2, 40, 1, 8))")
    alike = Alike(data, data.factor_space)
    rows = np.array([[0, 1, 3, 0, 2], [1, 0, 39, 0, 7], [2, 1, 0, 0, 0]])
    found = targets_of(alike, rows)
    assert found.shape == (3, 3 + 2 + 40 + 1 + 8)
    for row, target in zip(rows, found, strict=True):
        shape, scale, turn, one, pos = np.split(target, np.cumsum((3, 2, 40, 1)))
        np.testing.assert_array_equal(shape, np.arange(3) == row[0])
        np.testing.assert_array_equal(one, 1)
        period = 39 * (1 / 4, 1 / 2, 1)[row[0]]
        apart = [abs((pose - row[2] + period / 2) % period - period / 2) for pose in range(40)]
        for part, steps in (
            (scale, abs(np.arange(2) - row[1])),
            (turn, np.array(apart)),
            (pos, abs(np.arange(8) - row[4])),
        ):
            expected = np.exp(-(steps**2) / 2)
            np.testing.assert_allclose(part, expected / expected.sum(), atol=1e-6)


def test_the_learning_rate_rises_and_falls():
    rates = [_learning_rate(step, 200) for step in range(1, 201)]
    assert rates[9] == max(rates) == 5e-3
    np.testing.assert_allclose(rates[:10], np.arange(1, 11) / 10 * 5e-3)
    for step in (50, 120, 200):
        expected = 2.5e-3 * (1 + math.cos(math.pi * (step - 10) / 191))
        assert rates[step - 1] == pytest.approx(expected)
    assert (np.diff(rates[9:]) < 0).all()
    assert 0 < rates[-1] < 1e-5
    assert _learning_rate(1, 1) == 5e-3


@pytest.mark.parametrize(
    ("shape", "side"),
    [((64, 64, 1), 64), ((32, 32, 3), 32), ((128, 128, 3), 128), ((28, 28, 1), 64),
     ((96, 80, 3), 64)],
)  # fmt: skip
def test_images_of_any_size(shape, side):
    probe = Probe.create(shape, (3, 5), torch.Generator().manual_seed(1))
    assert probe.side == side
    height, width, channels = shape
    scores = probe(torch.rand(4, channels, height, width))
    assert [tuple(each.shape) for each in scores] == [(4, 3), (4, 5)]
    assert probe.tell(torch.rand(4, channels, height, width)).shape == (4, 2)


def test_progress_counts_steps(tiny):
    seen = []
    train_probe(tiny, SHORT, CPU, lambda *told: seen.append(told))
    assert seen == [("training a probe of the factors", step, 3) for step in (1, 2, 3)]


def test_weights_that_are_no_numbers_are_refused(tiny, monkeypatch, own_home):
    monkeypatch.setattr(training, "_LR", 1e30)
    with pytest.raises(UnweaveError, match="could not be trained"):
        cached_probe(tiny, ProbeTraining(8, 16), CPU)
    assert not list(own_home.rglob("*.safetensors"))


def test_images_without_factors():
    dataset = from_arrays(np.zeros((4, 64, 64, 1), np.uint8), name="no-factors-probe")
    with pytest.raises(DataError, match=r"factors of .* are not known"):
        cached_probe(dataset, SHORT, CPU)


def test_it_is_trained_once(tiny, own_home, trainings, caplog):
    caplog.set_level(logging.INFO)
    first = cached_probe(tiny, SHORT, CPU)
    (path,) = own_home.glob("probes/*.safetensors")
    assert path.name.startswith("dsprites-")
    before = path.read_bytes()
    again = cached_probe(tiny, SHORT, CPU)
    assert trainings == [SHORT]
    assert same(first, again)
    assert not again.training
    assert not any(weight.requires_grad for weight in again.parameters())
    assert path.read_bytes() == before
    assert str(path) in caplog.text


def test_it_is_told_apart_by_images_factors_and_training(tiny, own_home, trainings):
    for asked in (SHORT, ProbeTraining(4, 16), ProbeTraining(3, 8), ProbeTraining(3, 16, 1)):
        cached_probe(tiny, asked, CPU)
    other = unweave.load_dataset("dsprites(grid=(3, 2, 2, 4, 4))")
    cached_probe(other, SHORT, CPU)
    assert len(trainings) == 5
    assert len(list(own_home.glob("probes/*.safetensors"))) == 5


@pytest.mark.parametrize("damage", ["cut", "flipped", "empty", "other", "unmarked"])
def test_a_damaged_file_is_replaced(tiny, own_home, trainings, caplog, damage):
    first = cached_probe(tiny, SHORT, CPU)
    (path,) = own_home.glob("probes/*.safetensors")
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    elif damage == "flipped":
        content[-1000] ^= 64
    elif damage == "empty":
        content = bytearray()
    elif damage == "other":
        state = {"a": torch.ones(2)}
        content = safetensors.torch.save(state, {"sha256": cache._sha256(state)})
    else:
        content = safetensors.torch.save(safetensors.torch.load(bytes(content)))
    path.write_bytes(bytes(content))
    assert same(cached_probe(tiny, SHORT, CPU), first)
    assert len(trainings) == 2
    assert "is damaged" in caplog.text
    assert same(cached_probe(tiny, SHORT, CPU), first)
    assert len(trainings) == 2


def test_a_folder_that_cannot_be_written_is_said_before_the_training(tiny, own_home, trainings):
    (own_home / "probes").write_text("a file")
    with pytest.raises(UnweaveError, match="probes"):
        cached_probe(tiny, SHORT, CPU)
    assert trainings == []


def test_who_waits_says_so(tiny, own_home, trainings):
    first, seen = cached_probe(tiny, SHORT, CPU), []
    (path,) = own_home.glob("probes/*.safetensors")
    path.rename(path.with_suffix(".kept"))
    lock = filelock.FileLock(path.with_name(f".{path.stem}.lock"))
    lock.acquire()

    def progress(what, done, total):
        seen.append((what.split()[0], done, total))
        if seen == [("waiting", 0, 1)]:
            path.with_suffix(".kept").rename(path)
            lock.release()

    assert same(cached_probe(tiny, SHORT, CPU, progress), first)
    assert seen == [("waiting", 0, 1), ("waiting", 1, 1)]
    assert len(trainings) == 1


PROCESSES = """
import logging, os, sys, torch, traceback
torch.set_num_threads(1)
logging.basicConfig(level=logging.INFO)
import unweave
from unweave.analysis.probe import ProbeTraining, cached_probe
dataset = unweave.load_dataset(sys.argv[1])

def ask():
    probe = cached_probe(dataset, ProbeTraining(60, 16), torch.device("cpu"))
    total = sum(value.double().sum().item() for value in probe.state_dict().values())
    os.write(1, f"{total}\\n".encode())

waits, begins = os.pipe()
for _ in range(2):
    if os.fork() == 0:
        # Both begin when nobody holds the other end any more.
        os.close(begins)
        os.read(waits, 1)
        try:
            ask()
        except BaseException:
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
os.close(begins)
sys.exit(max(os.waitstatus_to_exitcode(os.wait()[1]) for _ in range(2)))
"""


def test_two_processes_at_once_train_one(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", PROCESSES, TINY],
        env={**os.environ, "UNWEAVE_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    one, other = done.stdout.splitlines()
    assert one == other
    assert done.stderr.count("Training a probe") == 1
    assert len(list(tmp_path.glob("probes/*.safetensors"))) == 1
