"""The scripts of Disentanglement-PyTorch, and the trainings behind its published table."""

from __future__ import annotations

__all__ = ["dpt_presets"]

from collections.abc import Iterator
from typing import Any

from unweave.presets.base import Preset, Scoring

# What its command line takes where a script says nothing; no script but three sets an end.
_DEFAULTS = {"steps": 30_000_000, "batch_size": 64, "lr": 1e-4, "seed": 123}

# As the challenge scored its entries.
_CHALLENGE = Scoring(
    protocol="dlib2019", metrics=("mig", "sap_score", "irs", "factor_vae_metric", "dci")
)

_SIMPLE = "simple_conv64"
_PADLESS = "padless_conv64"


def dpt_presets() -> Iterator[Preset]:
    """Each script under its name, and `table1_toy`, `table1_realistic` and `table1_real`.

    Most scripts train until they are stopped, after at most 30 million steps. `annealed_vae` has
    the weights of the scripts, where the distance from the capacity counts once (five times in
    `cvae` and `ifcvae`), and the capacity grows to 25 nats. The total correlation is added to the
    whole KL, with the script's weight less 1: the scripts' weight counts what the KL has of it
    already. `plateau` multiplies a learning rate by a factor when an epoch was not better than
    those before; its patience is counted in epochs.

    The published table (paper, Table 1) has two models, of `mpi3d(subset=realistic)` and of
    `mpi3d(subset=real)`, which both went on from one of `mpi3d(subset=toy)`. `table1_toy` is that
    one; the others name it in `after`, and start from its weights alone, without its optimiser,
    at step 1. All three have what the script `aicrowd_challenge` has. Scores are those of the
    dataset that each was trained on; no images are held out, in any of the scripts.

    What is repeated though it is a defect has `compat=dpt`: DIP-VAE-II adds one number, a mean of
    a few variances, to every entry of the covariance; IFCVAE maximises the error of its
    classifier, without a bound. The discriminator's Adam has decays of 0.9 and 0.999, as there.
    The weight of 10,000 on two reconstructions is left from a time when they were averages over
    pixels.

    What differs:

    - Trainings end after exactly so many steps; there, at the end of the epoch: 90,000 steps were
      93,600 or 97,200, and 20,000 were 23,040.
    - A ramp begins with its first step, and there with nought: it is one step later.
    - All losses are evaluated with the weights before the step. There, the discriminator of
      FactorVAE steps before the model's gradient is computed, through what it has become, which
      PyTorch has refused since.
    - IFCVAE's label encoder learns from true images alone; there, from decoded ones, too.
    - Plateaus compare the mean over an epoch; there, the sum is divided by one less than the
      number of batches. Comparisons come out the same.
    - MPI3D's toy and realistic subsets have 1,036,800 images in today's release, and had 460,800.
      There are 16,200 steps an epoch instead of 7,200, and so fewer decays; `path` takes a file of
      the earlier release.
    - Images of MPI3D were drawn at random, with replacement, and in the same way in each epoch, so
      that more than a third of them was never seen. Here each is seen once an epoch.

    Doubtful: the model of the toy subset was not published, nor how it was trained; its name has
    beta-TCVAE in it. Which script made the table cannot be proven, and what the paper means by
    unseen objects, on which it says that models were scored, is not said.

    Source: scripts and defaults of the public code disentanglement-pytorch (2019), and its paper,
    arXiv 1912.05184.
    """
    for name, (about, settings) in _scripts().items():
        scoring = (_CHALLENGE,) if name == "aicrowd_challenge" else ()
        yield _preset(name, about, settings, scoring=scoring)
    yield _preset(
        "table1_toy",
        "A model of MPI3D's toy subset, from which those of the published table went on; how it "
        "was trained is not published, and is taken from them.",
        _challenge("mpi3d"),
        scoring=(_CHALLENGE,),
    )
    for subset in ("realistic", "real"):
        yield _preset(
            f"table1_{subset}",
            f"The published table's model of MPI3D's {subset} subset.",
            _challenge(f"mpi3d(subset={subset})"),
            after="dpt/table1_toy",
            scoring=(_CHALLENGE,),
        )


def _preset(
    name: str,
    about: str,
    settings: dict[str, Any],
    *,
    after: str | None = None,
    scoring: tuple[Scoring, ...] = (),
) -> Preset:
    rest: dict[str, Any] = _DEFAULTS | settings
    if "optimizer" in settings:
        del rest["lr"]
    dataset, objective = rest.pop("dataset"), rest.pop("objective")
    return Preset(f"dpt/{name}", about, dataset, objective, rest, after=after, scoring=scoring)


def _scripts() -> dict[str, tuple[str, dict[str, Any]]]:
    """What each script sets, with a sentence on it."""
    beta_tc = _beta_tc()
    ifcvae = f"ifcvae(labels=(shape,), label=1, auxiliary=20, {_capacity(5)}, compat=dpt)"
    slow = _plateau(1e-4, factor=0.8, patience=0, stop=1e-6)
    dip = "off_diagonal=1, diagonal=10"
    return {
        "aicrowd_challenge": (
            "Beta-TCVAE with a capacity on MPI3D, as entered in the challenge of 2019.",
            _challenge("mpi3d(subset=realistic)"),
        ),
        "dsprite_BetaTCVAE": (
            "Beta-TCVAE with a capacity on dSprites.",
            _model("dsprites", beta_tc, _PADLESS, 20) | {"steps": 20_000} | slow,
        ),
        "dsprite_FactorBetaTCVAE": (
            "The total correlation by both of its estimates at once.",
            _model("dsprites", f"{beta_tc} + {_factor(2)}", _PADLESS, 20)
            | {"steps": 20_000}
            | slow,
        ),
        "dsprite_FactorVAE": (
            "FactorVAE with a capacity.",
            _model("dsprites", f"{_annealed()} + {_factor(1)}", _SIMPLE, 8)
            | _plateau(2e-3, factor=0.8, patience=0, stop=1e-6),
        ),
        "dsprite_DIPVAEI": (
            "DIP-VAE-I.",
            _model("dsprites", f"dip_vae_i({dip})", _SIMPLE, 20) | {"lr": 5e-4},
        ),
        "dsprite_DIPVAEII": (
            "DIP-VAE-II.",
            _model("dsprites", f"dip_vae_ii({dip}, compat=dpt)", _SIMPLE, 20) | {"lr": 5e-4},
        ),
        "dsprite_VAE": ("A plain VAE.", _model("dsprites", "vae", _SIMPLE, 8)),
        "dsprite_AE": (
            "An autoencoder without noise.",
            _model("dsprites", "autoencoder(weight=10000)", _SIMPLE, 8),
        ),
        "dsprite_CVAE": (
            "A conditional VAE that is told the shape.",
            _model("dsprites", f"cvae(labels=(shape,), {_capacity(5)})", _SIMPLE, 8)
            | {"lr": 4e-4},
        ),
        "dsprite_IFCVAE": (
            "An information-factorised conditional VAE of the shape; the script itself fails on "
            "an option that was removed.",
            _model("dsprites", ifcvae, _SIMPLE, 8),
        ),
        "dsprite_FactorIFCVAE": (
            "The same with the total correlation of FactorVAE.",
            _model("dsprites", f"{ifcvae} + {_factor(1)}", _SIMPLE, 8),
        ),
        "celebA_AE": (
            "An autoencoder of faces without noise.",
            _model("celeba", "autoencoder", _SIMPLE, 32),
        ),
        "celebA_VAE": (
            "A VAE of faces whose KL hardly counts.",
            _model("celeba", "reconstruction(weight=10000) + kl", _SIMPLE, 8),
        ),
        "celebA_VAE2": ("A plain VAE of faces.", _model("celeba", "vae", _PADLESS, 20)),
    }


def _challenge(dataset: str) -> dict[str, Any]:
    """The entry of the challenge, on one of its datasets."""
    return (
        _model(dataset, _beta_tc(), _PADLESS, 20)
        | {"steps": 90_000}
        | _plateau(1e-3, factor=0.95, patience=1, stop=5e-5)
    )


def _model(dataset: str, objective: str, architecture: str, latents: int) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "objective": objective,
        "architecture": architecture,
        "latents": latents,
    }


def _capacity(gamma: float, *, ramp: int = 100_000) -> str:
    """Weight and capacity of the KL, which grows to 25 nats."""
    return f"gamma={gamma:g}, capacity=linear(start=0, stop=25, steps={ramp})"


def _annealed(*, ramp: int = 100_000) -> str:
    return f"annealed_vae({_capacity(1, ramp=ramp)})"


def _beta_tc() -> str:
    return f"{_annealed(ramp=2000)} + total_correlation(weight=1)"


def _factor(weight: float) -> str:
    return f"density_ratio_tc(weight={weight:g}, lr=0.0001, beta1=0.9, beta2=0.999)"


def _plateau(start: float, *, factor: float, patience: int, stop: float) -> dict[str, Any]:
    """A learning rate that shrinks where the loss does not."""
    return {
        "optimizer": f"adam(lr=plateau(start={start:g}, factor={factor:g}, patience={patience}, "
        f"stop={stop:g}))"
    }
