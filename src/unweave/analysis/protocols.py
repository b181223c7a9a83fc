"""Which analyses each protocol defines, and what is scored when names are given or left out."""

from __future__ import annotations

__all__ = ["ANALYSES", "analyses_of", "choose"]

from collections.abc import Mapping

from unweave.analysis.attribution import Attribution
from unweave.analysis.base import Analysis
from unweave.analysis.composition import ComposedImages
from unweave.analysis.factor_errors import FactorErrors
from unweave.analysis.factor_r2 import FactorR2
from unweave.analysis.reconstruction import ReconstructionNLL
from unweave.analysis.test_losses import TestLosses
from unweave.errors import SpecError, nearest
from unweave.metrics import Metric, metrics_of
from unweave.metrics.protocols import Protocol, names_of
from unweave.spec import members

ANALYSES: Mapping[str, tuple[Analysis, ...]] = {
    "unweave": (
        TestLosses(),
        ReconstructionNLL(),
        ComposedImages(),
        FactorErrors(),
        FactorR2(),
        Attribution(),
    ),
    "disvae": (TestLosses(compat="disvae"),),
}
"""Settings of each analysis by the name of the protocol; a change raises its version."""


def analyses_of(chosen: Protocol) -> tuple[Analysis, ...]:
    """The analyses that a protocol defines."""
    return ANALYSES.get(chosen.name, ())


def choose(
    chosen: Protocol, names: tuple[str, ...] | None
) -> tuple[tuple[Metric, ...], tuple[Analysis, ...]]:
    """The metrics and analyses of a protocol that are asked for.

    Args:
        chosen: The protocol.
        names: Names of metrics, or their aliases, and of analyses, or None for what the protocol
            scores unasked, which no analysis is part of.

    Raises:
        SpecError: A name is unknown, given twice, or not defined by the protocol; or none is
            given and the protocol scores nothing unasked.
    """
    analyses = {analysis.name: analysis for analysis in analyses_of(chosen)}
    defined = (*(metric.name for metric in chosen.metrics), *analyses)
    if names is None:
        metrics = metrics_of(chosen, None)
        if not metrics:
            raise SpecError(
                f"Protocol {chosen.label} scores nothing unless it is asked for by name. Give "
                f"one or more of its names with --metrics: {', '.join(defined)}."
            )
        return metrics, ()
    names, known = names_of(names), (*members(Metric), *members(Analysis))
    for name in names:
        if name not in known:
            raise SpecError(f"Unknown analysis or metric {name!r:.100}. {nearest(name, known)}")
        if name not in defined:
            raise SpecError(
                f"Protocol {chosen.label} does not define {name}; it defines {', '.join(defined)}."
            )
    if len(set(names)) < len(names):
        raise SpecError(f"A name is given twice in {', '.join(names)}.")
    return (
        metrics_of(chosen, tuple(name for name in names if name not in analyses)),
        tuple(analyses[name] for name in names if name in analyses),
    )
