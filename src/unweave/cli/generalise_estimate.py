"""What a dry run of `unweave generalise run|decode|compose` says."""

from __future__ import annotations

__all__ = ["estimate_of"]

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from unweave.conditions import Split
    from unweave.studies import ScoreRequest
    from unweave.training import TrainConfig


def estimate_of(
    config: TrainConfig, split: Split, requests: Sequence[ScoreRequest], folder: Path
) -> tuple[dict[str, Any], str]:
    """What would be trained and scored, and what that takes, as a form for JSON and in words.

    Args:
        config: What would be trained.
        split: What is held out of it.
        requests: How it would be scored.
        folder: Where the run would lie.
    """
    from unweave.cli.words import duration, size_text
    from unweave.estimate import estimate

    costs = estimate(config)
    apart = config.dataset.count - config.num_train
    result: dict[str, Any] = {
        "run": str(folder),
        "command": config.command,
        "condition": split.condition.name,
        "kind": split.kind,
        "predicate": split.condition.held_out,
        "num_train": config.num_train,
        "num_in_distribution": apart or config.num_train,
        "num_held_out": len(split.held_out),
        "num_discarded": len(split.discarded),
        "scores": [request.to_dict() | {"data": request.data} for request in requests],
        "seconds": costs["seconds"],
        "disk_bytes": costs["disk_bytes"],
        "dataset_missing": costs["dataset_missing"],
    }
    lines = [
        config.command,
        f"trained on {config.num_train:,} images; {apart:,} like them are kept apart, and "
        f"{len(split.held_out):,} are held out: {split.condition.held_out}",
        *(f"scored: {', '.join(each.metrics or ())} of {_region(each)}" for each in requests),
        f"run folder: {folder}" + (" (exists)" if folder.exists() else ""),
        f"training: about {duration(costs['seconds'])}; disk: about "
        f"{size_text(costs['disk_bytes'])}",
    ]
    if costs["dataset_missing"] is not None:
        lines.append(f"cannot be trained yet: {costs['dataset_missing']}")
    return result, "\n".join(lines)


def _region(request: ScoreRequest) -> str:
    """Of which images a score is."""
    if request.data is not None:
        return "the images that are held out"
    parts = {
        "train": "the images that are trained on",
        "holdout": "the images kept apart",
        "all": "the images of the training data",
    }
    return parts[request.part]
