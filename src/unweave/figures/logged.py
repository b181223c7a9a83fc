"""What was logged of a training, as curves."""

from __future__ import annotations

__all__ = ["kl", "loss_curves", "score_curves"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.source import Source


def loss_curves(source: Source) -> Any | None:
    """Curves of the loss, each term and what else terms have logged."""
    rows = source.train_rows()
    if not rows:
        return None
    steps = np.array([row["step"] for row in rows])
    plan = source.config.objective.expand()
    # A name may be that of a term and of a player, so they are told apart by their group.
    known = {("raw", name): term.unit for name, term in plan.terms.items()}
    known |= {("loss", player.name): player.unit for player in plan.players}
    history: dict[str, tuple[NDArray[Any], NDArray[Any]]] = {}
    units: dict[str, str] = {}
    for group in ("loss", "raw", "watched"):
        for name in rows[0].get(group, {}):
            title = f"{name} loss" if group == "loss" else name
            history[title] = (steps, np.array([row[group][name] for row in rows]))
            unit = "" if group == "watched" else "nats an image"
            units[title] = known.get((group, name), unit)
    return plots.loss_curves(history, units)


def kl(source: Source) -> Any | None:
    """Curves of the KL of each latent."""
    rows = source.train_rows()
    # Latents without noise have none.
    if not rows or not rows[-1]["kl"]:
        return None
    return plots.kl_curves([row["step"] for row in rows], [row["kl"] for row in rows])


def score_curves(source: Source) -> Any | None:
    """Curves of the scores during the training, and of what they are made of."""
    rows = source.score_rows()
    if not rows:
        return None
    names = list(dict.fromkeys(name for row in rows for name in row["scores"]))
    if not names:
        return None
    return plots.score_curves(
        [row["step"] for row in rows],
        {name: [row["scores"].get(name, np.nan) for row in rows] for name in names},
        images=rows[-1]["samples"],
    )
