"""dSprites without the shape as a factor: it is drawn for each image."""

from __future__ import annotations

from typing import ClassVar, final

import numpy as np

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.kinds.derived import DerivedSpec, kept_odds
from unweave.data.pixels.images import Selected
from unweave.data.render.draws import random_index
from unweave.data.sets.dsprites import Dsprites
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.spec import number, option

__all__ = ["DspritesNoshape"]

_HIDDEN = "shape"


@final
class DspritesNoshape(DerivedSpec):
    """dSprites by scale, orientation and position alone; each image has a shape drawn at random.

    A full grid of 245,760 images: every combination of scale (6), orientation (40), pos_x (32) and
    pos_y (32) once, with one of the three shapes, drawn uniformly from the seed and the flat
    index. Another seed gives other shapes. disentanglement_lib draws a shape anew whenever it is
    asked for a combination; with one shape a combination,

    - images and codes are the same at every reading, and scores that intervene on one factor and
      keep the others, which need each combination once, are defined;
    - whatever is summed over images still has every shape for a third of them, independently of
      the factors;
    - two thirds of the images of dSprites are left out. All 737,280 images with the shape left
      out of their labels would not be a grid, and a combination would have three images.

    Source: `dsprites_noshape` of disentanglement_lib, Locatello et al. (2019), arXiv 1811.12359.
    """

    name: ClassVar[str] = "dsprites_noshape"
    listed: ClassVar[bool] = True

    data: DatasetSpec = option(
        default=Dsprites(), help="dsprites, or another full grid with a factor shape."
    )
    seed: int = number(default=0, low=0, help="The shapes are drawn from it.")

    def validate(self) -> None:
        """Refuse images without a factor to leave out or no other factor, and what is no grid."""
        names = self.data.factor_space.names if self.data.labelled else ()
        if _HIDDEN not in names or len(names) < 2:
            raise SpecError(
                f"{self.name}: data must have a factor {_HIDDEN} and others, but {self.data} has "
                f"{', '.join(names) or 'no known factors'}: write {self.name} alone, or "
                "data=dsprites(...)."
            )
        if not self.data.full_grid:
            raise SpecError(
                f"{self.name} needs every shape at every combination of the other factors, but "
                f"{self.data} is no full grid: write data=dsprites, or data=dsprites(grid=...)."
            )

    @property
    def bases(self) -> tuple[DatasetSpec, ...]:
        """The images that it chooses from."""
        return (self.data,)

    @property
    def factor_space(self) -> FactorSpace:
        """The factors but shape, in the order of the flat index."""
        return _without_shape(self.data.factor_space)

    @property
    def whole_space(self) -> FactorSpace:
        """The factors but shape of the whole of the other dataset."""
        return _without_shape(self.data.whole_space)

    def derive(self, *bases: Dataset) -> Dataset:
        """The dataset: the images with the shapes drawn, which keep their odds if they have any.

        Raises:
            SpecError: None of them is ever drawn.
        """
        (base,) = bases
        space = self.factor_space
        flat = np.arange(space.size, dtype=np.int64)
        column = base.factor_space.position(_HIDDEN)
        shapes = random_index(self.seed, "hidden shape", flat, base.factor_space.sizes[column])
        indices = np.insert(space.unravel(flat), column, shapes, axis=1)
        rows = base.factor_space.ravel(indices)
        images = Selected(
            base.store, rows, f"{self.name} seed {self.seed} revision {self.revision}"
        )
        odds = kept_odds(base, rows, str(self))
        return Dataset(self, images, factor_space=space, weights=odds)


def _without_shape(space: FactorSpace) -> FactorSpace:
    return FactorSpace(tuple(factor for factor in space.factors if factor.name != _HIDDEN))
