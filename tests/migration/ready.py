"""What lies in a page's folder before its first command.

- `runs/mine`: a finished training of `beta_tcvae(beta=6)` on dsprites, 10 latents, with snapshots;
  `runs/other`: another seed of it.
- `codes.npz`: codes and factors, as `unweave score` takes them.
- `images/`, `images.npz`: images of one's own with factors, of which `factors.csv` is the table of
  the folder.
- Checkpoints as the old programs wrote them: `results/mine/` of disentangling-vae (`model.pt`,
  `model-0.pt`, `specs.json`, `train_losses.log`), `checkpoints/mine/last` of
  Disentanglement-PyTorch, `version_0/checkpoints/` of the Commutative Lie Group VAE (`model.pt`,
  `args.pt`) and `trained-model.pt` of disent-and-gen.
- `indices_and_labels.npz`: labels of a leaf-run of rPU-VAE for `DATASET`, as its code packs them.
"""

from __future__ import annotations

import argparse
import functools
import json
import shutil
from pathlib import Path

import numpy as np
import torch

from reference import disvae_checkpoint as disvae
from reference.other_checkpoints import LIE_ARGUMENTS, LieModel, dag, dpt, randomise
from reference.own_files import OWN
from session.runs import BATCH, cli, flags, folder_for_runs

__all__ = ["make_ready"]

DATASET = "dsprites(grid=(3, 3, 4, 8, 8))"
SPECS = {
    "batch_size": 64, "betaB_G": 100.0, "betaB_finC": 25.0, "betaB_initC": 0.0, "betaH_B": 4.0,
    "btcvae_A": 1.0, "btcvae_B": 6.4, "btcvae_G": 1.0, "checkpoint_every": 10,
    "dataset": "dsprites", "epochs": 30, "eval_batchsize": 1000, "experiment": "btcvae_dsprites",
    "factor_G": 6.0, "img_size": [1, 64, 64], "is_eval_only": False, "is_metrics": False,
    "latent_dim": 10, "log_level": "info", "loss": "btcvae", "lr": 0.0005, "lr_disc": 5e-05,
    "model_type": "Burgess", "name": "mine", "no_cuda": False, "no_progress_bar": True,
    "no_test": False, "rec_dist": "bernoulli", "reg_anneal": 10000.0, "seed": 1234,
}  # fmt: skip


def make_ready(folder: Path) -> None:
    """Fill the empty folder of a page."""
    for name, seed in (("mine", 0), ("other", 1)):
        shutil.copytree(_run(seed), folder / "runs" / name)
    rng = np.random.default_rng(0)
    factors = np.stack(np.unravel_index(np.arange(400), (4, 10, 10)), axis=1)
    codes = factors @ rng.normal(size=(3, 6)) + rng.normal(0, 0.3, (400, 6))
    np.savez(folder / "codes.npz", codes=codes, factors=factors)
    (folder / "images").mkdir()
    OWN["folder"](folder / "images", None)
    OWN["arrays"](folder, None)
    (folder / "own.npz").rename(folder / "images.npz")
    _old_checkpoints(folder)
    _packed_labels(folder / "indices_and_labels.npz")


@functools.cache
def _run(seed: int) -> Path:
    """A run that is shared; it must not be changed."""
    folder = folder_for_runs() / "mine"
    settings = {
        "steps": 24, "latents": 10, "seed": seed, "batch_size": BATCH, "threads": 1,
        "precision": "float32", "log_every": 4, "checkpoint_every": 10, "snapshot_every": 8,
    }  # fmt: skip
    given = flags(**settings)
    result = cli("train", DATASET, "beta_tcvae(beta=6)", *given, "--out", folder)
    assert result.code == 0, result.err
    return folder


def _old_checkpoints(folder: Path) -> None:
    place = folder / "results" / "mine"
    place.mkdir(parents=True)
    for name, seed in (("model.pt", 0), ("model-0.pt", 1)):
        state = disvae.weights(64, latents=10, seed=seed)
        (place / name).write_bytes(disvae.legacy_file(state))
    (place / "specs.json").write_text(json.dumps(SPECS, indent=4, sort_keys=True))
    (place / "train_losses.log").write_text(_losses())
    for path, value in {
        "checkpoints/mine/last": {
            "iter": 100,
            "model_states": {
                "G": randomise(dpt("simple_conv64", "simple_conv64", latents=8)).state_dict()
            },
        },
        "version_0/checkpoints/model.pt": randomise(LieModel()).state_dict(),
        "version_0/checkpoints/args.pt": argparse.Namespace(**LIE_ARGUMENTS),
        "trained-model.pt": randomise(dag("kim")).state_dict(),
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        torch.save(value, folder / path)


def _packed_labels(path: Path) -> None:
    """Noisy positions as labels of all images, and shapes as those of a cell of them."""
    sizes = (3, 3, 4, 8, 8)
    factors = np.stack(np.unravel_index(np.arange(np.prod(sizes)), sizes), axis=1)
    noise = np.random.default_rng(0).normal(0, 0.1, factors.shape)
    cell = np.flatnonzero((factors[:, 3] == 2) & (factors[:, 4] < 4))
    labels = factors + noise
    np.savez(
        path, labels_0=labels[:, 3:], indices_0=cell, labels_1=labels[cell, :1],
        indices_1=np.zeros(1),
    )  # fmt: skip


def _losses() -> str:
    """A log of two epochs in the old order of rows."""
    names = ["recon_loss", "loss", "mi_loss", "tc_loss", "dw_kl_loss", "kl_loss"]
    names += [f"kl_loss_{latent}" for latent in range(10)]
    rows = [
        f"{epoch},{name},{100 / (1 + epoch) + place}"
        for epoch in range(2)
        for place, name in enumerate(names)
    ]
    return "\n".join(["Epoch,Loss,Value", *rows]) + "\n"
