"""The scripts of Disentanglement-PyTorch: their flags, and the loss that they describe."""

from __future__ import annotations

from typing import Any

# What the command line takes when nothing is said, in the source's words.
DEFAULTS: dict[str, Any] = {
    "alg": None,
    "loss_terms": (),
    "controlled_capacity_increase": False,
    "dset_name": "mpi3d_realistic",
    "encoder": None,
    "include_labels": (),
    "batch_size": 64,
    "z_dim": 16,
    "seed": 123,
    "max_iter": 3e7,
    "beta1": 0.9,
    "beta2": 0.999,
    "lr_G": 1e-4,
    "lr_D": 1e-4,
    "num_layer_disc": 6,
    "size_layer_disc": 1000,
    "w_recon": 1.0,
    "w_kld": 1.0,
    "max_c": 25.0,
    "iterations_c": 100_000,
    "w_tc": 1.0,
    "w_dipvae": 1.0,
    "lambda_d_factor": 10.0,
    "lambda_od": 1.0,
    "w_le": 1.0,
    "w_aux": 1.0,
    "lr_scheduler_args": None,
    "evaluation_metric": (),
}

_SIMPLE = "SimpleGaussianConv64"
_PADLESS = "PadlessGaussianConv64"
_DSPRITES: dict[str, Any] = {"dset_name": "dsprites_full"}
_BETA: dict[str, Any] = {"alg": "BetaVAE"}
_CAPACITY: dict[str, Any] = {"controlled_capacity_increase": True}
_METRICS = ("mig", "sap_score", "irs", "factor_vae_metric", "dci")


def _plateau(factor: float, patience: int, min_lr: float) -> dict[str, Any]:
    args = {"mode": "min", "factor": factor, "patience": patience, "min_lr": min_lr}
    return {"lr_scheduler_args": args}


_BETA_TC: dict[str, Any] = (
    _BETA
    | _CAPACITY
    | _DSPRITES
    | {"loss_terms": ("BetaTCVAE",), "encoder": _PADLESS, "z_dim": 20, "w_tc": 2.0}
    | {"max_iter": 20_000, "iterations_c": 2000}
    | _plateau(0.8, 0, 1e-6)
)
_IFCVAE: dict[str, Any] = (
    {"alg": "IFCVAE", "encoder": _SIMPLE, "include_labels": (1,), "z_dim": 8, "w_kld": 5.0}
    | {"w_le": 1.0, "w_aux": 20.0, "lr_G": 1e-4}
    | _CAPACITY
    | _DSPRITES
)

# What each script gives.
FLAGS: dict[str, dict[str, Any]] = {
    "aicrowd_challenge": _BETA_TC
    | {"dset_name": "mpi3d_realistic", "lr_G": 1e-3, "max_iter": 90_000}
    | {"evaluation_metric": _METRICS}
    | _plateau(0.95, 1, 5e-5),
    "dsprite_BetaTCVAE": _BETA_TC,
    "dsprite_FactorBetaTCVAE": _BETA_TC | {"loss_terms": ("FactorVAE", "BetaTCVAE")},
    "dsprite_FactorVAE": _BETA
    | _CAPACITY
    | _DSPRITES
    | {"loss_terms": ("FactorVAE",), "encoder": _SIMPLE, "z_dim": 8, "w_tc": 1.0, "lr_G": 2e-3}
    | _plateau(0.8, 0, 1e-6),
    "dsprite_DIPVAEI": _BETA
    | _DSPRITES
    | {"loss_terms": ("DIPVAEI",), "encoder": _SIMPLE, "z_dim": 20, "lr_G": 5e-4},
    "dsprite_DIPVAEII": _BETA
    | _DSPRITES
    | {"loss_terms": ("DIPVAEII",), "encoder": _SIMPLE, "z_dim": 20, "lr_G": 5e-4},
    "dsprite_VAE": _BETA | _DSPRITES | {"encoder": _SIMPLE, "z_dim": 8},
    "dsprite_AE": _DSPRITES
    | {"alg": "AE", "encoder": "SimpleConv64", "z_dim": 8, "w_recon": 10_000.0},
    "dsprite_CVAE": _DSPRITES
    | _CAPACITY
    | {"alg": "CVAE", "encoder": _SIMPLE, "include_labels": (1,), "z_dim": 8}
    | {"w_kld": 5.0, "lr_G": 4e-4},
    "dsprite_IFCVAE": _IFCVAE,
    "dsprite_FactorIFCVAE": _IFCVAE | {"loss_terms": ("FactorVAE",), "w_tc": 1.0},
    "celebA_AE": {"alg": "AE", "dset_name": "celebA", "encoder": "SimpleConv64", "z_dim": 32},
    "celebA_VAE": {"alg": "VAE", "dset_name": "celebA", "encoder": _SIMPLE, "z_dim": 8}
    | {"w_recon": 10_000.0},
    "celebA_VAE2": {"alg": "VAE", "dset_name": "celebA", "encoder": _PADLESS, "z_dim": 20},
}

# The configuration of the published table: the paper's, and the rest from the script that matches
# it. The dataset is the one that each row is of, and the one that both went on from.
_TABLE1: dict[str, Any] = (
    _BETA
    | _CAPACITY
    | {"loss_terms": ("BetaTCVAE",), "encoder": _PADLESS, "z_dim": 20, "w_tc": 2.0}
    | {"max_iter": 90_000, "batch_size": 64, "lr_G": 1e-3, "max_c": 25.0, "iterations_c": 2000}
    | {"evaluation_metric": ("dci", "factor_vae_metric", "sap_score", "mig", "irs")}
    | _plateau(0.95, 1, 5e-5)
)
TABLE1: dict[str, dict[str, Any]] = {
    f"table1_{subset}": _TABLE1 | {"dset_name": f"mpi3d_{subset}"}
    for subset in ("toy", "realistic", "real")
}


def resolve(experiment: str) -> dict[str, Any]:
    """Every flag of an experiment."""
    return DEFAULTS | (FLAGS | TABLE1)[experiment]


def loss(options: dict[str, Any], values: dict[str, float], step: int) -> float:
    """What the model minimises.

    Args:
        options: Flags.
        values: `recon`, `kl`, `tc` by posteriors, `tc_factor` by a discriminator, `off` and `on`,
            the squared covariances and distances of variances from 1, `le` and `aux`, the
            cross-entropies of the two classifiers.
        step: How many steps have been taken before.
    """
    total = options["w_recon"] * values["recon"]
    if options["alg"] == "AE":
        return total
    kl = values["kl"]
    if options["controlled_capacity_increase"]:
        capacity = min(options["max_c"], options["max_c"] * step / options["iterations_c"])
        kl = abs(kl - capacity)
    total += options["w_kld"] * kl
    if "BetaTCVAE" in options["loss_terms"]:
        total += (options["w_tc"] - 1) * values["tc"]
    if "FactorVAE" in options["loss_terms"]:
        total += options["w_tc"] * values["tc_factor"]
    if {"DIPVAEI", "DIPVAEII"} & set(options["loss_terms"]):
        lambda_d = options["lambda_d_factor"] * options["lambda_od"]
        dip = options["lambda_od"] * values["off"] + lambda_d * values["on"]
        total += options["w_dipvae"] * dip
    if options["alg"] == "IFCVAE":
        total += options["w_le"] * values["le"] - options["w_aux"] * values["aux"]
    return total
