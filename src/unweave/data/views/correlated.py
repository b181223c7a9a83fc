"""A dataset whose images are drawn with odds that correlate factors."""

from __future__ import annotations

from typing import ClassVar, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.views.correlations import CONFOUNDER_WIDTH, CORRELATIONS, STRENGTHS, Pairs
from unweave.data.views.table import Table, ViewSpec, factors_before, need_factors, table_of
from unweave.errors import SpecError, nearest
from unweave.factors import Factor, FactorSpace
from unweave.spec import number, option

__all__ = ["Correlated", "scaled"]


@final
class Correlated(ViewSpec):
    """A dataset in which pairs of factors are correlated while a model is trained.

    An image whose paired factors are c1 and c2 is drawn in proportion to exp(-(c1 - c2)^2 / (2
    w^2)), where each factor runs from 0 to 1 over its values, categorical ones over their indices,
    and w is the width: the smaller, the stronger. With several pairs the proportions are
    multiplied, and so are those of a dataset that is correlated already, so that pairs of other
    widths are written one around the other. A confounder is paired with every other factor.

    A factor without an order, such as a shape, is taken in the order of its indices, as if its
    first value were the furthest from its last.

    The images are all those of the other dataset, and are the same: training draws them by the
    odds, with replacement, while scores, pictures and test losses take each alike, as the studies
    do that are named below.

    Example:
        `correlated(data=shapes3d, pairs=((floor_hue, wall_hue),), strength=strong)`
        `correlated(data=dsprites, preset=double_1, strength=weak)`

    Source: Träuble et al. (2021), "On disentangled representations learned from correlated data",
    arXiv 2006.07886; with named pairs and confounders, Roth et al. (2023), arXiv 2210.07347.
    """

    name: ClassVar[str] = "correlated"

    data: DatasetSpec = option(help="The dataset that gives the images.")
    pairs: tuple[tuple[str, str], ...] = option(
        default=(), help="Factors that go together, such as ((floor_hue, wall_hue),)."
    )
    confounder: str | None = option(default=None, help="A factor that goes with all others.")
    preset: str | None = option(
        default=None, help="Pairs of a published study by name, such as single_1 or triple_2."
    )
    strength: float | Literal["weak", "strong", "very_strong"] | None = number(
        default=None,
        above=0,
        help="The width w: weak is 0.4, strong 0.1, very_strong 0.04; left out, 0.1 for pairs and "
        "0.2 for a confounder.",
    )

    def validate(self) -> None:
        """Refuse what names no pair, or not one way, and pairs that the factors do not have."""
        need_factors(self)
        given = [bool(self.pairs), self.confounder is not None, self.preset is not None]
        if sum(given) != 1:
            raise SpecError(
                f"{self.name}: give one of pairs, confounder and preset, such as "
                f"{self.name}(data=..., pairs=((pos_x, pos_y),))."
            )
        space = factors_before(self.data)
        if space is not None:
            self._factors(space)

    @property
    def bases(self) -> tuple[DatasetSpec]:
        """The dataset that gives the images."""
        return (self.data,)

    def table(self) -> Table:
        """That of the other dataset."""
        return table_of(self.data)

    def chosen(self, space: FactorSpace) -> Pairs:
        """The pairs of factors, however they are given.

        Args:
            space: The factors of the images.

        Raises:
            SpecError: There are no pairs with this name.
        """
        confounder = self.confounder
        if self.preset is not None:
            root: DatasetSpec = self.data
            while isinstance(root, DerivedSpec):
                root = root.bases[0]
            known = CORRELATIONS.get(root.name)
            if known is None:
                *most, last = CORRELATIONS
                raise SpecError(
                    f"{self.name}: {root.name} has no preset: {', '.join(most)} and {last} have "
                    "some. Give pairs or a confounder in its place."
                )
            if self.preset not in known:
                raise SpecError(
                    f"{self.name}: {root.name} has no preset {self.preset!r}. "
                    f"{nearest(self.preset, known)}"
                )
            found = known[self.preset]
            if not isinstance(found, str):
                return found
            confounder = found
        if confounder is None:
            return self.pairs
        space.position(confounder)
        return tuple(
            (confounder, factor.name)
            for factor in space.factors
            if factor.name != confounder and factor.size > 1
        )

    @property
    def width(self) -> float:
        """The width w."""
        if isinstance(self.strength, str):
            return STRENGTHS[self.strength]
        if self.strength is not None:
            return self.strength
        confounds = self.confounder or (self.preset or "").startswith("confounder")
        return CONFOUNDER_WIDTH if confounds else STRENGTHS["strong"]

    def derive(self, *bases: Dataset) -> Dataset:
        """The dataset with its odds.

        Raises:
            SpecError: The factors are not as the fields say.
        """
        (base,) = bases
        weights = self._odds(base)
        if base.weights is not None:
            weights = weights * base.weights
            if not weights.any():
                raise SpecError(
                    f"{self} has only images that {self.data} never draws, since widths are so "
                    "small: give a larger strength."
                )
        return Dataset(
            self,
            base.store,
            factor_space=base.factor_space,
            labels=base.labels,
            weights=weights / weights.sum(),
        )

    def _factors(self, space: FactorSpace) -> list[tuple[int, int]]:
        """Positions of the factors of each pair, checked."""
        found: list[tuple[int, int]] = []
        for pair in self.chosen(space):
            one, other = (space.position(name) for name in pair)
            for column in (one, other):
                if space.sizes[column] < 2:
                    raise SpecError(
                        f"{self.name}: {space.names[column]} has one value in {self.data}, so "
                        "nothing can go with it."
                    )
            if one == other:
                raise SpecError(f"{self.name}: {pair[0]} cannot be paired with itself.")
            if (one, other) in found or (other, one) in found:
                raise SpecError(f"{self.name}: {pair[0]} and {pair[1]} are paired twice.")
            found.append((one, other))
        return found

    def _odds(self, base: Dataset) -> NDArray[np.float64]:
        """What each image is drawn in proportion to, (N,); 1 for the likeliest."""
        space = base.factor_space
        columns = [scaled(factor) for factor in space.factors]
        labels = base.labels
        logs = np.zeros(space.sizes if labels is None else len(base))
        for one, other in self._factors(space):
            if labels is None:
                gap = _along(columns[one], one, space) - _along(columns[other], other, space)
            elif labels.values is None:
                indices = labels.indices
                gap = columns[one][indices[:, one]] - columns[other][indices[:, other]]
            else:
                exact = [
                    scaled(space.factors[column], labels.values[:, column])
                    for column in (one, other)
                ]
                gap = exact[0] - exact[1]
            logs -= gap**2 / (2 * self.width**2)
        # Where all are far from what is asked for, the odds of the nearest must not be 0, too.
        return np.asarray(np.exp(logs - logs.max())).reshape(-1)


def scaled(factor: Factor, exact: NDArray[np.float64] | None = None) -> NDArray[np.float64]:
    """The values of a factor, or exact ones of images, so that the least is 0 and the largest 1.

    Categorical factors go by their indices; a factor with one value is 0.
    """
    if exact is not None:
        values = exact
    elif factor.values is None or factor.kind == "categorical":
        values = np.arange(factor.size, dtype=np.float64)
    else:
        values = np.asarray(factor.values, dtype=np.float64)
    span = float(values.max() - values.min()) or 1.0
    return np.asarray((values - values.min()) / span)


def _along(values: NDArray[np.float64], column: int, space: FactorSpace) -> NDArray[np.float64]:
    """Values of one factor, so that they broadcast over the grid of all."""
    shape = [1] * len(space.sizes)
    shape[column] = len(values)
    return values.reshape(shape)
