"""Reconstruction NLL against loops over pixels, closed forms, and what was published."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
import torch
from torch import nn

import unweave
from nn.published import published_model
from reference import reconstruction_reference
from unweave.analysis import ReconstructionNLL, Subject, TestLosses, reconstruction
from unweave.data.render import sprites
from unweave.errors import DataError
from unweave.likelihoods import Bernoulli, Gaussian, Laplace
from unweave.nn import Architecture, Burgess
from unweave.objectives import Setup, parse_objective
from unweave.randomness import Streams, derive
from unweave.spec import parse
from unweave.splits import keyed_generator

BINARY = "dsprites(grid=(3, 1, 2, 2, 1))"
GREY = "shapes3d(grid=(2, 1, 3, 1, 2, 1))"
IMAGES, LATENTS, SEED = 12, 6, 3
both = pytest.mark.parametrize("text", [BINARY, GREY])


@pytest.fixture(autouse=True)
def _small_batches(monkeypatch):
    """So that 12 images are several batches, the last of another size."""
    monkeypatch.setattr(reconstruction, "_BATCH", 5)


def subject_of(text, objective="vae", *, architecture=None, likelihood=None, **changes):
    """A model with drawn weights, whose reconstructions differ from image to image."""
    dataset = unweave.load_dataset(text)
    plan = parse_objective(objective).expand()
    own = plan.method.architecture or Burgess()
    setup = Setup(
        architecture=parse(architecture, Architecture) if architecture else own,
        image_shape=dataset.image_shape,
        latents=LATENTS,
        factors=dataset.factor_space,
        whole=dataset.spec.whole_space,
    )
    if not plan.encodes:
        setup = dataclasses.replace(setup, latents=plan.method.given(setup.whole).width)
    made = (torch.Generator().manual_seed(seed) for seed in (5, 6))
    model = plan.make_model(setup, likelihood or Bernoulli(), next(made)).eval()
    with torch.no_grad():
        for layer in [each for each in model.modules() if isinstance(each, nn.Linear)][-6:]:
            layer.weight *= 3
    return Subject(
        model=model,
        parts={name: part.eval() for name, part in plan.make_parts(setup, next(made)).items()},
        objective=parse_objective(objective),
        setup=setup,
        dataset=dataset,
        flat=np.arange(len(dataset)),
        num_train=len(dataset),
        trained_on=dataset.spec,
        trained=lambda most: pytest.fail("reconstructions need no codes of training"),
        seed=SEED,
        **changes,
    )


def pixels_of(subject, rows=None):
    """Images as a model takes them, (N, C, H, W)."""
    rows = subject.flat if rows is None else rows
    images = subject.dataset.images(rows).astype(np.float64) / 255
    return torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2)


def parts_of(subject):
    return ReconstructionNLL().score(subject).parts


@torch.no_grad()
def expected(subject, logits, rows=None):
    """The parts by loops, of logits for some of the images."""
    images = subject.dataset.images(subject.flat if rows is None else rows)
    images = images.astype(np.float64).transpose(0, 3, 1, 2) / 255
    return reconstruction_reference.means(images, logits.double().numpy())


@torch.no_grad()
def plain_logits(model, pixels, noise=0.0):
    """Of the posterior means of a model without labels, layer by layer."""
    mean, logvar = model.head(model.trunk(pixels)).split(LATENTS, dim=1)
    return model.decoder(mean + torch.exp(logvar / 2) * noise)


@both
def test_every_part_is_that_of_its_definition(text):
    subject = subject_of(text)
    found = ReconstructionNLL().score(subject)
    hand = expected(subject, plain_logits(subject.model, pixels_of(subject)))
    assert found.parts == pytest.approx(hand, rel=1e-5)
    assert found.value == found.parts["excess"]
    assert (found.unit, found.units["psnr"], found.units["mse"]) == ("nats an image", "dB", "")
    assert found.parts["excess_se"] > 0
    if text == BINARY:
        assert found.parts["floor"] == 0
        assert found.parts["excess"] == found.parts["nll"]
    else:
        # Most of what is not known of a grey image is its own entropy.
        assert found.parts["floor"] > 1000


@both
def test_a_sample_of_each_posterior(text):
    subject = subject_of(text, codes="sampled")
    noise = torch.cat(
        [
            Streams(derive(SEED, "reconstruction"), k, torch.device("cpu")).normal(
                "posterior", count, LATENTS
            )
            for k, count in ((1, 5), (2, 5), (3, 2))
        ]
    )
    hand = expected(subject, plain_logits(subject.model, pixels_of(subject), noise))
    assert parts_of(subject) == pytest.approx(hand, rel=1e-5)
    assert parts_of(subject) == parts_of(subject)
    means = parts_of(dataclasses.replace(subject, codes="mean"))
    other = parts_of(dataclasses.replace(subject, seed=SEED + 1))
    assert len({each["excess"] for each in (hand, means, other)}) == 3
    assert means["floor"] == other["floor"]


class Known(nn.Module):
    """A decoder that knows what to draw for each code."""

    def __init__(self, codes, logits):
        super().__init__()
        self.register_buffer("codes", codes)
        self.register_buffer("logits", logits)
        self.weight = nn.Parameter(torch.zeros(1))

    def forward(self, z):
        return self.logits[torch.cdist(z, self.codes).argmin(dim=1)]


def knowing(text, draw):
    """A decoder alone with known logits, of pixels in double precision."""
    subject = subject_of(text, "ground_truth_decoder")
    codes = torch.from_numpy(subject.model.given.of(subject.dataset)(subject.flat))
    pixels = pixels_of(subject).double()
    subject.model.decoder = Known(codes, draw(pixels))
    return subject, pixels


@both
def test_nothing_is_above_the_floor_where_expected_pixels_are_the_image(text):
    subject, pixels = knowing(text, lambda x: torch.logit(x).clamp(-40, 40))
    parts = parts_of(subject)
    assert 0 <= parts["excess"] < 1e-6
    assert parts["nll"] == pytest.approx(parts["floor"], abs=1e-6)
    x = pixels.numpy()
    with np.errstate(divide="ignore", invalid="ignore"):
        entropy = -np.nan_to_num(x * np.log(x)) - np.nan_to_num((1 - x) * np.log(1 - x))
    # A grey pixel is rounded to single precision before anything sees it.
    assert parts["floor"] == pytest.approx(entropy.sum() / IMAGES, rel=1e-6, abs=1e-12)
    assert parts["squared_error"] < 1e-8
    assert parts.get("psnr", math.inf) > 120


@both
def test_of_a_decoder_that_knows_nothing_it_is_a_bit_a_pixel(text):
    subject, pixels = knowing(text, torch.zeros_like)
    parts = parts_of(subject)
    assert parts["nll"] == pytest.approx(pixels[0].numel() * math.log(2), rel=1e-12)
    mse = float((pixels - 0.5).square().mean())
    assert parts["mse"] == pytest.approx(mse, rel=1e-6)
    assert parts["squared_error"] == pytest.approx(mse * pixels[0].numel(), rel=1e-6)
    assert parts["psnr"] == pytest.approx(-10 * math.log10(mse), rel=1e-6)


def test_certain_errors_cost_what_they_cost():
    """Probabilities of such logits are 0 and 1 in any precision."""
    subject, pixels = knowing(BINARY, lambda x: 800 * (1 - 2 * x))
    parts = parts_of(subject)
    assert parts["excess"] == pytest.approx(800 * pixels[0].numel(), rel=1e-12)
    assert parts["excess_se"] == pytest.approx(0, abs=1e-6)
    assert parts["mse"] == 1
    assert parts["psnr"] == pytest.approx(0, abs=1e-12)
    right, _ = knowing(BINARY, lambda x: 800 * (2 * x - 1))
    parts = parts_of(right)
    assert parts["nll"] == parts["mse"] == 0
    assert "psnr" not in parts


@pytest.mark.parametrize("likelihood", [Gaussian(), Gaussian(variance=0.5), Laplace()])
def test_the_likelihood_of_the_training_makes_no_difference(likelihood):
    assert parts_of(subject_of(GREY, likelihood=likelihood)) == parts_of(subject_of(GREY))


@pytest.mark.parametrize(
    "objective",
    ["ada_gvae", "ada_mlvae", "mlvae_labels", "slow_vae", "beta_tcvae", "factor_vae",
     "annealed_vae(gamma=100, capacity=linear(start=0, stop=25, steps=10))"],
)  # fmt: skip
def test_each_image_is_reconstructed_by_itself(objective):
    # As many latents as mlvae_labels has factors; the weights are those of the same draw.
    assert parts_of(subject_of(BINARY, objective)) == parts_of(subject_of(BINARY))


@pytest.mark.parametrize("objective", ["vae", "cvae(labels=(shape,))", "ground_truth_decoder"])
@both
def test_it_is_the_reconstruction_term_of_the_test_losses(text, objective):
    subject = subject_of(text, objective)
    recon = TestLosses().score(subject).parts["recon"]
    assert parts_of(subject)["nll"] == pytest.approx(recon, rel=1e-6)


@pytest.mark.parametrize("objective", ["cvae(labels=(shape,))", "ifcvae(labels=(shape,))"])
def test_a_conditional_model_is_told_labels(objective):
    subject = subject_of(BINARY, objective)
    model, pixels = subject.model, pixels_of(subject)
    labels = subject.dataset.factors(subject.flat)[:, 0]
    told = torch.from_numpy(np.eye(3, dtype=np.float32)[labels])
    with torch.no_grad():
        if "ifcvae" in objective:
            predicted = subject.parts["label_encoder"](pixels).softmax(dim=1)
            posterior, seen = model.encode(pixels), predicted
        else:
            posterior, seen = model.encode(pixels, told), told
        logits = model.decoder(torch.cat([posterior.mean, seen], dim=1))
    assert parts_of(subject) == pytest.approx(expected(subject, logits), rel=1e-5)


def test_elements_of_a_group_are_decoded():
    subject = subject_of(
        BINARY, "lie_group_vae", architecture=f"lie_group(sizes=(9,), latents=({LATENTS},))"
    )
    with torch.no_grad():
        logits = subject.model.decode(subject.model.encode(pixels_of(subject)).mean)
    assert parts_of(subject) == pytest.approx(expected(subject, logits), rel=1e-5)


@pytest.mark.parametrize("settings", ["", "reconstruct=True, ", "operator=fixint, "])
def test_a_composer_is_judged_by_what_it_composes(settings):
    objective = f"composer({settings}sampler=composition(factors=(shape, orientation, pos_x)))"
    subject = subject_of(BINARY, objective)
    model, operator = subject.model, subject.parts["operator"]
    sampler = subject.objective.expand().method.sampler
    drawn = np.concatenate(
        [
            sampler.draw(subject.pool, count, keyed_generator(SEED, "scored draws", index))
            for index, count in enumerate((5, 5, 2))
        ]
    )
    actions = np.eye(5, dtype=np.float32)[sampler.actions(subject.dataset, drawn)]
    with torch.no_grad():
        codes = [model.encode(pixels_of(subject, rows)).mean for rows in drawn.T[:2]]
        logits = model.decoder(operator(*codes, torch.from_numpy(actions)))
    hand = expected(subject, logits, drawn[:, 2])
    assert parts_of(subject) == pytest.approx(hand, rel=1e-5)


@pytest.mark.parametrize(
    ("objective", "part"),
    [("composer(sampler=composition(factors=(shape,)))", "operator"),
     ("ifcvae(labels=(shape,))", "label_encoder")],
)  # fmt: skip
def test_a_network_that_is_missing_is_named(objective, part):
    subject = dataclasses.replace(subject_of(BINARY, objective), parts={})
    with pytest.raises(DataError, match=f"needs the {part}, and the run has no weights"):
        ReconstructionNLL().score(subject)


def test_a_part_of_the_images():
    subject = subject_of(GREY)
    rows = np.array([7, 2, 11])
    part = dataclasses.replace(subject, flat=rows)
    hand = expected(part, plain_logits(subject.model, pixels_of(part)))
    assert parts_of(part) == pytest.approx(hand, rel=1e-5)
    alone = parts_of(dataclasses.replace(subject, flat=rows[:1]))
    assert "excess_se" not in alone
    assert np.isfinite(alone["psnr"])
    with pytest.raises(DataError, match="at least one image, but there are 0"):
        parts_of(dataclasses.replace(subject, flat=rows[:0]))


def test_the_size_of_batches_changes_nothing(monkeypatch):
    subject = subject_of(GREY)
    small = parts_of(subject)
    monkeypatch.setattr(reconstruction, "_BATCH", 128)
    assert parts_of(subject) == pytest.approx(small, rel=1e-6)


def test_errors_that_are_not_finite_are_told():
    subject = subject_of(BINARY)
    with torch.no_grad():
        subject.model.head.bias += math.nan
    with pytest.raises(DataError, match="reconstruction_nll: excess is not finite"):
        ReconstructionNLL().score(subject)


def test_scores_are_those_of_float32_whatever_the_run_trains_in():
    subject = subject_of(BINARY)
    before = parts_of(subject)
    subject.model.autocast_dtype = torch.bfloat16
    assert parts_of(subject) == before
    assert subject.model.autocast_dtype is torch.bfloat16


def test_progress_counts_images():
    seen = []
    parts_of(subject_of(BINARY, progress=lambda *told: seen.append(told)))
    assert seen == [("reconstructing", done, IMAGES) for done in (5, 10, 12)]


class Drawn:
    """dSprites without a store: the images that are asked for are drawn."""

    def __len__(self):
        return sprites.FACTOR_SPACE.size

    def gather(self, flat):
        return sprites.render(sprites.FACTOR_SPACE.unravel(flat))[..., None], 1.0


def test_published_weights_reconstruct_as_published(reference):
    """The log of disentangling-vae has 4.0519 / 738 of the first 1,000 images."""
    subject = Subject(
        model=published_model(reference / "disentangling-vae" / "VAE_dsprites", (64, 64, 1)),
        parts={},
        objective=parse_objective("vae"),
        setup=Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=10),
        dataset=Drawn(),
        flat=np.arange(1000),
        num_train=737_280,
        trained_on=unweave.load_dataset(BINARY).spec,
        trained=lambda most: pytest.fail("reconstructions need no codes of training"),
    )
    parts = parts_of(subject)
    assert parts["nll"] == pytest.approx(4.0519, abs=1e-3)
    assert parts["floor"] == 0
