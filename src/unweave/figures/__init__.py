"""The figures of a run: what is drawn from its folder, its model and its data."""

from unweave.figures.catalog import FIGURES, Kind, check_figure, draw, wants_images
from unweave.figures.look import Look
from unweave.figures.names import followed_factors, latent_names

__all__ = [
    "FIGURES",
    "Kind",
    "Look",
    "check_figure",
    "draw",
    "followed_factors",
    "latent_names",
    "wants_images",
]
