"""Figures from arrays: NumPy in, a matplotlib figure out."""

from __future__ import annotations

__all__ = [
    "INACTIVE_KL",
    "best_latents",
    "conditions",
    "correlation_matrix",
    "image_rows",
    "joint_shares",
    "kl_bars",
    "kl_curves",
    "latent_factor_matrix",
    "loss_curves",
    "order_by_kl",
    "png",
    "rank_lines",
    "reconstructions",
    "save",
    "share_bars",
    "tile",
    "traversals",
    "violins",
]

from unweave.plots.conditions import conditions
from unweave.plots.correlations import correlation_matrix
from unweave.plots.images import tile
from unweave.plots.joint import joint_shares
from unweave.plots.kl import kl_bars, kl_curves
from unweave.plots.losses import loss_curves
from unweave.plots.matrix import best_latents, latent_factor_matrix
from unweave.plots.ranks import rank_lines
from unweave.plots.reconstructions import reconstructions
from unweave.plots.rows import image_rows
from unweave.plots.save import png, save
from unweave.plots.shares import share_bars
from unweave.plots.traversals import INACTIVE_KL, order_by_kl, traversals
from unweave.plots.violins import violins
