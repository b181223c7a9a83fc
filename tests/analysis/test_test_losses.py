"""Test losses against slow NumPy, against published logs, and against what they must satisfy."""

from __future__ import annotations

import dataclasses
from typing import ClassVar

import numpy as np
import pytest
import torch

import unweave
from nn.published import published_losses, published_model
from reference import losses_reference
from reference import objectives_reference as definitions
from unweave.analysis import Subject, TestLosses
from unweave.data.render import sprites
from unweave.errors import DataError, SpecError
from unweave.likelihoods import Bernoulli
from unweave.nn import Burgess, LatentDiscriminator
from unweave.nn.initialise import construct
from unweave.objectives import Needs, Objective, Setup, Step, Term, parse_objective
from unweave.randomness import Streams, derive
from unweave.splits import keyed_permutation
from unweave.vae import VAE

SMALL = "dsprites(grid=(3, 1, 1, 4, 4))"
IMAGES, LATENTS, TRAINED, SEED = 48, 3, 40, 3

# Each objective with the weights of its parts after all schedules, and how it decomposes the KL.
# The KL of annealed_vae is weighted by the distance to a capacity, which `total` knows.
OBJECTIVES = {
    "vae(kl=linear(start=0, stop=1, steps=10000))": ({"kl": 1}, None),
    "beta_vae(beta=linear(start=0, stop=4, steps=10))": ({"kl": 4}, None),
    "annealed_vae(gamma=100, capacity=linear(start=0, stop=25, steps=100000))": ({}, None),
    "factor_vae(gamma=6.4)": ({"kl": 1, "tc": 6.4}, None),
    "beta_tcvae(alpha=2, beta=6.4, gamma=linear(start=0, stop=0.5, steps=9))": (
        {"mi": 2, "tc": 6.4, "dw_kl": 0.5}, {"estimator": "batch"},
    ),
    "beta_tcvae(estimator=weighted)": (
        {"mi": 1, "tc": 6, "dw_kl": 1}, {"estimator": "weighted"},
    ),
    "beta_tcvae(estimator=stratified)": ({"mi": 1, "tc": 6, "dw_kl": 1}, {}),
    "beta_tcvae(estimator=stratified, compat=disvae)": (
        {"mi": 1, "tc": 6, "dw_kl": 1}, {"compat": "disvae"},
    ),
    "vae + total_correlation(weight=5)": ({"kl": 1, "tc": 5}, {"estimator": "batch"}),
}  # fmt: skip
every_objective = pytest.mark.parametrize("text", OBJECTIVES)


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """Batches of a few images are slower with more."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def model():
    """A model whose posteriors lie apart and overlap, so that no estimate is trivial."""
    generator = torch.Generator().manual_seed(5)
    made = VAE.create(Burgess(), (64, 64, 1), LATENTS, Bernoulli(), generator)
    with torch.no_grad():
        made.head.weight[:LATENTS] *= 10
    return made.eval()


@pytest.fixture(scope="module")
def discriminator():
    generator = torch.Generator().manual_seed(6)
    return construct(lambda: LatentDiscriminator(LATENTS), generator).eval()


@pytest.fixture(scope="module")
def subject(model, discriminator):
    """48 images, of which 40 are said to have been trained on."""
    return Subject(
        model=model,
        parts={"discriminator": discriminator},
        objective=parse_objective("vae"),
        setup=Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=LATENTS),
        dataset=unweave.load_dataset(SMALL),
        flat=np.arange(IMAGES),
        num_train=TRAINED,
        trained_on=unweave.load_dataset(SMALL).spec,
        trained=lambda most: pytest.fail("test losses need no codes"),
        seed=SEED,
    )


def asked(subject, text, **changes):
    return dataclasses.replace(subject, objective=parse_objective(text), **changes)


@dataclasses.dataclass
class Codes:
    """What the model makes of every image of the dataset, in double precision."""

    mean: np.ndarray
    logvar: np.ndarray
    z: np.ndarray
    recon: np.ndarray


@torch.no_grad()
def codes_of(subject, noise=0.0) -> Codes:
    images = subject.dataset.images(np.arange(IMAGES)) / 255
    pixels = torch.tensor(images, dtype=torch.float32).permute(0, 3, 1, 2)
    mean, logvar = subject.model.head(subject.model.trunk(pixels)).split(LATENTS, dim=1)
    z = mean + torch.exp(logvar / 2) * noise
    recon = definitions.bernoulli(subject.model.decoder(z).numpy(), pixels.numpy())
    return Codes(*(array.double().numpy() for array in (mean, logvar, z)), recon)


@pytest.fixture(scope="module")
def at_means(subject):
    return codes_of(subject)


def expected(text, subject, codes, batches, dataset_size=TRAINED, compat="none"):
    """The parts by their definitions."""
    weights, settings = OBJECTIVES[text]
    rows = np.concatenate(batches)
    parts = {
        "recon": codes.recon[rows].mean(),
        "kl": definitions.kl(codes.mean[rows], codes.logvar[rows]),
    }
    if settings is not None:
        settings = {"compat": "disvae"} if compat == "disvae" else settings
        arrays = (codes.mean, codes.logvar, codes.z)
        found = losses_reference.decomposed(*arrays, batches, dataset_size, **settings)
        named = dict(zip(("mi", "tc", "dw_kl"), found, strict=True))
        parts |= {name: named[name] for name in weights if name in named}
    elif "tc" in weights:
        network = subject.parts["discriminator"]
        parts["tc"] = losses_reference.discriminated(network.layers, codes.z[rows])
    return {"loss": total(text, parts), **parts}


def total(text, parts):
    """The loss of some parts, by the identity of the objective."""
    if "annealed_vae" in text:
        return parts["recon"] + 100 * abs(parts["kl"] - 25)
    return parts["recon"] + sum(w * parts[name] for name, w in OBJECTIVES[text][0].items())


def shuffled(most, count=IMAGES):
    return losses_reference.divide(keyed_permutation(count, SEED, "test losses"), most)


@every_objective
def test_every_part_over_all_images_is_that_of_its_definition(subject, at_means, text):
    batches = shuffled(11)
    assert sorted(map(len, batches)) == [9, 9, 10, 10, 10]
    found = TestLosses(batch_size=11).score(asked(subject, text))
    assert found.parts == pytest.approx(expected(text, subject, at_means, batches), rel=1e-4)
    assert found.value == found.parts["loss"]
    assert found.unit == "nats an image"
    assert found.matrix is None


@every_objective
def test_every_part_of_the_published_evaluation(subject, at_means, text):
    # One batch in file order; half of it for a method that needs two batches.
    rows = np.arange(IMAGES // 2 if "factor_vae" in text else IMAGES)
    found = TestLosses(compat="disvae").score(asked(subject, text))
    hand = expected(text, subject, at_means, [rows], dataset_size=IMAGES, compat="disvae")
    assert found.parts == pytest.approx(hand, rel=1e-4)
    assert len(TestLosses(compat="disvae").rows(asked(subject, text))) == len(rows)


@pytest.mark.parametrize("compat", ["none", "disvae"])
@every_objective
def test_the_loss_is_the_weighted_sum_of_its_parts(subject, text, compat):
    parts = TestLosses(compat=compat).score(asked(subject, text)).parts
    assert parts["loss"] == pytest.approx(total(text, parts), rel=1e-9)
    if {"mi", "tc", "dw_kl"} <= parts.keys():
        # At the means the one-sample estimate of the KL is short of the analytic one by this.
        short = 0.5 * np.mean(np.sum(1 - np.exp(codes_of(subject).logvar), axis=1))
        assert parts["mi"] + parts["tc"] + parts["dw_kl"] == pytest.approx(
            parts["kl"] + short, rel=1e-4
        )


@pytest.mark.parametrize("text", ["vae + total_correlation(weight=5)", "factor_vae(gamma=6.4)"])
def test_sampled_codes_are_keyed_samples(subject, text):
    batches = shuffled(11)
    noise = torch.empty(IMAGES, LATENTS)
    for k, rows in enumerate(batches, start=1):
        streams = Streams(derive(SEED, "test losses"), k, torch.device("cpu"))
        noise[rows] = streams.normal("posterior", len(rows), LATENTS)
    hand = expected(text, subject, codes_of(subject, noise), batches)
    losses = TestLosses(batch_size=11)
    found = losses.score(asked(subject, text, codes="sampled"))
    assert found.parts == pytest.approx(hand, rel=1e-4)
    assert losses.score(asked(subject, text, codes="sampled")) == found
    other = losses.score(asked(subject, text, codes="sampled", seed=SEED + 1))
    assert other.parts["recon"] != found.parts["recon"]
    means = losses.score(asked(subject, text))
    assert means.parts["kl"] == pytest.approx(found.parts["kl"], rel=1e-6)
    assert abs(means.parts["recon"] - found.parts["recon"]) > 1


@pytest.mark.parametrize("most", [2, 7, 47, 48])
def test_the_size_of_batches_changes_what_is_estimated_from_them_and_nothing_else(subject, most):
    asks = asked(subject, "beta_tcvae", num_train=10_000)
    found = TestLosses(batch_size=most).score(asks).parts
    whole = TestLosses().score(asks).parts
    for name in ("recon", "kl"):
        assert found[name] == pytest.approx(whole[name], rel=1e-6)
    if most < IMAGES:
        assert abs(found["mi"] - whole["mi"]) > 1e-3
    parts = TestLosses(batch_size=most).score(asked(subject, "annealed_vae")).parts
    assert parts["loss"] == pytest.approx(parts["recon"] + 100 * abs(parts["kl"] - 25), rel=1e-9)


def test_a_part_of_the_images(subject, at_means):
    rows = np.array([5, 44, 17, 40])
    found = TestLosses().score(dataclasses.replace(subject, flat=rows)).parts
    assert found["recon"] == pytest.approx(at_means.recon[rows].mean(), rel=1e-5)
    assert found["kl"] == pytest.approx(
        definitions.kl(at_means.mean[rows], at_means.logvar[rows]), rel=1e-5
    )


def test_batches_are_no_larger_than_the_training_set(subject, at_means):
    # Stratified sampling has no weights for more images in a batch than there are to train on.
    text = "vae + total_correlation(weight=5)"
    found = TestLosses().score(asked(subject, text, num_train=11)).parts
    hand = expected(text, subject, at_means, shuffled(11), dataset_size=11)
    assert found["tc"] == pytest.approx(hand["tc"], rel=1e-4)


def test_no_batch_is_too_small_to_compare_images(subject):
    # Five images in batches of two would leave one alone.
    asks = asked(subject, "beta_tcvae", flat=np.arange(5))
    assert np.isfinite(TestLosses(batch_size=2).score(asks).value)
    with pytest.raises(DataError, match=r"beta_tcvae compares images.* at least 2, .* are 1 "):
        TestLosses().score(asked(subject, "beta_tcvae", flat=np.arange(1)))
    with pytest.raises(DataError, match="at least 1, but there are 0"):
        TestLosses().score(asked(subject, "vae", flat=np.arange(0)))


@pytest.mark.parametrize("compat", ["none", "disvae"])
def test_without_a_discriminator_its_part_and_the_total_are_not_known(subject, compat):
    losses = TestLosses(compat=compat)
    whole = losses.score(asked(subject, "factor_vae"))
    found = losses.score(asked(subject, "factor_vae", parts={}))
    assert found.parts == {name: whole.parts[name] for name in ("recon", "kl")}
    assert found.value == found.parts["recon"] + found.parts["kl"]


def test_two_estimates_of_the_total_correlation(subject):
    parts = TestLosses().score(asked(subject, "beta_tcvae + factor_vae")).parts
    assert list(parts) == ["loss", "recon", "kl", "mi", "tc", "dw_kl", "density_ratio_tc"]
    one, other = (
        TestLosses().score(asked(subject, text)).parts["tc"]
        for text in ("beta_tcvae", "factor_vae")
    )
    assert parts["tc"] == pytest.approx(one, rel=1e-6)
    assert parts["density_ratio_tc"] == pytest.approx(other, rel=1e-6)


class Spread(Term):
    """A term of a user's own, of a unit of its own; its class has no name, so is no member."""

    unit: ClassVar[str] = "squared nats"

    def value(self, step: Step):
        return step.posterior.mean.square().sum(1).mean()

    def weigh(self, raw, step):
        return 2 * raw


@pytest.mark.parametrize(("name", "shown"), [("spread", "spread"), ("loss", "loss_term")])
def test_a_term_of_a_users_own(subject, at_means, name, shown):
    term = Spread()
    object.__setattr__(term, "name", name)
    objective = Objective((*subject.objective.items, term))
    found = TestLosses().score(dataclasses.replace(subject, objective=objective))
    assert list(found.parts) == ["loss", "recon", "kl", shown]
    hand = np.mean(np.sum(at_means.mean**2, axis=1))
    assert found.parts[shown] == pytest.approx(hand, rel=1e-5)
    assert found.units == {shown: "squared nats"}
    plain = TestLosses().score(subject).parts["loss"]
    assert found.value == pytest.approx(plain + 2 * hand, rel=1e-5)


class SecondPixels(Term):
    """The white pixels of a second batch; its class has no name, so is no member."""

    @property
    def needs(self):
        return Needs(second=True)

    def value(self, step: Step):
        assert step.batch.second.shape == step.batch.images.shape
        assert not torch.equal(step.batch.second, step.batch.images)
        return step.batch.second.sum((1, 2, 3)).mean()

    def weigh(self, raw, step):
        return raw


@pytest.mark.parametrize(
    ("losses", "rows"),
    [
        (TestLosses(batch_size=11), np.arange(IMAGES)),
        (TestLosses(compat="disvae"), np.arange(IMAGES // 2, IMAGES)),
    ],
    ids=str,
)
def test_a_second_batch_for_terms_that_ask_for_one(subject, losses, rows):
    term = SecondPixels()
    object.__setattr__(term, "name", "second_pixels")
    objective = Objective((*subject.objective.items, term))
    found = losses.score(dataclasses.replace(subject, objective=objective))
    white = (subject.dataset.images(rows) == 255).sum() / len(rows)
    assert found.parts["second_pixels"] == pytest.approx(white, rel=1e-6)


def test_scores_are_those_of_float32_whatever_the_run_trains_in(subject):
    before = TestLosses().score(subject)
    subject.model.autocast_dtype = torch.bfloat16
    try:
        assert TestLosses().score(subject) == before
        assert subject.model.autocast_dtype is torch.bfloat16
    finally:
        subject.model.autocast_dtype = None


def test_a_term_that_is_not_finite(subject, model):
    ruined = VAE.create(Burgess(), (64, 64, 1), LATENTS, Bernoulli(), torch.Generator()).eval()
    with torch.no_grad():
        ruined.head.bias[LATENTS:] = 1000
    with pytest.raises(DataError, match=r"test_losses: \w+ is not finite"):
        TestLosses().score(dataclasses.replace(subject, model=ruined))


def test_progress_counts_images(subject):
    seen = []
    asks = dataclasses.replace(subject, progress=lambda *told: seen.append(told))
    TestLosses(batch_size=20).score(asks)
    assert seen == [("test losses", done, 48) for done in (16, 32, 48)]


def test_what_the_published_evaluation_looked_at(subject):
    large = dataclasses.replace(subject, flat=np.arange(5000))
    published = TestLosses(compat="disvae")
    np.testing.assert_array_equal(published.rows(large), np.arange(1000))
    np.testing.assert_array_equal(published.rows(asked(large, "factor_vae")), np.arange(500))
    assert TestLosses().rows(large) is large.flat


@pytest.mark.parametrize(
    ("part", "codes", "words"),
    [("all", "sampled", "codes must be mean"), ("holdout", "mean", "part must be all")],
)
def test_what_the_published_evaluation_did_not_do(part, codes, words):
    TestLosses().check(part, codes)
    TestLosses(compat="disvae").check("all", "mean")
    with pytest.raises(SpecError, match=words) as caught:
        TestLosses(compat="disvae").check(part, codes)
    assert "published evaluation" in str(caught.value)


# Published weights and what their authors' code logged for them, times its 738 batches.

PUBLISHED = {
    "VAE_dsprites": (
        "vae(kl=linear(start=0, stop=1, steps=10000))",
        {"loss": 26.8387, "recon": 4.0519, "kl": 22.7868},
    ),
    "btcvae_dsprites": (
        "beta_tcvae(beta=6.4)",
        {
            "loss": -287.5181, "recon": 25.1998, "kl": 11.3796,
            "mi": 69.0832, "tc": -60.4813, "dw_kl": 5.2791,
        },
    ),
}  # fmt: skip


class Drawn:
    """dSprites without a store: the images that are asked for are drawn."""

    def __len__(self):
        return sprites.FACTOR_SPACE.size

    def gather(self, flat):
        return sprites.render(sprites.FACTOR_SPACE.unravel(flat))[..., None], 1.0


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_weights_have_their_published_losses(reference, name):
    folder = reference / "disentangling-vae" / name
    text, values = PUBLISHED[name]
    dataset = Drawn()
    published = Subject(
        model=published_model(folder, (64, 64, 1)),
        parts={},
        objective=parse_objective(text),
        setup=Setup(architecture=Burgess(), image_shape=(64, 64, 1), latents=10),
        dataset=dataset,
        flat=np.arange(len(dataset)),
        num_train=len(dataset),
        trained_on=unweave.data.parse_dataset("dsprites"),
        trained=lambda most: pytest.fail("test losses need no codes"),
    )
    found = TestLosses(compat="disvae").score(published)
    assert found.parts == pytest.approx(values, rel=1e-4)
    logged = published_losses(folder)
    for part, value in found.parts.items():
        assert value == pytest.approx(
            logged["loss" if part == "loss" else f"{part}_loss"], abs=1e-3
        )
