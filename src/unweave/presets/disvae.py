"""The experiments of disentangling-vae."""

from __future__ import annotations

__all__ = ["disvae_presets"]

from collections.abc import Iterator
from typing import Any

from unweave.presets.base import Preset

# The source's word for a dataset: ours, and epochs.
_DATASETS = {
    "mnist": ("mnist", 400),
    "fashion": ("fashion_mnist", 400),
    "dsprites": ("dsprites", 30),
    "celeba": ("celeba", 200),
    "chairs": ("chairs3d", 300),
}
# The source's word for a loss: learning rate.
_LOSSES = {"VAE": 5e-4, "betaH": 5e-4, "betaB": 1e-3, "factor": 1e-4, "btcvae": 5e-4}

# What the source sets for single datasets; the others take its general defaults.
_BETA = {"celeba": 10.0}
_CAPACITY = {"celeba": 50.0}
_FACTOR_GAMMA = {"dsprites": 6.4, "celeba": 6.4, "chairs": 3.2}
_DISCRIMINATOR_LR = {"dsprites": 1e-4, "celeba": 1e-5, "chairs": 1e-5}
_TC_BETA = {"dsprites": 6.4, "celeba": 6.4, "chairs": 3.2}

# Its sampling weights, defects and all.
_PUBLISHED = "estimator=stratified, compat=disvae"

# The study of the mutual information's weight.
_ALPHAS = (-5, -1, 0, 1, 5)


def disvae_presets() -> Iterator[Preset]:
    """Every experiment that the source names, and its study of the mutual information's weight.

    Batches have 64 images, models ten latents, and the seed is 1234. Where the source warms up, it
    does so over 10,000 steps: the KL of the VAE and beta-VAE, the total correlation of FactorVAE,
    the dimension-wise KL of beta-TCVAE; the capacity of the annealed VAE grows over 100,000.
    Beta-TCVAE has the source's sampling weights, `estimator=stratified, compat=disvae`.

    The published FactorVAE runs count a batch of 128, of which half is the second batch, and twice
    the epochs; that is the same number of steps.

    Source: the file `hyperparam.ini` and the scripts of the public code disentangling-vae (Dubois,
    Kastanos, Lines and Melman, 2019).
    """
    for loss in _LOSSES:
        for dataset in _DATASETS:
            yield _preset(f"{loss}_{dataset}", dataset, _objective(loss, dataset), _LOSSES[loss])
    yield _preset(
        "best_celeba", "celeba", _beta_tcvae(alpha=-10, beta=20), 5e-4, likelihood="laplace"
    )
    yield _preset("best_dsprites", "dsprites", _beta_tcvae(alpha=-5, beta=10), 5e-4)
    for dataset in ("dsprites", "celeba"):
        for alpha in _ALPHAS:
            objective = _beta_tcvae(alpha=alpha, beta=_TC_BETA[dataset])
            yield _preset(f"btcvae_{dataset}_a{alpha}", dataset, objective, _LOSSES["btcvae"])
    yield _preset(
        "debug",
        "mnist",
        "annealed_vae(gamma=100, capacity=25)",
        5e-4,
        length="one epoch",
        epochs=1,
    )


def _preset(
    experiment: str,
    dataset: str,
    objective: str,
    lr: float,
    *,
    length: str = "full length",
    **settings: Any,
) -> Preset:
    text, epochs = _DATASETS[dataset]
    common = {"epochs": epochs, "batch_size": 64, "latents": 10, "lr": lr, "seed": 1234}
    return Preset(
        name=f"disvae/{experiment}",
        about=f"The {experiment} experiment of disentangling-vae, at {length}.",
        dataset=text,
        objective=objective,
        settings=common | settings,
    )


def _objective(loss: str, dataset: str) -> str:
    if loss == "VAE":
        return f"vae(kl={_warm_up(1)})"
    if loss == "betaH":
        return f"beta_vae(beta={_warm_up(_BETA.get(dataset, 4))})"
    if loss == "betaB":
        capacity = _warm_up(_CAPACITY.get(dataset, 25), steps=100_000)
        return f"annealed_vae(gamma=100, capacity={capacity})"
    if loss == "factor":
        gamma = _warm_up(_FACTOR_GAMMA.get(dataset, 6))
        return f"factor_vae(gamma={gamma}, lr={_DISCRIMINATOR_LR.get(dataset, 5e-5):g})"
    return _beta_tcvae(alpha=1, beta=_TC_BETA.get(dataset, 6))


def _beta_tcvae(*, alpha: float, beta: float) -> str:
    return f"beta_tcvae(alpha={alpha:g}, beta={beta:g}, gamma={_warm_up(1)}, {_PUBLISHED})"


def _warm_up(stop: float, *, steps: int = 10_000) -> str:
    return f"linear(start=0, stop={stop:g}, steps={steps})"
