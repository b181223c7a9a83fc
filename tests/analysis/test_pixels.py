"""Errors of reconstructions, image by image."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from reference import composition_reference
from unweave.analysis.pixels import cross_entropy, pixel_entropy, squared_error


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (3, 2, 5, 4)).astype(np.float32) / np.float32(255)
    images[0] = images[0].round()
    return torch.from_numpy(rng.normal(0, 3, images.shape).astype("f4")), torch.from_numpy(images)


def test_they_are_sums_and_means_over_pixels(given):
    logits, images = given
    for found, slow in (
        (cross_entropy(logits, images), composition_reference.cross_entropy),
        (pixel_entropy(images), lambda _, pixels: composition_reference.entropy(pixels)),
        (
            squared_error(logits, images),
            lambda logits, pixels: ((1 / (1 + np.exp(-logits)) - pixels) ** 2).mean(),
        ),
    ):
        rows = zip(logits.double().numpy(), images.double().numpy(), strict=True)
        assert found.dtype == torch.float64
        np.testing.assert_allclose(found, [slow(a, x) for a, x in rows], rtol=1e-12)
    assert pixel_entropy(images)[0] == 0


def test_the_entropy_is_the_least_that_there_is(given):
    logits, images = given
    inner = images.double().clamp(1e-9, 1 - 1e-9)
    exact = torch.logit(inner)
    torch.testing.assert_close(cross_entropy(exact, inner), pixel_entropy(inner))
    assert (cross_entropy(exact + 0.1 * logits, inner) > pixel_entropy(inner)).all()
    assert (squared_error(exact, inner) < 1e-18).all()
