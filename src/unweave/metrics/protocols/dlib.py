"""The protocols of disentanglement_lib."""

from __future__ import annotations

__all__ = ["DLIB", "DLIB2019"]

from unweave.metrics.mig import MIG
from unweave.metrics.protocols.base import Protocol

DLIB = Protocol(
    "dlib",
    1,
    "The study of Locatello et al., 2019: its draws from the full grid, its numbers of samples, "
    "and the solvers of the scikit-learn that is installed.",
    (MIG(bins=20, samples=10_000, compat="dlib"),),
)

DLIB2019 = Protocol(
    "dlib2019",
    1,
    "The same with the solvers that were scikit-learn's defaults when the study was published.",
    (MIG(bins=20, samples=10_000, compat="dlib"),),
)
