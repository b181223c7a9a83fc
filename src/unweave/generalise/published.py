"""The published numbers: disentanglement, and reconstruction in and out of distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, final

from unweave.objectives import Objective

__all__ = ["PUBLISHED", "SOURCE", "PublishedNumbers", "published_numbers"]

SOURCE: Final = (
    "Montero, Ludwig, Costa, Malhotra and Bowers (2021), ICLR 2021, OpenReview qbH974jKUVy"
)


@final
@dataclass(frozen=True)
class PublishedNumbers:
    """One run of the source.

    Attributes:
        disentanglement: DCI with lasso, of the images that were trained on; 1 of decoders of true
            factors by definition.
        trained: Reconstruction NLL of the images that were trained on, nats an image.
        held_out: That of the images that were held out.
    """

    disentanglement: float
    trained: float
    held_out: float


_MODELS: Final = ("vae", "beta8", "beta12", "factor20", "factor50", "factor100", "decoder")
_TABLES: Final[dict[tuple[str, str], str]] = {
    ("dsprites", "leave1out"): (
        ".286 8.59 8.06, .765 34.95 24.62, .556 37.34 24.92, .483 27.64 27.53, "
        ".391 23.77 22.58, .503 32.39 24.88, 1 49.80 60.81"
    ),
    ("dsprites", "shape2tx"): (
        ".278 18.82 200.36, .474 102.90 215.95, .503 54.21 154.90, .356 28.00 130.56, "
        ".387 27.99 153.98, .612 57.40 100.61, 1 46.83 138.97"
    ),
    ("dsprites", "blank_side"): (
        ".286 29.04 3576.80, .510 45.81 2810.55, .806 117.65 3127.94, .688 24.43 2007.42, "
        ".729 25.41 2386.45, .809 37.13 3962.40, 1 40.67 2188.76"
    ),
    ("shapes3d", "leave1out"): (
        ".217 3481.06 3923.29, .724 3487.82 3927.38, .835 3500.66 3940.54, "
        ".901 3497.81 3935.98, .586 3503.01 3943.72, .535 3520.10 3958.14, 1 3519.87 3961.02"
    ),
    ("shapes3d", "shape2ohue"): (
        ".191 3482.26 4294.88, .460 3486.01 4482.56, .573 3496.20 5077.11, "
        ".697 3499.94 4602.57, .815 3503.56 5275.71, .629 3500.07 5095.82, 1 3520.50 3944.94"
    ),
    ("shapes3d", "fhue_gt50"): (
        ".188 3466.43 15761.48, .568 3478.58 16011.86, .722 3469.79 15790.60, "
        ".908 3483.57 16879.42, .865 3483.95 21371.26, .692 3502.21 20858.66, "
        "1 3486.78 13215.34"
    ),
}

PUBLISHED: Final[dict[tuple[str, str, str], PublishedNumbers]] = {
    (*place, model): PublishedNumbers(*map(float, numbers.split()))
    for place, table in _TABLES.items()
    for model, numbers in zip(_MODELS, table.split(", "), strict=True)
}
"""Of each dataset, condition and model of the source, in the order of its tables.

One run each, at the source's length of training. Images of 3DShapes are not binary, so that most
of their NLL is the images' own entropy, which no model can be below.
"""


def published_numbers(
    dataset: str, condition: str, objective: Objective
) -> PublishedNumbers | None:
    """What the source has of a model; None where it has none, or more is changed than its weight.

    Args:
        dataset: Text of the whole dataset.
        condition: Name of the condition.
        objective: What was minimised.
    """
    method = objective.expand().method
    weight = getattr(method, "beta" if method.name == "beta_vae" else "gamma", None)
    names = {
        "vae": "vae",
        "beta_vae": "vae" if weight == 1 else f"beta{weight:g}" if _number(weight) else "",
        "factor_vae": f"factor{weight:g}" if _number(weight) else "",
        "ground_truth_decoder": "decoder",
    }
    raw = getattr(method, "inputs", "raw") == "raw"
    if len(objective.items) > 1 or not raw:
        return None
    return PUBLISHED.get((dataset, condition, names.get(method.name, "")))


def _number(weight: object) -> bool:
    """Whether a weight is a number, and no schedule."""
    return isinstance(weight, float | int)
