"""What files of arrays under names have in common, whatever their format."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final

from unweave.data.files.checks import Fault
from unweave.errors import DataError

__all__ = ["Arrays"]

_NAMED: Final = 10
"""Names of arrays that an error lists, at most."""


class Arrays(ABC):
    """An open file of arrays under names.

    Args:
        path: The file.
        remedy: What to do about a file that is another, as a sentence.
    """

    def __init__(self, path: Path, remedy: str) -> None:
        """Keep where it lies; nothing is read yet."""
        self._path = path
        self._remedy = remedy

    @abstractmethod
    def held(self, key: str) -> bool:
        """Whether there is an array under a name.

        Raises:
            DataError: The file is damaged, or the array lies in another file.
        """

    @abstractmethod
    def names(self) -> Iterable[str]:
        """What there is in the file, for errors."""

    def require(self, keys: Collection[str]) -> None:
        """Refuse a file without these arrays.

        Raises:
            DataError: A key is missing; the message names those that are there.
        """
        for key in keys:
            if not self.held(key):
                names = sorted(islice(self.names(), _NAMED + 1))
                more = ", ..." if len(names) > _NAMED else ""
                there = (", ".join(names[:_NAMED]) or "none") + more
                raise self.error(key, f"the keys {there}", "this key too")

    def error(self, key: str, found: str, expected: str) -> DataError:
        """The error for an array, with the path and what to do."""
        return DataError(
            f"{self._path}: {key}: found {found}; expected {expected}. {self._remedy}"
        )

    def fault(self, key: str) -> Fault:
        """Makes errors for an array."""
        return partial(self.error, key)
