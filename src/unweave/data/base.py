"""What a dataset is, and what it gives: images and factors by flat index."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave import display
from unweave.data.labels import Labels
from unweave.data.pixels.images import Images, Selected
from unweave.errors import DataError, UnweaveError
from unweave.factors import FactorSpace, check_flat
from unweave.progress import Progress
from unweave.spec import Component
from unweave.splits import keyed_generator

__all__ = ["Dataset", "DatasetSpec", "no_factors"]

_COLOURS = ("grey", "in colour")
_NO_FACTORS = display.note("Factors are not known.")
# Images in a notebook, and CSS pixels of each at least.
_SHOWN = 12
_SIDE = 64


class DatasetSpec(Component):
    """Family of datasets: images by flat index, and mostly factors of each.

    What is known before any image is made or read stands here: shape, number, factors. `open`
    gives the dataset. A member that keeps its images in a store of its own derives from
    `StoredSpec`, one that is made of other datasets from `DerivedSpec`.
    """

    family: ClassVar[str] = "dataset"
    revision: ClassVar[int] = 1
    """Raised when the same text means other images than before."""
    listed: ClassVar[bool] = True
    """Whether it stands in the catalogue on its defaults."""
    labelled: ClassVar[bool] = True
    """Whether the factors of its images are known."""

    @property
    def factor_space(self) -> FactorSpace:
        """The factors; those of a full grid in the order of the flat index.

        Raises:
            DataError: They are not known.
        """
        raise no_factors(str(self))

    @property
    def whole_space(self) -> FactorSpace:
        """The factors with all values of the dataset of which this is a part; else its own.

        A part may lack values, and numbers those that it has anew: what must mean the same in all
        parts goes by this space.

        Raises:
            DataError: They are not known.
        """
        return self.factor_space

    @property
    def full_grid(self) -> bool:
        """Whether it will have every combination of its factors once, in C order, when opened."""
        return self.labelled

    @property
    def count(self) -> int:
        """How many images there are; known without opening the dataset."""
        return self.factor_space.size

    @property
    @abstractmethod
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C)."""

    @property
    @abstractmethod
    def source(self) -> str:
        """`rendered` when we draw the images, `archive` when published, `own` when the user's."""

    @abstractmethod
    def ready(self) -> bool:
        """Whether `open` has nothing to make or fetch."""

    @abstractmethod
    def open(self, progress: Progress | None = None) -> Dataset:
        """Open the dataset, making or fetching first what is missing.

        Args:
            progress: Told of that, if there is any.

        Raises:
            DataError: The images cannot be had, the disk is full, or what is stored is damaged.
        """

    @abstractmethod
    def verify(self, progress: Progress | None = None) -> None:
        """Compare every stored image with its checksum; what is missing is not made.

        Args:
            progress: Told how many images are compared.

        Raises:
            DataError: Images are missing or damaged; the message names the first damaged block.
        """

    def check_loadable(self) -> None:
        """Whether the images can be had, as far as it can be said without any work.

        Raises:
            DataError: They cannot.
        """

    def folder(self) -> Path | None:
        """Where its own images lie, or will; None for one that is made of others."""
        return None

    def _repr_html_(self) -> str:
        """What is known before it is opened, for a notebook; nothing is made or fetched."""
        told: dict[str, object] = {}
        parts: list[object] = []
        try:
            height, width, channels = self.image_shape
            told = {
                "images": f"{self.count:,} of {height} x {width} pixels, {_COLOURS[channels > 1]}",
                "source": self.source,
                "ready": "yes" if self.ready() else "no: opening it makes or fetches its images",
            }
            parts.append(self.factor_space.table() if self.labelled else _NO_FACTORS)
        except UnweaveError as error:
            parts.append(display.note(error))
        return display.shown(f"Dataset {self}", display.facts(told), *parts)


@final
class Dataset:
    """Images and their factors, by flat index.

    Most are full grids: every combination of factors once, in C order. Others have labels, one
    row an image, or no factors at all.

    Attributes:
        spec: What the dataset is; `str(spec)` is its text.
        image_shape: (H, W, C).
        store: Where the images come from.
        labels: Factors of each image, for what is no full grid.
        weights: How often each image is drawn in training, (N,), with the sum 1; None for equally
            often, once an epoch.
    """

    def __init__(
        self,
        spec: DatasetSpec,
        store: Images,
        *,
        factor_space: FactorSpace | None = None,
        labels: Labels | None = None,
        weights: NDArray[np.float64] | None = None,
    ) -> None:
        """Join what a dataset is with where its images lie; `DatasetSpec.open` does this.

        Args:
            spec: What it is.
            store: Its images.
            factor_space: Its factors, None where they are not known.
            labels: Factors of each image, None for a full grid in C order.
            weights: As the attribute.
        """
        rows = (
            len(labels.indices)
            if labels is not None
            else store.count
            if factor_space is None
            else factor_space.size
        )
        if rows != store.count:
            raise DataError(f"{spec} has {store.count:,} images, but factors of {rows:,}.")
        self.spec = spec
        self.image_shape = store.image_shape
        self.store = store
        self.labels = labels
        self.weights = weights
        self._factor_space = factor_space

    def __len__(self) -> int:
        """How many images there are."""
        return self.store.count

    def __repr__(self) -> str:
        """The dataset's text and size."""
        return f"<Dataset {self.spec}: {len(self):,} images, {self.spec.source}>"

    def _repr_html_(self) -> str:
        """Some of its images, the same every time, and its factors, for a notebook."""
        height, width, channels = self.image_shape
        count = min(_SHOWN, len(self))
        chosen = keyed_generator(0, "images in a notebook").choice(len(self), count, replace=False)
        images = self.images(np.sort(chosen))
        row = np.full((height, count * (width + 2) - 2, images.shape[-1]), 160, np.uint8)
        for k, image in enumerate(images):
            row[:, k * (width + 2) : k * (width + 2) + width] = image
        times = max(1, round(_SIDE / width))
        name = f"{count} of {len(self):,} images, drawn at random"
        return display.shown(
            f"Dataset {self.spec}",
            display.facts(
                {
                    "images": f"{len(self):,} of {height} x {width} pixels, "
                    f"{_COLOURS[channels > 1]}",
                    "source": self.source,
                    "odds": None if self.weights is None else "images are drawn by odds",
                }
            ),
            display.picture(display.png_of(row, times), "png", name),
            self.factor_space.table() if self.labelled else _NO_FACTORS,
        )

    @property
    def source(self) -> str:
        """`rendered`, `archive` or `own`; say it wherever the images are shown or scored."""
        return self.spec.source

    @property
    def labelled(self) -> bool:
        """Whether the factors of its images are known."""
        return self._factor_space is not None

    @property
    def is_grid(self) -> bool:
        """Whether it has every combination of its factors once, in C order."""
        return self.labelled and self.labels is None

    @property
    def factor_space(self) -> FactorSpace:
        """The factors.

        Raises:
            DataError: They are not known.
        """
        if self._factor_space is None:
            raise no_factors(str(self.spec))
        return self._factor_space

    def images(self, flat: ArrayLike) -> NDArray[np.uint8]:
        """Images at flat indices, (n,) whole numbers, as (n, H, W, C) of 0 to 255.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        return self.store.images(self.check_flat(flat))

    def gather(self, flat: ArrayLike) -> tuple[NDArray[np.uint8], float]:
        """Images in the cheapest form for training.

        Returns:
            An array (n, H, W, C), and what it must be multiplied with to be between 0 and 1.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        return self.store.gather(self.check_flat(flat)), self.store.scale

    def factors(self, flat: ArrayLike) -> NDArray[np.int64]:
        """Factor indices at flat indices, (n,) to (n, K).

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
            DataError: The factors are not known.
        """
        space, rows = self.factor_space, self.check_flat(flat)
        return space.unravel(rows) if self.labels is None else self.labels.indices[rows]

    def known_factors(self, flat: ArrayLike) -> tuple[FactorSpace, NDArray[np.int64]]:
        """Factors and their indices at flat indices, (n, K); no factor and (n, 0) if not known.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        if self.labelled:
            return self.factor_space, self.factors(flat)
        return FactorSpace.unknown(), np.empty((len(self.check_flat(flat)), 0), np.int64)

    def values(self, flat: ArrayLike) -> NDArray[np.float64]:
        """Factor values at flat indices, (n,) to (n, K): exact ones where they are known.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
            DataError: The factors are not known.
        """
        if self.labels is not None and self.labels.values is not None:
            return self.labels.values[self.check_flat(flat)]
        return self.factor_space.values(self.factors(flat))

    def find(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Flat index of an image of each combination, (n, K) to (n,); -1 where there is none.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
            DataError: The factors are not known.
        """
        rows = self.factor_space.check_indices(indices)
        if self.labels is None:
            return self.factor_space.ravel(rows)
        return self.labels.find(self.factor_space, rows)

    def select(self, rows: NDArray[np.int64]) -> Dataset:
        """Some of its images, in that order, with their factors and odds.

        Args:
            rows: Their flat indices, (n,); at least one has odds above 0.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        chosen = self.check_flat(rows)
        labels = None
        if self._factor_space is not None:
            exact = (
                None if self.labels is None or self.labels.values is None else self.values(rows)
            )
            labels = Labels(self.factors(chosen), exact)
        weights = None if self.weights is None else self.weights[chosen]
        return Dataset(
            self.spec,
            Selected(self.store, chosen, f"{len(chosen)} rows"),
            factor_space=self._factor_space,
            labels=labels,
            weights=None if weights is None else weights / weights.sum(),
        )

    def check_flat(self, flat: ArrayLike) -> NDArray[np.int64]:
        """Flat indices as an (n,) int64 array.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        return check_flat(flat, len(self))


def no_factors(text: str) -> DataError:
    """The error for factors that are not known."""
    return DataError(
        f"The factors of {text} are not known: its images can train a model, and scores without "
        "labels can be computed, but nothing that needs factors."
    )
