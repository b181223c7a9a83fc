"""Every method and term, objectives with other settings, and what their updates are held to."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from contracts.components import MEMBERS
from contracts.learners import make_batch
from unweave.objectives import Method, Term, parse_objective
from unweave.training import Learner

__all__ = [
    "EXACT",
    "METHODS",
    "METHODS_FIRST",
    "OTHERS",
    "TERMS",
    "TWO_PLAYERS",
    "assert_same_weights",
    "check_first_update",
    "weights_of",
]

METHODS = [cls.name for family, cls in MEMBERS if family is Method]
TERMS = [cls.name for family, cls in MEMBERS if family is Term]
OTHERS = [
    "beta_tcvae(estimator=weighted)",
    "beta_tcvae(estimator=stratified)",
    "beta_tcvae(alpha=-5, beta=10, estimator=stratified, compat=disvae)",
    "beta_vae(beta=linear(start=0, stop=4, steps=10))",
    "beta_tcvae(beta=6) + factor_vae(gamma=10)",
    "reconstruction + kl(weight=2, capacity=3)",
    "cvae(labels=(pos_x, shape), encoding=continuous)",
    "ifcvae(gamma=5, capacity=linear(start=0, stop=25, steps=10), compat=dpt)",
    "ifcvae(labels=(scale, shape), encoding=continuous)",
    "vae + total_correlation(weight=5) + density_ratio_tc(weight=5)",
    "vae + total_correlation(weight=5, compat=dlib) + dip_i + dip_ii(compat=dpt)",
    "factor_vae(compat=dlib, depth=7)",
    "factor_vae(compat=dag, depth=7, slope=0.01, lr=1e-5)",
    "factor_vae(compat=clg) + kl(weight=5, capacity=linear(start=0, stop=25, steps=10))",
    "factor_vae(beta1=0.9, beta2=0.999) + reconstruction(weight=linear(start=1, stop=9, steps=2))",
    "ground_truth_decoder(inputs=raw)",
    "ground_truth_decoder(inputs=one_hot) + label_agreement",
    "info_vae(kernel=imq(base=4), estimator=biased, samples=50)",
    "autoencoder(weight=10000) + density_ratio_tc",
    "wae_mmd(kernel=rbf, prior_std=2)",
    "ada_gvae(distance=symmetric_kl, sampler=laplace_pairs) + total_correlation(weight=5)",
    "ada_mlvae(compat=dlib) + factor_vae",
    "mlvae_labels(compat=dlib, sampler=pairs(changed=2)) + supervised(loss=cov)",
    "slow_vae(sampler=laplace_pairs, compat=slow_disentanglement)",
    "composer(operator=mlp, beta=linear(start=0, stop=4, steps=10))",
    "composer(operator=interp) + total_correlation(weight=5) + factor_vae",
    "composer(operator=fixint, sampler=composition(factors=(shape, pos_x)))",
    "s2_vae(loss=l2, labeller=binned(bins=3))",
    "s2_vae(loss=l2(learn_scale=False), compat=dlib)",
    "s2_vae(loss=cov, gamma_sup=linear(start=0, stop=9, steps=10))",
    "s2_vae(loss=embed, labeller=partial)",
    "fully_supervised(loss=embed(sigma=2, use_order=True), labeller=permuted)",
]
# Methods as they are by themselves, and the other settings where there is time.
METHODS_FIRST = [*METHODS, *(pytest.param(text, marks=pytest.mark.slow) for text in OTHERS)]
TWO_PLAYERS = [text for text in METHODS + OTHERS if parse_objective(text).expand().players]
EXACT = {"rtol": 0.0, "atol": 0.0}


def weights_of(learner: Learner, prefix: str = "") -> dict[str, Tensor]:
    """A copy of the weights whose names begin so."""
    return {
        name: value.clone() for name, value in learner.weights().items() if name.startswith(prefix)
    }


def assert_same_weights(
    one: Learner, other: Learner, prefix: str = "", *, rtol: float, atol: float
) -> None:
    """Weights that both have, and whose names begin so, are the same."""
    left, right = weights_of(one, prefix), weights_of(other, prefix)
    common = left.keys() & right.keys()
    assert common
    for name in common:
        torch.testing.assert_close(left[name], right[name], rtol=rtol, atol=atol)


def check_first_update(learner: Learner) -> None:
    """One update is finite, reaches every parameter, and is logged as it was."""
    before = weights_of(learner)
    learner.update(make_batch(learner), 1)
    record = learner.tracker.read()
    assert record.first_bad == {}
    assert record.steps == 1
    assert all(np.isfinite(value) for value in record.values.values())
    for side in learner.sides:
        for parameter in side.parameters:
            assert parameter.grad is not None
            assert parameter.grad.isfinite().all()
            assert parameter.grad.abs().max() > 0
    after = weights_of(learner)
    assert all(not torch.equal(before[name], value) for name, value in after.items())
    # What is logged is the objective: a weighted sum of named terms.
    values = record.values
    weighted = [values[f"weighted/{term}"] for term in learner.plan.terms]
    assert values["loss/model"] == pytest.approx(sum(weighted), rel=1e-5)
    assert {name for name in values if name.startswith("raw/")} == {
        f"raw/{term}" for term in learner.plan.terms
    }
    if learner.plan.latent != "posterior":
        assert not any(name.startswith("kl/") for name in values)
        return
    kl = [values[f"kl/{j}"] for j in range(learner.model.latents)]
    assert min(kl) >= 0
    # Of half of the batch it is another.
    if "kl" in learner.plan.terms and learner.plan.terms["kl"].compat == "none":
        assert sum(kl) == pytest.approx(values["raw/kl"], rel=1e-5)
