"""Our own protocols."""

from __future__ import annotations

__all__ = ["FULL", "UNWEAVE"]

from unweave.metrics.aam import AAM
from unweave.metrics.mig import MIG
from unweave.metrics.mig_sampled import MIGSampled
from unweave.metrics.protocols.base import Protocol

UNWEAVE = Protocol(
    "unweave",
    1,
    "All rows of the part that is scored.",
    (
        MIG(bins=20),
        MIGSampled(),
        AAM(),
    ),
)

FULL = Protocol(
    "full",
    1,
    "Nothing is left out to save time: every image counts in every density.",
    (
        MIG(bins=20),
        MIGSampled(components="all"),
        AAM(components="all"),
    ),
)
