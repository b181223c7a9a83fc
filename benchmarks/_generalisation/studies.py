"""The studies of `benchmarks/generalisation.py`: which models, without which combinations."""

from __future__ import annotations

__all__ = ["FULL", "PARTS", "TINY", "Sizes", "study_of"]

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, final

from unweave.conditions import split_of
from unweave.generalise import HOLDOUT, requests_of
from unweave.settings import make_config
from unweave.studies import Study


@final
@dataclass(frozen=True)
class Sizes:
    """How much is trained.

    Attributes:
        steps: Optimiser steps of each model.
        seeds: Seeds of each model under each condition.
        data: Text of each dataset, by its plain name.
        probe: Whether factors are read from images by a network, which is trained for minutes.
    """

    steps: int
    seeds: tuple[int, ...]
    data: Mapping[str, str]
    probe: bool = True


FULL: Final = Sizes(5000, (0, 1), {"dsprites": "dsprites", "shapes3d": "shapes3d"})
# A step of a composer encodes two images and decodes three.
SMALLER: Final = {
    "dsprites_decoders": replace(FULL, seeds=(0,)),
    "dsprites_composers": replace(FULL, steps=3000, seeds=(0,)),
}
TINY: Final = Sizes(
    2,
    (0,),
    {
        "dsprites": "dsprites(grid=(3, 2, 4, 8, 8))",
        "shapes3d": "shapes3d(grid=(2, 2, 10, 2, 4, 2))",
    },
    probe=False,
)

_VAE: Final = {"latents": 10, "lr": 5e-4}
_DECODER: Final = {"lr": 1e-3}
_COMPOSER: Final = {"latents": 10, "lr": 5e-4, "architecture": "burgess_v2"}

PARTS: Final[dict[str, tuple[str, tuple[str, ...], tuple[dict[str, Any], ...]]]] = {
    "dsprites": (
        "dsprites",
        ("leave1out", "shape2tx", "blank_side"),
        tuple(
            {"objective": objective, "architecture": "burgess_v2", **_VAE}
            for objective in ("vae", "beta_vae(beta=8)", "factor_vae(gamma=50)")
        ),
    ),
    "dsprites_decoders": (
        "dsprites",
        ("leave1out", "shape2tx", "blank_side"),
        tuple(
            {
                "objective": f"ground_truth_decoder(inputs={inputs})",
                "architecture": "decoder_higgins",
                **_DECODER,
            }
            for inputs in ("raw", "scaled")
        ),
    ),
    "shapes3d": (
        "shapes3d",
        ("leave1out", "shape2ohue"),
        ({"objective": "vae", "architecture": "kim", **_VAE},),
    ),
    "shapes3d_decoders": (
        "shapes3d",
        ("leave1out", "shape2ohue"),
        (
            {
                "objective": "ground_truth_decoder(inputs=raw)",
                "architecture": "decoder_kim_bn",
                **_DECODER,
            },
        ),
    ),
    "dsprites_composers": (
        "dsprites",
        ("leave1out", "shape2tx", "blank_side"),
        tuple(
            {"objective": f"composer(operator={operator})", **_COMPOSER}
            for operator in ("linear", "fixint")
        ),
    ),
}
"""Of each part: the dataset, the conditions, and the models."""


def study_of(part: str, sizes: Sizes) -> Study:
    """One part as a study, in which each run is asked what `unweave generalise` asks."""
    if sizes is FULL:
        sizes = SMALLER.get(part, FULL)
    dataset, conditions, models = PARTS[part]
    data = sizes.data[dataset]
    texts = [split_of(condition, data).train_text for condition in _fitting(conditions, sizes)]
    settings: dict[str, Any] = {
        "steps": sizes.steps,
        "batch_size": 64,
        "holdout": HOLDOUT,
        "threads": 1,
    }
    first = make_config(dataset=texts[0], **models[0], **settings)
    return Study(
        name=f"generalisation-{part}",
        about="What models make of combinations of factors that they were not trained on.",
        settings=settings,
        axes=(
            tuple({"dataset": text} for text in texts),
            models,
            tuple({"seed": seed} for seed in sizes.seeds),
        ),
        scores=requests_of(first, probe=sizes.probe),
        keep="all",
    )


def _fitting(conditions: tuple[str, ...], sizes: Sizes) -> tuple[str, ...]:
    """Of a tiny grid, the element has no values left to hold out."""
    return conditions[1:2] if sizes is TINY else conditions
