"""A dataset of the Hugging Face library `datasets`, from its hub or saved on this machine."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.own.base import OwnSpec, resolved
from unweave.data.own.colours import CHANNELS, Colour
from unweave.data.own.columns import Known, factor_name, known_of
from unweave.data.own.facts import Facts
from unweave.data.own.fitting import Fit, Fitting
from unweave.data.own.items import read_items
from unweave.data.own.walking import stamp_of
from unweave.errors import DataError, nearest
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["HuggingFace"]

# What `save_to_disk` writes: of several splits, or of one.
_SAVED = ("dataset_dict.json", "state.json")


@final
class HuggingFace(OwnSpec):
    """A dataset of the library `datasets` (pip install datasets), which downloads it if need be.

    The column `image` has pictures or arrays, each column of `factors` is a factor; class labels
    keep their names. Images are in the order of the dataset. The library opens a dataset of the
    hub from its own cache when it has it; once unweave has stored the images, the library is only
    asked for a dataset that `save_to_disk` wrote, to see whether it has changed.
    """

    name: ClassVar[str] = "huggingface"

    path: str = option(help="Name on the hub, or a folder that save_to_disk wrote.")
    config: str | None = option(default=None, help="Name of the configuration, where several are.")
    version: str | None = option(
        default=None, help="Branch, tag or commit of the dataset on the hub."
    )
    split: str | None = option(
        default="train", help="Split; None for a saved dataset without any."
    )
    image: str = option(default="image", help="Column of the images.")
    factors: tuple[str, ...] = option(default=(), help="Columns that are factors.")
    size: int = number(default=64, low=1, high=4096, help="Height and width of the images.")
    colour: Colour = option(default="rgb", help="rgb, grey, or hsv, 256 steps each.")
    fit: Fit = option(default="crop", help="Of pictures that are no squares: crop, stretch, pad.")
    background: int = number(
        default=0, low=0, high=255, help="Grey of what is transparent or padded."
    )
    white: float | None = number(
        default=None,
        above=0,
        help="What stands for white in arrays; None for what their type says.",
    )
    bins: int = number(
        default=10, low=2, high=1000, help="Intervals of each continuous factor, for its index."
    )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(size, size, C)."""
        return (self.size, self.size, CHANNELS[self.colour])

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether columns of factors are given."""
        return bool(self.factors)

    def inspect(self) -> Facts:
        """Open the dataset, and read its factors.

        Raises:
            DataError: The library is not installed, or it or a column cannot be had.
        """
        known = self.known()
        return Facts(
            count=len(self._rows()),
            image_shape=self.image_shape,
            space=None if known is None else known.space,
            grid=known is not None and known.labels is None,
        )

    def stamp(self) -> str | None:
        """Of a folder, its files with sizes and times of change; None for a dataset of the hub."""
        place = resolved(self.path)
        if not place.is_dir():
            return None
        return stamp_of(
            (path.relative_to(place).as_posix(), path.stat())
            for path in place.rglob("*")
            # What the library leaves beside a dataset when it is used is not the dataset.
            if path.is_file() and not path.name.startswith((".", "cache-", "tmp"))
        )

    def known(self) -> Known | None:
        """The columns of factors.

        Raises:
            DataError: One is not there, or cannot be a factor.
        """
        if not self.factors:
            return None
        rows = self._rows()
        columns: dict[str, ArrayLike] = {}
        for name in self.factors:
            values = rows[name]
            texts = getattr(rows.features[name], "names", None)
            if texts is not None:
                # -1 stands for a class that is not told.
                values = ["" if value in (None, -1) else texts[value] for value in values]
            columns[factor_name(name)] = np.array(list(values), dtype=object)
        return known_of(columns, self.bins, self.path)

    def read(self, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """The images, converted.

        Raises:
            DataError: Some cannot be read; the message names the first ten.
        """
        rows = self._rows()
        fitting = Fitting(
            size=self.size,
            colour=self.colour,
            fit=self.fit,
            background=self.background,
            white=self.white,
        )
        # Other columns need not be decoded.
        images = rows.select_columns([self.image])
        return read_items(
            lambda index: images[index][self.image],
            len(rows),
            fitting,
            self.image_shape,
            self.path,
            progress,
        )

    def _rows(self) -> Any:
        """The dataset of the library.

        Raises:
            DataError: It cannot be had.
        """
        rows = _opened(self.path, self.config, self.version, self.split, self.stamp())
        for column in (self.image, *self.factors):
            if column not in rows.column_names:
                raise DataError(
                    f"{self.path} has no column {column!r}. {nearest(column, rows.column_names)}"
                )
        if not len(rows):
            raise DataError(f"{self.path} has no image.")
        return rows


@functools.lru_cache(maxsize=2)
def _opened(
    path: str, config: str | None, revision: str | None, split: str | None, stamp: str | None
) -> Any:
    """A dataset of the library; kept, since opening takes seconds."""
    try:
        import datasets
    except ImportError as error:
        raise DataError(
            "huggingface reads datasets with the library datasets, which is not installed: "
            "pip install datasets."
        ) from error
    try:
        place = resolved(path)
        if any((place / name).is_file() for name in _SAVED):
            found = datasets.load_from_disk(str(place))
            if not isinstance(found, dict):
                return found
            if split in found:
                return found[split]
            raise DataError(f"{path} has no split {split!r}. {nearest(str(split), found)}")
        return datasets.load_dataset(path, config, revision=revision, split=split)
    except DataError:
        raise
    except Exception as error:
        # The library raises errors of many packages; all mean that it cannot be had.
        reason = " ".join(str(error).split()) or type(error).__name__
        raise DataError(
            f"The library datasets cannot open {path}, split {split}: {reason}."
        ) from error
