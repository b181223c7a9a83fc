"""An array of bytes in a MATLAB file, against what SciPy writes, and damaged in every way."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from scipy.io import savemat

from unweave.data.files.matlab import bytes_array
from unweave.data.files.pictures import Unreadable

IMAGE = np.random.default_rng(0).integers(0, 256, (7, 5, 3, 4, 2), dtype=np.uint8)


def mat(compressed, **arrays):
    stream = io.BytesIO()
    savemat(stream, arrays, do_compression=compressed)
    return stream.getvalue()


@pytest.mark.parametrize("compressed", [True, False])
@pytest.mark.parametrize("name", ["im", "i", "a_longer_name"])
def test_arrays_as_scipy_writes_them(compressed, name):
    others = {
        "before": np.arange(3.0),
        "text": "a text",
        "cells": np.array([[1], ["x"]], dtype=object),
        "record": {"a": {"b": 1}},
        "zz": IMAGE[0],
    }
    data = mat(compressed, **others, **{name: IMAGE}, after=np.eye(3) > 0)
    np.testing.assert_array_equal(bytes_array(data, name, IMAGE.shape), IMAGE)
    np.testing.assert_array_equal(bytes_array(data, "zz", IMAGE[0].shape), IMAGE[0])


def by_hand(order, numbers, shape, kind=9, inner=2, count=None):
    """A file of one array `im`, as the format has it."""
    shape_bytes = struct.pack(f"{order}{len(shape)}i", *shape)
    body = struct.pack(f"{order}4I", 6, 8, kind, 0)
    body += struct.pack(f"{order}2I", 5, len(shape_bytes)) + shape_bytes
    body += bytes(-len(body) % 8) + struct.pack(f"{order}I", 2 << 16 | 1) + b"im\0\0"
    body += struct.pack(f"{order}2I", inner, len(numbers) if count is None else count) + numbers
    body += bytes(-len(body) % 8)
    mark = {"<": b"\0\1IM", ">": b"\1\0MI"}[order]
    head = b"MATLAB 5.0 MAT-file".ljust(124) + mark
    return head, struct.pack(f"{order}2I", 14, len(body)) + body


@pytest.mark.parametrize("order", "<>")
def test_the_format_in_both_byte_orders(order):
    numbers = IMAGE.tobytes(order="F")
    head, element = by_hand(order, numbers, IMAGE.shape)
    np.testing.assert_array_equal(bytes_array(head + element, "im", IMAGE.shape), IMAGE)
    packed = zlib.compress(element)
    data = head + struct.pack(f"{order}2I", 15, len(packed)) + packed
    np.testing.assert_array_equal(bytes_array(data, "im", IMAGE.shape), IMAGE)


def twice(data):
    return data + data[128:]


GOOD, PLAIN = mat(True, im=IMAGE), mat(False, im=IMAGE)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "does not begin as one of level 5"),
        (b"x" * 500, "does not begin as one of level 5"),
        (GOOD[:126] + b"MI" + GOOD[128:], "does not begin as one of level 5"),
        (GOOD[:124] + b"\0\2IM" + GOOD[128:], "does not begin as one of level 5"),
        (mat(True, mask=IMAGE), "no array im"),
        (GOOD[:128], "no array im"),
        (twice(GOOD), "more than one array im"),
        (GOOD[:130], "no readable MATLAB file"),
        (GOOD[:-1], "ends in the middle of an array"),
        (PLAIN[:-1], "ends in the middle of an array"),
        (mat(True, im=IMAGE[1:]), r"im, \(6, 5, 3, 4, 2\) of type uint8"),
        (mat(True, im=IMAGE / 255), "of type double"),
        (mat(True, im=IMAGE > 100), "of type logical"),
        (mat(True, im=IMAGE * 1j), "of type complex"),
        (mat(True, im={"a": 1}), r"im, \(1, 1\) of type struct"),
        (b"".join(by_hand("<", IMAGE.tobytes(), IMAGE.shape, inner=77)), "not as many bytes"),
        (b"".join(by_hand("<", IMAGE.tobytes()[8:], IMAGE.shape)), "not as many bytes"),
        (b"".join(by_hand("<", b"", IMAGE.shape, count=IMAGE.size)), "not as many bytes"),
    ],
)
def test_other_files_are_refused(data, reason):
    with pytest.raises(Unreadable, match=reason):
        bytes_array(data, "im", IMAGE.shape)


@pytest.mark.parametrize("good", [GOOD, PLAIN], ids=["compressed", "plain"])
def test_damage_is_never_more_than_a_refusal(good):
    # SciPy ends the process at some of these.
    rng, refused = np.random.default_rng(1), 0
    for _ in range(2000):
        data = bytearray(good)
        for place in rng.integers(100, 240, rng.integers(1, 4)):
            data[place] = rng.integers(256)
        try:
            bytes_array(bytes(data), "im", IMAGE.shape)
        except Unreadable:
            refused += 1
    assert refused > 500


def test_what_unpacks_to_much_more_takes_little_memory():
    head, element = by_hand("<", IMAGE.tobytes(), IMAGE.shape)
    packing = zlib.compressobj()
    packed = [packing.compress(element), *(packing.compress(bytes(1 << 20)) for _ in range(100))]
    packed = b"".join([*packed, packing.flush()])
    data = head + struct.pack("<2I", 15, len(packed)) + packed
    tracemalloc.start()
    with pytest.raises(Unreadable, match="more bytes than its numbers"):
        bytes_array(data, "im", IMAGE.shape)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * len(data)
