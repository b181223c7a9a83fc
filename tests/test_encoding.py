"""A part of a dataset is encoded once; sampled codes are keyed draws."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import safetensors.torch
import torch

import unweave
from session.runs import MINI, RICH, RICH_IMAGES, TINY, copy_of, rich, tensors, train
from unweave import encoding
from unweave.encoding import cached_posteriors, digest, encode_rows, full_precision, represent
from unweave.likelihoods import Bernoulli
from unweave.metrics import PROTOCOLS
from unweave.nn import Burgess, PbtVae
from unweave.training.precision import automatic
from unweave.vae import VAE


@pytest.fixture(scope="module")
def data():
    return unweave.load_dataset(MINI)


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    return VAE.create(Burgess(), (64, 64, 1), 3, Bernoulli(), generator).eval()


@pytest.fixture(scope="module")
def posteriors(model, data):
    """Means and logvars of all images."""
    mean, logvar = np.empty((2, len(data), 3), np.float32)
    encode_rows(model, data, np.arange(len(data)), mean, logvar)
    return mean, logvar


@pytest.fixture
def encoded(monkeypatch):
    """How many rows have been encoded, call by call."""
    rich()  # its own scores encode, too
    seen = []
    real = encoding.encode_rows

    def spy(model, dataset, flat, mean, logvar, progress=None, precision="float32"):
        seen.append(len(flat))
        real(model, dataset, flat, mean, logvar, progress, precision)

    monkeypatch.setattr(encoding, "encode_rows", spy)
    return seen


def by_hand(model, data, flat):
    pixels = torch.tensor(data.images(flat), dtype=torch.float32).permute(0, 3, 1, 2) / 255
    with torch.no_grad():
        out = model.head(model.trunk(pixels)).numpy()
    return out[:, :3], out[:, 3:]


class TestEncodeRows:
    def test_a_model_in_training_is_asked_as_it_will_be_later_and_learns_nothing(self, data):
        generator = torch.Generator().manual_seed(0)
        model = VAE.create(PbtVae(), (64, 64, 1), 3, Bernoulli(), generator)
        model.trunk[1].eval()  # the user may keep a layer as it is
        before = {name: value.clone() for name, value in model.state_dict().items()}
        codes = []
        for flat in (np.arange(4), np.arange(2)):
            mean, logvar = np.empty((2, len(flat), 3), np.float32)
            encode_rows(model, data, flat, mean, logvar)
            codes.append(mean)
        # They do not depend on the images beside them.
        np.testing.assert_allclose(codes[0][:2], codes[1], rtol=1e-4, atol=1e-6)
        assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
        assert model.training
        assert model.trunk[4].training
        assert not model.trunk[1].training

    def test_rows_are_in_order(self, model, data):
        flat = np.random.default_rng(0).permutation(len(data))[:300]  # more than one batch
        mean, logvar = np.empty((300, 3), np.float32), np.empty((300, 3), np.float32)
        told = []
        encode_rows(model, data, flat, mean, logvar, lambda *what: told.append(what))
        expected = by_hand(model, data, flat)
        np.testing.assert_allclose(mean, expected[0], rtol=0, atol=1e-5)
        np.testing.assert_allclose(logvar, expected[1], rtol=0, atol=1e-5)
        assert told[-1] == ("encoding", 300, 300)

    def test_float32_whatever_the_training_runs_in(self, model, data):
        flat = np.arange(0, 1536, 100)
        expected = by_hand(model, data, flat)[0]
        mean, logvar = np.empty((2, len(flat), 3), np.float32)
        model.autocast_dtype = torch.bfloat16
        try:
            encode_rows(model, data, flat, mean, logvar)
            assert model.autocast_dtype == torch.bfloat16
            with torch.no_grad():
                pixels = torch.tensor(data.images(flat)).permute(0, 3, 1, 2) / 255
                rough = model.encode(pixels).mean.numpy()
        finally:
            model.autocast_dtype = None
        np.testing.assert_allclose(mean, expected, rtol=0, atol=1e-5)
        # The comparison means something: bfloat16 gives other numbers.
        assert np.abs(rough - expected).max() > 1e-4

    def test_precision_comes_back_after_an_error(self, model):
        def fail():
            with full_precision(model):
                assert model.autocast_dtype is None
                raise ValueError("inside")

        model.autocast_dtype = torch.bfloat16
        try:
            with pytest.raises(ValueError, match="inside"):
                fail()
            assert model.autocast_dtype == torch.bfloat16
        finally:
            model.autocast_dtype = None


class TestCache:
    def test_the_second_call_reads(self, tmp_path, model, data, encoded):
        flat = np.arange(40)
        first = cached_posteriors(model, data, flat, tmp_path, "all-aaaa")
        second = cached_posteriors(model, data, flat, tmp_path, "all-aaaa")
        assert encoded == [40]
        for a, b in zip(first, second, strict=True):
            np.testing.assert_array_equal(a, b)
            assert isinstance(b, np.memmap)
        assert {p.name for p in (tmp_path / "all-aaaa").iterdir()} == {"mean.npy", "logvar.npy"}

    def test_other_weights_replace_only_their_part(self, tmp_path, model, data, encoded):
        flat = np.arange(5)
        for key in ("all-aaaa", "train-aaaa", "all-bbbb"):
            cached_posteriors(model, data, flat, tmp_path, key)
        assert len(encoded) == 3
        assert {path.name for path in tmp_path.iterdir()} == {"train-aaaa", "all-bbbb"}

    def test_each_precision_has_codes_of_its_own(self, tmp_path, model, data, encoded):
        flat = np.arange(40)
        exact, _ = cached_posteriors(model, data, flat, tmp_path, "all-aaaa")
        for _ in range(2):
            rough, _ = cached_posteriors(
                model, data, flat, tmp_path, "all-aaaa", precision="bfloat16"
            )
        assert encoded == [40, 40]
        assert {path.name for path in tmp_path.iterdir()} == {"all-aaaa", "all_bfloat16-aaaa"}
        np.testing.assert_allclose(rough, exact, atol=0.02 * np.abs(exact).max())
        assert (rough != exact).any()

    def test_a_failure_leaves_nothing_that_looks_encoded(self, tmp_path, model, data, monkeypatch):
        def broken(*arguments):
            raise KeyboardInterrupt

        monkeypatch.setattr(encoding, "encode_rows", broken)
        with pytest.raises(KeyboardInterrupt):
            cached_posteriors(model, data, np.arange(5), tmp_path, "all-aaaa")
        assert list(tmp_path.iterdir()) == []

    def test_evaluate_encodes_once(self, tmp_path, encoded):
        folder = copy_of(rich(), tmp_path)
        unweave.load_run(folder).evaluate()
        unweave.load_run(folder).evaluate(seed=3, codes="sampled")
        unweave.load_run(folder).representation()
        assert encoded == [RICH_IMAGES]
        unweave.load_run(folder).evaluate(part="holdout")
        unweave.load_run(folder).evaluate(part="holdout")
        assert encoded == [RICH_IMAGES, RICH_IMAGES // 4]

    def test_a_protocol_may_encode_a_random_sample(self, tmp_path, encoded, monkeypatch):
        fast = dataclasses.replace(PROTOCOLS["fast"], images=100)
        monkeypatch.setitem(PROTOCOLS, "fast", fast)
        run = unweave.load_run(copy_of(rich(), tmp_path))
        assert run.evaluate(("mig",), protocol_name="fast")["mig"].samples == 100
        precision = automatic(torch.device("cpu"))
        few = run.representation(precision=precision, images=100)
        assert encoded == [100]
        rows = few.factor_space.ravel(few.factors)
        assert len(np.unique(rows)) == 100
        # Spread over the whole grid, and the same images in any process.
        assert rows.max() - rows.min() > 0.8 * few.factor_space.size
        everything = run.representation()
        np.testing.assert_allclose(
            few.mean, everything.mean[rows], atol=0.02 * np.abs(everything.mean).max()
        )
        # As many as there are is all of them.
        assert len(run.representation(images=5_000)) == RICH_IMAGES
        assert encoded == [100, RICH_IMAGES]

    def test_changed_weights_are_encoded_again(self, tmp_path, encoded):
        folder = copy_of(rich(), tmp_path)
        before = unweave.load_run(folder).representation()
        state = tensors(folder)
        state["model/head.bias"][0] += 1
        path = folder / "checkpoint" / "state.safetensors"
        header = {"format": "1", "step": "24", "seconds": "1.0"}
        safetensors.torch.save_file(state, path, metadata=header)
        after = unweave.load_run(folder).representation()
        assert encoded == [RICH_IMAGES, RICH_IMAGES]
        np.testing.assert_allclose(after.mean[:, 0], before.mean[:, 0] + 1, rtol=0, atol=1e-5)
        np.testing.assert_allclose(after.mean[:, 1:], before.mean[:, 1:], rtol=0, atol=1e-5)

    def test_a_longer_training_is_encoded_again(self, tmp_path, encoded):
        given = {"out": tmp_path / "run", **TINY}
        unweave.train(RICH, "vae", steps=1, **given).evaluate(("mig",))
        unweave.train(RICH, "vae", steps=2, resume=True, **given).evaluate(("mig",))
        assert encoded == [RICH_IMAGES, RICH_IMAGES]

    def test_other_data_are_encoded_by_themselves(self, tmp_path, encoded):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        own = run.representation()
        other = run.representation(data="dsprites(grid=(3, 1, 2, 4, 4))")
        assert encoded == [RICH_IMAGES, 96]
        assert (len(own), len(other)) == (RICH_IMAGES, 96)


class TestCodes:
    def test_means(self, posteriors, data):
        table = represent(*posteriors, data, np.arange(len(data)))
        np.testing.assert_array_equal(table.mean, posteriors[0])
        np.testing.assert_array_equal(table.logvar, posteriors[1])
        np.testing.assert_array_equal(table.factors, data.factors(np.arange(len(data))))

    def test_samples_are_of_the_posterior(self, posteriors, data):
        mean, logvar = posteriors
        table = represent(mean, logvar, data, np.arange(len(data)), codes="sampled")
        noise = (table.mean - mean) / np.exp(logvar / 2)
        # 4,608 standard normal draws: four standard errors.
        assert abs(noise.mean()) < 4 / np.sqrt(noise.size)
        assert abs(noise.var() - 1) < 4 * np.sqrt(2 / noise.size)
        corner = np.corrcoef(noise.T)
        assert np.abs(corner - np.eye(3)).max() < 4 / np.sqrt(len(noise))

    def test_samples_are_keyed_by_the_seed(self, posteriors, data):
        flat = np.arange(len(data))
        draws = [represent(*posteriors, data, flat, codes="sampled", seed=s) for s in (0, 0, 1)]
        np.testing.assert_array_equal(draws[0].mean, draws[1].mean)
        assert (draws[0].mean != draws[2].mean).any()

    def test_a_run_gives_them(self, tmp_path):
        run = unweave.load_run(copy_of(rich(), tmp_path))
        one, again, other = (run.representation(codes="sampled", seed=s) for s in (1, 1, 2))
        np.testing.assert_array_equal(one.mean, again.mean)
        assert (one.mean != other.mean).any()
        np.testing.assert_array_equal(one.logvar, run.representation().logvar)


def test_a_digest_tells_texts_apart():
    digests = {digest("a", "b"), digest("ab"), digest("b", "a"), digest("a", "b", "")}
    assert len(digests) == 4
    assert all(len(text) == 12 for text in digests)
    assert digest("a", "b") == digest("a", "b")


def test_training_and_scoring_leave_the_cache_beside_the_run(tmp_path):
    train(tmp_path / "run", dataset=RICH, steps=1)
    assert not (tmp_path / "run" / "cache").exists()
    unweave.load_run(tmp_path / "run").evaluate()
    (place,) = (tmp_path / "run" / "cache").iterdir()
    assert place.name.startswith("all-")
