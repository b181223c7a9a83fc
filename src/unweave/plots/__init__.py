"""Figures from arrays: NumPy in, a matplotlib figure out."""

from __future__ import annotations

__all__ = [
    "INACTIVE_KL",
    "best_latents",
    "conditions",
    "correlation_matrix",
    "disentanglement_against_error",
    "errors_by_combination",
    "generalisation_gaps",
    "held_out_maps",
    "held_out_reconstructions",
    "hinton_diagrams",
    "hyper_map",
    "image_rows",
    "joint_shares",
    "kl_bars",
    "kl_curves",
    "latent_factor_matrix",
    "latent_positions",
    "lineage",
    "loss_curves",
    "order_by_kl",
    "png",
    "rank_lines",
    "reconstructions",
    "round_scores",
    "save",
    "schedules",
    "share_bars",
    "tile",
    "traversals",
    "violins",
]

from unweave.plots.combinations import errors_by_combination
from unweave.plots.comparison import held_out_reconstructions
from unweave.plots.conditions import conditions
from unweave.plots.correlations import correlation_matrix
from unweave.plots.gaps import generalisation_gaps
from unweave.plots.generalisation import disentanglement_against_error
from unweave.plots.held_out import held_out_maps
from unweave.plots.hinton import hinton_diagrams
from unweave.plots.hyper import hyper_map
from unweave.plots.images import tile
from unweave.plots.joint import joint_shares
from unweave.plots.kl import kl_bars, kl_curves
from unweave.plots.lineage import lineage
from unweave.plots.losses import loss_curves
from unweave.plots.matrix import best_latents, latent_factor_matrix
from unweave.plots.positions import latent_positions
from unweave.plots.ranks import rank_lines
from unweave.plots.reconstructions import reconstructions
from unweave.plots.round_scores import round_scores
from unweave.plots.rows import image_rows
from unweave.plots.save import png, save
from unweave.plots.schedules import schedules
from unweave.plots.shares import share_bars
from unweave.plots.traversals import INACTIVE_KL, order_by_kl, traversals
from unweave.plots.violins import violins
