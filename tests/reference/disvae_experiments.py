"""The experiments of disentangling-vae: its tables as published, resolved in its own way."""

from __future__ import annotations

from typing import Any

# What the command line takes when nothing is said. The losses of the experiments are named by
# their own names, since these are the source's words.
DEFAULTS: dict[str, Any] = {
    "dataset": "mnist",
    "loss": "betaB",
    "epochs": 100,
    "batch_size": 64,
    "lr": 5e-4,
    "latent_dim": 10,
    "seed": 1234,
    "rec_dist": "bernoulli",
    "reg_anneal": 10_000,
    "betaH_B": 4,
    "betaB_initC": 0,
    "betaB_finC": 25,
    "betaB_G": 100,
    "factor_G": 6,
    "lr_disc": 5e-5,
    "btcvae_A": 1,
    "btcvae_B": 6,
    "btcvae_G": 1,
}

COMMON_DATASET: dict[str, dict[str, Any]] = {
    "dsprites": {"epochs": 30},
    "chairs": {"epochs": 300},
    "celeba": {"epochs": 200},
    "mnist": {"epochs": 400},
    "fashion": {"epochs": 400},
}

COMMON_LOSS: dict[str, dict[str, Any]] = {
    "VAE": {"lr": 5e-4},
    "betaH": {"lr": 5e-4},
    "betaB": {"lr": 1e-3, "reg_anneal": 100_000},
    "factor": {"lr": 1e-4},
    "btcvae": {"lr": 5e-4},
}

SPECIFIC: dict[str, dict[str, Any]] = {
    "betaH_dsprites": {"betaH_B": 4},
    "betaH_celeba": {"betaH_B": 10},
    "betaH_chairs": {"betaH_B": 4},
    "betaB_dsprites": {"betaB_finC": 25},
    "betaB_celeba": {"betaB_finC": 50},
    "betaB_chairs": {"betaB_finC": 25},
    "factor_chairs": {"factor_G": 3.2, "lr_disc": 1e-5},
    "factor_dsprites": {"factor_G": 6.4, "lr_disc": 1e-4},
    "factor_celeba": {"factor_G": 6.4, "lr_disc": 1e-5},
    "btcvae_chairs": {"btcvae_B": 3.2},
    "btcvae_dsprites": {"btcvae_B": 6.4},
    "btcvae_celeba": {"btcvae_B": 6.4},
}

# Sections that are applied alone.
ALONE: dict[str, dict[str, Any]] = {
    "best_celeba": {
        "loss": "btcvae",
        "dataset": "celeba",
        "btcvae_A": -10,
        "btcvae_B": 20,
        "rec_dist": "laplace",
        "epochs": 200,
        "lr": 5e-4,
    },
    "best_dsprites": {
        "loss": "btcvae",
        "dataset": "dsprites",
        "btcvae_A": -5,
        "btcvae_B": 10,
        "epochs": 30,
        "lr": 5e-4,
    },
    "debug": {"epochs": 1, "reg_anneal": 0},
}

# The script that varies the mutual information's weight: an experiment, and a flag beside it.
ALPHA_GRID = {
    f"btcvae_{dataset}_a{alpha}": (f"btcvae_{dataset}", {"btcvae_A": alpha})
    for dataset in ("dsprites", "celeba")
    for alpha in (-5, -1, 0, 1, 5)
}

EXPERIMENTS = [
    *(f"{loss}_{dataset}" for loss in COMMON_LOSS for dataset in COMMON_DATASET),
    *ALONE,
    *ALPHA_GRID,
]


def resolve(experiment: str) -> dict[str, Any]:
    """Every option of an experiment: later layers win over earlier ones."""
    if experiment in ALPHA_GRID:
        parent, flags = ALPHA_GRID[experiment]
        return resolve(parent) | flags
    if experiment in ALONE:
        options = DEFAULTS | ALONE[experiment]
    else:
        loss, dataset = experiment.split("_")
        options = DEFAULTS | {"loss": loss, "dataset": dataset}
        options |= COMMON_DATASET[dataset] | COMMON_LOSS[loss] | SPECIFIC.get(experiment, {})
    if options["loss"] == "factor":
        options |= {name: 2 * options[name] for name in ("epochs", "batch_size")}
    return options


def regulariser(options: dict[str, Any], values: dict[str, float], step: int) -> float:
    """What the training loss adds to the reconstruction, from the terms' values, in nats."""

    def ramp(stop: float) -> float:
        length = options["reg_anneal"]
        return stop if length == 0 else min(stop * step / length, stop)

    loss = options["loss"]
    if loss == "VAE":
        return ramp(1) * values["kl"]
    if loss == "betaH":
        return ramp(1) * options["betaH_B"] * values["kl"]
    if loss == "betaB":
        assert options["betaB_initC"] == 0
        return options["betaB_G"] * abs(values["kl"] - ramp(options["betaB_finC"]))
    if loss == "factor":
        return values["kl"] + ramp(1) * options["factor_G"] * values["tc"]
    assert loss == "btcvae"
    return (
        options["btcvae_A"] * values["mi"]
        + options["btcvae_B"] * values["tc"]
        + ramp(1) * options["btcvae_G"] * values["dw_kl"]
    )
