"""Datasets that keep their images in a store of their own."""

from __future__ import annotations

import hashlib
import json
from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.labels import Labels
from unweave.data.pixels.build import build_store
from unweave.data.pixels.images import Images
from unweave.data.pixels.manifest import FORMAT, Encoding
from unweave.data.pixels.store import Store
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.rundir import explain_os_error, home
from unweave.spec import to_dict

__all__ = ["StoredSpec", "dropped", "is_built"]


def is_built(folder: Path) -> bool:
    """Whether there is a store.

    Raises:
        DataError: That cannot be told, since a folder above is closed.
    """
    try:
        return folder.exists()
    except OSError as error:
        raise DataError(str(explain_os_error(error, folder))) from error


def dropped(
    blocks: Iterable[NDArray[np.uint8]], first: int, progress: Progress | None
) -> Iterator[NDArray[np.uint8]]:
    """Blocks without their first rows, for images that can only be made one after the other.

    Args:
        blocks: Blocks of rows.
        first: How many rows are left out.
        progress: Told how many of these are passed over.
    """
    done = 0
    for block in blocks:
        if done + len(block) > first:
            yield block[max(first - done, 0) :]
        elif progress is not None:
            progress("passing over what is stored", done + len(block), first)
        done += len(block)


class StoredSpec(DatasetSpec):
    """Family of datasets whose images lie in a store, which is built when it is first needed.

    A member says what its images are and how to make them; the store, its place and its building
    are the same for all.
    """

    @property
    @abstractmethod
    def encoding(self) -> Encoding:
        """`bits` when every pixel is 0 or 1, else `bytes`."""

    @abstractmethod
    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterable[NDArray[np.uint8]]:
        """Images in flat order, encoded for the store, in blocks of any length.

        Args:
            first: Index of the first that is wanted; those before are stored already.
            details: Facts for the manifest: those of `origin`, and others that are added while the
                images are made.
            progress: For work that comes before the first block.

        Raises:
            DataError: The images cannot be had.
        """

    def origin(self, progress: Progress | None) -> Mapping[str, Any]:
        """What the images are made from: facts for the manifest, had before the first block.

        A build that was stopped is only gone on with while these are the same.

        Args:
            progress: For work that this takes, such as a download.

        Raises:
            DataError: It cannot be had.
        """
        return {}

    @property
    def full_grid(self) -> bool:
        """Whether its factors are known, and no labels are stored beside the images."""
        return self.labelled and type(self).labels is StoredSpec.labels

    @property
    def stored(self) -> tuple[int, tuple[int, int, int]]:
        """How many rows of which shape the store has: the images, unless `compose` makes them."""
        return self.count, self.image_shape

    def compose(self, store: Store) -> Images:
        """The images of what is stored: the store itself, unless they are composed when read."""
        return store

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """Factors and labels to be stored beside the images; asked after the last block.

        None for a full grid in C order, and where no factors are known.

        Raises:
            DataError: They cannot be had.
        """
        return None

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
        return is_built(self.folder())

    def open(self, progress: Progress | None = None) -> Dataset:
        """Open the dataset, building its store when it is missing.

        Args:
            progress: Told of the building, if there is any.

        Raises:
            DataError: The images cannot be had, the disk is full, or the store is damaged.
        """
        self.check_loadable()
        folder = self.folder()
        if is_built(folder):
            store = Store.open(folder)
        else:
            details: dict[str, Any] = {}

            def origin() -> Mapping[str, Any]:
                details.update(self.origin(progress))
                return dict(details)

            count, shape = self.stored
            store = build_store(
                folder,
                text=str(self),
                form=to_dict(self),
                source=self.source,
                image_shape=shape,
                count=count,
                encoding=self.encoding,
                blocks=lambda first: self.encoded_blocks(first, details, progress),
                origin=origin,
                details=details,
                labels=self.labels,
                progress=self._in_images(progress),
            )
        self.check(store.manifest["details"])
        images, labelled = self.compose(store), store.labels()
        if labelled is not None:
            return Dataset(self, images, factor_space=labelled[0], labels=labelled[1])
        return Dataset(self, images, factor_space=self.factor_space if self.labelled else None)

    def _in_images(self, progress: Progress | None) -> Progress | None:
        """The progress of a store's rows as that of the images that are composed of them."""
        rows, images = self.stored[0], self.count
        if progress is None or rows == images:
            return progress
        return lambda what, done, total: progress(what, done * images // rows, images)

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
        store.verify(self._in_images(progress))
