"""The experiments of disentangling-vae, against its own tables and formulas."""

from __future__ import annotations

import pytest
import torch

from reference.disvae_experiments import EXPERIMENTS, regulariser, resolve
from unweave.presets import preset
from unweave.settings import make_config
from unweave.spec import to_dict

# The source's word for a dataset: ours, number of images, image shape.
DATASETS = {
    "mnist": ("mnist", 60_000, (32, 32, 1)),
    "fashion": ("fashion_mnist", 60_000, (32, 32, 1)),
    "dsprites": ("dsprites", 737_280, (64, 64, 1)),
    "celeba": ("celeba", 202_599, (64, 64, 3)),
    "chairs": ("chairs3d", 86_366, (64, 64, 1)),
}
METHODS = {
    "VAE": "vae",
    "betaH": "beta_vae",
    "betaB": "annealed_vae",
    "factor": "factor_vae",
    "btcvae": "beta_tcvae",
}
# The source's names for the terms' values: ours.
TERMS = {
    "kl": "kl",
    "mi": "mutual_information",
    "dw_kl": "dimension_kl",
    "tc": "total_correlation",
}


def config_of(experiment):
    chosen = preset(f"disvae/{experiment}")
    return make_config(chosen.dataset, chosen.objective, **chosen.settings)


every_experiment = pytest.mark.parametrize("experiment", EXPERIMENTS)


@every_experiment
def test_settings(experiment):
    options, config = resolve(experiment), config_of(experiment)
    name, images, shape = DATASETS[options["dataset"]]
    assert str(config.dataset) == name
    assert config.dataset.count == config.num_train == images
    assert config.dataset.image_shape == shape
    # Both are doubled for FactorVAE: half of its batch is the second batch.
    assert config.steps == -(-options["epochs"] * images // options["batch_size"])
    assert config.batch_size * (2 if options["loss"] == "factor" else 1) == options["batch_size"]
    assert (config.latents, config.seed) == (options["latent_dim"], options["seed"])
    assert to_dict(config.optimizer) == {
        "type": "adam",
        "lr": options["lr"],
        "beta1": 0.9,
        "beta2": 0.999,
        "eps": 1e-8,
        "weight_decay": 0.0,
        "amsgrad": False,
    }
    assert config.architecture.name == "burgess"
    assert str(config.likelihood) == options["rec_dist"]
    # Ours counts steps and guards against a crash; the source's counts epochs.
    assert config.checkpoint_every == 1000


@every_experiment
@pytest.mark.parametrize("step", [1, 2500, 10_000, 50_000, 100_000, 10**6])
@pytest.mark.parametrize("kl", [7.0, 70.0])
def test_the_loss_is_the_published_one_at_every_step(experiment, step, kl):
    options, config = resolve(experiment), config_of(experiment)
    assert config.objective.method_name == METHODS[options["loss"]]
    values = {"kl": kl, "mi": 5.25, "tc": 1.5, "dw_kl": 0.75}
    names = TERMS | ({"tc": "density_ratio_tc"} if options["loss"] == "factor" else {})
    given = {ours: torch.tensor(values[name], dtype=torch.float64) for name, ours in names.items()}
    terms = dict(config.objective.expand().terms)
    assert terms.pop("reconstruction").weigh(torch.tensor(3.0), step) == 3.0
    ours = sum(float(term.weigh(given[name], step)) for name, term in terms.items())
    assert ours == pytest.approx(regulariser(options, values, step), rel=1e-12)


@every_experiment
def test_what_only_some_losses_have(experiment):
    options, config = resolve(experiment), config_of(experiment)
    (method,) = config.objective.items
    if options["loss"] == "factor":
        (player,) = config.objective.expand().players
        adam = (player.optimizer.lr, player.optimizer.beta1, player.optimizer.beta2)
        assert adam == (options["lr_disc"], 0.5, 0.9)
    elif options["loss"] == "btcvae":
        assert (method.estimator, method.compat) == ("stratified", "disvae")


def test_the_tables_are_resolved_as_published():
    """Values that the source's own records of its runs state."""
    runs = {
        "factor_dsprites": {"epochs": 60, "batch_size": 128, "factor_G": 6.4, "lr_disc": 1e-4},
        "factor_mnist": {"epochs": 800, "batch_size": 128, "factor_G": 6, "lr_disc": 5e-5},
        "factor_chairs": {"epochs": 600, "factor_G": 3.2, "lr_disc": 1e-5},
        "factor_celeba": {"epochs": 400, "lr": 1e-4, "reg_anneal": 10_000},
        "betaB_celeba": {"betaB_finC": 50, "reg_anneal": 100_000, "lr": 1e-3, "epochs": 200},
        "betaH_fashion": {"betaH_B": 4, "epochs": 400, "batch_size": 64, "seed": 1234},
        "btcvae_mnist": {"btcvae_B": 6, "btcvae_A": 1, "btcvae_G": 1},
        "btcvae_celeba_a-5": {"btcvae_A": -5, "btcvae_B": 6.4, "epochs": 200},
        "debug": {"loss": "betaB", "dataset": "mnist", "epochs": 1, "reg_anneal": 0, "lr": 5e-4},
    }
    for experiment, stated in runs.items():
        options = resolve(experiment)
        assert {name: options[name] for name in stated} == stated
