"""Methods whose codes have no noise."""

from __future__ import annotations

import pytest
import torch

import unweave
from contracts.learners import make_batch, make_learner, step_of
from session.runs import train
from unweave.errors import SpecError
from unweave.latents import Point
from unweave.objectives import InverseMultiquadratic, parse_objective


@pytest.mark.parametrize("objective", ["autoencoder", "wae_mmd"])
def test_what_is_decoded_is_what_the_encoder_gives(objective):
    learner = make_learner(objective)
    batch = make_batch(learner)
    step = step_of(learner, batch)
    assert isinstance(step.posterior, Point)
    assert torch.equal(step.z, learner.model.encode(batch.images).mean)
    again = step_of(learner, batch, global_step=2)
    assert torch.equal(again.z, step.z), "there is noise"
    assert learner.model.head.out_features == learner.model.latents


def test_an_autoencoder_minimises_its_weighted_reconstruction_alone():
    learner = make_learner("autoencoder(weight=10000)")
    step = step_of(learner, make_batch(learner))
    total, raw, weighted = learner.plan.losses(step)
    nll = learner.model.likelihood.negative_log(step.logits, step.target).mean()
    assert list(raw) == ["reconstruction"]
    assert raw["reconstruction"].item() == pytest.approx(nll.item())
    assert total.item() == weighted["reconstruction"].item() == pytest.approx(1e4 * nll.item())


def test_a_wasserstein_autoencoder_has_seven_inverse_multiquadratics():
    terms = parse_objective("wae_mmd").expand().terms
    kernel = InverseMultiquadratic(base=10, scales=(0.1, 0.2, 0.5, 1, 2, 5, 10))
    assert list(terms) == ["reconstruction", "mmd"]
    assert terms["mmd"].kernel == kernel
    assert (terms["mmd"].weight, terms["mmd"].estimator) == (10, "unbiased")
    other = parse_objective("wae_mmd(lambda_=100, prior_std=2, kernel=rbf(variance=1))").expand()
    assert str(other.terms["mmd"]) == "mmd(weight=100, kernel=rbf(variance=1), prior_std=2)"


def test_a_wasserstein_autoencoder_is_an_autoencoder_with_the_term():
    whole, parts = "wae_mmd(lambda_=7)", "autoencoder + mmd(weight=7, kernel=imq)"
    values = []
    for text in (whole, parts):
        learner = make_learner(text)
        total, _, _ = learner.plan.losses(step_of(learner, make_batch(learner)))
        values.append(total.item())
    assert values[0] == values[1]


@pytest.mark.parametrize("method", ["autoencoder", "wae_mmd"])
@pytest.mark.parametrize("term", ["kl", "total_correlation", "mutual_information", "dip_ii"])
def test_terms_that_read_variances_are_refused(method, term):
    with pytest.raises(
        SpecError, match=f"{term} reads the variances of a posterior, and {method}"
    ):
        parse_objective(f"{method} + {term}")


@pytest.mark.parametrize("objective", ["wae_mmd", "autoencoder"])
def test_a_run_without_a_kl_is_drawn_scored_and_reported(objective, tmp_path):
    folder = tmp_path / "run"
    result = train(folder, objective, steps=3, latents=3, log_every=1)
    assert result.code == 0, result.err
    run = unweave.load_run(folder)
    names = {path.stem for path in run.plot()}
    assert {"reconstructions", "traversals", "loss_curves"} <= names
    assert "kl" not in names
    parts = run.evaluate(("test_losses",))["test_losses"].parts
    assert "kl" not in parts
    assert parts["recon"] > 0
