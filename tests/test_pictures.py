"""What a model shows is what the model makes of images and codes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import unweave
from session.runs import RICH, RICH_IMAGES, rich
from unweave.pictures import probe_indices, reconstruct, traverse
from unweave.plots import order_by_kl


@pytest.fixture(scope="module")
def run():
    return unweave.load_run(rich())


def to_bytes(probabilities):
    return np.floor(255 * np.asarray(probabilities, np.float64) + 0.5)


class TestProbes:
    def test_the_same_for_the_same_seed(self):
        one = probe_indices(20, 1536, 3)
        np.testing.assert_array_equal(one, probe_indices(20, 1536, 3))
        assert (one != probe_indices(20, 1536, 4)).any()
        assert one.dtype == np.int64

    def test_no_image_twice(self):
        assert sorted(probe_indices(30, 30, 0)) == list(range(30))

    def test_not_more_than_there_are(self):
        assert len(probe_indices(20, 7, 0)) == 7


class TestReconstruct:
    def test_originals_and_what_the_model_makes_of_them(self, run):
        flat = np.array([5, 300, 3, RICH_IMAGES - 1])
        originals, decoded = reconstruct(run.model, run.dataset, flat)
        np.testing.assert_array_equal(originals, run.dataset.images(flat))
        assert decoded.dtype == np.uint8
        expected = to_bytes(run.decode(run.encode(originals)[0]))
        assert np.abs(decoded - expected).max() <= 1
        assert (decoded == expected).mean() > 0.999

    def test_the_model_is_left_as_it_was(self, run):
        before = {name: value.clone() for name, value in run.model.state_dict().items()}
        run.model.autocast_dtype = torch.bfloat16
        try:
            rough = reconstruct(run.model, run.dataset, np.array([7]))[1]
            assert run.model.autocast_dtype == torch.bfloat16
        finally:
            run.model.autocast_dtype = None
        np.testing.assert_array_equal(rough, reconstruct(run.model, run.dataset, np.array([7]))[1])
        for name, value in run.model.state_dict().items():
            assert torch.equal(value, before[name])


class TestTraverse:
    def test_one_latent_at_a_time(self, run):
        start = np.array([0.5, -1.0, 0.0, 2.0], np.float32)
        values = np.linspace(-2, 2, 5)
        grid = traverse(run.model, start, values)
        assert grid.shape == (4, 5, 64, 64, 1)
        assert grid.dtype == np.uint8
        for j in range(4):
            for s, value in enumerate(values):
                z = start.copy()
                z[j] = value
                expected = to_bytes(run.decode(z[None])[0])
                assert np.abs(grid[j, s] - expected).max() <= 1

    def test_where_the_latent_is_already_all_rows_are_the_same(self, run):
        grid = traverse(run.model, np.zeros(4, np.float32), np.array([-1.0, 0.0, 1.0]))
        for j in range(1, 4):
            np.testing.assert_array_equal(grid[j, 1], grid[0, 1])

    def test_nothing_but_the_decoder_is_asked(self, run, monkeypatch):
        monkeypatch.setattr(run.model, "encode", None)
        assert traverse(run.model, np.zeros(4, np.float32), np.zeros(1)).shape[0] == 4

    def test_of_some_latents(self, run):
        values = np.array([-2.0, 0.5])
        every = traverse(run.model, np.ones(4, np.float32), values)
        some = traverse(run.model, np.ones(4, np.float32), values, [3, 1])
        np.testing.assert_array_equal(some, every[[3, 1]])


def test_latents_by_falling_kl():
    assert order_by_kl(np.array([0.1, 3.0, 0.0, 3.0, 1.0])) == [1, 3, 4, 0, 2]
    assert order_by_kl(np.zeros(3)) == [0, 1, 2]


def test_the_dataset_is_the_small_one(run):
    assert str(run.dataset.spec) == RICH
