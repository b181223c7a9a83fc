"""The tables of the commutative Lie group VAE."""

from __future__ import annotations

__all__ = ["CLG"]

from collections.abc import Iterator
from typing import Final

from unweave.reproduction.published import LeftOut, PublishedValue, Row, Source

_RUNS: Final = 10
_POSTER, _SCRIPT = "poster", "script"
_METRICS: Final = ("factor_vae", "sap_continuous", "mig", "dci")

# Percent, mean and standard deviation of FactorVAE score, SAP, MIG and DCI: Tables 1 and 2.
_TABLES: Final = {
    "components_vae": "69.4 10.9, 19.7 10.6, 7.8 6.4, 8.1 4.1",
    "components_bottleneck": "74.6 8.1, 29.2 12.1, 12.9 6.6, 11.6 3.3",
    "components_lie_group": "83.6 3.2, 40.7 12.2, 17.2 6.8, 15.1 2.4",
    "group_size_4": "23.6 3.3, 6.3 6.0, 4.2 3.9, 3 0.5",
    "group_size_9": "57.4 5.8, 34.1 12.9, 17.3 7.4, 12.4 4.4",
    "group_size_25": "79.8 2.8, 39.6 13.4, 20.6 8.5, 19.9 3.8",
    "group_size_64": "82.7 3.7, 42.2 12.5, 22.1 10.1, 20.0 6.8",
    "group_size_81": "84.4 2.6, 45.2 10.5, 23.0 8.4, 19.6 6.3",
    "commutator_40": "85.5 2.2, 50.8 5.0, 25.4 6.1, 19.7 4.6",
}
# Percent, mean and standard deviation of the FactorVAE score: Table 5.
_BEST: Final = {"dsprites": (86.1, 2.0), "shapes3d": (93.2, 4.0)}
# Percent, means of the FactorVAE score in a list of a plotting script.
_LISTED: Final = {
    "commutator_1": 85.1,
    "commutator_5": 84.0,
    "commutator_20": 85.8,
    "commutator_80": 85.5,
    "hessian_1": 84.2,
    "hessian_5": 83.5,
    "hessian_20": 86.1,
    "hessian_40": 86.2,
    "hessian_80": 85.0,
    "beta_vae_2": 70.3,
    "beta_vae_5": 72.0,
    "beta_vae_10": 73.1,
}


def _value(metric: str, percent: float, sd: float | None, printed: str) -> PublishedValue:
    return PublishedValue(
        value=percent / 100,
        metric=metric,
        protocol="clg",
        sd=None if sd is None else sd / 100,
        runs=_RUNS,
        printed=printed,
        digits=3,
    )


def _rows() -> Iterator[Row]:
    for name, (percent, sd) in _BEST.items():
        yield Row(name=f"clg/{name}", values=(_value("factor_vae", percent, sd, _POSTER),))
    for name, numbers in _TABLES.items():
        pairs = [map(float, pair.split()) for pair in numbers.split(", ")]
        yield Row(
            name=f"clg/{name}",
            values=tuple(
                _value(metric, mean, sd, _POSTER)
                for metric, (mean, sd) in zip(_METRICS, pairs, strict=True)
            ),
        )
    for name, percent in _LISTED.items():
        yield Row(name=f"clg/{name}", values=(_value("factor_vae", percent, None, _SCRIPT),))


CLG: Final = Source(
    name="clg",
    title="Commutative Lie group VAE",
    citation="Zhu, Xu and Tao (2021), arXiv 2106.03375",
    printed={
        _POSTER: "Tables 1, 2 and 5 as imgs/Xinqi_poster.png of "
        "https://github.com/zhuxinqimac/CommutativeLieGroupVAE-Pytorch shows them",
        _SCRIPT: "a plotting script of the authors, in "
        "https://github.com/zhuxinqimac/UnsupervisedActionEstimation, where it stands in a "
        "comment; the same scores as in Tables 3 and 4",
    },
    rows=tuple(_rows()),
    doubts=(
        "The published scores may have been computed with fewer rows, and a FactorVAE score that "
        "leaves out fewer latents, than the released code has, after which the protocol `clg` is.",
        "Of 3DShapes the readme has larger matrices than the paper is said to have.",
        "How `components_vae`, `components_bottleneck` and the beta-VAEs were made is not in the "
        "released code.",
        "Tables 2 and 3 were computed with a penalty that is not the commutator; the presets "
        "repeat it.",
    ),
    left_out=(
        LeftOut(
            what="SAP, MIG and DCI of most rows of Tables 3 and 4",
            why="no text of the paper could be read that has them",
        ),
        LeftOut(
            what="reconstructions in the plotting script",
            why="of which images they are is not said",
        ),
        LeftOut(
            what="other models of Table 5",
            why="they are taken from other papers, with another FactorVAE score",
        ),
        LeftOut(
            what="repetitions by other authors",
            why="they have other batches, lengths and weights, and other metrics",
        ),
    ),
)
"""Its published numbers, and the runs that repeat them."""
