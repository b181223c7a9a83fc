"""The figures of a run: what is drawn from its folder, its model and its data."""

from unweave.figures.asked import asked_kinds, unheeded
from unweave.figures.catalog import (
    CODES,
    FIGURES,
    Kind,
    check_figure,
    draw,
    draw_from,
    wants_images,
)
from unweave.figures.look import CYCLES, LAYOUTS, Look
from unweave.figures.many import GRID_KINDS, check_kind, draw_runs
from unweave.figures.names import followed_factors, latent_names
from unweave.figures.source import Source

__all__ = [
    "CODES",
    "CYCLES",
    "FIGURES",
    "GRID_KINDS",
    "LAYOUTS",
    "Kind",
    "Look",
    "Source",
    "asked_kinds",
    "check_figure",
    "check_kind",
    "draw",
    "draw_from",
    "draw_runs",
    "followed_factors",
    "latent_names",
    "unheeded",
    "wants_images",
]
