"""Batches on the training device: which images, how they lie, and the second batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from contracts.learners import small_config
from unweave.data import Batches, load_dataset
from unweave.objectives import Needs
from unweave.training.source import ImageSource, to_images


@pytest.fixture(scope="module")
def dataset(mini):
    return load_dataset(mini)


def test_a_batch_holds_the_images_of_its_step_between_0_and_1(dataset):
    config = small_config("vae", batch_size=7, seed=3)
    source = ImageSource(dataset, None, config)
    order = Batches(len(dataset), 7, seed=3)
    for step in (1, 2, 300):
        batch = source.batch(step)
        expected = dataset.images(order.indices(step)).transpose(0, 3, 1, 2) / 255
        assert batch.images.dtype == torch.float32
        assert batch.images.shape == (7, 1, 64, 64)
        np.testing.assert_array_equal(batch.images.numpy(), expected.astype(np.float32))
        assert batch.second is None
    assert source.images_per_step == 7


def test_a_batch_is_a_pure_function_of_seed_and_step(dataset):
    config = small_config("vae", batch_size=5)
    one, other = (ImageSource(dataset, None, config, Needs(second=True)) for _ in range(2))
    other.batch(9)
    assert torch.equal(one.batch(2).images, other.batch(2).images)
    assert torch.equal(one.batch(2).second, other.batch(2).second)
    assert not torch.equal(one.batch(2).images, one.batch(3).images)
    seeded = ImageSource(
        dataset, None, small_config("vae", batch_size=5, seed=1), Needs(second=True)
    )
    assert not torch.equal(seeded.batch(2).images, one.batch(2).images)


def test_a_second_batch_is_another_walk_over_the_same_images(dataset):
    config = small_config("factor_vae", batch_size=16)
    source = ImageSource(dataset, None, config, Needs(second=True))
    batch = source.batch(1)
    assert batch.second.shape == batch.images.shape
    assert not torch.equal(batch.second, batch.images)
    assert source.images_per_step == 32
    # The first batches are those of a method without a second.
    single = ImageSource(dataset, None, config)
    assert torch.equal(single.batch(1).images, batch.images)


def test_only_chosen_images_are_trained_on(dataset):
    chosen = np.array([3, 500, 1001])
    config = small_config("vae", batch_size=3)
    source = ImageSource(dataset, chosen, config, Needs(second=True))
    allowed = {dataset.images([index]).tobytes() for index in chosen}
    for step in range(1, 5):
        batch = source.batch(step)
        for images in (batch.images, batch.second):
            pixels = (images * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
            assert {image.tobytes() for image in pixels} == allowed


def test_pixels_become_channels_last_floats():
    pixels = np.random.default_rng(0).integers(0, 256, (2, 5, 4, 3), dtype=np.uint8)
    images = to_images(pixels, 1 / 255, torch.device("cpu"))
    assert images.shape == (2, 3, 5, 4)
    assert images.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(images.permute(0, 2, 3, 1), pixels / 255, rtol=1e-6)
    bits = to_images(pixels % 2, 1.0, torch.device("cpu"))
    assert set(bits.unique().tolist()) == {0.0, 1.0}
