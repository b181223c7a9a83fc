"""What a dataset is, and what it gives: images and factors by flat index."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.store import FORMAT, Encoding, Progress, Store, build_store
from unweave.factors import FactorSpace
from unweave.rundir import home
from unweave.spec import Component, to_dict

__all__ = ["Dataset", "DatasetSpec"]


class DatasetSpec(Component):
    """Family of datasets: full grids of factors whose images lie in a store.

    A member says what its images are and how to make them; the store, its place and its building
    are the same for all. Members that are not `loadable` only say what their images are.
    """

    family: ClassVar[str] = "dataset"
    revision: ClassVar[int] = 1
    """Raised when the same text means other images than before."""
    loadable: ClassVar[bool] = True
    """Whether this version can load the images; a dataset can be named without that."""

    @property
    @abstractmethod
    def factor_space(self) -> FactorSpace:
        """The factors, in the order of the flat index."""

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
        """Where the images come from: `rendered` when we draw them, `archive` when published."""

    @property
    @abstractmethod
    def encoding(self) -> Encoding:
        """`bits` when every pixel is 0 or 1, else `bytes`."""

    @abstractmethod
    def encoded_blocks(
        self, details: dict[str, Any], progress: Progress | None
    ) -> Iterable[NDArray[np.uint8]]:
        """All images in flat order, encoded for the store, in blocks of any length.

        Args:
            details: Facts for the manifest, added while the images are made.
            progress: For work that comes before the first block, such as a download.

        Raises:
            DataError: The images cannot be had.
        """

    def check_loadable(self) -> None:
        """Whether this version can load the images, asked before any work that needs them.

        Raises:
            DataError: It cannot.
        """

    def check(self, details: Mapping[str, Any]) -> None:
        """Whether an existing store still fits; `details` is what the manifest says.

        Raises:
            DataError: It does not.
        """

    def address(self) -> Mapping[str, Any]:
        """What tells these images from all others; the store's folder is named after it."""
        return to_dict(self)

    def folder(self) -> Path:
        """Where the store lies, or will."""
        key = json.dumps([FORMAT, self.revision, self.address()], sort_keys=True)
        digest = hashlib.sha256(key.encode()).hexdigest()[:8]
        return home() / "data" / f"{self.name}-{self.source}-{digest}"

    def ready(self) -> bool:
        """Whether the store is built, so that `open` only opens it."""
        return self.folder().exists()

    def open(self, progress: Progress | None = None) -> Dataset:
        """Open the dataset, building its store when it is missing.

        Args:
            progress: Told of the building, if there is any.

        Raises:
            DataError: The images cannot be had, the disk is full, or the store is damaged.
        """
        self.check_loadable()
        folder = self.folder()
        if folder.exists():
            store = Store.open(folder)
        else:
            details: dict[str, Any] = {}
            store = build_store(
                folder,
                text=str(self),
                form=to_dict(self),
                source=self.source,
                image_shape=self.image_shape,
                count=self.count,
                encoding=self.encoding,
                blocks=self.encoded_blocks(details, progress),
                details=details,
                progress=progress,
            )
        self.check(store.manifest["details"])
        return Dataset(self, store)

    def verify(self, progress: Progress | None = None) -> None:
        """Compare every stored image with its checksum; a store that is missing is not built.

        Args:
            progress: Told how many images are compared.

        Raises:
            DataError: The store is missing or damaged; the message names the first damaged block.
        """
        self.check_loadable()
        # Opening samples a block: the first, so that no later one is named in its place.
        store = Store.open(self.folder(), sample=0)
        self.check(store.manifest["details"])
        store.verify(progress)


@final
class Dataset:
    """Images and factors of a full grid, by flat index.

    Attributes:
        spec: What the dataset is; `str(spec)` is its text.
        factor_space: The factors, in the order of the flat index.
        image_shape: (H, W, C).
        store: Where the images lie.
    """

    def __init__(self, spec: DatasetSpec, store: Store) -> None:
        """Join what a dataset is with where its images lie; `DatasetSpec.open` does this."""
        self.spec = spec
        self.factor_space = spec.factor_space
        self.image_shape = spec.image_shape
        self.store = store

    def __len__(self) -> int:
        """How many images there are."""
        return self.store.count

    def __repr__(self) -> str:
        """The dataset's text and size."""
        return f"<Dataset {self.spec}: {len(self):,} images, {self.spec.source}>"

    @property
    def source(self) -> str:
        """`rendered` or `archive`; say it wherever the images are shown or scored."""
        return self.spec.source

    def images(self, flat: ArrayLike) -> NDArray[np.uint8]:
        """Images at flat indices, (n,) whole numbers, as (n, H, W, C) of 0 to 255.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        return self.store.images(self.factor_space.check_flat(flat))

    def factors(self, flat: ArrayLike) -> NDArray[np.int64]:
        """Factor indices at flat indices, (n,) to (n, K).

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        return self.factor_space.unravel(flat)

    def gather(self, flat: ArrayLike) -> tuple[NDArray[np.uint8], float]:
        """Images in the cheapest form for training.

        Returns:
            An array (n, H, W, C), and what it must be multiplied with to be between 0 and 1.

        Raises:
            FactorIndexError: An index is out of range, or the array has another shape or type.
        """
        return self.store.gather(self.factor_space.check_flat(flat)), self.store.scale
