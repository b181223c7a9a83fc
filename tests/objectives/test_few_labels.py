"""A few labels: each loss against single numbers, what methods add up to, what is drawn."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch

from contracts.learners import (
    make_batch,
    make_learner,
    narrow_learner,
    small_config,
    step_of,
    trained,
)
from reference import supervision_reference
from unweave.data import load_dataset, parse_dataset
from unweave.data.samplers import Labelled
from unweave.errors import SpecError
from unweave.nn.initialise import construct
from unweave.objectives import LabelLoss, Supervised, parse_objective
from unweave.spec import parse
from unweave.training import TrainConfig
from unweave.training.source import ImageSource

SIZES = (3, 6, 1, 40)
METHODS = ["s2_vae", "s2_factor_vae", "s2_dip_vae", "s2_beta_tcvae", "fully_supervised"]
LOSSES = ["xent", "l2", "l2(learn_scale=False)", "cov", "embed", "embed(use_order=True)"]


def network(text, sizes=SIZES, *, dlib=False, seed=0):
    """The loss in double precision."""
    loss = parse(text, LabelLoss)
    generator = torch.Generator().manual_seed(seed)
    return construct(lambda: loss.network(sizes, dlib=dlib), generator).double()


def some(rows=7, latents=6, sizes=SIZES, seed=0):
    """Codes and labels."""
    rng = np.random.default_rng(seed)
    codes = rng.normal(0, 1.5, (rows, latents))
    labels = np.stack([rng.integers(0, size, rows) for size in sizes], axis=1)
    return codes, labels


def value(net, codes, labels):
    return net(torch.from_numpy(codes), torch.from_numpy(labels)).item()


def test_xent_is_the_mean_over_images_and_the_published_one_the_sum():
    codes, labels = some()
    each = supervision_reference.xent(codes, labels, SIZES)
    assert value(network("xent"), codes, labels) == pytest.approx(each.sum(1).mean())
    assert value(network("xent", dlib=True), codes, labels) == pytest.approx(each.sum())


def test_xent_has_the_values_of_the_published_tests():
    def published(codes, factors):
        net = network("xent", (5,) * factors, dlib=True)
        return value(net, codes, np.zeros((64, factors), dtype=np.int64))

    assert published(np.zeros((64, 10)), 5) == pytest.approx(320 * math.log(2))
    assert published(np.zeros((64, 10)), 10) == pytest.approx(443.61, abs=0.01)
    assert published(np.ones((64, 10)), 10) == pytest.approx(840.48, abs=0.01)


def test_l2_with_a_scale():
    codes, labels = some()
    net = network("l2")
    assert net.scale.item() == 1
    with torch.no_grad():
        net.scale.fill_(2.5)
    each = supervision_reference.l2_scaled(codes, labels, 2.5)
    assert value(net, codes, labels) == pytest.approx(each.sum(1).mean())
    net = network("l2", dlib=True)
    each = supervision_reference.l2_scaled(codes, labels, 1.0)
    assert value(net, codes, labels) == pytest.approx(each.sum())


def test_l2_without_a_scale_and_the_published_slip():
    codes, labels = some()
    pairs = supervision_reference.l2_sigmoid(codes, labels, SIZES)
    own = np.array([pairs[i, i] for i in range(len(codes))])
    net = network("l2(learn_scale=False)")
    assert value(net, codes, labels) == pytest.approx(own.sum(1).mean())
    assert not list(net.parameters())
    net = network("l2(learn_scale=False)", dlib=True)
    assert value(net, codes, labels) == pytest.approx(pairs.sum())


@pytest.mark.parametrize("latents", [2, 4, 6])
def test_cov(latents):
    codes, labels = some(latents=latents)
    expected = supervision_reference.cov(codes, labels)
    assert value(network("cov"), codes, labels) == pytest.approx(expected)
    assert value(network("cov", dlib=True), codes, labels) == pytest.approx(expected)


def test_cov_has_the_value_of_the_published_test():
    codes, labels = np.array([[1.0, 0.0], [0.0, 1.0]]), np.array([[0, 1], [1, 0]])
    assert value(network("cov", (2, 2)), codes, labels) == pytest.approx(0.125)


@pytest.mark.parametrize("sigma", ["learned", "1.7"])
def test_embed(sigma):
    codes, labels = some()
    net = network(f"embed(sigma={sigma})")
    table = net.embedding.detach().numpy()
    assert table.shape == (4, 40)
    assert np.abs(table).max() <= math.sqrt(3)
    places = [table[j, :size] for j, size in enumerate(SIZES)]
    sigmas = [1.7] * 4
    if sigma == "learned":
        assert (net.sigma == 1).all()
        sigmas = [0.5, 1.0, -2.0, 3.0]
        with torch.no_grad():
            net.sigma.copy_(torch.tensor(sigmas)[:, None])
    each = supervision_reference.embed(codes, labels, places, sigmas)
    assert value(net, codes, labels) == pytest.approx(each.sum(1).mean())


def test_embed_with_order_has_a_line_for_each_factor():
    codes, labels = some(sizes=(3, 6), latents=2)
    net = network("embed(sigma=1, use_order=True)", (3, 6))
    lines = net.embedding.detach().numpy()
    assert lines.shape == (2, 2)
    places = [
        [slope * v + bias for v in range(n)]
        for (slope, bias), n in zip(lines, (3, 6), strict=True)
    ]
    each = supervision_reference.embed(codes, labels, places, [1.0, 1.0])
    assert value(net, codes, labels) == pytest.approx(each.sum(1).mean())


def test_values_that_a_factor_does_not_have_get_no_gradient():
    codes, labels = some()
    net = network("embed")
    net(torch.from_numpy(codes), torch.from_numpy(labels)).backward()
    for j, size in enumerate(SIZES):
        assert (net.embedding.grad[j, size:] == 0).all()
        assert net.embedding.grad[j, :size].isfinite().all()


@pytest.mark.parametrize("loss", LOSSES)
def test_the_term_compares_the_means_of_the_labelled_images(loss):
    learner = narrow_learner(f"vae + supervised(loss={loss})")
    batch = make_batch(learner)
    step = step_of(learner, batch)
    found = learner.plan.terms["supervised"].value(step).item()
    means = learner.model.encode(batch.labelled.images).mean.detach()
    net = learner.parts["supervised"]
    assert found == pytest.approx(net(means, batch.labelled.labels).item(), rel=1e-6)
    again = parse(f"supervised(loss={loss}, weight=3)", Supervised)
    assert again.weigh(torch.tensor(found), 1).item() == pytest.approx(3 * found)


@pytest.mark.parametrize("loss", LOSSES)
def test_what_a_loss_learns_belongs_to_the_model_and_lowers_it(loss):
    learner = narrow_learner(f"s2_vae(loss={loss}, gamma_sup=100)")
    assert [side.name for side in learner.sides] == ["model"]
    mine = {id(p) for p in learner.sides[0].parameters}
    assert {id(p) for p in learner.parts["supervised"].parameters()} <= mine
    batch = make_batch(learner)
    losses = []
    for step in range(1, 9):
        losses.append(learner.plan.terms["supervised"].value(step_of(learner, batch)).item())
        learner.update(batch, step)
    assert losses[-1] < losses[0]


def test_the_labelled_images_are_encoded_once_a_step():
    learner = make_learner("s2_vae")
    batch = make_batch(learner)
    step = step_of(learner, batch)
    seen = []
    encode = learner.model.trunk.forward
    learner.model.trunk.forward = lambda x: (seen.append(len(x)), encode(x))[1]
    for _ in range(2):
        learner.plan.terms["supervised"].value(step)
    assert seen == [4]
    assert learner.plan.needs.encoded(64) == 128


def test_the_encoder_of_the_fully_supervised_learns_from_labels_alone():
    learner = make_learner("fully_supervised")
    assert learner.model.deterministic
    batch = make_batch(learner)
    encoder = [*learner.model.trunk.parameters(), *learner.model.head.parameters()]
    decoder = [*learner.model.decoder.parameters()]
    raw = learner.plan.losses(step_of(learner, batch))[1]
    reconstruction, supervised = raw["reconstruction"], raw["supervised"]
    into = torch.autograd.grad(reconstruction, decoder, retain_graph=True)
    assert all(g.abs().max() > 0 for g in into)
    leaked = torch.autograd.grad(reconstruction, encoder, retain_graph=True, allow_unused=True)
    assert all(g is None for g in leaked)
    assert all(g.abs().max() > 0 for g in torch.autograd.grad(supervised, encoder))
    # Other images without labels change nothing in the encoder.
    others = dataclasses.replace(batch, images=1 - batch.images)
    twin = make_learner("fully_supervised")
    learner.update(batch, 1)
    twin.update(others, 1)
    moved = twin.weights()
    changed = {n for n, tensor in learner.weights().items() if not torch.equal(tensor, moved[n])}
    assert changed
    assert all(name.startswith("model/decoder") for name in changed)
    assert "kl" not in learner.plan.terms


@pytest.mark.parametrize(
    ("method", "same"),
    [
        ("s2_vae(beta=3, gamma_sup=5)", "beta_vae(beta=3) + supervised(weight=5)"),
        ("s2_factor_vae(gamma=3)", "factor_vae(gamma=3) + supervised"),
        ("s2_beta_tcvae(loss=embed)", "beta_tcvae + supervised(loss=embed)"),
        ("s2_dip_vae(off_diagonal=2)", "dip_vae_i(off_diagonal=2) + supervised"),
        (
            "s2_dip_vae(kind=ii, diagonal=3, images=100)",
            "dip_vae_ii(diagonal=3) + supervised(images=100)",
        ),
        (
            "s2_vae(labeller=noisy, seed=3, train_share=0.9, compat=dlib)",
            "vae + supervised(labeller=noisy, seed=3, train_share=0.9, compat=dlib)",
        ),
    ],
)
def test_methods_are_sums(method, same):
    assert parse_objective(method).expand().terms == parse_objective(same).expand().terms
    assert parse_objective(method).expand().needs == parse_objective(same).expand().needs


def test_without_weight_it_is_a_vae():
    plain, other = trained("vae", 3, latents=5), trained("s2_vae(gamma_sup=0)", 3)
    expected = plain.tracker.read().values["loss/model"]
    assert other.tracker.read().values["loss/model"] == pytest.approx(expected, rel=1e-6)
    for name, tensor in plain.weights().items():
        torch.testing.assert_close(tensor, other.weights()[name], rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ("weight", "expected"),
    [
        ("100", {1: 100, 10: 100, 500: 100}),
        ("linear(start=0, stop=100, steps=100)", {10: 10, 100: 100, 101: 100}),
        ("piecewise(values=(0, 100), steps=(100,))", {1: 0, 100: 0, 101: 100}),
    ],
)
def test_the_published_schedules_are_schedules(weight, expected):
    term = parse(f"supervised(weight={weight})", Supervised)
    one = torch.tensor(1.0)
    assert {step: term.weigh(one, step).item() for step in expected} == expected


@pytest.mark.parametrize("loss", ["xent", "l2", "embed"])
def test_matched_losses_need_a_latent_for_each_label(loss):
    with pytest.raises(SpecError, match=r"ties a latent .* latents is 4: give at least 5"):
        small_config(f"s2_vae(loss={loss})", latents=4)
    text = f"s2_vae(loss={loss}, labeller=partial(observed=4))"
    assert small_config(text, latents=4).latents == 4
    assert small_config("s2_vae(loss=cov)", latents=2).latents == 2


def test_other_things_that_cannot_be_trained_are_refused():
    with pytest.raises(SpecError, match="observed is 6, but there are 5 factors"):
        small_config("s2_vae(labeller=partial(observed=6))")
    with pytest.raises(SpecError, match="batch_size must be at least 2"):
        small_config("s2_vae(loss=cov)", batch_size=1)
    assert small_config("s2_vae", batch_size=1).batch_size == 1
    with pytest.raises(SpecError, match="has the term supervised more than once"):
        parse_objective("s2_vae + supervised")
    for method in (*METHODS, "vae + supervised"):
        setup = dataclasses.replace(small_config(method).setup, factors=None, dataset="photos")
        with pytest.raises(SpecError, match="the factors of photos are not known"):
            parse_objective(method).expand().check(setup)


def test_labels_that_the_labeller_leaves_out_have_no_network():
    learner = make_learner("s2_vae(loss=embed, labeller=partial(observed=2), seed=5)")
    names, sizes = learner.plan.needs.labelled.columns(learner.setup.factors)
    assert len(names) == len(sizes) == 2
    assert learner.parts["supervised"].embedding.shape == (2, max(sizes))
    assert (make_batch(learner, 64).labelled.labels.amax(0) < torch.tensor(sizes)).all()


def test_published_sums_are_trained_in_float32():
    assert not parse_objective("s2_vae").expand().needs_float32
    assert parse_objective("s2_vae(compat=dlib)").expand().needs_float32


def source_of(text, objective, indices, **settings):
    plan = parse_objective(objective)
    config = TrainConfig(
        dataset=parse_dataset(text), objective=plan, steps=10, device="cpu", threads=1,
        latents=5, precision="float32", **{"batch_size": 32} | settings,
    )  # fmt: skip
    return ImageSource(load_dataset(text), indices, config, plan.expand().needs)


def test_held_out_images_and_those_kept_back_are_never_drawn():
    text = "dsprites(grid=(3, 2, 4, 4, 4))"
    data = load_dataset(text)
    shown = np.arange(1, len(data), 2)
    objective = "s2_vae(images=20, train_share=0.7, labeller=permuted)"
    source = source_of(text, objective, shown)
    pool = data.select(shown)
    labelled = Labelled(images=20, train_share=0.7, labeller=parse_labeller("permuted"))
    few, kept = labelled.few(pool), labelled.validation(pool)
    assert len(few.flat) == 20
    assert len(kept.flat) == 6
    trained_on = set(few.flat.tolist()) - set(kept.flat.tolist())
    allowed = {
        pool.images(np.array([flat])).tobytes(): tuple(few.of(np.array([flat]))[0])
        for flat in trained_on
    }
    seen = set()
    for step in range(1, 20):
        batch = source.batch(step)
        assert len(batch.labelled.images) == 32
        for image, label in zip(batch.labelled.images, batch.labelled.labels, strict=True):
            pixels = (image.permute(1, 2, 0) * 255).round().to(torch.uint8).numpy().tobytes()
            assert allowed[pixels] == tuple(label.tolist())
            seen.add(pixels)
    assert len(seen) == 14


def parse_labeller(text):
    return parse(f"labelled(labeller={text})", Labelled).labeller


def test_more_labels_than_training_images_are_refused_before_any_work():
    text, objective = "dsprites(grid=(3, 2, 4, 4, 4))", "s2_vae(images=200)"
    fields = {"dataset": parse_dataset(text), "steps": 10, "latents": 5}
    with pytest.raises(SpecError, match="images is 1,000, but there are 384 to label"):
        TrainConfig(objective=parse_objective("s2_vae"), **fields)
    with pytest.raises(SpecError, match="images is 200, but there are 192 to label"):
        TrainConfig(objective=parse_objective(objective), holdout=0.5, **fields)
    # And by whatever draws from other parts.
    with pytest.raises(SpecError, match="images is 200, but there are 100 to label"):
        source_of(text, objective, np.arange(100))
