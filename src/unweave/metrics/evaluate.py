"""Score one representation under a protocol."""

from __future__ import annotations

__all__ = ["evaluate"]

import logging
from typing import TYPE_CHECKING

import numpy as np

from unweave.errors import SpecError
from unweave.metrics.base import Metric, Score
from unweave.metrics.draws import Draws
from unweave.metrics.protocols import DEFAULT, metrics_of, protocol
from unweave.representation import Representation

if TYPE_CHECKING:
    from unweave.data.store import Progress

log = logging.getLogger("unweave")


def evaluate(
    representation: Representation,
    metrics: tuple[str, ...] | None = None,
    *,
    protocol_name: str = DEFAULT,
    seed: int = 0,
    progress: Progress | None = None,
) -> dict[str, Score]:
    """Scores by the name of the metric.

    Each metric draws from a generator keyed by the seed and its stream, so that a score does not
    depend on which others are asked for. What a long metric costs is logged before any begins.

    Args:
        representation: The table of codes.
        metrics: Names, or None for all of the protocol that are not opt-in.
        protocol_name: Which settings to use.
        seed: Seed of the metrics' draws.
        progress: Shows the work of metrics that take long.

    Raises:
        SpecError: An unknown protocol or metric, or none is named and all are opt-in.
        DataError: The representation cannot be scored.
    """
    chosen = metrics_of(protocol(protocol_name), metrics)
    if metrics is None and not chosen:
        raise SpecError(f"Protocol {protocol_name} scores nothing unless it is asked for by name.")
    for metric in chosen:
        factors = np.asarray(representation.factors)
        metric.check(factors, representation.factor_space, representation.latents)
    _say_costs(representation, chosen)
    scores = {}
    for metric in chosen:
        draws = Draws(seed, metric.stream or metric.name)
        metric.prepare(representation, draws, progress)
        scores[metric.name] = metric.score(representation, draws)
    return scores


def _say_costs(representation: Representation, chosen: tuple[Metric, ...]) -> None:
    """Log what takes long; metrics that share their work say so in one line."""
    names: dict[str, list[str]] = {}
    for metric in chosen:
        cost = metric.cost(representation)
        if cost is not None:
            names.setdefault(cost, []).append(metric.name)
    for cost, sharing in names.items():
        # A warning, so that people see it who have set up no logging.
        log.warning("%s: %s.", ", ".join(sharing), cost)
