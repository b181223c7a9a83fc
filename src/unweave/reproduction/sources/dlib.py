"""What is printed of models of disentanglement_lib's unsupervised study."""

from __future__ import annotations

__all__ = ["DLIB"]

from collections.abc import Iterator
from statistics import fmean
from typing import Final

from unweave.presets.dlib_numbers import METHODS, model_num
from unweave.reproduction.published import LeftOut, PublishedValue, Row, Source

_NOTEBOOK: Final = "notebook"

# Method and strength: MIG of one or two models.
_MIG: Final = {
    ("beta_vae", 1): (0.096,),
    ("beta_vae", 6): (0.259,),
    ("beta_vae", 16): (0.172, 0.277),
    ("dip_vae_i", 10): (0.048,),
    ("dip_vae_i", 50): (0.041,),
    ("dip_vae_ii", 10): (0.040,),
    ("dip_vae_ii", 50): (0.053,),
    ("beta_tc_vae", 1): (0.083,),
    ("beta_tc_vae", 6): (0.217,),
    ("beta_tc_vae", 10): (0.303,),
    ("annealed_vae", 5): (0.328,),
    ("annealed_vae", 50): (0.024,),
    ("annealed_vae", 100): (0.011,),
}


def _rows() -> Iterator[Row]:
    for (method, strength), numbers in _MIG.items():
        number = model_num("dsprites_full", method, METHODS[method].index(strength), seed=0)
        yield Row(
            name=f"dlib/{number}",
            label=f"{method} {strength}",
            values=(
                PublishedValue(
                    value=fmean(numbers),
                    metric="mig",
                    protocol="dlib2019",
                    runs=len(numbers),
                    printed=_NOTEBOOK,
                    digits=3,
                ),
            ),
        )


DLIB: Final = Source(
    name="dlib",
    title="disentanglement_lib",
    citation="Locatello, Bauer, Lucic, Rätsch, Gelly, Schölkopf and Bachem (2019), arXiv "
    "1811.12359",
    printed={
        _NOTEBOOK: "dis_analyze.ipynb of https://github.com/erow/disentanglement_lib, an "
        "independent implementation in PyTorch",
    },
    rows=tuple(_rows()),
    doubts=(
        "The numbers are of another implementation of the study, by model number. Which method "
        "and strength each is of follows if its models are numbered as those of the library, and "
        "is not said; nor is the seed, which is 0 here.",
        "A seed moves the MIG of one model by as much as the numbers differ.",
    ),
    left_out=(
        LeftOut(
            what="the scores of the study itself",
            why="the paper shows violins, and its code has no results",
        ),
        LeftOut(
            what="ranges on Cars3D by the library itself, at other projects",
            why="they are read off figures, and the strength of the methods is not said",
        ),
        LeftOut(
            what="FactorVAE and beta-TCVAE on Cars3D, 3DShapes and MPI3D as baselines of later "
            "papers",
            why="their settings are not said",
        ),
        LeftOut(
            what="weakly supervised models, the studies of fairness and of few labels, UDR",
            why="no text that could be read prints their scores",
        ),
    ),
)
"""Its published numbers, and the runs that repeat them."""
