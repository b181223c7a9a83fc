"""Which labels conditional methods are told, and what they do with them."""

from __future__ import annotations

import copy
import dataclasses
import re

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from contracts.learners import make_batch, make_learner, small_config, step_of
from reference import labels_reference
from unweave.data import parse_dataset
from unweave.errors import SpecError
from unweave.factors import Factor, FactorSpace
from unweave.nn import Burgess
from unweave.objectives import Setup, parse_objective
from unweave.objectives.density_ratio import permuted_samples
from unweave.randomness import Streams
from unweave.settings import make_config

SHAPE = (32, 32, 1)
SPACE = FactorSpace(
    (
        Factor("shape", 3, kind="categorical"),
        Factor("scale", 6),
        Factor("color", 1, kind="categorical"),
        Factor("hue", 40, kind="circular"),
        Factor("kind", 2, kind="categorical"),
    )
)


def conditions(text, space=SPACE):
    setup = Setup(architecture=Burgess(), image_shape=SHAPE, latents=3, factors=space)
    plan = parse_objective(text).expand()
    plan.check(setup)
    return plan.method.conditions(setup)


class TestLabels:
    @pytest.mark.parametrize("method", ["cvae", "ifcvae"])
    def test_without_names_those_that_are_categorical_and_vary(self, method):
        found = conditions(method)
        assert (found.columns, found.sizes) == ((0, 4), (3, 2))
        assert found.encoding == "one_hot"
        assert found.planes == (method == "cvae")

    def test_any_by_name_in_the_order_given(self):
        found = conditions("cvae(labels=(hue, shape))")
        assert (found.columns, found.sizes, found.width) == ((3, 0), (40, 3), 43)
        assert conditions("cvae(labels=(hue, shape), encoding=continuous)").width == 2

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("cvae(labels=shape)", "For one alone write labels=(shape,)."),
            ("ifcvae(labels='shape')", "For one alone write labels=('shape',)."),
            ("cvae(labels=(shap,))", "Unknown factor 'shap'. Did you mean shape?"),
            ("ifcvae(labels=(color,))", "ifcvae: color has one value in the dataset"),
            (
                "vae + label_agreement(labels=(scales,))",
                "Unknown factor 'scales'. Did you mean scale?",
            ),
            ("vae + adversarial_information(labels=(color,))", "color has one value"),
        ],
    )
    def test_others_are_refused(self, text, words):
        with pytest.raises(SpecError, match=re.escape(words)):
            conditions(text)

    def test_a_dataset_without_factors(self):
        for text in ("cvae", "ifcvae", "vae + label_agreement"):
            with pytest.raises(SpecError, match="needs labels, and the factors of the dataset"):
                conditions(text, space=None)

    def test_a_dataset_without_categorical_factors(self):
        space = FactorSpace((Factor("x", 4), Factor("fixed", 1), Factor("y", 3)))
        with pytest.raises(SpecError, match=r"cvae\(labels=\(...\)\). Its factors are x, y\."):
            conditions("cvae", space)
        assert conditions("cvae(labels=(y,))", space).columns == (2,)

    def test_too_many_planes(self):
        space = FactorSpace((Factor("a", 60), Factor("b", 5)))
        with pytest.raises(SpecError, match=r"65 planes beside the image \(a 60, b 5\)"):
            conditions("cvae(labels=(a, b))", space)
        assert conditions("cvae(labels=(a, b), encoding=continuous)", space).width == 2
        # The encoder of the other method sees no planes.
        assert conditions("ifcvae(labels=(a, b))", space).width == 65

    @pytest.mark.parametrize(
        ("text", "words"),
        [
            ("cvae(labels=(shape, shape))", "labels names 'shape' more than once"),
            ("vae + label_agreement(labels=(a, b, a))", "labels names 'a' more than once"),
            ("cvae(gamma=5)", "gamma weights the distance"),
            ("ifcvae(capacity=5)", "gamma weights the distance"),
            ("cvae(kl=2, gamma=5, capacity=3)", "kl weights a KL without a capacity"),
        ],
    )
    def test_settings_that_exclude_each_other(self, text, words):
        with pytest.raises(SpecError, match=words):
            parse_objective(text)

    def test_they_are_refused_before_anything_is_opened(self):
        with pytest.raises(SpecError, match="Did you mean shape"):
            make_config("dsprites", "cvae(labels=(shapes,))", steps=1)

    def test_the_texts_of_published_runs(self):
        text = "labels=(shape,), gamma=5, capacity=linear(start=0, stop=25, steps=100000)"
        for method, more in (("cvae", ""), ("ifcvae", "label=1, auxiliary=20, ")):
            plan = parse_objective(f"{method}({more}{text})").expand()
            kl = plan.terms["kl"]
            assert kl.weight == 5
            assert kl.capacity.stop == 25
            assert plan.needs.factors


def told_of(batch, column=0, size=3):
    return torch.from_numpy(
        labels_reference.one_hot(batch.factors[:, [column]].numpy(), (size,))
    ).float()


class TestCVAE:
    def test_encoder_and_decoder_are_told_the_labels_of_each_image(self):
        learner = make_learner("cvae", SHAPE)
        batch = make_batch(learner)
        step = step_of(learner, batch)
        model, told = learner.model, told_of(batch)
        posterior = model.encode(batch.images, told)
        torch.testing.assert_close(step.posterior.mean, posterior.mean)
        noise = Streams(0, 1, torch.device("cpu")).normal("posterior", 4, 3)
        z = posterior.mean + (posterior.logvar / 2).exp() * noise
        torch.testing.assert_close(step.z, z)
        torch.testing.assert_close(step.logits, model.decode(z, told))
        assert step.z.shape == (4, 3), "terms see the latents alone"

    def test_its_loss_is_that_of_a_vae(self):
        learner = make_learner("cvae(kl=3)", SHAPE)
        step = step_of(learner, make_batch(learner))
        total, raw, _ = learner.plan.losses(step)
        mean, logvar = step.posterior.mean.double(), step.posterior.logvar.double()
        kl = 0.5 * (mean**2 + logvar.exp() - logvar - 1).sum(1).mean()
        expected = F.binary_cross_entropy_with_logits(
            step.logits.double(), step.target.double(), reduction="sum"
        ) / len(step.target)
        assert total.item() == pytest.approx((expected + 3 * kl).item(), rel=1e-6)
        assert set(raw) == {"reconstruction", "kl"}

    def test_with_a_capacity(self):
        plain = make_learner("cvae", SHAPE)
        held = make_learner("cvae(gamma=7, capacity=linear(start=2, stop=4, steps=10))", SHAPE)
        batch = make_batch(plain)
        _, raw, _ = plain.plan.losses(step_of(plain, batch))
        _, _, weighted = held.plan.losses(step_of(held, batch, global_step=10))
        _, raw_then, _ = held.plan.losses(step_of(held, batch, global_step=10))
        expected = 7 * abs(raw_then["kl"].item() - 4)
        assert weighted["kl"].item() == pytest.approx(expected, rel=1e-6)
        assert raw["kl"].item() == pytest.approx(raw_then["kl"].item(), rel=1e-6)

    def test_on_its_defaults_the_kl_weighs_more_than_in_the_evidence_lower_bound(self):
        assert parse_objective("cvae").expand().terms["kl"].weight == 4
        assert parse_objective("ifcvae").expand().terms["kl"].weight == 1
        assert parse_objective("cvae(gamma=5, capacity=2)").expand().terms["kl"].weight == 5

    def test_other_labels_give_other_losses(self):
        learner = make_learner("cvae", SHAPE)
        batch = make_batch(learner)
        other = batch.factors.clone()
        other[:, 0] = (other[:, 0] + 1) % 3
        losses = [
            learner.plan.losses(step_of(learner, dataclasses.replace(batch, factors=rows)))[0]
            for rows in (batch.factors, other)
        ]
        assert losses[0].item() != losses[1].item()
        # A factor that is not told changes nothing.
        other = batch.factors.clone()
        other[:, 1:] = 0
        same = learner.plan.losses(step_of(learner, dataclasses.replace(batch, factors=other)))[0]
        assert same.item() == losses[0].item()

    def test_the_second_batch_of_a_density_ratio_is_told_its_own_labels(self):
        learner = make_learner("cvae + density_ratio_tc", SHAPE)
        batch = make_batch(learner)
        assert batch.second_factors.shape == batch.factors.shape
        step = step_of(learner, batch)
        streams = Streams(0, 1, torch.device("cpu"))
        told = torch.from_numpy(
            labels_reference.one_hot(batch.second_factors[:, [0]].numpy(), (3,))
        ).float()
        posterior = learner.model.encode(batch.second, told)
        z = posterior.sample(streams.normal("second posterior", 4, 3))
        order = streams.permutations("permuted latents", 4, 3)
        torch.testing.assert_close(permuted_samples(step), z.gather(0, order))


def copies(learner):
    """Model, label encoder and classifier to train by hand, with optimisers of their own."""
    model = copy.deepcopy(learner.model)
    encoder = copy.deepcopy(learner.parts["label_encoder"].network)
    auxiliary = copy.deepcopy(learner.parts["auxiliary"].network)
    return model, encoder, auxiliary


@pytest.mark.parametrize("compat", ["none", "dpt"])
def test_the_order_of_updates_is_that_of_a_loop_written_by_hand(compat):
    """Label encoder on true images; then the model, both others held; then the classifier."""
    text = f"ifcvae(labels=(shape,), label=3, auxiliary=2, lr=0.01, kl=1.5, compat={compat})"
    learner = make_learner(text, SHAPE)
    model, encoder, auxiliary = copies(learner)
    rate = learner.sides[0].optimizer.param_groups[0]["lr"]
    of_model = torch.optim.Adam(model.parameters(), lr=rate, fused=True)
    of_encoder = torch.optim.Adam(encoder.parameters(), lr=0.01, fused=True)
    of_auxiliary = torch.optim.Adam(auxiliary.parameters(), lr=0.01, fused=True)

    for number in (1, 2, 3):
        batch = make_batch(learner, seed=number)
        x, y = batch.images, batch.factors[:, 0]
        learner.update(batch, number)

        scores = encoder(x)
        of_encoder.zero_grad()
        F.cross_entropy(scores, y).backward()
        of_encoder.step()

        told = scores.detach().softmax(dim=1)
        posterior = model.encode(x)
        noise = torch.randn(
            4, 3, generator=Streams(0, number, torch.device("cpu")).generator("posterior")
        )
        z = posterior.mean + (posterior.logvar / 2).exp() * noise
        logits = model.decode(z, told)
        pixels = F.binary_cross_entropy_with_logits(logits, x, reduction="sum") / 4
        kl = 0.5 * (posterior.mean**2 + posterior.logvar.exp() - posterior.logvar - 1).sum() / 4
        agreement = F.cross_entropy(encoder(torch.sigmoid(logits)), y)
        guess = auxiliary(z)
        if compat == "dpt":
            hidden = -F.cross_entropy(guess, y)
        else:
            shares = F.one_hot(y, 3).float().mean(0)
            entropy = -torch.special.xlogy(shares, shares).sum()
            hidden = -(shares * guess.log_softmax(1)).sum(1).mean() - entropy
        total = pixels + 1.5 * kl + 3 * agreement + 2 * hidden
        of_model.zero_grad()
        total.backward()
        of_auxiliary.zero_grad()
        F.cross_entropy(auxiliary(z.detach()), y).backward()
        of_model.step()
        of_auxiliary.step()

    pairs = (
        (learner.model, model),
        (learner.parts["label_encoder"].network, encoder),
        (learner.parts["auxiliary"].network, auxiliary),
    )
    for ours, by_hand in pairs:
        for (name, one), other in zip(ours.named_parameters(), by_hand.parameters(), strict=True):
            torch.testing.assert_close(
                one, other, rtol=1e-5, atol=1e-6, msg=lambda m, name=name: f"{name}: {m}"
            )


class TestIFCVAE:
    @pytest.mark.parametrize("encoding", ["one_hot", "continuous"])
    def test_the_terms_against_numpy(self, encoding):
        text = f"ifcvae(labels=(scale, shape), encoding={encoding})"
        learner = make_learner(text, SHAPE)
        batch = make_batch(learner)
        step = step_of(learner, batch)
        _, raw, _ = learner.plan.losses(step)
        rows, sizes = batch.factors[:, [1, 0]].numpy(), (2, 3)
        encode = getattr(labels_reference, encoding)
        told = encode(rows, sizes)
        encoder, auxiliary = (learner.parts[name] for name in ("label_encoder", "auxiliary"))
        decoded = encoder(torch.sigmoid(step.logits)).detach().numpy()
        guess = auxiliary(step.z).detach().numpy()
        mean = np.tile(told.mean(0), (4, 1))
        if encoding == "one_hot":
            agreement = labels_reference.distance(decoded, told, sizes)
            hidden = labels_reference.distance(guess, mean, sizes)
        else:
            agreement = ((1 / (1 + np.exp(-decoded)) - told) ** 2).sum(1)
            hidden = ((1 / (1 + np.exp(-guess)) - mean) ** 2).sum(1)
        assert raw["label_agreement"].item() == pytest.approx(agreement.mean(), rel=1e-5)
        assert raw["adversarial_information"].item() == pytest.approx(hidden.mean(), rel=1e-4)

    def test_the_decoder_is_told_what_the_label_encoder_says(self):
        learner = make_learner("ifcvae(labels=(shape, scale))", SHAPE)
        batch = make_batch(learner)
        step = step_of(learner, batch)
        scores = learner.parts["label_encoder"](batch.images).detach().numpy()
        told = torch.from_numpy(labels_reference.soft(scores, (3, 2))).float()
        torch.testing.assert_close(step.logits, learner.model.decode(step.z, told))

    def test_no_gradient_goes_from_the_decoder_to_the_label_encoder(self):
        learner = make_learner("ifcvae", SHAPE)
        step = step_of(learner, make_batch(learner))
        parameters = list(learner.parts["label_encoder"].parameters())
        found = torch.autograd.grad(
            step.logits.sum(), parameters, retain_graph=True, allow_unused=True
        )
        assert all(gradient is None for gradient in found)

    def test_without_weights_of_its_terms_it_is_the_evidence_lower_bound(self):
        learner = make_learner("ifcvae(label=0, auxiliary=0)", SHAPE)
        total, raw, _ = learner.plan.losses(step_of(learner, make_batch(learner)))
        expected = (raw["reconstruction"] + raw["kl"]).item()
        assert total.item() == pytest.approx(expected, rel=1e-6)

    def test_latents_that_tell_nothing_cost_nothing(self):
        learner = make_learner("ifcvae", SHAPE)
        batch = make_batch(learner)
        layers = learner.parts["auxiliary"].network.layers
        shares = told_of(batch).mean(0)
        with torch.no_grad():
            layers[-1].weight.zero_()
            layers[-1].bias.copy_(shares.clamp(min=1e-30).log())
        _, raw, _ = learner.plan.losses(step_of(learner, batch))
        assert raw["adversarial_information"].item() == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("encoding", ["one_hot", "continuous"])
def test_how_often_the_networks_are_right_is_logged(encoding):
    learner = make_learner(f"ifcvae(labels=(shape, pos_x), encoding={encoding})", SHAPE, latents=3)
    batch = make_batch(learner, 8)
    step = step_of(learner, batch)
    sizes, rows = (3, 8), batch.factors[:, [0, 3]].numpy()
    expected = {}
    with torch.no_grad():
        for part, seen in (("label_encoder", batch.images), ("auxiliary", step.z)):
            scores = learner.parts[part](seen).double().numpy()
            expected[f"{part}_accuracy"] = np.mean(labels_reference.right(scores, rows, sizes))
    learner.update(batch, 1)
    values = learner.tracker.read().values
    found = {n.removeprefix("watched/"): v for n, v in values.items() if n.startswith("watched/")}
    assert found == pytest.approx(expected, rel=1e-6)
    assert found.keys() == expected.keys()
    # A network that is right of all, and one that is always wrong.
    conditions = learner.parts["auxiliary"].conditions
    told = conditions.encode(batch.factors)
    best = 20 * told - 10 if encoding == "one_hot" else torch.logit(told)
    assert conditions.right(best, told).all()
    assert conditions.right(best, told).shape == (8, 2)
    # A prediction at the next value is wrong, and so is the largest score of another value.
    shifted = torch.from_numpy((rows + 1) % np.array(sizes))
    other = conditions.encode_known(shifted)
    worst = 20 * other - 10 if encoding == "one_hot" else torch.logit(other)
    assert not conditions.right(worst, told).any()


def test_terms_of_labels_can_be_added_to_any_vae():
    text = "beta_vae + adversarial_information(labels=(scale,), weight=5) + label_agreement"
    config = make_config("dsprites(grid=(3, 2, 4, 8, 8))", text, steps=1)
    plan = config.objective.expand()
    assert plan.needs.factors
    assert [player.name for player in plan.players] == ["auxiliary", "label_encoder"]
    assert [player.eager for player in plan.players] == [False, True]
    parts = plan.make_parts(config.setup, torch.Generator().manual_seed(0))
    assert parts["auxiliary"].conditions.sizes == (2,)
    assert parts["label_encoder"].conditions.sizes == (3,)


def test_the_mean_label_of_a_single_image_would_be_its_own():
    for text in ("ifcvae", "vae + adversarial_information"):
        with pytest.raises(SpecError, match=r"batch_size must be at least 2 .* compares images"):
            small_config(text, batch_size=1)
    for text in ("ifcvae(compat=dpt)", "vae + label_agreement"):
        assert small_config(text, batch_size=1).batch_size == 1


def test_labels_of_other_images_than_those_decoded_are_refused():
    learner = make_learner("vae + adversarial_information", SHAPE)
    step = step_of(learner, make_batch(learner))
    fewer = dataclasses.replace(step, z=step.z[:2])
    with pytest.raises(SpecError, match=r"of 4 images 2 are\. Leave out the term"):
        learner.plan.terms["adversarial_information"].value(fewer)


def test_factors_of_a_view_are_its_own():
    data = parse_dataset("only(data=dsprites(grid=(3, 2, 4, 8, 8)), where='shape != 2')")
    config = make_config(data, "cvae", steps=1, batch_size=8)
    found = config.objective.expand().method.conditions(config.setup)
    assert found.sizes == (2,)
