"""The scripts of disent-and-gen: models trained without some combinations of factors."""

from __future__ import annotations

__all__ = ["dag_studies"]

from collections.abc import Iterator
from typing import Final

from unweave.conditions import HELD_OUT_DATA
from unweave.presets import preset
from unweave.presets.dag import BASES, DECODERS_ALONE, MODELS, VARIANTS, dag_part
from unweave.presets.dag_decoders import DECODER_RUNS
from unweave.studies.axes import Settings
from unweave.studies.published.base import PublishedStudy, requested
from unweave.studies.spec import ScoreRequest

_SOURCE: Final = (
    "Montero, Ludwig, Costa, Malhotra and Bowers (2021), ICLR 2021, OpenReview qbH974jKUVy"
)

# Rounds of 10,000 triplets, 156 steps each.
_COMPOSER: Final = {"latents": 10, "steps": 30 * 156, "batch_size": 64, "lr": 1e-4, "seed": 0}

_WHOLE: Final = "dsprites"
_BOTH: Final = tuple(
    ScoreRequest(metrics=("reconstruction_nll",), data=data) for data in (None, HELD_OUT_DATA)
)
"""Reconstructions of what was trained on, and of what was held out."""


def dag_studies() -> Iterator[PublishedStudy]:
    """Models, decoders of true factors, and composers, on datasets with combinations left out.

    `dag/dsprites`, `dag/shapes3d` and `dag/mpi3d` train the VAE, beta-VAE and FactorVAE at two or
    three weights for each part that is left out, once each. DCI is that of the images that were
    trained on; test losses and `reconstruction_nll`, whose `nll` is the published number, are
    theirs, and those of the images that were left out. Published numbers exist for dSprites and,
    without `shape2fhue`, for 3DShapes; MPI3D was configured, and no results of it are known. What
    differs, and what is doubtful, is said of the presets, `unweave.presets.dag`.

    `dag/*_decoders` train the decoder of true factors with every network that the script names, in
    lines that are commented out, too (`unweave.presets.dag_decoders`). `dag/composition` has the
    runs of its script whose part can still be told: of the two that are not commented out, the one
    that leaves out rotations cannot. `dag/composition_parts` are those of them that leave out a
    part, which are scored on triplets within it, too.
    """
    for name, about in (
        ("dsprites", "three parts left out"),
        ("shapes3d", "four parts left out"),
        ("mpi3d", "five parts left out"),
    ):
        runs = [
            f"dag/{model}_{name}_{variant}"
            for variant in VARIANTS[name]
            if variant != DECODERS_ALONE
            for model in MODELS
        ]
        yield PublishedStudy(
            name=f"dag/{name}",
            about=f"Three beta-VAE and three FactorVAE on {BASES[name]} with {about}.",
            source=_SOURCE,
            axes=(tuple({"preset": run} for run in runs),),
            scores=(*requested(preset(runs[0])), *_BOTH),
        )
    for name, trained in DECODER_RUNS.items():
        decoders = [f"dag/decoder_{network}_{name}_{variant}" for variant, network in trained]
        yield PublishedStudy(
            name=f"dag/{name}_decoders",
            about=f"Decoders of true factors on {BASES[name]} with parts left out.",
            source=_SOURCE,
            axes=(tuple({"preset": run} for run in decoders),),
            scores=(*requested(preset(decoders[0])), *_BOTH),
        )
    composers = tuple(_composers())
    about = "Images made of two others: one factor of the second put into the first"
    yield PublishedStudy(
        name="dag/composition",
        about=f"{about}.",
        source=_SOURCE,
        settings=_COMPOSER,
        axes=(composers,),
        scores=(*requested(preset("dag/composer_dsprites")), _BOTH[0]),
    )
    yield PublishedStudy(
        name="dag/composition_parts",
        about=f"{about}; the runs of dag/composition with a part left out.",
        source=_SOURCE,
        settings=_COMPOSER,
        axes=(tuple(run for run in composers if run["dataset"] != _WHOLE),),
        scores=(*requested(preset("dag/composer_dsprites_shape2tx")), *_BOTH),
    )


def _composers() -> Iterator[Settings]:
    """Four on all of dSprites, and one on each of two parts."""
    for dataset, network, beta in (
        (_WHOLE, "higgins", 1),
        (_WHOLE, "burgess_v2", 1),
        (_WHOLE, "burgess_v2", 4),
        (_WHOLE, "burgess_v2", 8),
        (dag_part("dsprites", "leave1out"), "burgess_v2", 1),
        (dag_part("dsprites", "shape2tx"), "burgess_v2", 1),
    ):
        objective = f"composer(operator=linear, beta={beta})"
        yield {"dataset": dataset, "objective": objective, "architecture": network}
