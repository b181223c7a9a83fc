"""The table of Disentanglement-PyTorch."""

from __future__ import annotations

__all__ = ["DPT"]

from typing import Final

from unweave.reproduction.published import LeftOut, PublishedValue, Row, Source

_TABLE: Final = "Table 1"
_METRICS: Final = ("dci", "factor_vae", "sap", "mig", "irs")
_NUMBERS: Final = {
    "table1_realistic": (0.3989, 0.3614, 0.1443, 0.2067, 0.6315),
    "table1_real": (0.4044, 0.5226, 0.1592, 0.2367, 0.6423),
}

DPT: Final = Source(
    name="dpt",
    title="Disentanglement-PyTorch",
    citation="arXiv 1912.05184 (2019)",
    printed={_TABLE: "Table 1 of https://arxiv.org/abs/1912.05184"},
    rows=tuple(
        Row(
            name=f"dpt/{name}",
            values=tuple(
                PublishedValue(
                    value=number, metric=metric, protocol="dlib2019", printed=_TABLE, digits=4
                )
                for metric, number in zip(_METRICS, numbers, strict=True)
            ),
        )
        for name, numbers in _NUMBERS.items()
    ),
    doubts=(
        "Both models went on from one of `mpi3d(subset=toy)`, which was not published, nor how "
        "it was trained; here it is trained first, as they are.",
        "The paper says that models were scored on unseen objects, and not what these are; here "
        "they are scored on what they were trained on.",
        "Today's release of the realistic subset has 1,036,800 images, and had 460,800.",
    ),
    left_out=(
        LeftOut(
            what="the author's log of entries to the challenge",
            why="how they were scored, and with which settings, is not said",
        ),
    ),
)
"""Its published numbers, and the runs that repeat them."""
