"""The published files of CelebA: aligned photographs, and tables of attributes and identities."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile
from unweave.data.files.bundle import Bundle, open_bundle
from unweave.data.files.checks import check_file, first_of, reading
from unweave.data.files.pictures import Making, read_pictures
from unweave.errors import DataError

__all__ = [
    "ATTRIBUTES",
    "ATTRIBUTES_FILE",
    "IDENTITIES",
    "IDENTITY_FILE",
    "IMAGES",
    "IMAGES_FILE",
    "PAGE",
    "SIZE",
    "locate",
    "read_attributes",
    "read_identities",
    "read_images",
]

PAGE: Final = "https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html"

IMAGES_FILE: Final = RemoteFile(name="img_align_celeba.zip")
ATTRIBUTES_FILE: Final = RemoteFile(name="list_attr_celeba.txt")
IDENTITY_FILE: Final = RemoteFile(name="identity_CelebA.txt")

IMAGES = 202_599
SIZE: Final = (178, 218)
"""Width and height of a photograph."""
IDENTITIES: Final = 10_177

_PUBLISHED: Final = [
    "5_o_Clock_Shadow",
    "Arched_Eyebrows",
    "Attractive",
    "Bags_Under_Eyes",
    "Bald",
    "Bangs",
    "Big_Lips",
    "Big_Nose",
    "Black_Hair",
    "Blond_Hair",
    "Blurry",
    "Brown_Hair",
    "Bushy_Eyebrows",
    "Chubby",
    "Double_Chin",
    "Eyeglasses",
    "Goatee",
    "Gray_Hair",
    "Heavy_Makeup",
    "High_Cheekbones",
    "Male",
    "Mouth_Slightly_Open",
    "Mustache",
    "Narrow_Eyes",
    "No_Beard",
    "Oval_Face",
    "Pale_Skin",
    "Pointy_Nose",
    "Receding_Hairline",
    "Rosy_Cheeks",
    "Sideburns",
    "Smiling",
    "Straight_Hair",
    "Wavy_Hair",
    "Wearing_Earrings",
    "Wearing_Hat",
    "Wearing_Lipstick",
    "Wearing_Necklace",
    "Wearing_Necktie",
    "Young",
]
"""Names of the attributes in the order of the table."""

ATTRIBUTES: Final = tuple(name.lower().replace("5_", "five_", 1) for name in _PUBLISHED)
"""The same as names of factors."""

# Some programs write the names in a zip with the separators of Windows.
_NAME = re.compile(r"(?:.*[/\\])?(\d{6})\.jpg", re.IGNORECASE)
_LONGEST: Final = 4096
"""Characters in a line of a table, at most; the published ones have less than a thousand."""
_REMEDY = (
    f"The published files are {IMAGES_FILE.name}, {ATTRIBUTES_FILE.name} and "
    f"{IDENTITY_FILE.name}, see {PAGE}; give the folder they lie in with path=...."
)


def locate(path: Path, names: Sequence[str]) -> tuple[Path, ...]:
    """Where files lie, as they were published, unpacked, or arranged by others.

    Args:
        path: The zip of photographs, the folder that it was unpacked to, or one of the folders
            that this or the tables lie in.
        names: Published names of the files that are looked for.

    Returns:
        A place for each; one that does not exist where nothing is found.
    """
    with reading(path):
        inside = path.is_dir()
        loose = inside and any(_NAME.fullmatch(entry.name) for entry in path.iterdir())
    top = path if inside else path.parent
    folder = IMAGES_FILE.name.removesuffix(".zip")
    images = path
    if (inside and not loose) or path.suffix.lower() in (".txt", ".csv"):
        places = (top, top / "Img", top / "celeba")
        images = first_of(*(p / name for p in places for name in (IMAGES_FILE.name, folder)))
    homes = (top, top / "Anno", top / "celeba", top.parent, top.parent / "Anno", top.parent.parent)

    def place(name: str) -> Path:
        forms = (name, f"{name.removesuffix('.txt')}.csv")
        return first_of(*(home / form for home in homes for form in forms))

    return tuple(images if name == IMAGES_FILE.name else place(name) for name in names)


def read_images(path: Path, crop: int | None, first: int = 0) -> Iterator[NDArray[np.uint8]]:
    """All photographs, 64x64 in colour, in the order of their numbers.

    Args:
        path: The published zip, or a folder with the photographs at any depth.
        crop: Side of the square in the middle of a photograph that is taken; None for all of it.
        first: Index of the first that is read.

    Yields:
        Blocks of images, (n, 12288).

    Raises:
        DataError: A photograph is missing, damaged, or of another size; the message names the
            path, what was found and what was expected.
    """
    making = Making(form="JPEG", size=SIZE, crop=crop)
    with open_bundle(path, IMAGES_FILE.name, _REMEDY) as bundle:
        expected = f"a JPEG picture of {SIZE[0]}x{SIZE[1]} pixels"
        yield from read_pictures(bundle, _names(bundle)[first:], making, expected)


def _names(bundle: Bundle) -> list[str]:
    """Names of the photographs by number, of which each must be there once."""
    table = [""] * IMAGES
    found = 0
    for match in filter(None, map(_NAME.fullmatch, bundle.names)):
        number = int(match[1])
        if not 1 <= number <= IMAGES or table[number - 1]:
            other = table[number - 1] if 1 <= number <= IMAGES else ""
            raise bundle.error(
                f"found {match[0]}{f' and {other}' if other else ''}; expected each of "
                f"000001.jpg to {IMAGES:06}.jpg once"
            )
        table[number - 1] = match[0]
        found += 1
    if found < IMAGES:
        raise bundle.error(
            f"found {found:,} photographs, and not {table.index('') + 1:06}.jpg; expected "
            f"{IMAGES:,}"
        )
    return table


def read_attributes(path: Path) -> NDArray[np.int64]:
    """Attributes of each photograph, (N, 40): 1 where it has one, else 0.

    Args:
        path: The published table (the number of rows, the names, then a row a photograph with -1
            and 1), or its csv form (the names behind `image_id`, then such rows).

    Raises:
        DataError: It is missing, or not as expected; the message names its first wrong line.
    """
    lines = _lines(path, ATTRIBUTES_FILE.name)
    line, first = next(lines, (1, []))
    if len(first) == 1:
        if first != [str(IMAGES)]:
            raise _error(path, line, f"{first[0]} rows", f"{IMAGES}")
        line, header = next(lines, (line + 1, []))
    else:
        header = first[1:]
    if header != _PUBLISHED:
        wrong = next((n for n in header if n not in _PUBLISHED), "others or in another order")
        names = f"the {len(_PUBLISHED)} names of the attributes"
        raise _error(path, line, wrong if header else "nothing", names)
    table = np.empty((IMAGES, len(header)), np.int64)
    for row, (place, fields) in enumerate(_rows(path, lines, line, len(header))):
        if not set(fields) <= {"-1", "1"}:
            odd = next(field for field in fields if field not in ("-1", "1"))
            raise _error(path, place, odd, "-1 or 1")
        table[row] = [field == "1" for field in fields]
    return table


def read_identities(path: Path) -> NDArray[np.int64]:
    """Who is on each photograph, (N,), from 0 to 10,176.

    Args:
        path: The published table, a row a photograph, with numbers that begin with 1; also as csv.

    Raises:
        DataError: It is missing, or not as expected; the message names its first wrong line.
    """
    result = np.empty(IMAGES, np.int64)
    lines = _lines(path, IDENTITY_FILE.name)
    first = next(lines, None)
    titled = first is not None and first[1][0] == "image_id"
    if first is not None and not titled:
        lines = itertools.chain([first], lines)
    for row, (line, (field,)) in enumerate(_rows(path, lines, int(titled), 1)):
        if not field.isdecimal() or not 1 <= int(field) <= IDENTITIES:
            raise _error(path, line, field, f"1 to {IDENTITIES}")
        result[row] = int(field) - 1
    return result


def _lines(path: Path, expected: str) -> Iterator[tuple[int, list[str]]]:
    """Number and fields of each line of a table that has any, from 1."""
    check_file(path, expected, _REMEDY)
    with reading(path, _REMEDY), path.open(encoding="utf-8-sig", errors="replace") as file:
        for number in itertools.count(1):
            text = file.readline(_LONGEST)
            if not text:
                return
            if len(text) == _LONGEST:
                raise _error(path, number, f"{_LONGEST} characters or more", "a table")
            fields = text.replace(",", " ").split()
            if fields:
                yield number, fields


def _rows(
    path: Path, lines: Iterator[tuple[int, list[str]]], titles: int, width: int
) -> Iterator[tuple[int, list[str]]]:
    """Line and numbers of each row below the titles; names must be those of the photographs."""
    row, line = 0, titles
    for line, fields in lines:
        if row == IMAGES:
            raise _error(path, line, "another row", f"{IMAGES:,} rows")
        if fields[0] != f"{row + 1:06}.jpg":
            raise _error(path, line, fields[0], f"{row + 1:06}.jpg")
        if len(fields) != width + 1:
            raise _error(path, line, f"{len(fields) - 1} numbers after the name", str(width))
        yield line, fields[1:]
        row += 1
    if row < IMAGES:
        raise _error(path, line + 1, f"the end after {row:,} rows", f"{IMAGES:,} rows")


def _error(path: Path, line: int, found: str, expected: str) -> DataError:
    shown = found if found.isprintable() else ascii(found)
    return DataError(f"{path}: line {line}: found {shown:.100}; expected {expected}. {_REMEDY}")
