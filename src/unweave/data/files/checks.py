"""What every reader of a published file asks of it first."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from unweave.errors import DataError
from unweave.factors import FactorSpace

__all__ = [
    "Fault",
    "Kind",
    "check_file",
    "check_order",
    "check_type",
    "first_of",
    "reading",
    "there",
]

Kind: TypeAlias = Literal["u1", "iu", "f"]
"""Of numbers: bytes, whole ones of any width, or floating-point ones of any width."""

Fault: TypeAlias = Callable[[str, str], DataError]
"""Makes the error of what was found and what was expected."""

_NAMES: Final = {"u1": "uint8", "iu": "a whole-number type", "f": "a floating-point type"}


def there(path: Path) -> bool:
    """Whether there is something at a place.

    Raises:
        DataError: That cannot be told, since a folder above is closed.
    """
    with reading(path):
        return path.exists()


@contextlib.contextmanager
def reading(path: Path, remedy: str = "") -> Iterator[None]:
    """Say of which file it is that it cannot be opened or read.

    Args:
        path: The file, or the folder.
        remedy: What else to do about it, as a sentence.

    Raises:
        DataError: The block ended in an `OSError`.
    """
    try:
        yield
    except PermissionError as error:
        raise DataError(
            f"{path} cannot be read: {error.strerror}. Change who may read it and the folders it "
            "lies in, or copy it elsewhere."
        ) from error
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{path} cannot be read: {reason}. {remedy}".rstrip()) from error


def first_of(*paths: Path) -> Path:
    """The first of several places at which there is something, or else the first.

    Raises:
        DataError: A place cannot be looked at.
    """
    return next((path for path in paths if there(path)), paths[0])


def check_file(path: Path, expected: str, remedy: str) -> None:
    """Whether there is a file.

    Args:
        path: Where it should be.
        expected: Which file it should be.
        remedy: What to do without it, as a sentence.

    Raises:
        DataError: There is none.
    """
    with reading(path, remedy):
        if path.is_file():
            return
        found = "does not exist"
        if path.is_dir():
            found = "is a folder"
        elif path.is_symlink():
            found = "is a link that leads nowhere"
        elif path.exists():
            found = "is no file"
    raise DataError(f"{path} {found}; expected the file {expected}. {remedy}")


def check_type(dtype: np.dtype[Any], kind: Kind, fault: Fault) -> None:
    """Whether numbers are of the kind that is expected.

    Raises:
        DataError: They are not.
    """
    if (dtype != np.uint8) if kind == "u1" else (dtype.kind not in kind):
        raise fault(f"the type {dtype}", _NAMES[kind])


def check_order(
    rows: NDArray[Any], first: int, space: FactorSpace, fault: Fault, tolerance: float = 1e-6
) -> None:
    """Whether values of factors follow C order, the last factor fastest.

    Args:
        rows: Values of successive images, (n, K).
        first: The place of the first of them.
        space: The factors with the values that they should have.
        fault: Makes the error.
        tolerance: How far a value may be off.

    Raises:
        DataError: A row has other values; the message names the first.
    """
    expected = space.values(space.unravel(np.arange(first, first + len(rows))))
    wrong = ~np.isclose(rows, expected, rtol=0, atol=tolerance).all(axis=1)
    if wrong.any():
        place = int(wrong.argmax())
        raise fault(
            f"{rows[place].tolist()} in row {first + place}",
            f"{expected[place].tolist()}, which is C order",
        )
