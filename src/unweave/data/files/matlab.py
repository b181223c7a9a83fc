"""One array of bytes in a MATLAB file, read with no more memory than it needs.

The format is level 5 of "MAT-File Format" by The MathWorks. SciPy reads it, too, but what is
damaged or made to harm can end the whole process there, or fill the memory.
"""

from __future__ import annotations

import math
import struct
import zlib
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.files.pictures import Unreadable

__all__ = ["bytes_array"]

_HEAD: Final = 128
_BEGINNING: Final = 4096
"""Bytes of an array in which all stands that it says of itself."""
_BYTES, _NAME, _SIZES, _FLAGS, _ARRAY, _COMPRESSED = 2, 1, 5, 6, 14, 15
"""Kinds of elements: of numbers, by their type, and of what holds further elements."""
_CLASSES: Final = {
    1: "cell",
    2: "struct",
    3: "object",
    4: "char",
    5: "sparse",
    6: "double",
    7: "single",
    8: "int8",
    9: "uint8",
    10: "int16",
    11: "uint16",
    12: "int32",
    13: "uint32",
    14: "int64",
    15: "uint64",
}
_COMPLEX, _LOGICAL = 0x800, 0x200


@final
@dataclass(frozen=True)
class _Array:
    """What an array says of itself: name, shape and type, and where its numbers begin."""

    name: str
    shape: tuple[int, ...]
    kind: str
    place: int


def bytes_array(data: bytes, key: str, shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array by its name, from a file of level 5, as MATLAB writes it up to version 7.2.

    Args:
        data: The bytes of the file.
        key: Its name.
        shape: What its shape must be.

    Raises:
        Unreadable: The file is damaged or another, or has no such array.
    """
    order = {b"\0\1IM": "<", b"\1\0MI": ">"}.get(data[_HEAD - 4 : _HEAD])
    if order is None:
        raise Unreadable("no readable MATLAB file (it does not begin as one of level 5)")
    place, found = _HEAD, None
    try:
        while place < len(data):
            kind, size = struct.unpack_from(f"{order}II", data, place)
            begun, place = place + 8, place + 8 + size
            if place > len(data):
                raise ValueError("it ends in the middle of an array")
            part = data[begun - 8 : place]
            if kind == _COMPRESSED:
                part = zlib.decompressobj().decompress(data[begun:place], _BEGINNING)
            array = _described(part[:_BEGINNING], order)
            if array is None or array.name != key:
                continue
            if found is not None:
                raise Unreadable(f"more than one array {key}")
            if (array.shape, array.kind) != (shape, "uint8"):
                raise Unreadable(f"{key}, {array.shape} of type {array.kind}")
            if kind == _COMPRESSED:
                part = _inflated(data[begun:place], _BEGINNING + math.prod(shape))
            found = _numbers(part, array, order)
    except (ValueError, struct.error, zlib.error) as error:
        raise Unreadable(f"no readable MATLAB file ({error})") from error
    if found is None:
        raise Unreadable(f"no array {key}")
    return found


def _element(part: bytes, place: int, order: str) -> tuple[int, int, int, int]:
    """Kind and size of an element, where its content begins, and where the next element does."""
    (first,) = struct.unpack_from(f"{order}I", part, place)
    if first >> 16:
        # Up to four bytes stand in the place of the size.
        return first & 0xFFFF, first >> 16, place + 4, place + 8
    (size,) = struct.unpack_from(f"{order}I", part, place + 4)
    return first, size, place + 8, place + 8 + size + -size % 8


def _described(part: bytes, order: str) -> _Array | None:
    """The beginning of an array; None for what is none of numbers or texts."""
    if _element(part, 0, order)[0] != _ARRAY:
        return None
    contents, place = [], 8
    for expected in (_FLAGS, _SIZES, _NAME):
        kind, size, begun, place = _element(part, place, order)
        if kind != expected or begun + size > len(part):
            return None
        contents.append(part[begun : begun + size])
    (flags,) = struct.unpack_from(f"{order}I", contents[0])
    sizes = struct.unpack(f"{order}{len(contents[1]) // 4}i", contents[1])
    kind_of = _CLASSES.get(flags & 0xFF, f"number {flags & 0xFF}")
    if flags & (_COMPLEX | _LOGICAL):
        kind_of = "complex" if flags & _COMPLEX else "logical"
    return _Array(contents[2].decode("latin-1"), sizes, kind_of, place)


def _numbers(part: bytes, array: _Array, order: str) -> NDArray[np.uint8]:
    """The numbers of an array of bytes; the first index is the fastest."""
    kind, size, begun, _ = _element(part, array.place, order)
    count = math.prod(array.shape)
    if kind != _BYTES or size != count or begun + size > len(part):
        raise ValueError(f"the array {array.name} has not as many bytes as it says")
    return np.frombuffer(part, np.uint8, count, begun).reshape(array.shape, order="F")


def _inflated(data: bytes, most: int) -> bytes:
    """A compressed array, compared with its checksum."""
    inflating = zlib.decompressobj()
    part = inflating.decompress(data, most)
    if not inflating.eof:
        raise ValueError(
            "a compressed array has more bytes than its numbers"
            if len(part) == most
            else "a compressed array ends too early"
        )
    return part
