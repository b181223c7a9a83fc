"""The generators of a Lie group: how large they are, and whether they commute."""

from __future__ import annotations

__all__ = ["Algebra", "algebra", "generators"]

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave import plots
from unweave.figures.source import Source
from unweave.nn.lie_group_networks import GroupDecoder

_LATENTS = 24


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class Algebra:
    """Numbers of L generators; NaN where a generator of norm 0 takes part.

    Attributes:
        norms: Frobenius norm of each, (L,).
        products: Norm of A_i A_j over those of both, (L, L), from 0 to 1.
        commutators: Norm of A_i A_j - A_j A_i over those of both, (L, L), from 0 to the root of 2.
        eigenvalues: Of each, (M,) complex, with M that of its group.
    """

    norms: NDArray[np.float64]
    products: NDArray[np.float64]
    commutators: NDArray[np.float64]
    eigenvalues: tuple[NDArray[np.complex128], ...]


def algebra(groups: Sequence[ArrayLike]) -> Algebra:
    """What generators are like; those of different groups have products 0, and so commute.

    Args:
        groups: The generators of each group, (L_k, M_k, M_k).
    """
    tables = [np.asarray(group, np.float64) for group in groups]
    norms = np.concatenate([np.linalg.norm(group, axis=(1, 2)) for group in tables])
    count = len(norms)
    products, commutators = np.zeros((count, count)), np.zeros((count, count))
    start = 0
    for group in tables:
        those = slice(start, start + len(group))
        start += len(group)
        # One row at a time, since all products at once may take gigabytes.
        for i, one in enumerate(group):
            ahead, behind = one @ group, group @ one
            products[those.start + i, those] = np.linalg.norm(ahead, axis=(1, 2))
            commutators[those.start + i, those] = np.linalg.norm(ahead - behind, axis=(1, 2))
    scale = np.outer(norms, norms)
    scale[scale == 0] = np.nan
    eigenvalues = [np.linalg.eigvals(one).astype(np.complex128) for group in tables
                   for one in group]  # fmt: skip
    return Algebra(
        norms=norms,
        products=products / scale,
        commutators=commutators / scale,
        eigenvalues=tuple(eigenvalues),
    )


def generators(source: Source) -> Any | None:
    """Norms, products, commutators and eigenvalues of the generators of a model's Lie group."""
    decoder = source.model.decoder
    if not isinstance(decoder, GroupDecoder) or not decoder.generators():
        return None
    groups = [each.detach().cpu().numpy() for each in decoder.generators()]
    found = algebra(groups)
    order = np.argsort(-found.norms, kind="stable")
    shown = np.sort(order[:_LATENTS])
    follows = source.latent_names()
    rows = sorted({group.shape[1] for group in groups})
    note = f"Matrices of {' and '.join(map(str, rows))} rows."
    if len(groups) > 1:
        note = f"{len(groups)} groups, with matrices of {' and '.join(map(str, rows))} rows."
    if len(found.norms) > _LATENTS:
        note += f" Shown are {_LATENTS} of {len(found.norms)}, of the largest norm."
    return plots.generators(
        found.norms[shown],
        found.products[np.ix_(shown, shown)],
        found.commutators[np.ix_(shown, shown)],
        [found.eigenvalues[j] for j in shown],
        [f"z{j}" for j in shown],
        [follows[j] for j in shown],
        title="Generators of the Lie group",
        note=note,
    )
