"""Networks, likelihood, KL and decomposition against weights and losses that others published.

The numbers of `FIXTURES` were computed with the authors' own networks; the losses are in the log
files beside the weights. The first 1,000 images of dSprites are small squares that are not turned.
"""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nn.published import published_losses, published_model
from reference import objectives_reference
from unweave.data.render import sprites
from unweave.objectives import Batch, Objective, Step, parse_objective
from unweave.randomness import Streams
from unweave.vae import VAE

DSPRITES, MNIST = (64, 64, 1), (32, 32, 1)
IMAGES = 737_280

# Sum of the pixels of dec(0) and of dec(1, ..., 1), and the first three means and log variances of
# an image that is 0.5 everywhere.
FIXTURES = {
    "VAE_dsprites": (
        DSPRITES, 0.008, 70.500, (2.8622, 1.4798, -9.8237), (-10.0721, -11.2513, -9.4516),
    ),
    "btcvae_dsprites": (
        DSPRITES, 171.183, 83.832, (0.1442, -0.1011, -11.9940), (0.0319, -0.4213, 6.1195),
    ),
    "VAE_mnist": (
        MNIST, 134.458, 137.289, (1.1025, 1.0195, -0.7715), (-4.7483, -4.1589, -5.2829),
    ),
}  # fmt: skip


@pytest.fixture(scope="module")
def folder(reference):
    return reference / "disentangling-vae"


@pytest.fixture(scope="module")
def squares():
    """The first 1,000 images of dSprites, (1000, 1, 64, 64)."""
    images = sprites.render(sprites.FACTOR_SPACE.unravel(np.arange(1000)))
    return torch.tensor(images, dtype=torch.float32)[:, None]


@pytest.mark.parametrize("name", FIXTURES)
@torch.no_grad()
def test_published_weights_encode_and_decode_as_their_authors_code_did(folder, name):
    image_shape, sum_of_zero, sum_of_one, means, logvars = FIXTURES[name]
    model = published_model(folder / name, image_shape)
    decoded = torch.sigmoid(model.decode(torch.stack([torch.zeros(10), torch.ones(10)])))
    sums = decoded.flatten(1).sum(1)
    np.testing.assert_allclose(sums, [sum_of_zero, sum_of_one], rtol=1e-3, atol=6e-4)
    height, width, channels = image_shape
    posterior = model.encode(torch.full((1, channels, height, width), 0.5))
    np.testing.assert_allclose(posterior.mean[0, :3], means, rtol=1e-3)
    np.testing.assert_allclose(posterior.logvar[0, :3], logvars, rtol=1e-3)


def step_at_the_means(model: VAE, images: torch.Tensor) -> Step:
    """A step that decodes posterior means, as the published evaluation did."""
    posterior = model.encode(images)
    return Step(
        batch=Batch(images),
        posterior=posterior,
        z=posterior.mean,
        logits=model.decode(posterior.mean),
        target=images,
        model=model,
        parts={},
        global_step=10**9,
        dataset_size=IMAGES,
        streams=Streams(0, 1, torch.device("cpu")),
    )


def losses(objective: Objective, step: Step) -> dict[str, float]:
    _, raw, _ = objective.expand().losses(step)
    return {name: value.item() for name, value in raw.items()}


@torch.no_grad()
def test_a_published_vae_has_its_published_losses(folder, squares):
    path = folder / "VAE_dsprites"
    found = losses(
        parse_objective("vae"), step_at_the_means(published_model(path, DSPRITES), squares)
    )
    assert found["reconstruction"] == pytest.approx(4.0519, rel=1e-3)
    assert found["kl"] == pytest.approx(22.7868, rel=1e-3)
    logged = published_losses(path)
    assert found["reconstruction"] == pytest.approx(logged["recon_loss"], rel=1e-3)
    assert found["kl"] == pytest.approx(logged["kl_loss"], rel=1e-3)


@torch.no_grad()
def test_a_published_beta_tcvae_has_its_published_losses_with_their_defect(folder, squares):
    path = folder / "btcvae_dsprites"
    step = step_at_the_means(published_model(path, DSPRITES), squares)
    found = losses(parse_objective("beta_tcvae(estimator=stratified, compat=disvae)"), step)
    logged = published_losses(path)
    for ours, theirs, value in (
        ("reconstruction", "recon_loss", 25.1998),
        ("mutual_information", "mi_loss", 69.0832),
        ("total_correlation", "tc_loss", -60.4813),
        ("dimension_kl", "dw_kl_loss", 5.2791),
    ):
        assert found[ours] == pytest.approx(value, rel=1e-3)
        assert found[ours] == pytest.approx(logged[theirs], rel=1e-3)
    # Without the defect the information cannot exceed that of naming one image of all.
    right = losses(parse_objective("beta_tcvae(estimator=stratified)"), step)
    assert np.log(1000) < right["mutual_information"] <= np.log(IMAGES)
    assert sum(right.values()) == pytest.approx(sum(found.values()), rel=1e-5)
    # And on real codes, too, the estimate is that of the definition.
    few = step_at_the_means(step.model, squares[::25])
    found = list(losses(parse_objective("beta_tcvae(estimator=stratified)"), few).values())[1:]
    codes = (few.posterior.mean, few.posterior.logvar, few.z)
    expected = objectives_reference.decomposition(*(c.double().numpy() for c in codes), IMAGES)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
