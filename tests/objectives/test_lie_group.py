"""The Lie group VAE: its penalties and terms by the number, what is decoded, what is refused."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from contracts.learners import make_batch, make_learner, step_of
from reference import lie_group_reference
from unweave.errors import SpecError
from unweave.nn import Architecture, Kim, LieGroup
from unweave.objectives import Commutator, Hessian, LieGroupVAE, parse_objective
from unweave.objectives.lie_algebra import (
    commutator_penalty,
    generator_products,
    hessian_penalty,
)
from unweave.presets import preset
from unweave.settings import make_config
from unweave.spec import parse
from unweave.studies.published.clg import clg_studies

SMALL = LieGroup(sizes=(9, 4, 4), latents=(2, 2, 1), init=0.5)


def random_generators(count, side, seed=0):
    return np.random.default_rng(seed).normal(0, 1, (count, side, side))


def family_of_powers(count, side, seed=0):
    """Matrices that commute: powers of one."""
    base = random_generators(1, side, seed)[0] / side
    return np.stack([np.linalg.matrix_power(base, k + 1) for k in range(count)])


def annihilating(count, seed=0):
    """Matrices of which the products of two different ones are 0, and no square is."""
    rng = np.random.default_rng(seed)
    found = np.zeros((count, 2 * count, 2 * count))
    for i in range(count):
        found[i, 2 * i : 2 * i + 2, 2 * i : 2 * i + 2] = rng.normal(0, 3, (2, 2))
    basis = rng.normal(0, 1, (2 * count, 2 * count))
    return basis @ found @ np.linalg.inv(basis)


PENALTIES = [
    (hessian_penalty, lie_group_reference.hessian),
    (commutator_penalty, lie_group_reference.commutator),
    (lambda each: commutator_penalty(each, "clg"), lie_group_reference.transposed),
]


@pytest.mark.parametrize(("ours", "reference"), PENALTIES, ids=["hessian", "commutator", "clg"])
@pytest.mark.parametrize(("count", "side"), [(1, 3), (2, 2), (5, 4), (10, 10)])
def test_penalties_are_those_of_their_definitions(ours, reference, count, side):
    generators = random_generators(count, side)
    expected = reference(generators)
    assert ours(torch.tensor(generators)).item() == pytest.approx(expected, rel=1e-12, abs=1e-12)
    single = torch.tensor(generators, dtype=torch.float32)
    found = ours(single)
    assert found.dtype == torch.float32
    assert found.item() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(("ours", "_"), PENALTIES, ids=["hessian", "commutator", "clg"])
def test_gradients_of_penalties_are_those_of_finite_differences(ours, _):
    generators = torch.tensor(random_generators(3, 3), requires_grad=True)
    assert torch.autograd.gradcheck(ours, (generators,))


def test_the_commutator_is_zero_for_what_commutes_and_the_published_one_is_not():
    powers = torch.tensor(family_of_powers(4, 5))
    assert commutator_penalty(powers).item() < 1e-25
    assert commutator_penalty(powers, "clg").item() > 1e-3
    x = random_generators(1, 6)[0]
    pair = torch.tensor(np.stack([x, x.T]))
    assert commutator_penalty(pair).item() > 1
    assert commutator_penalty(pair, "clg").item() == 0
    # Of matrices that are their own transposes the two are the same.
    symmetric = random_generators(3, 4)
    symmetric = torch.tensor(symmetric + symmetric.transpose(0, 2, 1))
    ours, theirs = (commutator_penalty(symmetric, compat) for compat in ("none", "clg"))
    assert ours.item() == pytest.approx(theirs.item(), rel=1e-12)


def test_the_hessian_is_zero_for_what_annihilates_each_other_and_then_elements_add_up():
    generators = annihilating(4)
    # What rounding leaves beside the squares of each, which are large.
    squares = ((generators @ generators) ** 2).sum()
    assert abs(hessian_penalty(torch.tensor(generators)).item()) < 1e-13 * squares
    single = torch.tensor(generators, dtype=torch.float32)
    assert abs(hessian_penalty(single).item()) < 1e-11 * squares
    z = np.random.default_rng(1).normal(0, 0.3, (3, 4))
    together = lie_group_reference.exponentials(z, generators)
    identity = np.eye(8).reshape(-1)
    alone = [
        lie_group_reference.exponentials(z * (np.arange(4) == i), generators) - identity
        for i in range(4)
    ]
    np.testing.assert_allclose(together, identity + sum(alone), rtol=1e-8, atol=1e-8)


def test_products_of_generators_are_relative_to_both():
    learner = make_learner("vae", architecture=SMALL, latents=5)
    table = generator_products(learner.model).numpy()
    assert table.shape == (5, 5)
    first = 0
    expected = np.zeros((5, 5))
    for generators in learner.model.decoder.generators():
        matrices = generators.detach().double().numpy()
        for i, a in enumerate(matrices):
            for j, b in enumerate(matrices):
                size = np.linalg.norm(a @ b) / (np.linalg.norm(a) * np.linalg.norm(b))
                expected[first + i, first + j] = size
        first += len(matrices)
    np.testing.assert_allclose(table, expected, rtol=1e-5, atol=1e-7)
    assert expected[0, 1] > 0
    assert (expected <= 1).all()
    with torch.no_grad():
        learner.model.decoder.groups.groups[0].basis[1] = 0
    table = generator_products(learner.model)
    assert table[:, 1].eq(0).all()
    assert table[0, 0] > 0


WEIGHTED = "lie_group_vae(group_reconstruction=0.3, hessian=2, commutator=3, kl=0.5{})"


@pytest.mark.parametrize("compat", ["", ", compat=clg"])
def test_losses_are_those_of_their_definitions(compat):
    learner = make_learner(
        WEIGHTED.format(compat + ", feature_probability=0"), architecture=SMALL, latents=5
    )
    batch = make_batch(learner)
    step = step_of(learner, batch)
    total, raw, weighted = learner.plan.losses(step)
    model = learner.model
    groups = [g.detach().double().numpy() for g in model.decoder.generators()]
    z = step.z.detach().double().numpy()
    elements = np.concatenate(
        [
            lie_group_reference.exponentials(part, generators)
            for part, generators in zip(np.split(z, [2, 4], axis=1), groups, strict=True)
        ],
        axis=1,
    )
    features = model.features(batch.images).detach().double().numpy()
    commutator = lie_group_reference.transposed if compat else lie_group_reference.commutator
    expected = {
        "group_reconstruction": lie_group_reference.group_reconstruction(features, elements),
        "hessian": sum(lie_group_reference.hessian(g) for g in groups[:2]),
        "commutator": sum(commutator(g) for g in groups[:2]),
    }
    for name, value in expected.items():
        assert raw[name].item() == pytest.approx(value, rel=1e-4)
    weights = {"group_reconstruction": 0.3, "hessian": 2, "commutator": 3, "kl": 0.5}
    for name, weight in weights.items():
        assert weighted[name].item() == pytest.approx(weight * raw[name].item(), rel=1e-6)
    assert total.item() == pytest.approx(sum(v.item() for v in weighted.values()), rel=1e-6)


def test_without_what_it_adds_it_is_the_elbo_of_the_same_networks():
    neutral = (
        "lie_group_vae(group_reconstruction=0, hessian=0, commutator=0, feature_probability=0)"
    )
    found = []
    for objective in ("vae", neutral):
        learner = make_learner(objective, architecture=SMALL, latents=5)
        step = step_of(learner, make_batch(learner))
        total, _, _ = learner.plan.losses(step)
        found.append((total, torch.autograd.grad(total, list(learner.model.parameters()))))
    (elbo, gradients), (loss, others) = found
    assert loss.item() == pytest.approx(elbo.item(), rel=1e-6)
    for gradient, other in zip(gradients, others, strict=True):
        torch.testing.assert_close(other, gradient, rtol=1e-5, atol=1e-6)


def _decoded(probability, steps, *, training=True):
    """Which of so many steps decode features, how often each is decoded, and the learner."""
    learner = make_learner(
        f"lie_group_vae(feature_probability={probability})", architecture=SMALL, latents=5
    )
    learner.model.train(training)
    batch = make_batch(learner)
    calls: list[torch.Tensor] = []
    learner.model.decoder.pixels.register_forward_pre_hook(
        lambda module, inputs: calls.append(inputs[0])
    )
    by_features = []
    with torch.no_grad():
        for number in range(1, steps + 1):
            calls.clear()
            step = step_of(learner, batch, number)
            assert len(calls) == 1, "a step decodes once"
            features = learner.model.features(batch.images)
            group = learner.model.decoder.group(step.z)
            by_features.append(torch.equal(calls[0], features))
            assert by_features[-1] or torch.equal(calls[0], group)
    return by_features


def test_a_step_decodes_once_from_features_or_elements_by_the_given_chance():
    found = _decoded(0.3, 100)
    assert 15 <= sum(found) <= 45
    assert _decoded(0.3, 100) == found
    assert sum(_decoded(0, 10)) == 0
    assert sum(_decoded(1, 10)) == 10


def test_in_evaluation_mode_elements_are_decoded():
    assert sum(_decoded(1, 5, training=False)) == 0


def test_a_batch_that_decodes_features_moves_the_group_by_its_features_alone():
    learner = make_learner(
        "lie_group_vae(feature_probability=1, group_reconstruction=0, kl=0, hessian=0)",
        architecture=SMALL,
        latents=5,
    )
    step = step_of(learner, make_batch(learner))
    total, raw, _ = learner.plan.losses(step)
    basis = list(learner.model.decoder.groups.parameters())
    heads = list(learner.model.head.parameters())
    reconstruction = torch.autograd.grad(
        raw["reconstruction"], basis + heads, allow_unused=True, retain_graph=True
    )
    assert all(gradient is None for gradient in reconstruction)
    by_group = torch.autograd.grad(raw["group_reconstruction"], basis + heads)
    assert all(gradient.abs().max() > 0 for gradient in by_group)
    assert total.isfinite()


@pytest.mark.parametrize(
    "architecture",
    [
        "lie_group(latents=(3,), exponential=False)",
        "lie_group(latents=(3,), generators=commuting)",
        "lie_group(latents=(3,), generators=skew)",
        "lie_group(sizes=(4, 4, 4), latents=(1, 1, 1))",
    ],
)
@pytest.mark.parametrize(
    "objective",
    [
        "lie_group_vae(hessian=0, group_reconstruction=0, commutator=0, feature_probability=0)",
        "lie_group_vae(hessian=0)",
        "vae",
        "autoencoder",
    ],
)
def test_ablations_of_the_network_are_trained(objective, architecture):
    learner = make_learner(objective, architecture=parse_architecture(architecture))
    before = {name: value.clone() for name, value in learner.weights().items()}
    for step in (1, 2):
        learner.update(make_batch(learner), step)
    record = learner.tracker.read()
    assert record.first_bad == {}
    assert all(not torch.equal(before[name], value) for name, value in learner.weights().items())
    if "exponential" in architecture and "lie" in objective:
        assert record.values["raw/hessian"] == record.values["raw/commutator"] == 0


def parse_architecture(text):
    return parse(text, Architecture)


def test_the_commutator_of_generators_that_are_made_to_commute_is_rounding():
    architecture = LieGroup(latents=(3,), generators="commuting", init=0.5)
    learner = make_learner("lie_group_vae(hessian=1)", architecture=architecture)
    learner.update(make_batch(learner), 1)
    values = learner.tracker.read().values
    assert values["raw/commutator"] < 1e-10
    assert values["raw/hessian"] > 1e-3


def test_a_conditional_model_has_a_group_too():
    learner = make_learner("cvae", architecture=LieGroup(latents=(3,)))
    batch = make_batch(learner)
    learner.update(batch, 1)
    assert learner.tracker.read().first_bad == {}
    sums = make_learner("cvae + group_reconstruction", architecture=LieGroup(latents=(3,)))
    sums.update(make_batch(sums), 1)
    assert sums.tracker.read().first_bad == {}


def test_its_own_architecture_is_taken_where_none_is_named():
    config = make_config("dsprites", "lie_group_vae", steps=1)
    assert config.architecture == LieGroup()
    assert str(LieGroupVAE().architecture) == "lie_group"


def test_published_numbers_are_repeated_in_single_precision():
    published = "lie_group_vae(commutator=40, compat=clg)"
    assert parse_objective(published).expand().needs_float32
    assert not parse_objective("lie_group_vae").expand().needs_float32


@pytest.mark.parametrize(
    ("objective", "settings", "reason"),
    [
        ("lie_group_vae", {"latents": 6}, r"Write latents=\(6,\) in lie_group"),
        ("vae", {"architecture": "lie_group", "latents": 6}, r"Write latents=\(6,\)"),
        ("lie_group_vae", {"architecture": "kim"}, r"architecture lie_group\(latents=\(10,\)\)"),
        ("vae + hessian", {}, "hessian needs a model with a group between latents and images"),
        ("vae + commutator", {"architecture": "kim"}, "commutator needs a model with a group"),
        ("vae + group_reconstruction", {}, "group_reconstruction needs a model with a group"),
        (
            "lie_group_vae",
            {"architecture": "lie_group(exponential=False)"},
            "hessian is a penalty on generators, and .* has none. Give it the weight 0",
        ),
        (
            "lie_group_vae(hessian=0, commutator=linear(start=0, stop=1, steps=9))",
            {"architecture": "lie_group(exponential=False)"},
            "commutator is a penalty on generators",
        ),
    ],
)
def test_what_cannot_be_trained_is_refused_with_what_to_write(objective, settings, reason):
    with pytest.raises(SpecError, match=reason):
        make_config("dsprites", objective, steps=1, **settings)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"compat": "clg"}, "compat=clg is the published commutator, and commutator is 0"),
        ({"feature_probability": 1.5}, "feature_probability must be at most 1"),
        ({"hessian": -1}, "hessian must be at least 0"),
    ],
)
def test_settings_that_are_refused(fields, reason):
    with pytest.raises(SpecError, match=reason):
        LieGroupVAE(**fields)


def test_the_published_configurations_can_be_trained():
    """Every setting of the published studies' Lie group VAEs is one that is taken."""
    taken = 0
    for study in clg_studies():
        for entry in study.axes[0]:
            chosen = preset(entry["preset"])
            if not chosen.objective.startswith("lie_group_vae"):
                continue
            config = make_config(chosen.dataset, chosen.objective, **chosen.settings)
            assert config.architecture == parse_architecture(chosen.settings["architecture"])
            taken += 1
    assert taken == 2 + 3 + 6 + 6 + 6


def test_the_weight_of_a_penalty_is_logged_beside_its_value():
    step_values = {}
    for text in ("lie_group_vae(hessian=0)", "lie_group_vae(hessian=40)"):
        learner = make_learner(text, architecture=SMALL, latents=5)
        learner.update(make_batch(learner), 1)
        step_values[text] = learner.tracker.read().values
    without, with_it = step_values.values()
    assert without["raw/hessian"] == with_it["raw/hessian"] > 0
    assert without["weighted/hessian"] == 0
    assert with_it["weighted/hessian"] == pytest.approx(40 * with_it["raw/hessian"], rel=1e-6)


def test_terms_refuse_other_networks_whatever_their_weight():
    setup = make_learner("vae").setup
    for term in (Hessian(weight=0), Commutator(weight=0)):
        with pytest.raises(SpecError, match="needs a model with a group"):
            term.check(dataclasses.replace(setup, architecture=Kim()))
