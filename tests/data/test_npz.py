"""Arrays in npz and npy files, against what NumPy itself reads."""

import io
import itertools
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reference.sprites_archive import write_npz
from unweave.data.files.kept import kept_rows, pick
from unweave.data.files.npz import npy_blocks, npy_header, open_npz
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace

IMAGES = np.random.default_rng(0).integers(0, 256, (1000, 7, 5), dtype=np.uint8)


def save(tmp_path, how, array=IMAGES):
    path = tmp_path / "file.npz"
    if how == "plain":
        with path.open("wb") as handle:
            np.save(handle, array)
    else:
        {"stored": np.savez, "deflated": np.savez_compressed}[how](
            path, images=array, other=np.arange(3)
        )
    return path


def read(path, key="images", shape=IMAGES.shape, kind="u1", count=64):
    with open_npz(Path(path), "images.npz", "Look elsewhere.", plain=True) as file:
        return list(file.blocks(key, shape, kind, count))


@pytest.mark.parametrize("how", ["stored", "deflated", "plain"])
@pytest.mark.parametrize("count", [1, 64, 1000, 5000])
def test_blocks_follow_each_other(tmp_path, how, count):
    blocks = read(save(tmp_path, how), count=count)
    assert [first for first, _ in blocks] == list(range(0, 1000, count))
    assert all(len(rows) <= count for _, rows in blocks)
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in blocks]), IMAGES)


@pytest.mark.parametrize("dtype", ["<i4", ">i4", "<u2", "|i1", "<f8", ">f4", "<f2"])
def test_every_byte_order_is_read(tmp_path, dtype):
    array = np.arange(-60, 60).reshape(40, 3).astype(dtype)
    path = save(tmp_path, "stored", array)
    kind = "f" if np.dtype(dtype).kind == "f" else "iu"
    rows = np.concatenate([r for _, r in read(path, "images", array.shape, kind, 7)])
    np.testing.assert_array_equal(rows, array)
    with pytest.raises(DataError, match=f"the type {np.dtype(dtype)}"):
        read(path, "images", array.shape, "iu" if kind == "f" else "f")


@pytest.mark.parametrize("how", ["stored", "deflated", "plain"])
def test_a_header_is_read_alone(tmp_path, how):
    with open_npz(save(tmp_path, how), "", "", plain=True) as file:
        header = file.header("images")
    assert (header.shape, header.fortran, header.dtype) == (IMAGES.shape, False, np.uint8)


def test_members_beyond_four_gigabytes_may_be_announced(tmp_path):
    path = tmp_path / "file.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file,
        file.open("images.npy", "w", force_zip64=True) as member,
    ):
        np.lib.format.write_array(member, IMAGES)
    np.testing.assert_array_equal(np.concatenate([r for _, r in read(path)]), IMAGES)


@pytest.mark.parametrize("how", ["stored", "deflated"])
def test_a_flipped_bit_is_found(tmp_path, how):
    path = save(tmp_path, how)
    content = bytearray(path.read_bytes())
    content[9000] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"is damaged or not an npz file: .*\. Look elsewhere\."):
        read(path)


@pytest.mark.parametrize("how", ["stored", "deflated", "plain"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_a_file_that_is_cut_is_refused(tmp_path, how, share):
    path = save(tmp_path, how)
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"file\.npz"):
        read(path)


@pytest.mark.parametrize(
    ("array", "reason"),
    [
        (IMAGES[:-1], r"images: found the shape \(999, 7, 5\); expected \(1000, 7, 5\)"),
        (np.asfortranarray(IMAGES), "found Fortran order; expected C order"),
        (IMAGES.astype(np.int8), "found the type int8; expected uint8"),
        (np.array([{}, None]), r"found the shape \(2,\)"),
    ],
)
@pytest.mark.parametrize("how", ["stored", "plain"])
def test_another_array_is_refused(tmp_path, how, array, reason):
    path = save(tmp_path, how, array)
    with pytest.raises(DataError, match=reason):
        read(path)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-40], "found 998 rows; expected 1000 rows"),
        (lambda content: content + b"\0", "found more than 1000 rows"),
        (lambda content: b"", "found no array"),
        (lambda content: content[:9] + b"\xff" * 300 + content[300:], "found no array"),
    ],
)
def test_an_array_that_is_cut_or_garbled_is_refused(change, reason):
    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    stream = io.BytesIO(change(buffer.getvalue()))

    def fault(found, expected):
        return DataError(f"found {found}; expected {expected}")

    with pytest.raises(DataError, match=reason):
        list(npy_blocks(stream, IMAGES.shape, "u1", 100, fault))
    if reason == "found no array":
        with pytest.raises(DataError, match=reason):
            npy_header(io.BytesIO(change(buffer.getvalue())), fault)


def test_a_missing_key_names_those_that_are_there(tmp_path):
    path = save(tmp_path, "stored")
    with pytest.raises(DataError, match=r"imgs: found the keys images, other; expected this key"):
        read(path, "imgs")
    with pytest.raises(DataError, match="imgs"), open_npz(path, "", "") as file:
        file.require(("images", "imgs"))


def test_an_encrypted_file_is_refused(tmp_path):
    path = save(tmp_path, "stored")
    content = bytearray(path.read_bytes())
    for mark, flags in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = content.find(mark)
        while at >= 0:
            content[at + flags] |= 1
            at = content.find(mark, at + 4)
    path.write_bytes(content)
    with pytest.raises(DataError, match="encrypted"):
        read(path)


def test_a_plain_array_stands_for_an_npz_only_where_it_may(tmp_path):
    path = save(tmp_path, "plain")
    with pytest.raises(DataError, match="not an npz file"), open_npz(path, "", ""):
        pass


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nothing does not exist; expected the file images\.npz"):
        read(tmp_path / "nothing")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "text").write_text("hello")
    with pytest.raises(DataError, match="not an npz file"):
        read(tmp_path / "text")


def test_memory_is_that_of_a_block(tmp_path):
    big = np.zeros((20_000, 1000), np.uint8)
    path = write_npz(tmp_path / "big.npz", {"images": big})
    size = big.nbytes
    del big
    tracemalloc.start()
    with open_npz(path, "", "") as file:
        for _, rows in file.blocks("images", (20_000, 1000), "u1", 500):
            assert rows.shape == (500, 1000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < size / 4


SPACE = FactorSpace((Factor("a", 3), Factor("b", 4), Factor("c", 5)))


@pytest.mark.parametrize(
    "kept", [([0, 1, 2], [0, 1, 2, 3], [0, 1, 2, 3, 4]), ([1], [0, 3], [4]), ([0, 2], [2], [1, 3])]
)
@pytest.mark.parametrize("count", [1, 7, 60])
def test_the_kept_rows_of_a_grid_are_picked(kept, count):
    table = np.arange(60) * 10
    expected = table.reshape(3, 4, 5)[np.ix_(*kept)].ravel()
    wanted = kept_rows(SPACE, [np.array(axis) for axis in kept])
    combinations = np.array(list(itertools.product(*kept)))
    np.testing.assert_array_equal(SPACE.unravel(wanted), combinations)
    taken = []

    def blocks():
        for first in range(0, 60, count):
            taken.append(first)
            yield first, table[first : first + count]

    np.testing.assert_array_equal(np.concatenate(list(pick(blocks(), wanted))), expected)
    assert taken == list(range(0, 60, count))


@pytest.mark.parametrize("version", [2, 3])
def test_a_header_that_says_it_is_endless_fills_no_memory(tmp_path, version):
    path = tmp_path / "file.npz"
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("images.npy", "w", force_zip64=True) as member,
    ):
        member.write(b"\x93NUMPY" + bytes((version, 0)) + (60 << 20).to_bytes(4, "little"))
        for _ in range(60):
            member.write(b" " * (1 << 20))
    tracemalloc.start()
    with pytest.raises(DataError, match=r"images: found no array .*expected an array"):
        read(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


@pytest.mark.parametrize("how", ["stored", "deflated"])
def test_every_flipped_byte_of_the_list_of_arrays_is_said(tmp_path, how):
    # A false place of an array sends zipfile before the beginning of the file.
    path = save(tmp_path, how, IMAGES[:3])
    content = path.read_bytes()
    errors = []
    for place in range(content.index(b"PK\1\2"), len(content)):
        for flip in (0x01, 0x80):
            bad = bytearray(content)
            bad[place] ^= flip
            path.write_bytes(bad)
            try:
                read(path, shape=(3, 7, 5))
            except DataError as error:
                errors.append(str(error))
    assert len(errors) > 50
    assert {error.partition("file.npz")[0] for error in errors} == {f"{tmp_path}/"}


def refused(path, reason, key="images"):
    with pytest.raises(DataError, match=reason) as caught:
        read(path, key)
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("Look elsewhere.")


def test_a_member_that_is_no_array_does_not_go_by_its_name(tmp_path):
    path = tmp_path / "file.npz"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images", b"")
        file.writestr("deeper/images.npy", b"")
    refused(path, r"images: found the keys deeper/images, images \(not npy\); expected this key")


def test_of_many_keys_a_few_are_named(tmp_path):
    path = tmp_path / "file.npz"
    with zipfile.ZipFile(path, "w") as file:
        for number in range(50):
            file.writestr(f"k{number:02}.npy", b"")
    refused(path, r"the keys k00, .*, k09, \.\.\.; expected this key")


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_of_every_compression_is_named(tmp_path, compression):
    path = tmp_path / "file.npz"
    buffer = io.BytesIO()
    np.save(buffer, IMAGES)
    with zipfile.ZipFile(path, "w", compression) as file:
        file.writestr("images.npy", buffer.getvalue())
    np.testing.assert_array_equal(np.concatenate([rows for _, rows in read(path)]), IMAGES)
    content = bytearray(path.read_bytes())
    content[5000:5200] = bytes(200)
    path.write_bytes(content)
    refused(path, "is damaged or not an npz file")


def test_a_name_that_is_no_text_is_damage(tmp_path):
    path = tmp_path / "file.npz"
    np.savez(path, images=IMAGES, é=IMAGES)
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    refused(path, "is damaged or not an npz file: 'utf-8' codec")


def test_a_format_that_is_not_known_is_refused(tmp_path):
    path = save(tmp_path, "plain")
    content = bytearray(path.read_bytes())
    content[6] = 9
    path.write_bytes(content)
    refused(path, r"found no array \(version 9\.0 of the format is not known\)")


def test_an_error_of_the_caller_is_not_called_damage(tmp_path):
    path = save(tmp_path, "stored")
    with pytest.raises(RuntimeError, match="mine"), open_npz(path, "", ""):
        raise RuntimeError("mine")
