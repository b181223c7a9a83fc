"""One step of the recursion: from codes of a level's images to labels, and to the next level."""

from __future__ import annotations

__all__ = ["Label", "Reduction", "RobustReduction", "RpuReduction", "Step", "label_level"]

import dataclasses
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.population.recursion.active import Active, active_latents
from unweave.population.recursion.cells import Cell, Ending, Skipped, choose_cell
from unweave.population.recursion.circular import find_rings
from unweave.population.recursion.clusters import Clusters, find_clusters
from unweave.population.recursion.published import PublishedEnding, published_cell
from unweave.population.surrogate_labels import LabelColumn, LabelLevel
from unweave.representation import Representation
from unweave.spec import Component, number, option


@final
@dataclass(frozen=True, eq=False)
class Label:
    """What a latent, or a ring of two, says of each image.

    Attributes:
        name: Such as `latent 3` or `ring of 2 and 5`.
        latents: Their numbers.
        kl: Their KL to the prior in nats, the sum of a ring's.
        values: Means, or angles in radians, (N,) float32.
        clusters: Of the values.
    """

    name: str
    latents: tuple[int, ...]
    kl: float
    values: NDArray[np.float32]
    clusters: Clusters


@final
@dataclass(frozen=True, eq=False)
class Step:
    """What came of one step.

    Attributes:
        labels: Of the images of this level; none where no latent is active.
        outcome: The images of the next level, or why the recursion ends.
        active: The active latents and all KLs.
        used: Names of the labels that are constant in the cell.
        skipped: Those that are not, and why.
    """

    labels: tuple[Label, ...]
    outcome: Cell | Ending | PublishedEnding
    active: Active
    used: tuple[str, ...] = ()
    skipped: tuple[Skipped, ...] = ()

    @property
    def cell(self) -> Cell | None:
        """The images of the next level, or None where the recursion ends."""
        return self.outcome if isinstance(self.outcome, Cell) else None


class Reduction(Component):
    """A way from the codes of a level's images to labels and to the next level."""

    family: ClassVar[str] = "reduction"

    @abstractmethod
    def step(self, representation: Representation, *, level: int, rank: int) -> Step:
        """Label the images of a level, and choose those of the next.

        Args:
            representation: Codes of all images of the level, with logvars.
            level: From 0, that of the whole dataset.
            rank: Which cell is taken at level 0; leaf-runs differ in it. Deeper levels take the
                first.

        Raises:
            DataError: There are no logvars, or no images.
        """


@final
class RobustReduction(Reduction):
    """Clusters of each active latent, and angles of pairs of latents that form a ring.

    Latents without clear clusters are labels as they are, and have no say in the cell.

    References:
        | How clusters are told apart: Kernel density estimation via diffusion
        | (Botev et al., 2010)
        | https://arxiv.org/abs/1011.2602
    """

    name: ClassVar[str] = "robust"

    threshold: float = number(default=1.0, low=0, help="KL of active latents in nats, more than.")
    rings: bool = option(default=True, help="Look for factors that are angles.")
    sure: float = number(
        default=0.9, above=0, below=1, help="Probability with which an image is its cluster's."
    )
    purity: float = number(default=0.75, low=0, high=1, help="Of clusters that are used.")
    coverage: float = number(
        default=0.5, low=0, high=1, help="Share of images in clusters that are used."
    )
    smallest: int = number(default=10, low=1, help="Images of a cell, at least.")

    def step(self, representation: Representation, *, level: int, rank: int) -> Step:
        """Label the images of a level, and choose those of the next."""
        active = active_latents(representation, self.threshold)
        settings: dict[str, Any] = {"sure": self.sure, "smallest": self.smallest}
        codes = representation.mean
        rings = find_rings(codes, active.latents, **settings) if self.rings else []
        labels = [
            Label(
                name=f"ring of {ring.latents[0]} and {ring.latents[1]}",
                latents=ring.latents,
                kl=float(active.kl[list(ring.latents)].sum()),
                values=ring.angles.astype(np.float32),
                clusters=ring.clusters,
            )
            for ring in rings
        ]
        taken = {j for ring in rings for j in ring.latents}
        labels += [
            _plain(representation, active, j, find_clusters(codes[:, j], **settings))
            for j in active.latents.tolist()
            if j not in taken
        ]
        labels.sort(key=lambda label: label.latents)
        choice = choose_cell(
            {label.name: label.clusters for label in labels},
            rank=rank if level == 0 else 0,
            smallest=self.smallest,
            purity=self.purity,
            coverage=self.coverage,
        )
        return Step(tuple(labels), choice.outcome, active, choice.used, choice.skipped)


@final
class RpuReduction(Reduction):
    """What the code of rPU-VAE does, defects included; see `published_cell`.

    References:
        | Robust Disentanglement of a Few Factors at a Time using rPU-VAE
        | (Estermann et al., 2020)
        | https://arxiv.org/abs/2010.13527
    """

    name: ClassVar[str] = "rpu"

    threshold: float = number(default=1.0, low=0, help="KL of active latents in nats, more than.")
    side_cutoff: float = number(
        default=0.0, low=0, below=0.5,
        help="Share of images dropped at each end of an interval, where one latent is active.",
    )  # fmt: skip

    def step(self, representation: Representation, *, level: int, rank: int) -> Step:
        """Label the images of a level, and choose those of the next."""
        active = active_latents(representation, self.threshold, compat="rpu")
        none = Clusters.none(len(representation), "raw values")
        labels = tuple(_plain(representation, active, j, none) for j in active.latents.tolist())
        outcome = published_cell(
            representation.mean[:, active.latents],
            level=level,
            x_peak=rank,
            side_cutoff=self.side_cutoff,
        )
        if not isinstance(outcome, Cell):
            return Step(labels, outcome, active)
        used = tuple(label.name for label in labels)
        places = dict(zip(used, outcome.values.values(), strict=True))
        return Step(labels, dataclasses.replace(outcome, values=places), active, used)


def label_level(
    step: Step,
    flat: NDArray[np.int64],
    *,
    run: str = "",
    digest: str = "",
    agreed: Sequence[float | None] | None = None,
) -> LabelLevel:
    """The labels of a step as a level of a label file.

    Args:
        step: What came of the codes of the level's images.
        flat: Indices of these in the whole dataset, ascending, (N,).
        run: Path of the run of the model.
        digest: Of its weights, as `trained.fingerprint` gives it.
        agreed: How pure each label is by other models; None where these say nothing.

    Raises:
        DataError: There are not as many indices as labels, or they do not ascend.
    """
    why = {each.name: each.why for each in step.skipped}
    lengths = {len(label.values) for label in step.labels}
    if lengths - {len(flat)}:
        raise DataError(f"There are {len(flat):,} indices, but labels of {lengths} images.")
    columns = tuple(
        LabelColumn(
            name=label.name,
            latents=label.latents,
            kl=label.kl,
            purity=label.clusters.purity,
            coverage=label.clusters.coverage,
            agreed=share,
            circular=label.clusters.circular,
            intervals=tuple((a, b) for a, b in label.clusters.intervals.tolist()),
            note=why.get(label.name, ""),
        )
        for label, share in zip(step.labels, agreed or [None] * len(step.labels), strict=True)
    )
    values = [label.values for label in step.labels]
    ids = [label.clusters.ids for label in step.labels]
    return LabelLevel(
        flat=np.asarray(flat, np.int64),
        labels=np.stack(values, axis=1) if values else np.empty((len(flat), 0), np.float32),
        ids=np.stack(ids, axis=1) if ids else np.empty((len(flat), 0), np.int32),
        columns=columns,
        run=run,
        digest=digest,
    )


def _plain(representation: Representation, active: Active, j: int, clusters: Clusters) -> Label:
    return Label(
        name=f"latent {j}",
        latents=(j,),
        kl=float(active.kl[j]),
        values=representation.mean[:, j].astype(np.float32),
        clusters=clusters,
    )
