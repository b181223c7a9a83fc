"""The figures of a run: what is drawn from its folder, its model and its data."""

from unweave.figures.asked import asked_kinds, unheeded
from unweave.figures.catalog import (
    CODES,
    FIGURES,
    Kind,
    check_figure,
    draw,
    wants_images,
)
from unweave.figures.look import CYCLES, LAYOUTS, Look
from unweave.figures.names import followed_factors, latent_names

__all__ = [
    "CODES",
    "CYCLES",
    "FIGURES",
    "LAYOUTS",
    "Kind",
    "Look",
    "asked_kinds",
    "check_figure",
    "draw",
    "followed_factors",
    "latent_names",
    "unheeded",
    "wants_images",
]
