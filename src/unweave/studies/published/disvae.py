"""The scripts of disentangling-vae that train or score many models."""

from __future__ import annotations

__all__ = ["disvae_studies"]

from collections.abc import Iterator
from typing import Final

from unweave.studies.published.base import PublishedStudy
from unweave.studies.spec import ScoreRequest

_SOURCE: Final = "the public code disentangling-vae, Dubois, Kastanos, Lines and Melman (2019)"

# Its words, in the order of its scripts.
_LOSSES: Final = ("betaH", "VAE", "factor", "btcvae", "betaB")
_DATASETS: Final = ("celeba", "dsprites", "chairs", "mnist")
_BEST: Final = ("best_celeba", "best_dsprites")
_SCORED: Final = ("btcvae", "betaH", "betaB", "factor", "VAE")
_ALPHAS: Final = (-5, -1, 0, 1, 5)

_TEST_LOSSES: Final = ScoreRequest(metrics=("test_losses",), protocol="disvae")


def disvae_studies() -> Iterator[PublishedStudy]:
    """The scripts train_all, train_mutual_info and metrics_all, made of presets.

    As published, train_all has all but one of its losses commented out. Here it has all five,
    which is what the published results have, and the two experiments `best_*` at its end.
    Fashion-MNIST has experiments, but is in no script.

    The script metrics_all scores five models that train_all trained, by MIG and AAM over all of
    dSprites, which takes hours a model. Studies share runs with others beside them, so that after
    train_all no model is trained again.

    The others are scored by test losses of the first 1,000 images, as the source does it; its logs
    have them divided by the number of batches.
    """
    yield PublishedStudy(
        name="disvae/train_all",
        about="Five losses on four datasets, and the two best experiments.",
        source=_SOURCE,
        axes=(
            tuple(
                {"preset": f"disvae/{experiment}"}
                for experiment in (*(f"{x}_{d}" for x in _LOSSES for d in _DATASETS), *_BEST)
            ),
        ),
        scores=(_TEST_LOSSES,),
    )
    yield PublishedStudy(
        name="disvae/train_mutual_info",
        about="Beta-TCVAE with five weights of the mutual information, on dSprites and CelebA.",
        source=_SOURCE,
        axes=(
            tuple(
                {"preset": f"disvae/btcvae_{dataset}_a{alpha}"}
                for dataset in ("dsprites", "celeba")
                for alpha in _ALPHAS
            ),
        ),
        scores=(_TEST_LOSSES,),
    )
    yield PublishedStudy(
        name="disvae/metrics_all",
        about="Five losses on dSprites, scored by MIG and AAM over all posteriors.",
        source=_SOURCE,
        axes=(tuple({"preset": f"disvae/{loss}_dsprites"} for loss in _SCORED),),
        scores=(ScoreRequest(metrics=("mig_sampled", "aam"), protocol="disvae"),),
    )
