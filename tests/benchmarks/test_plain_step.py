"""The baseline's step and ours compute the same from the same weights, batch and noise."""

from __future__ import annotations

import pytest
import torch
from _training.curves import OBJECTIVE
from _training.plain import PlainVAE, plain_loss

import unweave
from unweave.importing import import_run
from unweave.randomness import Streams
from unweave.settings import make_config
from unweave.training import Learner
from unweave.training.precision import resolve, training_process
from unweave.training.source import ImageSource


def test_the_first_step_has_the_loss_and_the_gradient_of_the_baseline(tmp_path, mini):
    torch.manual_seed(0)
    baseline = PlainVAE()
    torch.save(baseline.state_dict(), tmp_path / "model.pt")
    import_run(tmp_path / "model.pt", out=tmp_path / "start", dataset=mini, objective=OBJECTIVE)
    dataset = unweave.load_dataset(mini)
    config = resolve(
        make_config(mini, OBJECTIVE, steps=1, batch_size=64, precision="float32", threads=1)
    )
    with training_process(config):
        learner = Learner(config, (64, 64, 1), len(dataset))
        learner.model.load_state_dict(unweave.load_run(tmp_path / "start").model.state_dict())
        batch = ImageSource(dataset, None, config).batch(1)
        noise = Streams(learner.seed, 1, learner.device).normal("posterior", 64, 10)
        images = batch.images.clone(memory_format=torch.contiguous_format).view(64, 1, 64, 64)
        mean, logvar = baseline.encode(images.reshape(64, 4096).view(64, 1, 64, 64))
        z = mean + torch.exp(0.5 * logvar) * noise
        loss, parts = plain_loss(
            images, baseline.decode(z), (mean, logvar), z, len(dataset), step=1
        )
        loss.backward()
        learner.update(batch, 1)
    found = learner.tracker.read().values
    assert found["loss/model"] == pytest.approx(loss.item(), rel=1e-5)
    for theirs, ours in (
        ("recon", "reconstruction"),
        ("mi", "mutual_information"),
        ("tc", "total_correlation"),
        ("dw_kl", "dimension_kl"),
    ):
        assert found[f"raw/{ours}"] == pytest.approx(parts[theirs].item(), rel=1e-5, abs=1e-5)
    expected = {name: p.grad for name, p in baseline.named_parameters()}
    gradients = {name: p.grad for name, p in learner.model.named_parameters()}
    # Layers whose weights the conversion leaves as they are, the first and the last among them.
    pairs = [
        (a, b)
        for a, left in expected.items()
        for b, right in gradients.items()
        if left.shape == right.shape and torch.allclose(left, right, rtol=1e-3, atol=1e-2)
    ]
    assert {a for a, _ in pairs} >= set(expected) - {
        "encoder.mu_logvar_gen.weight",
        "encoder.mu_logvar_gen.bias",
    }
    norms = [
        torch.cat([g.flatten() for g in side.values()]).norm().item()
        for side in (expected, gradients)
    ]
    assert norms[1] == pytest.approx(norms[0], rel=1e-5)
