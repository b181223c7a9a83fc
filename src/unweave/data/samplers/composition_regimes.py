"""Composition triplets of a dataset some of which was left out: what of each was trained on."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias, final, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.base import Dataset
from unweave.data.labels import Labels, taken_by
from unweave.data.pixels.images import Selected
from unweave.data.samplers.base import varying
from unweave.data.samplers.composition import Composition, drawn_pairs
from unweave.data.samplers.lines import Lines, lines_of
from unweave.data.samplers.population import Population
from unweave.errors import DataError, SpecError, nearest
from unweave.rules import Rule

__all__ = ["REGIMES", "CompositionRegimes", "Regime"]

Regime: TypeAlias = Literal["id_id", "id_ood", "ood_ood"]
REGIMES: Final[tuple[Regime, ...]] = get_args(Regime)
"""All, in the order of what is new in them."""

_NONE: Final = {
    "id_id": "no two images that are trained on differ in one factor alone",
    "id_ood": (
        "no image that is left out differs in one factor alone from one that is trained on, and "
        "has a value of it that another one that is trained on has"
    ),
    "ood_ood": "no two images that are left out differ in one factor alone",
}


@final
class CompositionRegimes:
    """Triplets of a whole dataset, by which of their images were left out of training.

    - `id_id`: reference, transform and target were trained on;
    - `id_ood`: reference and transform were, and the target was left out: both inputs are known,
      and only what they are to become is new;
    - `ood_ood`: all three were left out, as in the published test, so that the inputs are new too.

    The law is that of the sampler `composition`, with images of each kind in their places. The
    factor is any of those in which the regime has triplets, each being as likely. The reference
    is then any image with a target; the target's value of the factor any that gives one, and the
    target any image of that combination; the transform any image with this value. Odds that a
    dataset gives its images in training have no part in it. Tables are made when a regime is
    drawn from first; a draw takes as long whatever the number of images.

    A range of one factor that was left out altogether has no `id_ood`, since no image that was
    trained on has such a value for the transform.

    Args:
        dataset: The whole, of known factors.
        left_out: What was left out: a rule on factors, or whether each image was, (N,) bool.
        factors: Names of the factors that may change; none for all.

    Attributes:
        left_out: Whether each image was left out, (N,) bool.

    Raises:
        SpecError: The rule or a name does not fit the factors, or all images are left out or none.
        DataError: The factors are not known, or the array does not fit the images.

    Example:
        >>> data = load_dataset("dsprites(grid=(3, 2, 2, 4, 4))")  # doctest: +SKIP
        >>> regimes = CompositionRegimes(data, "shape == 'square' and pos_x > 0.5")
        ... # doctest: +SKIP
        >>> regimes.factors("id_ood")  # doctest: +SKIP
        ('shape', 'pos_x')
    """

    def __init__(
        self,
        dataset: Dataset,
        left_out: str | NDArray[np.bool_],
        factors: tuple[str, ...] = (),
    ) -> None:
        """Split the images; no table is made yet."""
        self._space = dataset.factor_space
        self._text = str(dataset.spec)
        self._sampler = Composition(factors=factors)
        self._columns: list[int] = varying(self._sampler, self._space, factors).tolist()
        self.left_out = _mask(dataset, left_out)
        self._rows = (np.flatnonzero(~self.left_out), np.flatnonzero(self.left_out))
        # Those that were trained on, and those that were left out.
        self._parts = tuple(Population(_part(dataset, rows)) for rows in self._rows)
        self._lines: dict[Regime, dict[int, Lines]] = {}

    def factors(self, regime: Regime) -> tuple[str, ...]:
        """Names of the factors in which a regime has triplets.

        Raises:
            SpecError: There is no such regime.
        """
        lines = self._of(regime)
        return tuple(self._space.names[column] for column in self._columns if lines[column].count)

    def draw(self, regime: Regime, count: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draw triplets.

        Args:
            regime: Which images may be where.
            count: How many.
            rng: Where the randomness comes from, such as `splits.keyed_generator(seed, "triplets",
                batch)`.

        Returns:
            Flat indices in the whole dataset of references, transforms and targets, (count, 3).

        Raises:
            SpecError: There is no such regime, or the count is negative.
            DataError: The regime has no triplets.
        """
        if count < 0:
            raise SpecError(f"composition: cannot draw {count} times: give at least 0.")
        if not self.factors(regime):
            names = ", ".join(self._space.names[column] for column in self._columns)
            raise DataError(
                f"{self._text} has no triplets {regime} of {names}: {_NONE[regime]}. Leave out "
                "other combinations, or let other factors change."
            )
        actions, pairs = drawn_pairs(self._of(regime), count, rng)
        inputs, targets = self._places(regime)
        values = self._parts[targets].indices(pairs[:, 1])[np.arange(count), actions]
        transforms = self._parts[inputs].with_value(actions, values, rng)
        columns = ((inputs, pairs[:, 0]), (inputs, transforms), (targets, pairs[:, 1]))
        return np.stack([self._rows[part][flat] for part, flat in columns], axis=1)

    def actions(self, dataset: Dataset, drawn: NDArray[np.int64]) -> NDArray[np.int64]:
        """Which factor is taken from the transform, as its column, (count, 3) to (count,)."""
        return self._sampler.actions(dataset, drawn)

    def _places(self, regime: Regime) -> tuple[int, int]:
        """Which part the inputs come from, and which the targets."""
        return int(regime == "ood_ood"), int(regime != "id_id")

    def _of(self, regime: Regime) -> dict[int, Lines]:
        """Pairs of reference and target along each factor."""
        if regime not in REGIMES:
            raise SpecError(f"Unknown regime {regime!r:.100}. {nearest(str(regime), REGIMES)}")
        if regime not in self._lines:
            self._lines[regime] = {column: self._along(regime, column) for column in self._columns}
        return self._lines[regime]

    def _along(self, regime: Regime, column: int) -> Lines:
        inputs, targets = self._places(regime)
        if inputs == targets:
            return lines_of(self._parts[inputs], column)
        seen, unseen = self._parts
        # Of values that no input has, there is no transform.
        values = np.zeros(self._space.sizes[column], dtype=np.bool_)
        values[seen.indices(np.arange(len(seen)))[:, column]] = True
        return Lines(seen, unseen, column, values)


def _mask(dataset: Dataset, left_out: str | ArrayLike) -> NDArray[np.bool_]:
    """Whether each image is left out, (N,), some of them true and some false."""
    if isinstance(left_out, str):
        rule = Rule(left_out, dataset.factor_space)
        mask = taken_by(rule, dataset.labels)
        said = f" {rule.describe()}"
    else:
        mask, said = np.array(left_out), ""
        if mask.dtype != np.bool_ or mask.shape != (len(dataset),):
            raise DataError(
                f"left_out says of each of the {len(dataset):,} images of {dataset.spec} whether "
                f"it is left out, so it must be bool of shape ({len(dataset)},), not "
                f"{mask.dtype} of shape {mask.shape}."
            )
    if mask.all() or not mask.any():
        what = "All" if mask.all() else "None"
        raise SpecError(
            f"{what} of the {len(mask):,} images of {dataset.spec} are left out, so there is "
            f"nothing to compare.{said}"
        )
    return mask


def _part(dataset: Dataset, rows: NDArray[np.int64]) -> Dataset:
    """Some images with the factors of all, and without odds."""
    exact = dataset.labels.values if dataset.labels is not None else None
    return Dataset(
        dataset.spec,
        Selected(dataset.store, rows, f"{len(rows)} rows"),
        factor_space=dataset.factor_space,
        labels=Labels(dataset.factors(rows), None if exact is None else exact[rows]),
    )
