"""Score one representation under a protocol."""

from __future__ import annotations

__all__ = ["evaluate"]

from unweave.metrics.base import Score
from unweave.metrics.protocols import DEFAULT, metrics_of, protocol
from unweave.representation import Representation
from unweave.splits import keyed_generator


def evaluate(
    representation: Representation,
    metrics: tuple[str, ...] | None = None,
    *,
    protocol_name: str = DEFAULT,
    seed: int = 0,
) -> dict[str, Score]:
    """Scores by the name of the metric.

    Each metric draws from a generator of its own, keyed by the seed and its name, so that a score
    does not depend on which others are asked for.

    Args:
        representation: The table of codes.
        metrics: Names, or None for all that the protocol defines.
        protocol_name: Which settings to use.
        seed: Seed of the metrics' draws.

    Raises:
        SpecError: An unknown protocol or metric.
        DataError: The representation cannot be scored.
    """
    chosen = metrics_of(protocol(protocol_name), metrics)
    return {
        metric.name: metric.score(representation, keyed_generator(seed, f"metric/{metric.name}"))
        for metric in chosen
    }
