"""The composer: its loss and one step against plain PyTorch, its batches, what it refuses."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from contracts.learners import make_batch, narrow_learner, small_config, step_of
from reference import objectives_reference
from unweave.data import parse_dataset
from unweave.data.samplers import Composition
from unweave.errors import SpecError
from unweave.objectives import Batch, Setup, Term, parse_objective
from unweave.randomness import Streams
from unweave.schedules import Linear
from unweave.spec import parse
from unweave.training import Optimizer, TrainConfig
from unweave.training.source import ImageSource

GRID = "dsprites(grid=(3, 2, 4, 8, 8))"
HOLE = f"without(data={GRID}, where=\"shape == 'square' and pos_x > 0.5\")"
OPERATORS = ("linear", "interp", "mlp", "fixint")


def triplets_of(learner, count, seed=0):
    """Random images with factors of true triplets: the target differs from the first in one."""
    batch = make_batch(learner, count * learner.plan.needs.reconstructed, seed)
    rng = np.random.default_rng(seed)
    sizes = learner.setup.factors.sizes
    reference, transform = rng.integers(0, sizes, (2, count, len(sizes)))
    target, actions = reference.copy(), rng.integers(0, len(sizes), count)
    for row, action in enumerate(actions):
        target[row, action] = (reference[row, action] + 1) % sizes[action]
        transform[row, action] = target[row, action]
    factors = torch.from_numpy(np.concatenate([reference, transform, target]))
    return dataclasses.replace(batch, factors=factors), actions


def plain_operator(name, state, reference, transform, action):
    """The spec's formula, of weights by name."""

    def dense(layer, *inputs):
        return F.linear(torch.cat(inputs, 1), state[f"{layer}.weight"], state[f"{layer}.bias"])

    if name == "linear":
        return dense("of_reference", reference, action) + dense("of_transform", transform, action)
    if name == "interp":
        w = torch.sigmoid(dense("weight", reference, transform, action))
        return w * reference + (1 - w) * transform
    if name == "mlp":
        hidden = F.relu(dense("layers.0", reference, transform, action))
        normal = (hidden - hidden.mean(0)) / (hidden.var(0, unbiased=False) + 1e-5).sqrt()
        return dense("layers.3", normal * state["layers.2.weight"] + state["layers.2.bias"])
    taken = torch.cat([action, torch.zeros(len(action), reference.shape[1] - 5)], 1)
    return (1 - taken) * reference + taken * transform


@pytest.mark.parametrize("reconstruct", [False, True])
@pytest.mark.parametrize("operator", OPERATORS)
def test_a_step_is_that_of_a_plain_loop(operator, reconstruct):
    """Images one after the other, sums over images, and gradients followed as they are."""
    count, beta = 6, 3.0
    learner, twin = (
        narrow_learner(
            f"composer(operator={operator}, beta={beta}, reconstruct={reconstruct})",
            batch_size=count * (3 if reconstruct else 1),
            latents=6,
            optimizer=parse("sgd(lr=0.001)", Optimizer),
        )
        for _ in range(2)
    )
    plain = torch.optim.SGD(twin.sides[0].parameters, lr=0.001)
    model, state = twin.model, dict(twin.parts["operator"].named_parameters())
    for step in (1, 2, 3):
        batch, actions = triplets_of(learner, count, seed=step)
        learner.update(batch, step)

        noise = Streams(twin.seed, step, torch.device("cpu")).normal("posterior", 2 * count, 6)
        reconstruction, kl, codes = 0.0, 0.0, []
        for row in range(count):
            for image in (row, count + row):
                moments = model.head(model.trunk(batch.images[image : image + 1]))
                mean, logvar = moments[:, :6], moments[:, 6:]
                codes.append(mean + torch.exp(logvar / 2) * noise[image])
                kl = kl + 0.5 * (mean**2 + logvar.exp() - 1 - logvar).sum()
        reference, transform = torch.cat(codes[0::2]), torch.cat(codes[1::2])
        action = F.one_hot(torch.from_numpy(actions), 5).float()
        made = plain_operator(operator, state, reference, transform, action)
        decoded = [(made, 2 * count)]
        if reconstruct:
            decoded += [(reference, 0), (transform, count)]
        for z, first in decoded:
            target = batch.images[first : first + count]
            reconstruction = reconstruction + F.binary_cross_entropy_with_logits(
                model.decoder(z), target, reduction="sum"
            )
        loss = (reconstruction + beta * kl) / count
        plain.zero_grad()
        loss.backward()
        plain.step()

        logged = learner.tracker.read().values
        assert logged["loss/model"] == pytest.approx(loss.item(), rel=1e-5)
        learner.tracker.reset()
        expected = reconstruction.item() / count
        assert logged["weighted/reconstruction"] == pytest.approx(expected, rel=1e-5)
        assert logged["weighted/kl"] == pytest.approx(beta * kl.item() / count, rel=1e-5)
        # The logged KL is that of an image that is encoded.
        assert logged["raw/kl"] == pytest.approx(kl.item() / count / 2, rel=1e-5)
    for name, value in twin.weights().items():
        if "running" not in name and "tracked" not in name:
            torch.testing.assert_close(learner.weights()[name], value, rtol=1e-4, atol=1e-6)


def test_the_kl_is_that_of_both_images():
    learner = narrow_learner("composer(beta=linear(start=0, stop=4, steps=8))", latents=6)
    batch, _ = triplets_of(learner, 4)
    step = step_of(learner, batch, global_step=2)
    total, raw, weighted = learner.plan.losses(step)
    codes = (step.posterior.mean, step.posterior.logvar)
    mean, logvar = (each.detach().double().numpy() for each in codes)
    assert mean.shape == (8, 6)
    both = sum(
        objectives_reference.kl(mean[part], logvar[part]) for part in np.split(np.arange(8), 2)
    )
    assert weighted["kl"].item() == pytest.approx(1.0 * both, rel=1e-5)
    assert total.item() == pytest.approx(raw["reconstruction"].item() + both, rel=1e-5)


def test_capacities_hold_the_sum_over_posteriors():
    text = "kl(weight=5, capacity=linear(start=0, stop=8, steps=4), posteriors=2)"
    term = parse(text, Term)
    assert term.weigh(torch.tensor(3.0), 2).item() == 5 * abs(2 * 3.0 - 4.0)
    assert (
        parse_objective("reconstruction + kl(posteriors=1)").to_dict()
        == parse_objective("reconstruction + kl").to_dict()
    )


def test_what_it_is_made_of():
    plan = parse_objective("composer(beta=4)").expand()
    assert [str(term) for term in plan.terms.values()] == [
        "reconstruction", "kl(weight=4, posteriors=2)",
    ]  # fmt: skip
    assert (plan.needs.sampler, plan.needs.factors) == (Composition(), True)
    # 64 images are reconstructed, and the other two of each triplet are encoded.
    assert (plan.needs.draws(64), plan.needs.encoded(64)) == (64, 128)
    whole = parse_objective("composer(reconstruct=True)").expand()
    assert (whole.needs.draws(192), whole.needs.encoded(192)) == (64, 128)
    assert str(whole.terms["reconstruction"]) == "reconstruction(weight=3)"
    text = "composer(operator=fixint, sampler=composition(factors=(shape, pos_x)))"
    assert str(parse_objective(text)) == text
    assert (
        Linear(start=0, stop=1, steps=2)
        == parse_objective("composer(beta=linear(start=0, stop=1, steps=2))").items[0].beta
    )


@pytest.mark.parametrize("dataset", [GRID, HOLE])
def test_triplets_of_training_are_triplets_of_the_dataset(dataset):
    config = small_config(
        "composer(sampler=composition(factors=(shape, pos_x)))",
        dataset=parse_dataset(dataset),
        batch_size=40,
    )
    data = config.dataset.open()
    source = ImageSource(data, None, config, config.objective.expand().needs)
    seen = set()
    for step in range(1, 6):
        batch = source.batch(step)
        reference, transform, target = batch.factors.chunk(3)
        differ = reference != target
        assert differ.sum(1).tolist() == [1] * 40
        action = differ.float().argmax(1)
        seen |= set(action.tolist())
        rows = torch.arange(40)
        assert torch.equal(transform[rows, action], target[rows, action])
        # Every image of the batch is one of the dataset, and no combination was left out.
        flat = data.find(batch.factors.numpy())
        assert (flat >= 0).all()
        expected = torch.from_numpy(data.images(flat)).permute(0, 3, 1, 2) / 255
        assert torch.equal(batch.images, expected)
        if dataset == HOLE:
            assert not ((batch.factors[:, 0] == 0) & (batch.factors[:, 3] >= 4)).any()
    assert seen == {0, 3}


def test_factors_with_one_value_keep_their_place_in_the_action():
    part = f"only(data={GRID}, where='index(scale) == 1 and pos_x > 0.5')"
    config = small_config("composer", dataset=parse_dataset(part), batch_size=30)
    learner = narrow_learner("composer", dataset=parse_dataset(part))
    assert learner.parts["operator"].factors == 5
    batch = ImageSource(config.dataset.open(), None, config, learner.plan.needs).batch(1)
    reference, _, target = batch.factors.chunk(3)
    assert set((reference != target).float().argmax(1).tolist()) <= {0, 2, 3, 4}
    assert batch.factors.shape == (90, 5)


def setup_of(objective, **settings):
    return small_config(objective, **settings).setup


@pytest.mark.parametrize(
    ("objective", "settings", "said"),
    [
        ("composer(operator=fixint)", {"latents": 4}, "which has 5, but latents is 4: give at"),
        ("composer(operator=mlp)", {"batch_size": 1}, "batch_size must be at least 2, but is 1"),
        (
            "composer(operator=mlp, reconstruct=True)",
            {"batch_size": 3},
            "batch_size must be at least 6, but is 3",
        ),
        ("composer(reconstruct=True)", {"batch_size": 64}, "must be a multiple of that"),
        ("composer(sampler=composition(factors=(sape,)))", {}, "Did you mean shape"),
        (
            "composer(sampler=composition(factors=(scale,)))",
            {"dataset": "dsprites(grid=(3, 1, 4, 8, 8))"},
            "scale has one value, so it cannot change",
        ),
        (
            "composer",
            {"dataset": "dsprites(grid=(1, 1, 1, 1, 1))", "batch_size": 1},
            "no factor has more than one value",
        ),
        ("composer + kl(weight=2)", {}, "has the term kl more than once"),
        ("composer + ada_gvae", {}, "both change the forward pass"),
        ("composer + slow_vae", {}, "draws its batches by"),
    ],
)
def test_what_cannot_be_trained_is_refused_before_any_work(objective, settings, said):
    fields = {"steps": 1, "latents": 6, "batch_size": 6, "dataset": GRID} | settings
    fields["dataset"] = parse_dataset(fields["dataset"])
    with pytest.raises(SpecError) as caught:
        TrainConfig(objective=parse_objective(objective), **fields)
    assert said in str(caught.value)


def test_a_dataset_without_labels_is_refused():
    plan = parse_objective("composer").expand()
    setup = dataclasses.replace(setup_of("vae"), factors=None, dataset="my images")
    with pytest.raises(SpecError, match="composer needs labels, and the factors of my images"):
        plan.check(setup)
    assert isinstance(setup, Setup)


@pytest.mark.parametrize("reconstruct", [False, True])
def test_added_terms_see_references_and_transforms(reconstruct):
    """And whether decoded images show labels is asked of the labels of what they should be."""
    text = (
        f"composer(reconstruct={reconstruct}) + label_agreement(labels=(shape, pos_x)) "
        "+ adversarial_information(labels=(shape,)) + total_correlation"
    )
    learner = narrow_learner(text, batch_size=6, latents=6)
    batch, _ = triplets_of(learner, 2 if reconstruct else 6, seed=4)
    step = step_of(learner, batch)
    count = len(batch.images) // 3
    assert len(step.batch.images) == len(step.z) == len(step.means) == 2 * count
    assert torch.equal(step.batch.images, batch.images[: 2 * count])
    assert torch.equal(step.batch.factors, batch.factors[: 2 * count])
    learner.plan.losses(step)
    network = learner.parts["label_encoder"]
    logs = network(torch.sigmoid(step.logits))
    first = 0 if reconstruct else 2 * count
    shown = batch.factors[first:]
    expected = F.cross_entropy(logs[:, :3], shown[:, 0])
    expected = expected + F.cross_entropy(logs[:, 3:], shown[:, 3])
    found = learner.plan.terms["label_agreement"].value(step)
    assert found.item() == pytest.approx(expected.item(), rel=1e-5)


def test_draws_are_keyed_by_seed_and_step():
    config = small_config("composer", batch_size=4)
    data = config.dataset.open()
    one, again = (
        ImageSource(data, None, config, config.objective.expand().needs).batch(7) for _ in range(2)
    )
    assert isinstance(one, Batch)
    assert torch.equal(one.images, again.images)
    assert torch.equal(one.factors, again.factors)
