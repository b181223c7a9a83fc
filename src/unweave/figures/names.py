"""Which latent follows which factor, by the scores of a run."""

from __future__ import annotations

__all__ = ["followed_factors", "latent_names", "mig_tables"]

from pathlib import Path
from typing import Any

import numpy as np

from unweave.scores import CLEAR_GAP, ScoreRecord, load_scores


def latent_names(
    folder: Path, latents: int, step: int | None = None, data: str | None = None
) -> list[str | None]:
    """The factor that each latent follows most closely, by the newest MIG, where it is clear.

    A latent is named after a factor when of all latents it knows most of it, by a gap of at least
    `CLEAR_GAP`.

    Args:
        folder: The run folder.
        latents: Number of latents.
        step: Only scores of the weights after this step; None for the newest of any.
        data: Only scores of the dataset of this text; None for any.
    """
    names: list[str | None] = [None] * latents
    rows = mig_tables(folder, step, data)
    if rows:
        matrix = rows[-1]["matrix"]
        values = np.asarray(matrix["values"])
        for k, factor in enumerate(matrix["columns"]):
            best = int(values[:, k].argmax())
            if rows[-1]["parts"].get(factor, 0.0) >= CLEAR_GAP:
                names[best] = factor if names[best] is None else f"{names[best]}, {factor}"
    return names


def mig_tables(folder: Path, step: int | None, data: str | None) -> list[dict[str, Any]]:
    """MIG scores with their tables, oldest first, of some weights and dataset or of any."""
    return [
        row
        for row in load_scores(folder)
        if row["metric"] == "mig"
        and row.get("matrix")
        and step in (None, row.get("step"))
        and data in (None, row.get("data"))
    ]


def followed_factors(record: ScoreRecord) -> str:
    """Which latent follows which factor, in words, from a score with a latent-by-factor table."""
    matrix = record.matrix
    if matrix is None:
        return ""
    lines = []
    for k, factor in enumerate(matrix.columns):
        order = np.argsort(-matrix.values[:, k], kind="stable")
        first, second = (f"{matrix.rows[j]} {matrix.values[j, k]:.2f}" for j in order[:2])
        gap = record.parts.get(factor)
        if gap is None:
            lines.append(f"{factor} does not vary.")
        elif gap >= CLEAR_GAP:
            lines.append(f"{factor} is followed by {matrix.rows[order[0]]} (gap {gap:.2f}).")
        else:
            lines.append(
                f"{factor} is followed by no latent alone (gap {gap:.2f}: {first}, {second} nats)."
            )
    return "\n".join(lines)
