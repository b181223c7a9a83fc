"""Parameters that a user has frozen stay as they are, and all others are trained."""

from __future__ import annotations

import pytest
import torch

import unweave
from contracts.learners import IMAGES, make_batch, make_learner, small_config
from nn import networks
from unweave import own_architecture
from unweave.errors import SpecError
from unweave.nn import Kim
from unweave.spec import parse
from unweave.training import Learner, Optimizer

SHAPE = (64, 64, 1)


def weights(learner):
    return {name: value.clone() for name, value in learner.model.named_parameters()}


@pytest.mark.parametrize("objective", ["vae", "factor_vae", "ifcvae"])
def test_frozen_parameters_stay_and_others_move(objective):
    own = own_architecture(networks.frozen_encoder, Kim())
    # Decay of weights would move what an optimiser knows even without a gradient.
    settings = {"architecture": own, "ema": 0.9, "clip_norm": 1.0}
    settings["optimizer"] = parse("adamw(weight_decay=0.1)", Optimizer)
    learner = make_learner(objective, SHAPE, **settings)
    before = weights(learner)
    for step in (1, 2, 3):
        learner.update(make_batch(learner, seed=step), step)
    after = weights(learner)
    frozen = {name for name, p in learner.model.named_parameters() if not p.requires_grad}
    assert frozen == {
        f"trunk.network.layers.{n}" for n in ("0.weight", "0.bias", "1.weight", "1.bias")
    }
    moved = {name for name, value in before.items() if not torch.equal(value, after[name])}
    assert moved == before.keys() - frozen
    # A checkpoint goes on as the training does.
    state = {name: value.clone() for name, value in learner.tensors().items()}
    again = Learner(small_config(objective, **settings), SHAPE, IMAGES)
    again.restore(state)
    for each in (learner, again):
        each.update(make_batch(each, seed=4), 4)
    for name, value in learner.tensors().items():
        assert torch.equal(value, again.tensors()[name]), name


def test_an_encoder_or_a_decoder_may_be_frozen_as_a_whole():
    for encoder, decoder, kept in (
        (networks.frozen_moments, networks.Decoder, "trunk."),
        (networks.Moments, networks.frozen_decoder, "decoder."),
    ):
        own = own_architecture(encoder, decoder, gives="moments")
        learner = make_learner("beta_vae(beta=2)", SHAPE, architecture=own)
        before = weights(learner)
        learner.update(make_batch(learner), 1)
        for name, value in weights(learner).items():
            assert torch.equal(value, before[name]) == name.startswith(kept), name


def test_a_model_without_anything_to_train_is_refused_and_leaves_nothing(tmp_path):
    own = own_architecture(networks.frozen_moments, networks.frozen_decoder, gives="moments")
    with pytest.raises(SpecError, match=r"no weight of own\(.*\) can be trained: all have"):
        unweave.train(
            "dsprites(grid=(3, 1, 1, 4, 4))",
            "vae",
            steps=2,
            latents=3,
            batch_size=8,
            architecture=own,
            out=tmp_path / "run",
        )
    assert not (tmp_path / "run").exists()
