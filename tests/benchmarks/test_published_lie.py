"""The published form of the Lie group VAE and ours have the same losses and gradients."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from _objectives.published_lie import PlainLieGroup, plain_lie_loss, published_form

from reference import lie_group_reference
from unweave.objectives import Batch, Inputs
from unweave.objectives.lie_algebra import commutator_penalty
from unweave.randomness import Streams
from unweave.settings import make_config
from unweave.training import Learner


@pytest.fixture(scope="module")
def plain():
    torch.manual_seed(0)
    model = PlainLieGroup(1)
    with torch.no_grad():
        for matrix in model.basis:
            matrix *= 200
    return model


@pytest.mark.parametrize("by_features", [False, True])
def test_from_the_same_weights_loss_and_gradients_are_ours(plain, by_features):
    config = make_config(
        "dsprites",
        f"lie_group_vae(feature_probability={int(by_features)})",
        steps=1,
        batch_size=3,
        device="cpu",
        threads=1,
        precision="float32",
    )
    learner = Learner(config, (64, 64, 1), 100)
    model = learner.model
    model.trunk.load_state_dict(plain.image_encoder.state_dict())
    model.head.networks[0].load_state_dict(plain.to_mean.state_dict())
    model.head.networks[1].load_state_dict(plain.to_logvar.state_dict())
    model.decoder.pixels.load_state_dict(plain.image_decoder.state_dict())
    basis = model.decoder.groups.groups[0].basis
    with torch.no_grad():
        basis.copy_(torch.cat(list(plain.basis)))
    images = torch.rand(3, 1, 64, 64, generator=torch.Generator().manual_seed(1))
    streams = Streams(learner.seed, 1, torch.device("cpu"))
    step = learner.plan.forward(Inputs(model, {}, Batch(images), streams, 1, 100))
    ours, _, _ = learner.plan.losses(step)
    noise = streams.normal("posterior", 3, 10)
    theirs = plain_lie_loss(plain, images, noise, by_features=by_features)
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-5)
    found = torch.autograd.grad(
        ours, [basis, model.trunk[0].weight, model.head.networks[0][2].weight]
    )
    wanted = torch.autograd.grad(
        theirs, [*plain.basis, plain.image_encoder[0].weight, plain.to_mean[2].weight]
    )
    joined = torch.cat(wanted[:10])
    for one, other in zip(found, [joined, *wanted[10:]], strict=True):
        assert (one - other).norm() < 1e-3 * other.norm()


def test_its_penalties_are_those_that_were_published(plain):
    generators = torch.cat(list(plain.basis)).detach()
    hessian, commutator = plain.penalties()
    exact = np.asarray(generators.double())
    assert hessian.item() == pytest.approx(lie_group_reference.hessian(exact), rel=1e-5)
    assert commutator.item() == pytest.approx(lie_group_reference.transposed(exact), rel=1e-5)
    ours = commutator_penalty(generators, "clg")
    assert commutator.item() == pytest.approx(ours.item(), rel=1e-5)


def test_an_update_changes_all_weights_of_the_published_form():
    form = published_form("dsprites", {"batch_size": 2})
    assert form.encoded == 2
    before = [parameter.clone() for parameter in form._model.parameters()]
    form.update()
    after = list(form._model.parameters())
    assert all(not torch.equal(a, b) for a, b in zip(before, after, strict=True))
