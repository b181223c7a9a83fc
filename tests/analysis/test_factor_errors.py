"""Errors of factors against slow loops, against decoders that err on purpose, and on runs."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest
import torch
from torch import nn

import unweave
from reference import factor_errors_reference as reference
from session.runs import cli, folder_for_runs, paragraph
from unweave.analysis import (
    FactorErrors,
    ReconstructionNLL,
    Subject,
    TestLosses,
    factor_errors,
    protocols,
)
from unweave.data import from_arrays
from unweave.errors import DataError
from unweave.latents import Point
from unweave.likelihoods import Likelihood
from unweave.nn import Kim
from unweave.objectives import Setup, parse_objective
from unweave.splits import keyed_permutation
from unweave.training.source import to_images

TINY = "dsprites(grid=(3, 2, 4, 4, 4))"
HEARTS = f"only(data={TINY}, where=\"shape == 'heart' and pos_x > 0.5\")"
QUICK = FactorErrors(steps=2, batch_size=16)
CPU = torch.device("cpu")


class Pixels(Likelihood):
    """Logits that are the pixels; its class has no name, so is no member."""

    def negative_log(self, logits, images):
        raise NotImplementedError

    def mean(self, logits):
        return logits


class Shown(nn.Module):
    """A model whose codes are the pixels, and which decodes what it is told to make of them."""

    def __init__(self, change=lambda images: images):
        super().__init__()
        self.likelihood = Pixels()
        self.autocast_dtype = None
        self.given = None
        self.device = CPU
        self._change = change

    def condition(self, factors):
        return None

    def encode(self, images, condition=None):
        return Point(mean=images.flatten(1))

    def decode(self, z, condition=None):
        return self._change(z.reshape(len(z), -1, 64, 64))


@functools.cache
def trained(objective="vae"):
    """A run of a few steps."""
    settings = {"steps": 3, "batch_size": 6, "latents": 10, "threads": 1, "device": "cpu"}
    if objective == "ground_truth_decoder":
        del settings["latents"]
    return unweave.train(TINY, objective, out=folder_for_runs() / "run", **settings)


def subject_of(text=TINY, model=None, **changes):
    dataset = unweave.load_dataset(text)
    return dataclasses.replace(
        Subject(
            model=model or Shown(),
            parts={},
            objective=parse_objective("vae"),
            setup=Setup(architecture=Kim(), image_shape=(64, 64, 1), latents=4),
            dataset=dataset,
            flat=np.arange(len(dataset)),
            num_train=len(dataset),
            trained_on=dataset.spec,
            trained=lambda most: pytest.fail("no codes are needed"),
        ),
        **changes,
    )


class Answers:
    """A probe that says what it is told to: of each batch first decoded images, then true ones."""

    def __init__(self, decoded, true):
        self.told = [np.asarray(decoded), np.asarray(true)]
        self.seen = []

    def tell(self, images):
        which = len(self.seen) % 2
        start = sum(len(each) for each in self.seen[which::2])
        self.seen.append(images.clone())
        return torch.from_numpy(self.told[which][start : start + len(images)])


@pytest.fixture
def answering(monkeypatch):
    """Puts a hand-made probe in the place of a trained one."""

    def put(decoded, true):
        probe, asked = Answers(decoded, true), []
        monkeypatch.setattr(
            factor_errors, "cached_probe", lambda *given: asked.append(given) or probe
        )
        return probe, asked

    return put


def wrong(space, rows, seed, share=0.4):
    """Factor indices of which some are others."""
    rng = np.random.default_rng(seed)
    drawn = space.sample(len(rows), rng)
    return np.where(rng.random(rows.shape) < share, drawn, rows)


@pytest.mark.parametrize("text", [TINY, "dsprites(grid=(3, 1, 39, 3, 2))", HEARTS])
def test_every_part_is_that_of_the_reference(answering, text):
    subject = subject_of(text)
    whole = subject.dataset.spec.whole_space
    values = subject.dataset.values(subject.flat)
    rows = np.stack(
        [
            [list(factor.values).index(value) for value in column]
            for factor, column in zip(whole.factors, values.T, strict=True)
        ],
        axis=1,
    )
    decoded, true = wrong(whole, rows, 1), wrong(whole, rows, 2, share=0.2)
    _, asked = answering(decoded, true)
    found = FactorErrors().score(subject)
    value, parts = reference.scores(whole, rows, decoded, true)
    assert found.value == pytest.approx(value)
    assert found.parts == pytest.approx(parts, abs=1e-6)
    assert set(found.units) == {name for name in parts if name.endswith("steps")}
    # The probe is of the whole dataset, also where a part of it is scored.
    dataset, training, device, _ = asked[0]
    assert len(dataset) == whole.size
    assert (training.steps, training.batch_size, training.seed) == (4000, 64, 0)
    assert device == CPU


def test_what_is_shown_to_the_probe(answering):
    subject = subject_of(model=Shown(lambda images: 0.5 * images))
    rows = subject.dataset.factors(subject.flat)
    probe, _ = answering(rows, rows)
    FactorErrors().score(subject)
    pixels, scale = subject.dataset.gather(subject.flat)
    images = to_images(pixels, scale, CPU)
    assert torch.cat(probe.seen[1::2]).equal(images)
    assert torch.cat(probe.seen[0::2]).equal(0.5 * images)


def test_a_pose_that_looks_the_same_is_no_error(answering):
    subject = subject_of("dsprites(grid=(3, 1, 40, 1, 1))")
    rows = subject.dataset.factors(subject.flat)
    # 39 steps are a full turn: 20 are half a turn and half a step, 10 a quarter and a quarter.
    for turned, right, steps in ((20, 2 / 3, 0.5 + 0.5 + 19), (10, 1 / 3, 0.25 + 9.5 + 10)):
        decoded = rows.copy()
        decoded[:, 2] = (rows[:, 2] + turned) % 39
        answering(decoded, rows)
        parts = FactorErrors().score(subject).parts
        assert parts["orientation.accuracy"] == pytest.approx(right)
        assert parts["orientation.steps"] == pytest.approx(steps / 3, abs=0.01)
        assert (parts["orientation.true_accuracy"], parts["orientation.true_steps"]) == (1, 0)


@pytest.mark.parametrize("text", [TINY, HEARTS])
def test_a_perfect_decoder_breaks_nothing(text):
    found = FactorErrors(steps=20, batch_size=32).score(subject_of(text))
    assert found.value == 0
    for name, part in found.parts.items():
        if "true_" not in name:
            head, _, last = name.rpartition(".")
            assert part == found.parts[f"{head}.true_{last}" if head else f"true_{last}"]


def test_the_factor_that_a_decoder_breaks_is_named():
    # The grid's next place is about ten pixels to the right.
    shift = round(32 / 3)
    moved = Shown(lambda images: torch.roll(images, shift, dims=3))
    subject = subject_of(f"only(data={TINY}, where='index(pos_x) < 3')", model=moved)
    analysis = FactorErrors(steps=120, batch_size=32)
    parts = analysis.score(subject).parts
    assert parts["pos_x.true_accuracy"] > 0.95
    assert parts["pos_x.accuracy"] < 0.1
    assert parts["pos_x.steps"] == pytest.approx(1, abs=0.15)
    assert parts["pos_x.true_steps"] < 0.1
    for name in ("pos_y", "scale"):
        assert parts[f"{name}.true_accuracy"] - parts[f"{name}.accuracy"] < 0.15
    gone = dataclasses.replace(subject, model=Shown(torch.zeros_like))
    assert analysis.score(gone).value > 0.3


def test_reconstructions_that_are_no_numbers(answering):
    subject = subject_of(model=Shown(lambda images: images / 0))
    rows = subject.dataset.factors(subject.flat)
    answering(rows, rows)
    with pytest.raises(DataError, match="reconstructions of these images are not finite"):
        FactorErrors().score(subject)


def test_most_images_are_drawn_by_the_seed(answering):
    subject = subject_of()
    rows = subject.dataset.factors(subject.flat)
    few = FactorErrors(images=50)
    assert len(few.rows(subject)) == 50
    np.testing.assert_array_equal(few.rows(subject), few.rows(subject))
    other = dataclasses.replace(subject, seed=1)
    assert (few.rows(subject) != few.rows(other)).any()
    np.testing.assert_array_equal(FactorErrors().rows(subject), subject.flat)
    probe, _ = answering(rows[few.rows(subject)], rows[few.rows(subject)])
    assert few.score(subject).value == 0
    assert sum(len(each) for each in probe.seen[::2]) == 50


def test_progress_counts_images(answering):
    seen = []
    subject = subject_of(progress=lambda *told: seen.append(told))
    rows = subject.dataset.factors(subject.flat)
    answering(rows, rows)
    FactorErrors(images=300).score(subject)
    assert seen == [("factor errors", done, 300) for done in (128, 256, 300)]


@pytest.mark.parametrize("codes", ["mean", "sampled"])
def test_codes_are_means_or_keyed_samples(answering, codes):
    run = trained()
    dataset = run.dataset
    seen = []
    for _ in range(2):
        probe, _ = answering(*[dataset.factors(np.arange(len(dataset)))] * 2)
        FactorErrors().score(
            subject_of(
                model=run.model,
                objective=run.config.objective,
                setup=run.config.setup,
                codes=codes,
            )
        )
        seen.append(torch.cat(probe.seen[::2]))
    assert seen[0].equal(seen[1])
    means = run.decode(run.encode(dataset.images(np.arange(len(dataset))))[0])
    gap = np.abs(seen[0].permute(0, 2, 3, 1).numpy() - means).max()
    assert gap < 1e-5 if codes == "mean" else gap > 1e-3


@pytest.fixture
def quick(monkeypatch):
    """The protocol's probe is trained for two steps."""
    other = [each for each in protocols.ANALYSES["unweave"] if each.name != QUICK.name]
    monkeypatch.setitem(protocols.ANALYSES, "unweave", (*other, QUICK))


OBJECTIVES = [
    "vae", "autoencoder", "cvae(labels=(shape,))", "ifcvae(labels=(shape,))", "ada_gvae",
    "fully_supervised(images=90)", "factor_vae", "composer", "composer(reconstruct=True)",
]  # fmt: skip


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_runs_of_every_kind(objective):
    run = trained(objective)
    found = run.evaluate(("factor_errors",))["factor_errors"]
    assert found.samples == len(run.dataset)
    assert -1 <= found.value <= 1
    assert all(0 <= part <= 40 for part in found.parts.values())
    if run.model.conditions is None:  # which does not know the labels of a part
        held = run.evaluate(("factor_errors",), data=HEARTS)["factor_errors"]
        assert held.parts.keys() == found.parts.keys()
    # What a probe tells of true images is the model's in no part; a composer draws other targets.
    if "composer" not in objective:
        whole = trained().evaluate(("factor_errors",))["factor_errors"]
        for name, part in whole.parts.items():
            if "true_" in name:
                assert found.parts[name] == part


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("objective", ["ground_truth_decoder", "lie_group_vae"])
def test_a_decoder_alone_and_a_group(objective):
    found = trained(objective).evaluate(("factor_errors",), data=HEARTS)["factor_errors"]
    assert (found.samples, found.data) == (64, HEARTS)
    assert -1 <= found.value <= 1


@pytest.mark.parametrize("objective", ["composer", "composer(reconstruct=True)"])
def test_of_a_composer_images_are_compared_with_their_targets(answering, monkeypatch, objective):
    run, asked = trained(objective), []

    def steps(self, true, told):
        asked.append(true)
        return np.zeros(true.shape)

    monkeypatch.setattr(factor_errors.Alike, "steps", steps)
    probe, _ = answering(*[np.zeros((900, 5), np.int64)] * 2)
    FactorErrors().score(
        subject_of(
            model=run.model,
            parts=run.parts,
            objective=run.config.objective,
            setup=run.config.setup,
        )
    )
    decoded, targets = (torch.cat(probe.seen[which::2]) for which in (0, 1))
    assert decoded.shape == targets.shape
    assert len(targets) == 384
    dataset = run.dataset
    pixels, scale = dataset.gather(dataset.factor_space.ravel(asked[0]))
    assert to_images(pixels, scale, CPU).equal(targets)


@pytest.mark.parametrize("analysis", [QUICK, ReconstructionNLL(), TestLosses()], ids=str)
def test_a_network_without_weights_is_named(analysis):
    run = trained("ifcvae(labels=(shape,))")
    subject = subject_of(model=run.model, objective=run.config.objective, setup=run.config.setup)
    words = rf"{analysis.name} of ifcvae.* needs the label_encoder.* Train on from it with --init"
    with pytest.raises(DataError, match=words):
        analysis.rows(subject)
    with pytest.raises(DataError, match=words):
        analysis.score(subject)


def test_images_that_cannot_be_scored(answering):
    probe, asked = answering([], [])
    rng = np.random.default_rng(1)
    nameless = from_arrays(rng.integers(0, 255, (4, 64, 64, 1), np.uint8), name="factor-errors")
    with pytest.raises(DataError, match=r"factors of .* are not known"):
        QUICK.score(subject_of(dataset=nameless, flat=np.arange(4)))
    with pytest.raises(DataError, match=r"several values, but every factor of dsprites.* has one"):
        QUICK.score(subject_of("dsprites(grid=(1, 1, 1, 1, 1))"))
    with pytest.raises(DataError, match="0 to score"):
        QUICK.score(subject_of(flat=np.arange(0)))
    assert (asked, probe.seen) == ([], [])


@pytest.mark.usefixtures("quick")
def test_the_command_and_its_results():
    run = trained()
    data = ["--data", f"only(data={TINY}, where=\"shape == 'heart'\")"]
    result = cli("evaluate", run.folder, "--metrics", "factor_errors", *data, "--json")
    score = result.json["scores"]["factor_errors"]
    assert list(score["parts"])[:4] == [
        "accuracy", "true_accuracy", "shape.accuracy", "shape.true_accuracy",
    ]  # fmt: skip
    assert "shape.steps" not in score["parts"]
    assert score["units"]["pos_x.steps"] == "steps of the grid"
    said = cli("evaluate", run.folder, "--metrics", "factor_errors", *data)
    assert "pos_x.true_steps" in said.out
    table = cli("results", run.folder, "--metrics", "factor_errors.pos_x.accuracy")
    assert table.code == 0
    assert "pos_x.accuracy" in table.out
    wrong_part = cli("results", run.folder, "--metrics", "factor_errors.pos_x.accurac")
    paragraph(wrong_part, "pos_x.accuracy")


def test_the_order_is_that_of_the_seed():
    order = keyed_permutation(384, 0, "images whose codes are scored")[:50]
    np.testing.assert_array_equal(FactorErrors(images=50).rows(subject_of()), np.sort(order))
