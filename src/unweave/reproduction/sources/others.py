"""Sources whose numbers are no rows."""

from __future__ import annotations

__all__ = ["LATER", "RPU"]

from typing import Final

from unweave.reproduction.published import LeftOut, Source

RPU: Final = Source(
    name="rpu",
    title="PBT-VAE and rPU-VAE",
    citation="Estermann, Marks and Yanik (2020), arXiv 2010.13527",
    left_out=(
        LeftOut(
            what="MIG and DCI of all populations and recursions",
            why="they are in figures, and no text that could be read prints them; what ours find "
            "is told in the documentation, under What populations find",
        ),
    ),
)
"""Its published numbers, which no run repeats, and why."""

LATER: Final = Source(
    name="later",
    title="Later methods",
    citation="QLAE, Tripod, Bayes-QLAE, EncDiff and others",
    left_out=(
        LeftOut(
            what="InfoM, InfoC, InfoE and DCI of quantised latents and of their baselines",
            why="unweave has the metrics, but not the networks that all of them were trained with",
        ),
        LeftOut(
            what="FactorVAE scores and DCI of models of diffusion",
            why="unweave has no such models",
        ),
    ),
)
"""Numbers of methods that are not here, and why they are left out."""
