"""Figures from arrays: NumPy in, a matplotlib figure out."""

from __future__ import annotations

__all__ = [
    "FORMATS",
    "INACTIVE_KL",
    "Animation",
    "Block",
    "Circle",
    "Colouring",
    "Concentration",
    "Drawn",
    "Intervention",
    "Picture",
    "Response",
    "above",
    "beside",
    "best_latents",
    "check_format",
    "check_picture",
    "circles",
    "code_correlations",
    "concentration_bars",
    "conditions",
    "correlation_matrix",
    "disentanglement_against_error",
    "disvae_animation",
    "disvae_grid",
    "disvae_reconstruct_traverse",
    "edge_colour",
    "embeddings",
    "enlarge",
    "errors_by_combination",
    "generalisation_gaps",
    "generators",
    "held_out_maps",
    "held_out_reconstructions",
    "hinton_diagrams",
    "hyper_map",
    "image_blocks",
    "image_rows",
    "interventions",
    "joined_blocks",
    "joint_shares",
    "kl_bars",
    "kl_curves",
    "latent_factor_matrix",
    "latent_positions",
    "latent_responses",
    "latent_usage",
    "lineage",
    "loss_curves",
    "matched_latents",
    "order_by_kl",
    "pictured",
    "png",
    "rank_lines",
    "reconstructions",
    "round_scores",
    "run_curves",
    "run_grid",
    "run_scores",
    "save",
    "schedules",
    "score_curves",
    "share_bars",
    "signed",
    "tile",
    "traversals",
    "violins",
]

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Final

from unweave._lazy import lazy_names

if TYPE_CHECKING:
    from unweave.plots.animation import FORMATS, Animation, check_format
    from unweave.plots.blocks import Block, image_blocks, joined_blocks
    from unweave.plots.circles import Circle, circles
    from unweave.plots.code_correlations import code_correlations
    from unweave.plots.combinations import errors_by_combination
    from unweave.plots.comparison import held_out_reconstructions
    from unweave.plots.concentration import Concentration, concentration_bars
    from unweave.plots.conditions import conditions
    from unweave.plots.correlations import correlation_matrix
    from unweave.plots.embeddings import Colouring, embeddings
    from unweave.plots.gaps import generalisation_gaps
    from unweave.plots.generalisation import disentanglement_against_error
    from unweave.plots.generators import generators
    from unweave.plots.held_out import held_out_maps
    from unweave.plots.hinton import hinton_diagrams
    from unweave.plots.hyper import hyper_map
    from unweave.plots.images import edge_colour, enlarge, tile
    from unweave.plots.interventions import Intervention, interventions
    from unweave.plots.joint import joint_shares
    from unweave.plots.kl import kl_bars, kl_curves
    from unweave.plots.lettering import above, beside
    from unweave.plots.lineage import lineage
    from unweave.plots.losses import loss_curves
    from unweave.plots.matched_latents import matched_latents
    from unweave.plots.matrix import best_latents, latent_factor_matrix
    from unweave.plots.positions import latent_positions
    from unweave.plots.published import (
        disvae_animation,
        disvae_grid,
        disvae_reconstruct_traverse,
    )
    from unweave.plots.ranks import rank_lines
    from unweave.plots.reconstructions import reconstructions
    from unweave.plots.responses import Response, latent_responses
    from unweave.plots.round_scores import round_scores
    from unweave.plots.rows import image_rows
    from unweave.plots.run_curves import run_curves
    from unweave.plots.run_grid import run_grid
    from unweave.plots.run_scores import run_scores
    from unweave.plots.save import check_picture, png, save
    from unweave.plots.schedules import schedules
    from unweave.plots.score_curves import score_curves
    from unweave.plots.shares import share_bars
    from unweave.plots.shown import Drawn, Picture, pictured
    from unweave.plots.traversals import INACTIVE_KL, order_by_kl, signed, traversals
    from unweave.plots.usage import latent_usage
    from unweave.plots.violins import violins

_HOMES: Final = {
    "FORMATS": ".animation",
    "INACTIVE_KL": ".traversals",
    "Animation": ".animation",
    "Block": ".blocks",
    "Circle": ".circles",
    "Colouring": ".embeddings",
    "Concentration": ".concentration",
    "Drawn": ".shown",
    "Intervention": ".interventions",
    "Picture": ".shown",
    "Response": ".responses",
    "above": ".lettering",
    "beside": ".lettering",
    "best_latents": ".matrix",
    "check_format": ".animation",
    "check_picture": ".save",
    "circles": ".circles",
    "code_correlations": ".code_correlations",
    "concentration_bars": ".concentration",
    "conditions": ".conditions",
    "correlation_matrix": ".correlations",
    "disentanglement_against_error": ".generalisation",
    "disvae_animation": ".published",
    "disvae_grid": ".published",
    "disvae_reconstruct_traverse": ".published",
    "edge_colour": ".images",
    "embeddings": ".embeddings",
    "enlarge": ".images",
    "errors_by_combination": ".combinations",
    "generalisation_gaps": ".gaps",
    "generators": ".generators",
    "held_out_maps": ".held_out",
    "held_out_reconstructions": ".comparison",
    "hinton_diagrams": ".hinton",
    "hyper_map": ".hyper",
    "image_blocks": ".blocks",
    "image_rows": ".rows",
    "interventions": ".interventions",
    "joined_blocks": ".blocks",
    "joint_shares": ".joint",
    "kl_bars": ".kl",
    "kl_curves": ".kl",
    "latent_factor_matrix": ".matrix",
    "latent_positions": ".positions",
    "latent_responses": ".responses",
    "latent_usage": ".usage",
    "lineage": ".lineage",
    "loss_curves": ".losses",
    "matched_latents": ".matched_latents",
    "order_by_kl": ".traversals",
    "pictured": ".shown",
    "png": ".save",
    "rank_lines": ".ranks",
    "reconstructions": ".reconstructions",
    "round_scores": ".round_scores",
    "run_curves": ".run_curves",
    "run_grid": ".run_grid",
    "run_scores": ".run_scores",
    "save": ".save",
    "schedules": ".schedules",
    "score_curves": ".score_curves",
    "share_bars": ".shares",
    "signed": ".traversals",
    "tile": ".images",
    "traversals": ".traversals",
    "violins": ".violins",
}


class _Room(ModuleType):
    """The type of this module, in which a drawing function has the name that its file has too.

    An import sets each file as an attribute, which would then hide the function of that name.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Room

if not TYPE_CHECKING:
    # Who draws nothing loads no matplotlib.
    __getattr__, __dir__ = lazy_names(__name__, __all__, _HOMES)
