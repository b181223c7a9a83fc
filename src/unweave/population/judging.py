"""Scores of the best member, on images whose labels no fitness has read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from unweave import metrics
from unweave.data import Progress
from unweave.errors import DataError
from unweave.metrics.protocols import metrics_of
from unweave.metrics.protocols import protocol as protocol_of
from unweave.population.split import LabelSplit
from unweave.ranking.codes import encode
from unweave.representation import Representation
from unweave.run import Run
from unweave.splits import keyed_permutation

__all__ = ["judge"]


def judge(
    run: Run,
    split: LabelSplit,
    names: Sequence[str],
    protocol: str,
    seed: int,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Score a run on the images that were kept apart.

    Args:
        run: The run.
        split: Which images those are.
        names: Of metrics.
        protocol: Whose settings they have; its number of images at most are encoded, in float32.
        seed: Of whatever is drawn.
        progress: Shows the encoding.

    Returns:
        `scores`: of each metric its value, its text and its parts; `left_out`: why others have
        none; `protocol`, `data`, `samples`, `seed`, `step`.
    """
    chosen = protocol_of(protocol)
    dataset, rows = run.dataset, split.evaluation
    if chosen.images is not None and len(rows) > chosen.images:
        order = keyed_permutation(len(rows), split.seed, "images that judge")
        rows = rows[np.sort(order[: chosen.images])]
    space, factors = dataset.known_factors(rows)
    mean, logvar = encode(run, dataset, rows, progress)
    table = Representation(mean=mean, factors=factors, factor_space=space, logvar=logvar)
    scores: dict[str, Any] = {}
    left_out: dict[str, str] = {}
    for name in names:
        try:
            found = metrics.evaluate(
                table, metrics=(name,), protocol=protocol, seed=seed, progress=progress
            )
        except DataError as error:
            left_out[name] = str(error)
            continue
        for key, score in found.items():
            scores[key] = {
                "value": score.value,
                "parts": dict(score.parts),
                "text": str(metrics_of(chosen, (name,))[0]),
            }
    return {
        "scores": scores,
        "left_out": left_out,
        "protocol": chosen.label,
        "data": str(dataset.spec),
        "source": dataset.source,
        "samples": len(rows),
        "seed": seed,
        "step": run.step,
    }
