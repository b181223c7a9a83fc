"""A folder of images of one's own, with or without a CSV of their factors."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.pictures import in_threads
from unweave.data.own.base import FileSpec, resolved
from unweave.data.own.blocks import block_size
from unweave.data.own.colours import CHANNELS, Colour
from unweave.data.own.columns import Known, known_of
from unweave.data.own.csv_table import CsvTable, read_csv
from unweave.data.own.decoding import Unusable
from unweave.data.own.facts import Facts
from unweave.data.own.fitting import Fit, Fitting
from unweave.data.own.walking import ENDINGS, image_entries, images_in, stamp_of, status_of
from unweave.errors import DataError, SpecError
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["Folder"]

_NAMED: Final = 10


@final
class Folder(FileSpec):
    """Every image in a folder and in the folders in it, in the order of their names.

    With `factors`, a CSV with a column `file` (or whose first column is the file), images are in
    the order of its rows, and each other column is a factor. When the rows are every combination
    of the factors once, the last column fastest, the dataset is a full grid.

    Pictures are turned as their EXIF orientation says; of an animation the first frame is taken;
    palettes, CMYK and 16-bit greys are converted. Hidden files and folders are passed over.
    """

    name: ClassVar[str] = "folder"

    size: int = number(default=64, low=1, high=4096, help="Height and width of the images.")
    colour: Colour = option(
        default="rgb", help="rgb, grey, or hsv: hue, saturation and value, 256 steps each."
    )
    fit: Fit = option(
        default="crop",
        help="Of pictures that are no squares: crop keeps the middle, stretch changes the shape, "
        "pad fills both sides.",
    )
    background: int = number(
        default=0, low=0, high=255, help="Grey of what is transparent or padded."
    )
    factors: str | None = option(
        default=None, help="CSV of factors: its place within the folder, or a whole path."
    )
    columns: tuple[str, ...] = option(
        default=(), help="Columns of the CSV that are factors; all when it is empty."
    )
    bins: int = number(
        default=10, low=2, high=1000, help="Intervals of each continuous factor, for its index."
    )

    def validate(self) -> None:
        """Refuse columns of no CSV."""
        if self.columns and self.factors is None:
            raise SpecError("folder: columns are those of a CSV, so give factors=..., too.")

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(size, size, C)."""
        return (self.size, self.size, CHANNELS[self.colour])

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether a CSV of factors is given."""
        return self.factors is not None

    def inspect(self) -> Facts:
        """Count the images, and read the CSV.

        Raises:
            DataError: The folder or the CSV is not there, they do not fit together, or there is no
                image.
        """
        known = self.known()
        return Facts(
            count=len(self._files()),
            image_shape=self.image_shape,
            space=None if known is None else known.space,
            grid=known is not None and known.labels is None,
        )

    def stamp(self) -> str | None:
        """Names, sizes and times of change of all images and of the CSV."""
        if not self.place.is_dir():
            return None
        files = [(name, status_of(entry)) for name, entry in image_entries(self.place)]
        table = self._table_path()
        if table is not None and table.is_file():
            files.append(("", table.stat()))
        return stamp_of(files)

    def known(self) -> Known | None:
        """Factors of the CSV.

        Raises:
            DataError: It does not fit the images, or a value is missing.
        """
        table = self._table()
        return None if table is None else known_of(table.columns, self.bins, str(self.factors))

    def read_from(self, first: int, progress: Progress | None) -> Iterator[NDArray[np.uint8]]:
        """Decode the pictures from that index on, several at once.

        Raises:
            DataError: Some cannot be read; the message names the first ten.
        """
        files = self._files()
        fitting = Fitting(
            size=self.size, colour=self.colour, fit=self.fit, background=self.background
        )

        def make(name: str) -> NDArray[np.uint8] | str:
            return _decoded(self.place / name, fitting)

        collected: list[NDArray[np.uint8]] = []
        unreadable: list[str] = []
        wanted = block_size(self.image_shape)
        for done, image in enumerate(in_threads(make, files[first:]), first + 1):
            if progress is not None and (done % 64 == 0 or done == len(files)):
                progress("reading images", done, len(files))
            if isinstance(image, str):
                unreadable.append(f"{_shown(files[done - 1])} ({image})")
            elif not unreadable:
                collected.append(image)
            # After the first that is unreadable nothing is stored, but all are looked at.
            if len(collected) >= wanted and not unreadable:
                yield np.stack(collected)
                collected.clear()
        if unreadable:
            shown = "; ".join(unreadable[:_NAMED])
            more = len(unreadable) - _NAMED
            others = f"; and {more:,} more" if more > 0 else ""
            raise DataError(
                f"{len(unreadable):,} of the {len(files):,} images in {self.place} cannot be "
                f"read: {shown}{others}. Mend them, or take them out of the folder. Nothing is "
                "stored."
            )
        if collected:
            yield np.stack(collected)

    def _files(self) -> tuple[str, ...]:
        """Names of the images within the folder, in the order of the dataset.

        Raises:
            DataError: There is no folder or no image, or the CSV names others.
        """
        if not self.place.is_dir():
            found = "is a file" if self.place.exists() else "does not exist"
            raise DataError(f"{self.place} {found}; folder(path=...) takes a folder of images.")
        table = self._table()
        if table is not None:
            return table.files
        names = images_in(self.place)
        if not names:
            raise DataError(
                f"{self.place} has no image: files are looked for, in folders in it too, that end "
                f"in {', '.join(sorted(ENDINGS))}."
            )
        return names

    def _table_path(self) -> Path | None:
        return None if self.factors is None else resolved(self.factors, self.place)

    def _table(self) -> CsvTable | None:
        """The CSV, whose files are those of the folder."""
        path = self._table_path()
        if path is None:
            return None
        if not path.is_file():
            raise DataError(
                f"{path} does not exist; folder(factors=...) takes a CSV, by its place within the "
                "folder of images or by a whole path."
            )
        table = read_csv(path, self.columns)
        there = images_in(self.place)
        # Accents are one character or two, by the system that wrote the name.
        known = {unicodedata.normalize("NFC", name): name for name in there}
        known |= {name: name for name in there}
        files = tuple(
            known.get(name, known.get(unicodedata.normalize("NFC", name), name))
            for name in table.files
        )
        if table.head in known:
            raise DataError(
                f"{path} has no line of names: it begins with {table.head}, which is an image. "
                "Put a line before it, such as file,shape,x."
            )
        (most, times), *_ = Counter(files).most_common(1)
        if times > 1:
            raise DataError(f"{path} has {most} more than once; each file may have one row.")
        missing = [name for name in files if name not in known]
        if missing:
            raise DataError(
                f"{path} names {len(missing):,} files that are not images in {self.place}: "
                f"{_some(missing)}. Its column of files has names within that folder"
                f"{_likely(missing[0], there)}."
            )
        rest = sorted(set(there).difference(files))
        if rest:
            raise DataError(
                f"{path} has no row for {len(rest):,} of the {len(there):,} images in "
                f"{self.place}: {_some(rest)}. Add their rows, or take them out of the folder."
            )
        return CsvTable(table.head, files, table.columns)


def _decoded(path: Path, fitting: Fitting) -> NDArray[np.uint8] | str:
    """An image of the dataset, or why there is none."""
    from PIL import Image

    try:
        with Image.open(path) as picture:
            return fitting.one(picture)
    except Unusable as reason:
        return str(reason)
    except (OSError, ValueError, SyntaxError, EOFError, Image.DecompressionBombError) as error:
        # Pillow names the file in its message, and so does ours.
        return " ".join(str(error).replace(repr(str(path)), "it").split()).rstrip(".")


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(map(_shown, names[:_NAMED])) + more


def _shown(name: str) -> str:
    """A name that can be printed, whatever its bytes are."""
    return os.fsencode(name).decode(errors="backslashreplace")


def _likely(name: str, there: tuple[str, ...]) -> str:
    """What a name that is no image may stand for, as the end of a sentence."""
    last = PurePosixPath(name).name
    found = [n for n in there if last in (PurePosixPath(n).name, PurePosixPath(n).stem)]
    return f"; {name} may be {found[0]}" if len(found) == 1 else ""
