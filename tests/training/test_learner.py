"""One update against a loop written by hand, and what a checkpoint must hold."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F

from contracts.learners import IMAGES, make_batch, make_learner, small_config, step_of
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess
from unweave.objectives import Batch
from unweave.randomness import Streams
from unweave.training import Adam, Learner
from unweave.training.checkpoint import load_tensors, save_tensors
from unweave.training.loop import fit
from unweave.vae import VAE

SHAPE = (32, 32, 3)
OBJECTIVES = ["beta_tcvae", "factor_vae"]


def test_a_vae_is_trained_as_a_loop_by_hand_trains_it():
    settings = {"optimizer": Adam(lr=1e-3, beta1=0.8, beta2=0.95), "seed": 5}
    learner = make_learner("beta_vae(beta=2)", SHAPE, **settings)
    model = VAE(Burgess(), SHAPE, 3, Bernoulli())
    model.load_state_dict(learner.model.state_dict())
    model.to(memory_format=torch.channels_last)
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, betas=(0.8, 0.95))
    losses = []
    for step in range(1, 6):
        images = make_batch(learner, seed=step).images
        mean, logvar = model.head(model.trunk(images)).chunk(2, dim=1)
        noise = Streams(5, step, torch.device("cpu")).normal("posterior", 4, 3)
        logits = model.decoder(mean + torch.exp(logvar / 2) * noise)
        reconstruction = F.binary_cross_entropy_with_logits(logits, images, reduction="sum") / 4
        kl = 0.5 * (mean**2 + torch.exp(logvar) - logvar - 1).sum() / 4
        loss = reconstruction + 2 * kl
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
        learner.update(Batch(images=images), step)
    for name, value in learner.model.state_dict().items():
        torch.testing.assert_close(value, model.state_dict()[name], rtol=0, atol=1e-6)
    found = learner.tracker.read().values["loss/model"]
    assert found == pytest.approx(sum(losses) / 5, rel=1e-6)


def test_the_loss_falls():
    learner = make_learner("vae", SHAPE, optimizer=Adam(lr=1e-3))
    batch = make_batch(learner)
    seen = []
    for step in range(1, 61):
        learner.update(batch, step)
        seen.append(learner.tracker.read().values["loss/model"])
        learner.tracker.reset()
    assert max(seen[-3:]) < 0.95 * min(seen[:3])


def test_what_is_logged_has_a_name_for_every_number():
    learner = make_learner("factor_vae")
    terms = ["reconstruction", "kl", "density_ratio_tc"]
    assert learner.tracker.names == [
        "loss/model",
        "loss/discriminator",
        *(f"raw/{term}" for term in terms),
        *(f"weighted/{term}" for term in terms),
        "kl/0",
        "kl/1",
        "kl/2",
    ]


def test_the_kl_of_each_latent_is_logged():
    learner = make_learner("vae")
    batch = make_batch(learner)
    expected = step_of(learner, batch).posterior.kl().mean(0)
    learner.update(batch, 1)
    values = learner.tracker.read().values
    for j in range(3):
        assert values[f"kl/{j}"] == pytest.approx(expected[j].item(), rel=1e-5)


def test_the_step_and_the_term_that_failed_first_are_named():
    learner = make_learner("vae")
    learner.update(make_batch(learner), 1)
    with torch.no_grad():
        learner.model.head.bias[-1] = 1000.0  # exp of this log variance is infinite
    for step in (2, 3):
        learner.update(make_batch(learner), step)
    bad = learner.tracker.read().first_bad
    assert bad["raw/kl"] == 2
    assert bad["loss/model"] == 2
    assert bad["kl/2"] == 2
    assert set(bad.values()) == {2, 3} or set(bad.values()) == {2}


def test_the_precision_of_the_configuration_is_that_of_the_model():
    assert make_learner("vae").model.autocast_dtype is None
    assert make_learner("vae", precision="bfloat16").model.autocast_dtype is torch.bfloat16


def test_seeds_give_different_models_and_parts():
    one, same, other = (make_learner("factor_vae", seed=seed) for seed in (1, 1, 2))
    for name, value in one.weights().items():
        assert torch.equal(value, same.weights()[name])
        assert not torch.equal(value, other.weights()[name])


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_checkpoint_holds_all_that_training_goes_on_from(objective, precision, tmp_path):
    whole = make_learner(objective, precision=precision)
    for step in (1, 2, 3):
        whole.update(make_batch(whole, seed=step), step)
    path = tmp_path / "state.safetensors"
    save_tensors(path, whole.tensors(), step=3, seconds=1.25)
    checkpoint = load_tensors(path)
    assert (checkpoint.step, checkpoint.seconds) == (3, 1.25)
    state = whole.tensors()
    assert checkpoint.tensors.keys() == state.keys()
    for name, value in state.items():
        assert checkpoint.tensors[name].dtype == value.dtype
        assert torch.equal(checkpoint.tensors[name], value), name
    # Every parameter of every player has both moments and its count of steps.
    for side in whole.sides:
        for index in range(len(side.parameters)):
            keys = {n for n in state if n.startswith(f"optimizer/{side.name}/{index}/")}
            assert {n.rsplit("/", 1)[1] for n in keys} == {"step", "exp_avg", "exp_avg_sq"}
    # Another seed: all that matters comes from the checkpoint, except the streams.
    config = small_config(objective, precision=precision)
    resumed = Learner(config, SHAPE, IMAGES)
    with torch.no_grad():
        for side in resumed.sides:
            for parameter in side.parameters:
                parameter.add_(1.0)
    resumed.restore(checkpoint.tensors)
    for learner in (whole, resumed):
        for step in (4, 5):
            learner.update(make_batch(learner, seed=step), step)
    for name, value in whole.tensors().items():
        assert torch.equal(resumed.tensors()[name], value), name
    assert whole.tracker.read() == resumed.tracker.read()


def test_a_checkpoint_without_a_tensor_is_not_restored():
    learner = make_learner("vae")
    learner.update(make_batch(learner), 1)
    state = learner.tensors()
    state.pop("model/head.bias")
    with pytest.raises(KeyError, match=r"model/head\.bias"):
        make_learner("vae").restore(state)


def test_fit_takes_the_steps_after_start_up_to_stop():
    learner = make_learner("factor_vae")

    class Source:
        images_per_step = 8

        def __init__(self) -> None:
            self.asked: list[int] = []

        def batch(self, step: int) -> Batch:
            self.asked.append(step)
            return make_batch(learner, seed=step)

    source = Source()
    reports = list(fit(learner, source, start=2, stop=4))
    assert [report.step for report in reports] == source.asked == [3, 4]
    assert [report.images for report in reports] == [8, 8]
    assert reports[-1].learner is learner
    assert learner.tracker.read().steps == 2
    assert list(fit(learner, source, start=4, stop=4)) == []
