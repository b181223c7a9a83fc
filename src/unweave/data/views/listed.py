"""The images of a dataset whose flat indices stand in a file."""

from __future__ import annotations

import hashlib
import io
import re
from pathlib import Path
from typing import Any, ClassVar, Self, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import DatasetSpec
from unweave.data.files.checks import check_file, reading
from unweave.data.views.part import Part, PartSpec
from unweave.data.views.table import Table, is_known
from unweave.errors import DataError, SpecError
from unweave.progress import Progress
from unweave.rundir import atomic_write
from unweave.spec import option

__all__ = ["Listed"]

# So many digits tell files apart.
_DIGITS = 16


@final
class Listed(PartSpec):
    """The images of a dataset whose flat indices a file lists.

    The file is an npy file of int64, (n,), ascending and without repeats. Its digest is part of
    the text, which therefore always means the same images: a file that has changed is refused.
    `Listed.write` makes both. The factors keep all their values, as with `subset`.

    Example:
        `listed(data=dsprites, file='cell.npy', digest='6f1e4c0a93b7d258')`
    """

    name: ClassVar[str] = "listed"
    by_text: ClassVar[bool] = False

    file: str = option(help="The npy file of flat indices.")
    digest: str = option(
        help=f"SHA-256 of the file in hexadecimal digits, or the first {_DIGITS} or more of them."
    )

    @classmethod
    def write(cls, data: DatasetSpec, file: str | Path, rows: NDArray[np.int64]) -> Self:
        """Write a file of flat indices, whole or not at all, and give the dataset of it.

        Args:
            data: The dataset that gives the images.
            file: Where to write; the text of the dataset has this path.
            rows: Flat indices, (n,), ascending and without repeats.

        Raises:
            DataError: They are not.
            UnweaveError: The file cannot be written.
        """
        flat = np.asarray(rows)
        if flat.dtype.kind in "iu":
            flat = flat.astype(np.int64)
        _check_rows(flat, str(file))
        buffer = io.BytesIO()
        np.save(buffer, flat, allow_pickle=False)
        content = buffer.getvalue()
        with atomic_write(Path(file)) as handle:
            handle.write(content)
        return cls(data=data, file=str(file), digest=_sha256(content)[:_DIGITS])

    def validate(self) -> None:
        """Refuse what can be no path or no digest; the file need not be there."""
        if not self.file.strip() or "\0" in self.file:
            raise SpecError(f"{self.name}: file must be a path, not {self.file!r}.")
        if not re.fullmatch(rf"[0-9a-f]{{{_DIGITS},64}}", self.digest):
            raise SpecError(
                f"{self.name}: digest must be {_DIGITS} to 64 hexadecimal digits in small "
                f"letters, the first of the file's SHA-256, not {self.digest!r:.80}."
            )

    def check_loadable(self) -> None:
        """Whether the images can be had, and the file is there and as it was.

        Raises:
            DataError: It is not.
            SpecError: It lists an image that is not there.
        """
        super().check_loadable()
        rows = self.rows()
        if is_known(self.data):
            self._check(rows, self.data.count)

    def verify(self, progress: Progress | None = None) -> None:
        """Verify the dataset that gives the images, and the file.

        Raises:
            DataError: Images are missing or damaged, or the file is.
        """
        super().verify(progress)
        self.rows()

    @property
    def full_grid(self) -> bool:
        """False: combinations are missing, or would be if the file listed others."""
        return False

    def choose(self, table: Table) -> Part:
        """Those that the file lists.

        Raises:
            DataError: The file is not there, or has changed.
            SpecError: It lists an image that is not there.
        """
        rows = self.rows()
        self._check(rows, table.count)
        return Part(rows, table.space)

    def rows(self) -> NDArray[np.int64]:
        """The flat indices in the file, (n,).

        Raises:
            DataError: The file is not there, has changed, or is not as it should be.
        """
        place = Path(self.file).expanduser()
        check_file(place, "of flat indices", "Put it there, or write it anew.")
        with reading(place):
            content = place.read_bytes()
        found = _sha256(content)
        if not found.startswith(self.digest):
            raise DataError(
                f"{place} is another file than was meant: its SHA-256 begins with "
                f"{found[: len(self.digest)]}, and digest is {self.digest}. Put the right one "
                "there, or write its digest if these are the images that are meant."
            )
        try:
            rows = np.load(io.BytesIO(content), allow_pickle=False)
        except (ValueError, EOFError, OSError) as error:
            raise DataError(f"{place} is no npy file: {error}.") from error
        return _check_rows(rows, str(place))

    def _check(self, rows: NDArray[np.int64], count: int) -> None:
        if rows[-1] >= count:
            raise SpecError(
                f"{self.name}: {self.file} lists image {rows[-1]:,}, but {self.data} has only "
                f"{count:,}, from 0 to {count - 1:,}. Name the dataset that it was written for."
            )


def _check_rows(rows: Any, place: str) -> NDArray[np.int64]:
    """Refuse what are no flat indices in order.

    Raises:
        DataError: They are none.
    """
    if not isinstance(rows, np.ndarray) or rows.ndim != 1 or rows.dtype != np.int64:
        shape, dtype = getattr(rows, "shape", "?"), getattr(rows, "dtype", "?")
        raise DataError(f"{place} must hold int64 of shape (n,), not {dtype} of shape {shape}.")
    if not len(rows):
        raise DataError(f"{place} lists no image.")
    if rows[0] < 0 or (np.diff(rows) <= 0).any():
        raise DataError(
            f"{place} must list flat indices of at least 0, ascending and without repeats: write "
            "numpy.unique of them."
        )
    return np.asarray(rows, np.int64)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
