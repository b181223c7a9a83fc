"""The scripts of disent-and-gen: models trained without some combinations of factors."""

from __future__ import annotations

__all__ = ["dag_studies"]

from collections.abc import Iterator
from typing import Final

from unweave.presets import preset
from unweave.presets.dag import BASES, DECODERS_ALONE, LEFT_OUT, MODELS, dag_part
from unweave.studies.axes import Settings
from unweave.studies.published.base import PublishedStudy, requested
from unweave.studies.spec import ScoreRequest

_SOURCE: Final = (
    "Montero, Ludwig, Costa, Malhotra and Bowers (2021), ICLR 2021, OpenReview qbH974jKUVy"
)

# 500 rounds of ten steps.
_DECODER: Final = {
    "objective": "ground_truth_decoder",
    "steps": 5000,
    "batch_size": 64,
    "lr": 1e-3,
    "seed": 0,
}
_DECODERS: Final = {
    "dsprites": ("higgins", "burgess", "deep"),
    "shapes3d": ("higgins", "kim_bn", "deep_bn"),
    "mpi3d": ("deep_bn",),
}
# Not in the script.
_NO_DECODER: Final = ("leave1out", "deep")

# Rounds of 10,000 triplets, 156 steps each.
_COMPOSER: Final = {"latents": 10, "steps": 30 * 156, "batch_size": 64, "lr": 1e-4, "seed": 0}

_TEST_LOSSES: Final = ScoreRequest(metrics=("test_losses",))
_SCORES: Final = (ScoreRequest(metrics=("dci_lasso",), protocol="dag"), _TEST_LOSSES)


def dag_studies() -> Iterator[PublishedStudy]:
    """Models, decoders of true factors, and composers, on datasets with combinations left out.

    `dag/dsprites`, `dag/shapes3d` and `dag/mpi3d` train the VAE, beta-VAE and FactorVAE at two or
    three weights for each part that is left out, once each. DCI and test losses are those of the
    images that were trained on; the images that were left out are `only` with the same rule.
    Published numbers exist for dSprites and, without `shape2fhue`, for 3DShapes; MPI3D was
    configured, and no results of it are known. What differs, and what is doubtful, is said of the
    presets, `unweave.presets.dag`.

    `dag/*_decoders` train the decoder of true factors with every network that the script names, in
    lines that are commented out, too. Which of them was reported is not recorded; for dSprites it
    was most likely `higgins`. `dag/composition` has the runs of its script whose part can still be
    told: of the two that are not commented out, the one that leaves out rotations cannot.
    """
    for name, about in (
        ("dsprites", "three parts left out"),
        ("shapes3d", "four parts left out"),
        ("mpi3d", "five parts left out"),
    ):
        runs = [
            f"dag/{model}_{name}_{variant}"
            for variant in LEFT_OUT[name]
            if variant != DECODERS_ALONE
            for model in MODELS
        ]
        yield PublishedStudy(
            name=f"dag/{name}",
            about=f"Three beta-VAE and three FactorVAE on {BASES[name]} with {about}.",
            source=_SOURCE,
            axes=(tuple({"preset": run} for run in runs),),
            scores=requested(preset(runs[0]).scoring),
        )
    for name in BASES:
        yield PublishedStudy(
            name=f"dag/{name}_decoders",
            about=f"Decoders of true factors on {BASES[name]} with parts left out.",
            source=_SOURCE,
            settings=_DECODER,
            axes=(
                tuple(
                    {"dataset": dag_part(name, variant), "architecture": f"decoder_{network}"}
                    for variant in LEFT_OUT[name]
                    for network in _DECODERS[name]
                    if (variant, network) != _NO_DECODER
                ),
            ),
            scores=(_TEST_LOSSES,),
        )
    yield PublishedStudy(
        name="dag/composition",
        about="Images made of two others: one factor of the second put into the first.",
        source=_SOURCE,
        settings=_COMPOSER,
        axes=(tuple(_composers()),),
        scores=_SCORES,
    )


def _composers() -> Iterator[Settings]:
    """Four on all of dSprites, and one on each of two parts."""
    for dataset, network, beta in (
        ("dsprites", "higgins", 1),
        ("dsprites", "burgess_v2", 1),
        ("dsprites", "burgess_v2", 4),
        ("dsprites", "burgess_v2", 8),
        (dag_part("dsprites", "leave1out"), "burgess_v2", 1),
        (dag_part("dsprites", "shape2tx"), "burgess_v2", 1),
    ):
        objective = f"composer(operator=linear, beta={beta})"
        yield {"dataset": dataset, "objective": objective, "architecture": network}
