"""Cells: images of which each learned factor has one value, so that only others are to learn."""

from __future__ import annotations

__all__ = ["Cell", "Choice", "Ending", "Reason", "Skipped", "choose_cell", "group"]

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError, SpecError
from unweave.population.recursion.clusters import Clusters

Reason: TypeAlias = Literal[
    "nothing_active", "no_structure", "everything_learned", "cell_too_small", "too_few_cells"
]
"""Why there is no cell: no latent has enough KL; none of those has clusters; combinations of
clusters are too many for the images, so that what varies is learned; cells are small though
combinations are few; there are cells, but not as many as the rank asks for."""

# Codes of combinations stay below this.
_ROOM = 2**62


@final
@dataclass(frozen=True, eq=False)
class Cell:
    """The images chosen.

    Attributes:
        positions: Their positions in the table, ascending, (n,) int64.
        values: Cluster of each latent or ring, by name.
        purity: Probability with which an image has those clusters, on average; None where nothing
            tells.
        rank: Which of the cells it is, from 0.
        cells: How many there are to choose from; None where nobody counts.
    """

    positions: NDArray[np.int64]
    values: Mapping[str, int]
    purity: float | None
    rank: int
    cells: int | None


@final
@dataclass(frozen=True)
class Ending:
    """There is no cell: the recursion ends here.

    Attributes:
        reason: For programs.
        message: For people, one sentence.
    """

    reason: Reason
    message: str


@final
@dataclass(frozen=True)
class Skipped:
    """A latent or ring that has no say in the cell, and why.

    Attributes:
        name: Of the latent or ring.
        why: In words.
    """

    name: str
    why: str


@final
@dataclass(frozen=True, eq=False)
class Choice:
    """What came of the search for a cell.

    Attributes:
        outcome: The cell, or why there is none.
        used: Names of latents and rings that are constant in it.
        skipped: Those that are not.
    """

    outcome: Cell | Ending
    used: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = field(default=())


def choose_cell(
    clusterings: Mapping[str, Clusters],
    *,
    rank: int = 0,
    smallest: int = 10,
    purity: float = 0.75,
    coverage: float = 0.5,
) -> Choice:
    """The cell of a rank: one cluster of each latent or ring that has good clusters.

    A cell ranks high where its images are likely to have one value of each factor: by the product
    of the purities of its clusters, of how far none is wider than usual for its latent, and of how
    near its size is to the median of all cells. Large cells and wide clusters are those of two
    values that the model does not tell apart. (On codes of 21 models of dSprites the best three
    cells had one value of a factor in 89 % of their images, 66 % by purity times size, and 80 % in
    all cells.) Equal cells stay in the order of the clusters. Runs that take different ranks learn
    from different images.

    Args:
        clusterings: Clusters of each active latent or ring by name, all of the same N images.
        rank: From 0, the best.
        smallest: Images of a cell, at least.
        purity: Of clusters that are used, at least.
        coverage: Of clusters that are used, at least.

    Raises:
        DataError: The clusters are of different numbers of images.
        SpecError: A setting is out of range.
    """
    if rank < 0 or smallest < 1:
        raise SpecError(
            f"rank must be at least 0 and smallest at least 1, but they are {rank} and {smallest}."
        )
    if not clusterings:
        return Choice(Ending("nothing_active", "No latent has enough KL to be a label."))
    lengths = sorted({len(each.ids) for each in clusterings.values()})
    if len(lengths) > 1:
        raise DataError(f"Clusters must be of the same images, but are of {lengths} ones.")
    whys = {name: _why_not(each, purity, coverage) for name, each in clusterings.items()}
    skipped = tuple(Skipped(name, why) for name, why in whys.items() if why)
    good = {name: each for name, each in clusterings.items() if not whys[name]}
    used = tuple(good)
    if not good:
        message = (
            f"None of {len(whys)} active latents and rings has clusters that part its values."
        )
        return Choice(Ending("no_structure", message), used, skipped)
    table = np.stack(
        [np.where(_usable(each), each.ids, -1) for each in good.values()], axis=1
    ).astype(np.int64)
    cells, membership, sizes = group(table)
    chances, narrow = np.ones(len(cells)), np.ones(len(cells))
    for column, each in enumerate(good.values()):
        chances *= each.purities[cells[:, column]]
        narrow *= _narrowness(each)[cells[:, column]]
    large = np.flatnonzero(sizes >= smallest)
    if not len(large):
        return Choice(_ending(sizes, good, lengths[0], smallest), used, skipped)
    if rank >= len(large):
        message = (
            f"There are {len(large)} cells of at least {smallest} images, and no rank {rank}."
        )
        return Choice(Ending("too_few_cells", message), used, skipped)
    usual = sizes / np.median(sizes[large])
    scores = chances * narrow * np.minimum(usual, 1 / usual)
    cell = int(large[np.argsort(-scores[large], kind="stable")[rank]])
    chosen = Cell(
        positions=np.flatnonzero(membership == cell).astype(np.int64),
        values=dict(zip(used, cells[cell].tolist(), strict=True)),
        purity=float(chances[cell]),
        rank=rank,
        cells=len(large),
    )
    return Choice(chosen, used, skipped)


def group(
    ids: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """The combinations of ids that occur, in lexicographic order.

    Args:
        ids: (N, L), L at least 1; an image with a negative id is in no cell.

    Returns:
        Ids of each cell, (M, L); the cell of each image, (N,), or -1; images in each, (M,).
    """
    inside = np.flatnonzero((ids >= 0).all(axis=1))
    kept = ids[inside]
    spans = [int(n) for n in kept.max(axis=0, initial=-1) + 1]
    membership = np.full(len(ids), -1, np.int64)
    if math.prod(spans) < _ROOM:
        codes = np.zeros(len(kept), np.int64)
        for column, span in enumerate(spans):
            codes = codes * span + kept[:, column]
        _, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
    else:
        _, first, inverse = np.unique(kept, axis=0, return_index=True, return_inverse=True)
    membership[inside] = inverse.reshape(-1)
    return kept[first], membership, np.bincount(membership + 1, minlength=len(first) + 1)[1:]


def _usable(clusters: Clusters) -> NDArray[np.bool_]:
    """Images in usable clusters, (N,)."""
    return (clusters.ids >= 0) & clusters.usable[clusters.ids]


def _narrowness(clusters: Clusters) -> NDArray[np.float64]:
    """Usual width of the usable clusters by that of each, at most 1, (K,)."""
    widths = np.diff(clusters.intervals, axis=1)[:, 0]
    found = np.ones(len(widths))
    usable = clusters.usable
    found[usable] = np.minimum(np.median(widths[usable]) / widths[usable], 1)
    return found


def _why_not(clusters: Clusters, purity: float, coverage: float) -> str:
    """Why clusters are not used; empty where they are."""
    if not clusters.count:
        return clusters.reason
    if clusters.purity < purity:
        return f"its {clusters.count} clusters overlap: purity {clusters.purity:.2f} < {purity:g}"
    if clusters.coverage < coverage:
        return (
            f"its {clusters.count} clusters leave too many images out: coverage "
            f"{clusters.coverage:.2f} < {coverage:g}"
        )
    return ""


def _ending(
    sizes: NDArray[np.int64], good: Mapping[str, Clusters], images: int, smallest: int
) -> Ending:
    """Why no cell is large enough."""
    combinations = math.prod(int(each.usable.sum()) for each in good.values())
    found = (
        f"The largest of {len(sizes):,} cells has {sizes.max(initial=0):,} images, fewer than "
        f"{smallest}"
    )
    if images < smallest * combinations:
        return Ending(
            "everything_learned",
            f"{found}: {images:,} images have {combinations:,} combinations of learned values.",
        )
    return Ending("cell_too_small", f"{found}, though there are {images:,} images.")
