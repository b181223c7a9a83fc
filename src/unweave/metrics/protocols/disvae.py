"""The protocol of disentangling-vae."""

from __future__ import annotations

__all__ = ["DISVAE"]

from unweave.metrics.posterior.aam import AAM
from unweave.metrics.posterior.mig_sampled import MIGSampled
from unweave.metrics.protocols.base import Protocol

DISVAE = Protocol(
    "disvae",
    1,
    "As the disentangling-vae code computes it, defects included.",
    (
        MIGSampled(components="all", compat="disvae"),
        AAM(components="all", compat="disvae"),
    ),
)
