"""The protocol of PBT-U-VAE and rPU-VAE."""

from __future__ import annotations

__all__ = ["RPU"]

from unweave.metrics.dci.boosted import DCI
from unweave.metrics.information.estimators import Histogram
from unweave.metrics.information.mig import MIG
from unweave.metrics.information.nmig import NMIG
from unweave.metrics.protocols.base import Protocol

RPU = Protocol(
    "rpu",
    1,
    "As the code of PBT-U-VAE and rPU-VAE scores models while it trains them: 50,000 rows without "
    "replacement, 20 bins.",
    (
        MIG(bins=20, samples=50_000),
        NMIG(estimator=Histogram(bins=20), samples=50_000),
        DCI(train=10_000, test=5_000),
    ),
)
