"""What a shared model is not: the end of its card."""

from __future__ import annotations

__all__ = ["image_size", "known_images", "limits"]

from collections.abc import Sequence
from typing import Any

from unweave.data import DatasetSpec
from unweave.data.own.base import OwnSpec
from unweave.errors import UnweaveError
from unweave.report.files import RunFiles
from unweave.report.page import rendered_note
from unweave.report.training import origin, status_of
from unweave.report.words import count
from unweave.training import TrainConfig


def limits(
    run: RunFiles,
    config: TrainConfig,
    step: int,
    images: int | None,
    license: str | None,
) -> list[str]:
    """Sentences on what the model and its scores do not tell.

    Args:
        run: What the run folder says.
        config: What was trained.
        step: Optimiser steps of the weights.
        images: How many there are of the dataset; None where that is not known.
        license: Of the weights; None where nobody says.
    """
    said = [
        f"The model knows images like those that it was trained on{_of_size(config.dataset)}, and "
        "nothing of others.",
        "It is one model of one seed. Another seed can give quite other scores: compare groups of "
        "runs.",
    ]
    if config.dataset.source == "rendered":
        said.append(
            f"The images that it was trained on {rendered_note([config.dataset])} Scores of one "
            "are not comparable with scores of the other without a check."
        )
    if isinstance(config.dataset, OwnSpec):
        said.append("The images are files of whoever trained it, and are not part of this.")
    said += _of_scores(run.scores, config, step, images)
    status = status_of(run)
    if step < config.steps:
        said.append(
            f"The training has not come to its end: these are the weights of step {step:,} of "
            f"{config.steps:,}." + (" It diverged later." if status.state == "diverged" else "")
        )
    if config.precision == "bfloat16":
        said.append("It was trained with bfloat16 autocast; its weights are float32.")
    if found := origin(run):
        said.append(" ".join(filter(None, (found.sentence, found.assumed))))
    if license is None:
        said.append("No licence of the weights is given. Ask whoever pushed it before you use it.")
    return said


def _of_size(spec: DatasetSpec) -> str:
    size = image_size(spec)
    if size is None:
        return ""
    height, width, channels = size
    return f", of {height}x{width} pixels and {channels} channel{'' if channels == 1 else 's'}"


def _of_scores(
    scores: Sequence[dict[str, Any]], config: TrainConfig, step: int, images: int | None
) -> list[str]:
    if not scores:
        return ["It has not been scored: nothing is known of how well its latents follow factors."]
    said = []
    own = [score for score in scores if score.get("data") == str(config.dataset)]
    if own and config.holdout == 0:
        said.append(
            "Scores are of images that it was trained on, as is usual for these metrics, and say "
            "nothing of new ones."
        )
    few = [s["samples"] for s in own if images and 0 < s.get("samples", 0) < images]
    if few and images:
        said.append(f"Some scores are of {count(min(few))} of {count(images)} images, drawn once.")
    if any(score.get("interval") is None for score in scores):
        said.append(
            "A score without an interval is of one draw; intervals are over draws of a metric on "
            "these weights, not over trainings."
        )
    if any(score.get("step") != step for score in scores):
        said.append("Some scores are of weights at another step, as stands above them.")
    return said


def image_size(spec: DatasetSpec) -> tuple[int, int, int] | None:
    """Shape of an image; None where files that say it are not there."""
    try:
        return spec.image_shape
    except UnweaveError:
        return None


def known_images(spec: DatasetSpec) -> int | None:
    """How many images there are; None where files that say it are not there."""
    try:
        return spec.count
    except UnweaveError:
        return None
