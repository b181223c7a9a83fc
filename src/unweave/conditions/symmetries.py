"""Images that show the same, or nearly, though their factors differ: declared symmetries."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.circles import closes, period_of
from unweave.conditions.kinds import numbered
from unweave.conditions.registry import root_of
from unweave.conditions.split import Split
from unweave.factors import FactorSpace
from unweave.rules.nodes import step_of, values_of

__all__ = ["SYMMETRIES", "Exchange", "Symmetry", "Turn", "Twins", "symmetries_of", "twins_of"]

# Of more combinations there is no table of which are trained on.
_MOST_CELLS: Final = 2**28
# Distances below this share of a step are none.
_NEAR: Final = 1e-6


@final
@dataclass(frozen=True)
class Twins:
    """How many held-out images look like trained ones by one symmetry.

    Attributes:
        symmetry: What looks alike, a sentence.
        concerned: How many held-out images it is about.
        same: How many of them have a trained image that is the same by it.
        near: How many have one that is the same, or nearer than a step of the grid.
        factor: The factor whose steps are counted; None where there are none.
        steps: Distance of the nearest trained image in steps of the grid, the least and the
            greatest over the held-out images that have one; None where none has.
        degrees: The same in degrees of a full turn.
        rows: Flat indices of the held-out images that `near` counts, ascending.
    """

    symmetry: str
    concerned: int
    same: int
    near: int
    factor: str | None
    steps: tuple[float, float] | None
    degrees: tuple[float, float] | None
    rows: NDArray[np.int64]


class Symmetry(ABC):
    """What can be changed of an image's factors so that it looks the same, or nearly."""

    @property
    @abstractmethod
    def text(self) -> str:
        """What looks alike, a sentence."""

    @abstractmethod
    def fits(self, space: FactorSpace) -> bool:
        """Whether a dataset has the factors that it is about."""

    @abstractmethod
    def twins(self, split: Split, trained: NDArray[np.bool_], rows: NDArray[np.int64]) -> Twins:
        """Which held-out images look like trained ones.

        Args:
            split: What is trained on and what is held out.
            trained: Whether each combination of its factors is trained on, (size,).
            rows: Factor indices of the held-out images, (n, K).
        """


@final
@dataclass(frozen=True)
class Turn(Symmetry):
    """An image looks the same when one circular factor goes on by its period.

    Attributes:
        about: What looks alike, a sentence.
        factor: The factor.
        share: The period, as a share of the full turn.
        where: A factor and the name of the value to which it applies; None for all images.
    """

    about: str
    factor: str
    share: float
    where: tuple[str, str] | None = None

    @property
    def text(self) -> str:
        """As above."""
        return self.about

    def fits(self, space: FactorSpace) -> bool:
        """As above."""
        if self.factor not in space.names:
            return False
        if self.where is None:
            return True
        name, label = self.where
        return name in space.names and label in (space.factors[space.position(name)].labels or ())

    def twins(self, split: Split, trained: NDArray[np.bool_], rows: NDArray[np.int64]) -> Twins:
        """As above."""
        space = split.space
        column = space.position(self.factor)
        factor = space.factors[column]
        full = period_of(split.data, factor)
        values = values_of(factor, index=False)
        step = step_of(factor, index=False)
        gaps = np.mod(values[:, np.newaxis] - values, full * self.share)
        gaps = np.minimum(gaps, full * self.share - gaps)
        chosen = np.arange(len(rows))
        if self.where is not None:
            name, label = self.where
            shape = space.position(name)
            place = (space.factors[shape].labels or ()).index(label)
            chosen = chosen[rows[:, shape] == place]
        # All images that differ in this factor alone, a line for each combination of the others.
        lines = np.moveaxis(trained.reshape(space.sizes), column, -1).reshape(-1, factor.size)
        others = np.delete(rows[chosen], column, axis=1)
        sizes = [size for axis, size in enumerate(space.sizes) if axis != column]
        line = numbered(others, sizes)
        places = rows[chosen, column]
        nearest = np.full(len(chosen), np.inf)
        for place in np.unique(places):
            here = np.flatnonzero(places == place)
            seen = lines[line[here]]
            nearest[here] = np.where(seen, gaps[place], np.inf).min(axis=1)
        near = nearest < step * (1 - _NEAR)
        some = nearest[np.isfinite(nearest)]
        ends = (float(some.min()), float(some.max())) if len(some) else None
        return Twins(
            symmetry=self.text,
            concerned=len(chosen),
            same=int((nearest <= step * _NEAR).sum()),
            near=int(near.sum()),
            factor=self.factor,
            steps=ends and (ends[0] / step, ends[1] / step),
            degrees=ends and (360 * ends[0] / full, 360 * ends[1] / full),
            rows=split.held_out[chosen[near]],
        )


@final
@dataclass(frozen=True)
class Exchange(Symmetry):
    """An image looks the same, or nearly, when two things in it exchange their factors.

    Attributes:
        about: What looks alike, a sentence.
        pairs: The factors that are exchanged.
    """

    about: str
    pairs: tuple[tuple[str, str], ...]

    @property
    def text(self) -> str:
        """As above."""
        return self.about

    def fits(self, space: FactorSpace) -> bool:
        """As above."""
        return all(name in space.names for pair in self.pairs for name in pair)

    def exchanged(self, space: FactorSpace, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """The factors after the exchange, (n, K); -1 where a factor has not the other's value.

        Args:
            space: The factors.
            rows: Factor indices, (n, K).
        """
        turned = rows.copy()
        for pair in self.pairs:
            for name, other in (pair, pair[::-1]):
                one, two = space.position(name), space.position(other)
                turned[:, two] = _places(space, one, two)[rows[:, one]]
        return turned

    def twins(self, split: Split, trained: NDArray[np.bool_], rows: NDArray[np.int64]) -> Twins:
        """As above."""
        space = split.space
        turned = self.exchanged(space, rows)
        there = (turned >= 0).all(axis=1)
        found = np.zeros(len(rows), bool)
        found[there] = trained[space.ravel(turned[there])]
        return Twins(
            symmetry=self.text,
            concerned=len(rows),
            same=int(found.sum()),
            near=int(found.sum()),
            factor=None,
            steps=None,
            degrees=None,
            rows=split.held_out[found],
        )


SYMMETRIES: Final[dict[str, tuple[Symmetry, ...]]] = {
    "dsprites": (
        Turn(
            "a square looks the same after a quarter turn",
            "orientation",
            1 / 4,
            ("shape", "square"),
        ),
        Turn(
            "an ellipse looks the same after half a turn",
            "orientation",
            1 / 2,
            ("shape", "ellipse"),
        ),
    ),
    "two_shapes": (
        Exchange(
            "the two shapes can be exchanged, which changes the image only where they overlap",
            tuple((f"{name}_1", f"{name}_2") for name in ("pos_x", "pos_y", "shape", "hue")),
        ),
    ),
}
"""Of each dataset, what looks alike; that a closed factor ends where it begins is not listed."""


def symmetries_of(split: Split) -> list[Symmetry]:
    """What is known to look alike among the images of a split.

    Beside the dataset's own symmetries, the first and the last value of a factor that is closed.
    """
    closed: list[Symmetry] = [
        Turn(f"the first and the last {factor.name} are one picture", factor.name, 1.0)
        for factor in split.space.factors
        if factor.kind == "circular" and closes(factor, period_of(split.data, factor))
    ]
    known = SYMMETRIES.get(root_of(split.data).name, ())
    return [*closed, *(each for each in known if each.fits(split.space))]


def twins_of(split: Split) -> list[Twins]:
    """How many held-out images look like trained ones, by each symmetry that is known.

    No image is read. For a turn, a held-out image is compared with the trained ones whose other
    factors are all the same: how far the nearest one is, once both are taken modulo the period.

    Returns:
        One for each symmetry that concerns a held-out image; none where values lie between those
        of the grid, or where there are too many combinations for a table of them.
    """
    space, labels = split.space, split.table.labels
    known = symmetries_of(split)
    if not known or math.prod(space.sizes) > _MOST_CELLS:
        return []
    if labels is not None and labels.values is not None:
        return []
    table = split.table
    trained = np.zeros(space.size, bool)
    trained[space.ravel(table.indices(split.train))] = True
    rows = table.indices(split.held_out)
    found = [each.twins(split, trained, rows) for each in known]
    return [each for each in found if each.concerned]


def _places(space: FactorSpace, one: int, other: int) -> NDArray[np.int64]:
    """For each index of a factor, that of the same value of another; -1 where there is none."""
    first, second = space.factors[one], space.factors[other]
    if first.labels is not None and second.labels is not None:
        names = list(second.labels)
        return np.array([names.index(each) if each in names else -1 for each in first.labels])
    gaps = np.abs(values_of(first, False)[:, np.newaxis] - values_of(second, False))
    near = gaps.argmin(axis=1)
    return np.where(gaps.min(axis=1) <= 0.01 * step_of(second, False), near, -1)
