"""How a model uses its latents: KL, variances, and where codes lie."""

from __future__ import annotations

__all__ = ["histograms", "usage"]

from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.figures.shown import USED_VARIANCE, used_latents
from unweave.figures.source import Source

_LATENTS = 24
_BINS = 60
_REACH = 3.5


def histograms(
    codes: NDArray[np.floating], edges: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Density of each latent between edges, and the share of its codes that lie beyond them.

    Args:
        codes: (N, L).
        edges: Ascending, equally far apart, (B + 1,).

    Returns:
        Densities (L, B), which add up to the share of the codes within, and shares beyond (L,).
    """
    numbers = np.asarray(codes, np.float64)
    width = edges[1] - edges[0]
    counts = np.stack([np.histogram(column, edges)[0] for column in numbers.T])
    within = counts.sum(axis=1)
    return counts / (len(numbers) * width), 1 - within / len(numbers)


def usage(source: Source) -> Any | None:
    """KL of each latent, variance of its means, mean variance of its posteriors, and its means."""
    table = source.codes()
    if table is None:
        return None
    noisy = table.logvar is not None
    variance = table.mean.astype(np.float64).var(axis=0)
    kl = table.kl() if noisy else None
    order = np.argsort(-(variance if kl is None else kl), kind="stable")
    used = used_latents(table.mean, table.logvar)
    posterior = None
    if table.logvar is not None:
        posterior = np.exp(table.logvar.astype(np.float64)).mean(axis=0)
    reach = _REACH
    if not noisy:
        # Codes without noise have any scale.
        reach = float(np.abs(table.mean).max()) or 1.0
    edges = np.linspace(-reach, reach, _BINS + 1)
    densities, beyond = histograms(table.mean, edges)
    shown = order[:_LATENTS]
    follows = source.latent_names()
    least = f"above {USED_VARIANCE}" if noisy else f"above {USED_VARIANCE} of the largest one"
    note = (
        f"{int(used.sum())} of {table.latents} latents are used: the variance of their means is "
        f"{least}."
    )
    if kl is not None:
        note += f" The KL of all is {kl.sum():.2f} nats."
    if len(order) > _LATENTS:
        note += f" Shown are {_LATENTS}, of the largest {'KL' if noisy else 'variance'}."
    return plots.latent_usage(
        [f"z{j}" for j in shown],
        variance[shown],
        (edges, densities[shown]),
        used[shown],
        kl=None if kl is None else kl[shown],
        posterior=None if posterior is None else posterior[shown],
        beyond=beyond[shown],
        follows=[follows[j] for j in shown],
        prior=noisy,
        title=f"How latents are used ({len(table):,} images)",
        note=note,
    )
