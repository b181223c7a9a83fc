"""Any encoder is scored: what it is given, what it may give, and what is refused."""

from __future__ import annotations

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
import torch

import unweave
from unweave.encoders import encode_with
from unweave.errors import DataError, SpecError
from unweave.metrics import evaluate
from unweave.metrics.protocols import protocol
from unweave.representation import Representation

SMALL = "dsprites(grid=(3, 2, 2, 4, 4))"
IMAGES = 192


def centres(images):
    """Where the sprite is, how large, and the mean row of each image's pixels, (B, 4)."""
    pixels = np.asarray(images, np.float64).reshape(len(images), 64, 64)
    mass = pixels.sum((1, 2))
    places = np.arange(64)
    x, y = (pixels.sum(axis) @ places / mass for axis in (1, 2))
    return np.stack([x, y, mass, pixels[:, 32].mean(1)], axis=1)


def test_it_is_the_score_of_the_codes():
    dataset = unweave.load_dataset(SMALL)
    flat = np.arange(IMAGES)
    codes = centres(dataset.images(flat))
    names = dataset.factor_space.names
    expected = evaluate(codes, dataset.factors(flat), factor_names=names, metrics="mig")["mig"]
    for given in (SMALL, dataset, dataset.spec):
        found = unweave.evaluate_encoder(given, centres, metrics=("mig",), batch_size=50)["mig"]
        assert found.parts == expected.parts
    # Places are told apart: that is what these codes are.
    assert found.parts["pos_x"] > 0.5


def test_what_the_encoder_is_given():
    seen = []

    def watch(images):
        seen.append(images)
        return images.reshape(len(images), -1)[:, 2000:2004]

    encode_with(SMALL, watch, batch_size=100)
    assert [batch.shape for batch in seen] == [(100, 64, 64, 1), (92, 64, 64, 1)]
    assert seen[0].dtype == np.uint8
    whole = np.concatenate(seen)
    assert whole.max() == 255
    seen.clear()
    encode_with(SMALL, watch, images="float", rows=[5, 3, 191])
    (batch,) = seen
    assert (batch.shape, batch.dtype) == ((3, 1, 64, 64), np.float32)
    np.testing.assert_array_equal(batch[:, 0] * 255, whole[[5, 3, 191], :, :, 0])


def test_the_rows_are_those_that_were_asked_for():
    table = encode_with(SMALL, centres, rows=[5, 3, 191])
    whole = encode_with(SMALL, centres)
    np.testing.assert_array_equal(table.mean, whole.mean[[5, 3, 191]])
    np.testing.assert_array_equal(table.factors, whole.factors[[5, 3, 191]])
    assert table.factor_space == whole.factor_space
    assert len(whole) == IMAGES


def test_factors_keep_their_kinds_and_values():
    dataset = unweave.load_dataset(SMALL)
    assert encode_with(dataset, centres).factor_space == dataset.factor_space
    assert {"circular", "categorical"} <= {f.kind for f in dataset.factor_space.factors}
    # DCI by linear models takes an angle for a cosine and a sine, as it does of a run.
    codes = np.float32(centres(dataset.images(np.arange(IMAGES))))
    run = Representation(
        mean=codes,
        factors=dataset.factors(np.arange(IMAGES)),
        factor_space=dataset.factor_space,
    )
    expected = evaluate(run, metrics="dci_lasso")["dci_lasso"]
    found = unweave.evaluate_encoder(
        dataset, lambda images: np.float32(centres(images)), metrics="dci_lasso"
    )
    assert found["dci_lasso"].parts == expected.parts


def test_a_protocol_of_few_images_encodes_no_more(monkeypatch):
    few = dataclasses.replace(protocol("fast"), images=50)
    monkeypatch.setattr("unweave.encoders.protocol_of", lambda name: few)
    seen = []

    def watch(images):
        seen.append(images)
        return centres(images)

    unweave.evaluate_encoder(SMALL, watch, metrics="mig", protocol="fast")
    unweave.evaluate_encoder(SMALL, watch, metrics="mig", protocol="fast", seed=1)
    unweave.evaluate_encoder(SMALL, watch, metrics="mig", protocol="fast", rows=np.arange(120))
    assert [len(batch) for batch in seen] == [50, 50, 120]
    assert len(np.unique(seen[0].reshape(50, -1), axis=0)) == 50
    assert (seen[0] != seen[1]).any()


def test_variances_and_tensors_are_taken():
    def encode(images):
        codes = torch.from_numpy(images).flatten(1)[:, ::500].requires_grad_()
        return codes * 1.0, codes * 0.0 - 2

    table = encode_with(SMALL, encode, images="float")
    assert table.latents == 9
    assert table.mean.dtype == np.float32
    assert (table.logvar == -2).all()


def test_progress_tells_images_and_scores():
    told = []
    unweave.evaluate_encoder(
        SMALL, centres, metrics="mig", progress=lambda *values: told.append(values)
    )
    assert ("encoding", IMAGES, IMAGES) in told
    assert told[-1] == ("scores", 1, 1)


@pytest.mark.parametrize(
    ("encode", "words"),
    [
        (lambda images: images, r"shape \(192, L\) for 192 images, not \(192, 64, 64, 1\)"),
        (lambda images: centres(images)[:5], r"not \(5, 4\)"),
        (lambda images: centres(images)[:, 0], r"not \(192,\)"),
        (lambda images: (centres(images), centres(images)[:, :2]), "gave 4 latents first"),
        (lambda images: centres(images) * np.nan, "codes must be finite"),
    ],
)
def test_encoders_that_are_refused(encode, words):
    with pytest.raises(DataError, match=words):
        unweave.evaluate_encoder(SMALL, encode, metrics="mig")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"images": "int8"}, "images must be uint8 or float"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"metrics": "migg"}, "Did you mean mig"),
        ({"protocol": "dlb"}, "Did you mean dlib"),
    ],
)
def test_settings_are_refused_before_anything_is_encoded(given, words):
    def never(images):
        raise AssertionError

    with pytest.raises(SpecError, match=words):
        unweave.evaluate_encoder(SMALL, never, **given)


def test_no_torch_is_needed():
    code = "import unweave, sys; unweave.evaluate_encoder; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
