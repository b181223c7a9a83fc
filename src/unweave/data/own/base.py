"""Datasets of the user's own: read from files before they are stored, from the store after."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import no_factors
from unweave.data.kinds.stored import StoredSpec, dropped
from unweave.data.labels import Labels
from unweave.data.own.columns import Known
from unweave.data.own.facts import FACTORS, Facts, stored_facts
from unweave.data.pixels.manifest import Encoding
from unweave.errors import DataError
from unweave.factors import FactorSpace
from unweave.progress import Progress
from unweave.spec import option, to_dict

__all__ = ["FileSpec", "OwnSpec", "resolved"]


class OwnSpec(StoredSpec):
    """Family of datasets of the user's own.

    A member says what its files are like (`inspect`), how images are read (`read`) and what their
    factors are (`known`). Once they are stored, all that is known stands in the store, and the
    files may go; a store whose files have been changed since is refused.
    """

    listed: ClassVar[bool] = False

    @abstractmethod
    def inspect(self) -> Facts:
        """What the files say, without reading an image more than needed.

        Raises:
            DataError: They are missing, or not as expected.
        """

    def read(self, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """All images in order, (n, H, W, C), in blocks.

        A member has this, or `read_from` where its images are files of their own.

        Raises:
            DataError: Some cannot be read; the message names the first ten.
        """
        return self.read_from(0, progress)

    def read_from(self, first: int, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """As `read`, from the image of that index on: all are read, and the others dropped.

        Raises:
            DataError: Some cannot be read; the message names the first ten.
        """
        return dropped(self.read(progress), first, progress)

    @abstractmethod
    def known(self) -> Known | None:
        """Factors of all images, None where they are not known.

        Raises:
            DataError: They do not fit the images.
        """

    @abstractmethod
    def stamp(self) -> str | None:
        """Changes whenever the files do; None when they are not there.

        It is compared each time the dataset is opened, so it must be quick.
        """

    def facts(self) -> Facts:
        """What is known, from the store if there is one, else from the files.

        Raises:
            DataError: There is neither.
        """
        stored = stored_facts(self.folder())
        return self.inspect() if stored is None else stored

    @property
    def source(self) -> str:
        """`own`."""
        return "own"

    @property
    def encoding(self) -> Encoding:
        """`bytes`."""
        return "bytes"

    @property
    def count(self) -> int:
        """How many images there are.

        Raises:
            DataError: Neither the files nor a store of them are there.
        """
        return self.facts().count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C).

        Raises:
            DataError: Neither the files nor a store of them are there.
        """
        return self.facts().image_shape

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether factors are given.

        Raises:
            DataError: Neither the files nor a store of them are there.
        """
        return self.facts().space is not None

    @property
    def full_grid(self) -> bool:
        """Whether the images are every combination of their factors once, in C order."""
        return self.facts().grid

    @property
    def factor_space(self) -> FactorSpace:
        """The factors.

        Raises:
            DataError: They are not known.
        """
        space = self.facts().space
        if space is None:
            raise no_factors(str(self))
        return space

    def check_loadable(self) -> None:
        """Refuse files that are not there, where no store has their images.

        Raises:
            DataError: A file does not exist, or is not as expected.
        """
        if not self.ready():
            self.inspect()

    def origin(self, progress: Progress | None) -> Mapping[str, Any]:
        """The stamp of the files."""
        return {"stamp": self.stamp()}

    def encoded_blocks(
        self, first: int, details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the files.

        Raises:
            DataError: They cannot be read, or are changed while they are.
        """
        known = self.known()
        for block in self.read_from(first, progress):
            yield block.reshape(len(block), -1)
        if self.stamp() != details["stamp"]:
            raise DataError(f"The files of {self} were changed while they were read. Begin again.")
        if known is not None and known.labels is None:
            details[FACTORS] = known.space.to_list()

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """Factors and labels to be stored, None for a full grid and where no factors are known.

        Raises:
            DataError: They do not fit the images.
        """
        known = self.known()
        return None if known is None or known.labels is None else (known.space, known.labels)

    def check(self, details: Mapping[str, Any]) -> None:
        """Refuse a store whose files have been changed since.

        Raises:
            DataError: They are there, and are not those that were stored.
        """
        now = self.stamp()
        if now is not None and details.get("stamp") != now:
            raise DataError(
                f"The files of {self} have changed since their images were stored in "
                f"{self.folder()}. Delete that folder to store them again (runs that were trained "
                "on the old ones are then scored on the new), or restore the files."
            )


class FileSpec(OwnSpec):
    """Family of datasets of a file, or of a folder, at a path of this machine."""

    path: str = option(help="The file, or the folder.")

    @property
    def place(self) -> Path:
        """The file or the folder, resolved.

        Raises:
            DataError: It is no path.
        """
        return resolved(self.path)

    def address(self) -> Mapping[str, Any]:
        """The full form, with a path that means the same from any working directory."""
        return {**to_dict(self), "path": str(self.place)}


def resolved(path: str, within: Path | None = None) -> Path:
    """A path that means the same from any working directory; a relative one begins in a folder.

    Raises:
        DataError: It is none.
    """
    if not path.strip():
        # To Python it is the working directory, which nobody means who writes nothing.
        raise DataError(f"{path!r} is no path. The working directory is '.'.")
    try:
        return Path(within or "", Path(path).expanduser()).resolve()
    except (ValueError, RuntimeError, OSError) as error:
        raise DataError(f"{path!r} is no path: {error}.") from error
