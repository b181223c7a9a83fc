"""Arrays in HDF5 files: all of them in the one file, and wholly written."""

from __future__ import annotations

import contextlib
from pathlib import Path

import h5py
import numpy as np
import pytest

from unweave.data.files import h5 as h5_module
from unweave.data.files.h5 import open_h5
from unweave.errors import DataError

NUMBERS = np.arange(320, dtype=np.uint8).reshape(64, 5)


def read(path, shape=NUMBERS.shape, kind="u1"):
    with open_h5(path, "file.h5", "Mend it.") as file:
        file.require(("images",))
        return np.concatenate([rows for _, rows in file.blocks("images", shape, kind)])


@contextlib.contextmanager
def written(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["other"] = NUMBERS[:2]
        yield file


def other(tmp_path):
    with h5py.File(tmp_path / "elsewhere.h5", "w") as file:
        file["images"] = NUMBERS
    return str(tmp_path / "elsewhere.h5")


def external_link(file, tmp_path):
    file["images"] = h5py.ExternalLink(other(tmp_path), "/images")


def broken_external_link(file, tmp_path):
    file["images"] = h5py.ExternalLink("nowhere.h5", "/images")


def broken_soft_link(file, tmp_path):
    file["images"] = h5py.SoftLink("/nowhere")


def external_numbers(file, tmp_path):
    (tmp_path / "raw").write_bytes(NUMBERS.tobytes())
    place = [(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)]
    file.create_dataset("images", NUMBERS.shape, "u1", external=place)


def virtual(file, tmp_path):
    layout = h5py.VirtualLayout(NUMBERS.shape, "u1")
    layout[:] = h5py.VirtualSource(other(tmp_path), "images", NUMBERS.shape)
    file.create_virtual_dataset("images", layout)


def group(file, tmp_path):
    file.create_group("images")


def kept_type(file, tmp_path):
    file["images"] = np.dtype("u1")


def nothing(file, tmp_path):
    file["images"] = h5py.Empty("u1")


def time(file, tmp_path):
    space = h5py.h5s.create_simple(NUMBERS.shape)
    h5py.h5d.create(file.id, b"images", h5py.h5t.UNIX_D32LE, space)


def texts(file, tmp_path):
    file.create_dataset("images", NUMBERS.shape, h5py.string_dtype())


def never_written(file, tmp_path):
    file.create_dataset("images", NUMBERS.shape, "u1")


def half_written(file, tmp_path):
    images = file.create_dataset("images", NUMBERS.shape, "u1", chunks=(8, 5))
    images[:33] = NUMBERS[:33]


def unknown_filter(file, tmp_path):
    settings = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    settings.set_chunk((64, 5))
    settings.set_filter(32001, h5py.h5z.FLAG_OPTIONAL, ())
    space = h5py.h5s.create_simple(NUMBERS.shape)
    images = h5py.h5d.create(file.id, b"images", h5py.h5t.NATIVE_UINT8, space, settings)
    images.write_direct_chunk((0, 0), NUMBERS.tobytes(), 0)


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (external_link, r"images: found an array of another file, .*elsewhere\.h5; expected one"),
        (broken_external_link, r"images: found an array of another file, nowhere\.h5"),
        (broken_soft_link, "images: found the keys images, other; expected this key too"),
        (external_numbers, "images: found numbers of another file, .*raw; expected one file"),
        (virtual, "images: found a virtual array; expected one file"),
        (group, "images: found the keys images, other; expected this key too"),
        (kept_type, "images: found the keys images, other; expected this key too"),
        (nothing, r"images: found the shape None; expected \(64, 5\)"),
        (time, "images: found a type that NumPy lacks"),
        (texts, "images: found the type object; expected uint8"),
        (never_written, "images: found an array that was never written; expected one that is"),
        (half_written, "images: found 5 chunks; expected 8; the others were not written"),
        (unknown_filter, r"images: found the HDF5 filter 32001 .*not installed; expected"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_is_not_an_array_of_this_file_is_refused(tmp_path, write, reason):
    with written(tmp_path) as file:
        write(file, tmp_path)
    with pytest.raises(DataError, match=reason) as caught:
        read(tmp_path / "x.h5")
    assert str(tmp_path / "x.h5") in str(caught.value)
    assert str(caught.value).endswith("Mend it.")


def test_an_array_by_another_path_of_the_file_is_read(tmp_path):
    with written(tmp_path) as file:
        file["within/images"] = NUMBERS
        file["images"] = h5py.SoftLink("/within/images")
    np.testing.assert_array_equal(read(tmp_path / "x.h5"), NUMBERS)


def test_a_chunk_that_fills_the_memory_is_refused(tmp_path, monkeypatch):
    with written(tmp_path) as file:
        file.create_dataset("images", data=NUMBERS, chunks=(64, 5), compression="gzip")
    np.testing.assert_array_equal(read(tmp_path / "x.h5"), NUMBERS)
    monkeypatch.setattr(h5_module, "_MOST", 319)
    with pytest.raises(DataError, match=r"chunks of the shape \(64, 5\).*h5repack"):
        read(tmp_path / "x.h5")


def test_of_many_keys_a_few_are_named(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        for number in range(50):
            file.create_group(f"k{number:02}")
    with pytest.raises(DataError, match=r"the keys k00, .*, k09, \.\.\.; expected this key"):
        read(tmp_path / "x.h5")


def test_a_file_that_is_being_written_is_not_called_damaged(tmp_path):
    fcntl = pytest.importorskip("fcntl")
    with written(tmp_path) as file:
        file["images"] = NUMBERS
    with (tmp_path / "x.h5").open("rb") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with pytest.raises(DataError, match=r"x\.h5 is being written by another program"):
            read(tmp_path / "x.h5")
    np.testing.assert_array_equal(read(tmp_path / "x.h5"), NUMBERS)


def test_a_file_that_the_disk_does_not_give_is_not_called_damaged():
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs a file that is there and cannot be read")
    with pytest.raises(DataError, match=r"^/proc/self/mem cannot be read: Input/output error\. "):
        read(Path("/proc/self/mem"))
