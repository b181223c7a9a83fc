"""The protocols of latent quantization: InfoM, InfoC and InfoE as two papers have them."""

from __future__ import annotations

__all__ = ["QLAE2023", "TRIPOD2024"]

from unweave.metrics.dci.forest import DCIForest
from unweave.metrics.information.info_e import InfoE
from unweave.metrics.information.infomec import InfoC, InfoM
from unweave.metrics.protocols.base import Protocol

QLAE2023 = Protocol(
    "qlae2023",
    1,
    "Hsu et al., 2023 (QLAE): 10,000 rows, ten neighbours, and latents that reach a 20th of the "
    "widest range.",
    (
        InfoM(neighbours=10, active="range20", least=0.0, samples=10_000),
        InfoC(neighbours=10, active="range20", least=0.0, samples=10_000),
        InfoE(samples=10_000),
    ),
)

TRIPOD2024 = Protocol(
    "tripod2024",
    1,
    "Hsu et al., 2024 (Tripod): the same with latents by their interquartile range, and DCI by "
    "random forests of depth 10, fitted to nine tenths of the rows.",
    (
        InfoM(neighbours=10, active="iqr", least=0.0, samples=10_000),
        InfoC(neighbours=10, active="iqr", least=0.0, samples=10_000),
        InfoE(samples=10_000),
        DCIForest(train=9_000, test=1_000, size=100, depth=10, criterion="entropy"),
    ),
)
