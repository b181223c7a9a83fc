"""Runs of composers: images of two others, scores and figures, and going on."""

from __future__ import annotations

import signal

import numpy as np
import pytest
import torch

import unweave
from session.runs import RICH as MINI
from session.runs import TINY, Watcher, assert_same_state, cli, resume, tensors
from unweave.data.samplers import Composition
from unweave.errors import DataError, SpecError
from unweave.session import CHECKPOINT
from unweave.training.checkpoint import load_tensors

HOLE = f"without(data={MINI}, where=\"shape == 'square' and pos_x > 0.5\")"
MLP = "composer(operator=mlp, sampler=composition(factors=(shape, pos_x, pos_y)))"
SETTINGS = {"latents": 6, "lr": 1e-3, "ema": 0.5, "log_every": 2}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    return unweave.train(HOLE, MLP, steps=6, out=folder, **SETTINGS, **TINY)


@pytest.fixture(scope="module")
def given(run):
    """Triplets of the run's dataset: images of references and transforms, and columns."""
    sampler = Composition(factors=("shape", "pos_x", "pos_y"))
    drawn = sampler.draw(run.dataset, 9, np.random.default_rng(0))
    images = run.dataset.images(drawn.T.reshape(-1)).reshape(3, 9, 64, 64, 1)
    return images[0], images[1], sampler.actions(run.dataset, drawn)


def by_hand(run, reference, transform, columns):
    """What is kept in the checkpoint, by the formula of the operator."""
    state = load_tensors(run.folder / CHECKPOINT).tensors
    prefix = "average/part/operator/layers."
    own = {k.removeprefix(prefix): v.numpy() for k, v in state.items() if k.startswith(prefix)}
    codes = [run.encode(images)[0] for images in (reference, transform)]
    hidden = np.concatenate([*codes, np.eye(5)[columns]], axis=1)
    hidden = np.maximum(hidden @ own["0.weight"].T + own["0.bias"], 0)
    hidden = (hidden - own["2.running_mean"]) / np.sqrt(own["2.running_var"] + 1e-5)
    hidden = hidden * own["2.weight"] + own["2.bias"]
    return run.decode(hidden @ own["3.weight"].T + own["3.bias"])


def test_an_image_is_composed_of_two_with_the_averaged_weights(run, given):
    reference, transform, columns = given
    found = run.compose(reference, transform, columns)
    assert found.shape == (9, 64, 64, 1)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, by_hand(run, *given), rtol=1e-3, atol=1e-5)
    again = run.compose(reference.astype(np.float32) / 255, transform, columns)
    np.testing.assert_allclose(again, found, rtol=1e-5, atol=1e-6)
    # Alone as beside others: nothing is normalised over what is asked for.
    alone = run.compose(reference[:1], transform[:1], columns[:1])
    np.testing.assert_allclose(alone, found[:1], rtol=1e-3, atol=1e-5)
    assert run.compose(reference[:0], transform[:0], "shape").shape == (0, 64, 64, 1)


def test_factors_by_name(run, given):
    reference, transform, columns = given
    names = [run.dataset.factor_space.names[column] for column in columns]
    np.testing.assert_array_equal(
        run.compose(reference, transform, names), run.compose(reference, transform, columns)
    )
    np.testing.assert_array_equal(
        run.compose(reference, transform, "pos_x"), run.compose(reference, transform, [3] * 9)
    )
    assert (
        np.abs(
            run.compose(reference, transform, "pos_x") - run.compose(reference, transform, "shape")
        ).max()
        > 1e-6
    )


@pytest.mark.parametrize(
    ("factors", "said"),
    [
        ("scale", "The model was not trained to take 'scale' from an image."),
        ("shpe", "Did you mean shape"),
        (["shape"] * 8, r"must be one for all images or 9, not of shape (8,)"),
        (5, "Columns of factors must lie from 0 to 4."),
        (-1, "Columns of factors must lie from 0 to 4."),
        (1.5, "must be names or columns of factors, not 1.5"),
        (1, "The model was not trained to take 'scale'"),
    ],
)
def test_factors_that_cannot_be_taken_are_refused(run, given, factors, said):
    with pytest.raises(DataError) as caught:
        run.compose(*given[:2], factors)
    assert said in str(caught.value)


def test_images_that_do_not_fit_are_refused(run, given):
    with pytest.raises(DataError, match="there are 9 references and 8 transforms"):
        run.compose(given[0], given[1][:8], "shape")
    with pytest.raises(DataError, match="Images must have shape"):
        run.compose(given[0][:, :32], given[1], "shape")


def test_everything_else_is_that_of_a_vae(run, request):
    scores = run.evaluate(("mig", "test_losses"))
    assert np.isfinite(scores["mig"].value)
    losses = scores["test_losses"].parts
    # Of each triplet: one reconstruction, and the KL of two posteriors.
    assert losses["loss"] == pytest.approx(losses["recon"] + 2 * losses["kl"], rel=1e-6)
    assert min(losses[name] for name in ("loss", "recon", "kl")) > 0
    kinds = {path.stem for path in run.plot()}
    assert {"traversals", "reconstructions", "loss_curves"} <= kinds
    # The page has those that lie there.
    request.getfixturevalue("one_figure")
    assert run.report().stat().st_size > 10_000
    assert set(run.parts) == {"operator"}
    assert not run.parts["operator"].training


def test_test_losses_of_other_images(run):
    """Of triplets among them, also where factors have other values than those of the training."""
    other = f"only(data={MINI}, where=\"shape != 'heart' and pos_x > 0.5\")"
    losses = run.evaluate(("test_losses",), data=other)["test_losses"].parts
    assert losses["loss"] == pytest.approx(losses["recon"] + 2 * losses["kl"], rel=1e-6)
    with pytest.raises(DataError, match="has other factors"):
        run.evaluate(("test_losses",), data="circles")


def test_an_operator_without_weights_is_there(tmp_path):
    run = unweave.train(
        MINI, "composer(operator=fixint)", steps=1, out=tmp_path / "run", latents=6, **TINY
    )
    images = run.dataset.images([0, 300])
    code = run.encode(images)[0]
    exchanged = np.where(np.arange(6) == 3, code[1], code[0])
    np.testing.assert_allclose(
        run.compose(images[:1], images[1:], "pos_x"),
        run.decode(exchanged[np.newaxis]),
        rtol=1e-4,
        atol=1e-6,
    )


def test_other_runs_have_no_operator(tmp_path):
    run = unweave.train(MINI, "vae", steps=1, out=tmp_path / "run", **TINY)
    image = run.dataset.images([0])
    with pytest.raises(SpecError, match="needs the operator of a composer, and vae has none"):
        run.compose(image, image, "shape")


def test_a_resumed_run_has_the_same_statistics(run, given, tmp_path, monkeypatch):
    """Those that the operator normalises with, and their averages, are kept."""
    watcher = Watcher()
    monkeypatch.setattr("unweave.cli.watch.make_watch", lambda: watcher)
    watcher.at = {3: lambda: signal.raise_signal(signal.SIGINT)}
    folder, flags = tmp_path / "run", []
    for name, value in {**SETTINGS, **TINY, "steps": 6}.items():
        flags += [f"--{name.replace('_', '-')}", value]
    first = cli("train", HOLE, MLP, *flags, "--out", folder, "--json")
    assert first.json["state"] == "stopped"
    assert 3 <= first.json["steps"] < 6
    watcher.at = {}
    assert resume(folder).json["state"] == "finished"
    assert_same_state(run.folder, folder)
    kept = tensors(folder)
    for name in ("running_mean", "running_var", "num_batches_tracked"):
        own = kept[f"part/operator/layers.2.{name}"]
        mean = kept[f"average/part/operator/layers.2.{name}"]
        assert torch.equal(own, mean) == (name == "num_batches_tracked")
    assert kept["part/operator/layers.2.num_batches_tracked"] == 6
    again = unweave.load_run(folder)
    np.testing.assert_array_equal(again.compose(*given), run.compose(*given))
