"""The store: all or nothing, one builder, damage found and named."""

import errno
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tracemalloc
import zlib
from pathlib import Path

import filelock
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from unweave.data.pixels.build import build_store
from unweave.data.pixels.manifest import BLOCK, encode_images, row_bytes
from unweave.data.pixels.store import Store
from unweave.data.pixels.unfinished import Unfinished
from unweave.errors import DataError


def make_images(count, shape=(3, 5, 1), binary=True, seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 2 if binary else 256, size=(count, *shape), dtype=np.uint8)


def build(folder, images, encoding="bits", blocks=None, **others):
    given = [encode_images(images, encoding)] if blocks is None else blocks
    return build_store(
        folder,
        text="toy",
        form={"type": "toy"},
        source="rendered",
        image_shape=images.shape[1:],
        count=len(images),
        encoding=encoding,
        blocks=lambda first: given,
        **others,
    )


def names(folder):
    """What lies in a folder, but for the lock, which may stay."""
    return sorted(path.name for path in folder.iterdir() if path.suffix != ".lock")


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 40),
    st.tuples(st.integers(1, 5), st.integers(1, 5), st.integers(1, 3)),
    st.booleans(),
    st.data(),
)
def test_what_goes_in_comes_out(tmp_path_factory, count, shape, binary, data):
    images = make_images(count, shape, binary)
    encoding = "bits" if binary else "bytes"
    store = build(tmp_path_factory.mktemp("data") / "toy", images, encoding)
    flat = np.array(data.draw(st.lists(st.integers(0, count - 1))), dtype=np.int64)
    gathered = store.gather(flat)
    assert gathered.dtype == np.uint8
    np.testing.assert_array_equal(gathered, images[flat])
    np.testing.assert_array_equal(store.images(flat), images[flat] * (255 if binary else 1))
    assert store.scale * images.max(initial=0) <= 1
    assert store.scale == (1 if binary else 1 / 255)


def test_blocks_may_have_any_length(tmp_path):
    images = make_images(10_000)
    rows = encode_images(images, "bits")
    cuts = np.split(rows, [0, 1, 4095, 4097, 4097, 9000])
    store = build(tmp_path / "toy", images, blocks=iter(cuts))
    np.testing.assert_array_equal(store.gather(np.arange(10_000)), images)
    whole = build(tmp_path / "whole", images)
    assert store.manifest["crc32"] == whole.manifest["crc32"]


def test_the_manifest_says_what_is_stored(tmp_path):
    images = make_images(5000)
    details = {}

    def blocks():
        yield encode_images(images, "bits")
        details["learnt"] = "late"

    build(tmp_path / "toy", images, blocks=blocks(), details=details)
    manifest = json.loads((tmp_path / "toy" / "manifest.json").read_text())
    content = (tmp_path / "toy" / "images.bin").read_bytes()
    # 15 pixels are two bytes, the first pixel in the highest bit.
    assert len(content) == 10_000
    assert f"{content[0]:08b}{content[1]:08b}" == "".join(map(str, images[0].ravel())) + "0"
    crcs = [zlib.crc32(content[:8192]), zlib.crc32(content[8192:])]
    table = b"".join(crc.to_bytes(4, "big") for crc in crcs)
    assert manifest == {
        "format": 1,
        "text": "toy",
        "dataset": {"type": "toy"},
        "source": "rendered",
        "encoding": "bits",
        "image_shape": [3, 5, 1],
        "count": 5000,
        "block": 4096,
        "details": {"learnt": "late"},
        "crc32": [f"{crc:08x}" for crc in crcs],
        "sha256": hashlib.sha256(table).hexdigest(),
    }


def test_a_store_is_not_built_twice(tmp_path):
    images = make_images(10)
    build(tmp_path / "toy", images)

    def forbidden():
        raise AssertionError("built again")
        yield

    store = build(tmp_path / "toy", images, blocks=forbidden())
    np.testing.assert_array_equal(store.gather(np.arange(10)), images)


def test_progress_is_told_by_block(tmp_path):
    told = []
    store = build(
        tmp_path / "toy", make_images(10_000), progress=lambda *report: told.append(report)
    )
    assert told == [("writing", done, 10_000) for done in (4096, 8192, 10_000)]
    told.clear()
    store.verify(lambda *report: told.append(report))
    assert told == [("verifying", done, 10_000) for done in (4096, 8192, 10_000)]


def test_blocks_are_taken_one_by_one(tmp_path):
    # Bounded memory: when a block is asked for, the ones before are on their way to the disk.
    images = make_images(4096 * 40, (8, 8, 1))
    rows = encode_images(images, "bits")
    sizes = []

    def blocks():
        for start in range(0, len(rows), 4096):
            temporary = tmp_path / ".toy.building"
            sizes.append((temporary / "images.bin").stat().st_size)
            yield rows[start : start + 4096]

    build(tmp_path / "toy", images, blocks=blocks())
    written = np.array(sizes)
    expected = np.arange(40) * 4096 * 8
    assert (expected - written).max() <= 2 * 4096 * 8


@pytest.mark.parametrize("error", [RuntimeError("stop"), KeyboardInterrupt()])
def test_nothing_is_left_when_the_images_fail(tmp_path, error):
    images = make_images(6000)

    def blocks():
        yield encode_images(images, "bits")[:5000]
        raise error

    with pytest.raises(type(error)):
        build(tmp_path / "toy", images, blocks=blocks())
    assert names(tmp_path) == []
    build(tmp_path / "toy", images).verify()


@pytest.mark.parametrize("count", [9, 11])
def test_a_wrong_number_of_images_is_refused(tmp_path, count):
    images = make_images(10)
    with pytest.raises(ValueError, match=f"expected 10 images, not {count}"):
        build(tmp_path / "toy", images, blocks=[encode_images(make_images(count), "bits")])
    assert names(tmp_path) == []


def test_rows_of_another_width_are_refused(tmp_path):
    with pytest.raises(ValueError, match="expected rows of 2 bytes"):
        build(tmp_path / "toy", make_images(4), blocks=[np.zeros((4, 3), dtype=np.uint8)])
    assert names(tmp_path) == []


# --- a full disk -------------------------------------------------------------------------------


def test_a_disk_without_room_is_found_before_any_work(tmp_path, monkeypatch):
    usage = type("Usage", (), {"free": 3_000_000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    images = make_images(1000, (64, 64, 1), binary=False)

    def forbidden():
        raise AssertionError("worked")
        yield

    with pytest.raises(DataError) as caught:
        build(tmp_path / "toy", images, "bytes", blocks=forbidden())
    message = str(caught.value)
    assert str(tmp_path / "toy") in message
    assert "needs 4 MB, and 3 MB are free" in message
    assert "UNWEAVE_HOME" in message
    assert names(tmp_path) == []


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_fills_up_leaves_nothing(tmp_path, monkeypatch, code):
    images = make_images(9000, (64, 64, 1))
    real = os.fsync

    def full(descriptor):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(DataError, match=r"disk is full: .*toy needs 5 MB.*UNWEAVE_HOME"):
        build(tmp_path / "toy", images)
    assert names(tmp_path) == []
    monkeypatch.setattr(os, "fsync", real)
    build(tmp_path / "toy", images).verify()


def test_a_full_device_leaves_nothing(tmp_path, monkeypatch):
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    real = Path.mkdir

    def onto_full_device(path, *others, **named):
        real(path, *others, **named)
        if path.name == ".toy.building":
            (path / "images.bin").symlink_to("/dev/full")

    monkeypatch.setattr(Path, "mkdir", onto_full_device)
    with pytest.raises(DataError, match="The disk is full"):
        build(tmp_path / "toy", make_images(9000, (64, 64, 1)))
    assert names(tmp_path) == []


def test_a_place_that_cannot_be_a_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(DataError, match="file"):
        build(tmp_path / "file" / "toy", make_images(4))


# --- several processes, and killed ones --------------------------------------------------------

BUILDER = """
import sys, time
from pathlib import Path
import numpy as np
from unweave.data.pixels.build import build_store

folder, log, pause = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])

def blocks():
    with log.open("a") as handle:
        handle.write("built\\n")
    for value in range(20):
        time.sleep(pause)
        yield np.full((500, 8), value, dtype=np.uint8)

store = build_store(folder, text="toy", form={}, source="rendered", image_shape=(8, 8, 1),
                    count=10_000, encoding="bits", blocks=lambda first: blocks())
store.verify()
print(store.count)
"""


def start(folder, log, pause):
    return subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(folder), str(log), str(pause)],
        stdout=subprocess.PIPE,
        text=True,
    )


def test_two_processes_build_once(tmp_path):
    log = tmp_path / "log"
    builders = [start(tmp_path / "data" / "toy", log, 0.02) for _ in range(2)]
    for builder in builders:
        assert builder.communicate(timeout=60)[0] == "10000\n"
        assert builder.returncode == 0
    assert log.read_text() == "built\n"
    assert names(tmp_path / "data") == ["toy"]


def test_a_killed_build_is_cleared_away(tmp_path):
    folder = tmp_path / "data" / "toy"
    builder = start(folder, tmp_path / "log", 0.5)
    deadline = time.monotonic() + 60
    while not list(folder.parent.glob(".toy.building/images.bin")):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    builder.send_signal(signal.SIGKILL)
    builder.communicate()
    assert len(names(folder.parent)) == 1
    assert not folder.exists()
    images = make_images(10)
    build(folder, images)
    assert names(folder.parent) == ["toy"]


def test_old_leftovers_of_other_stores_go_unless_their_builds_are_alive(tmp_path):
    long_ago = time.time() - 8 * 24 * 3600
    for name in (".dead.building", ".alive.and.well.building", ".of.today.building"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "images.bin").write_bytes(b"begun")
        if name != ".of.today.building":
            os.utime(tmp_path / name / "images.bin", (long_ago, long_ago))
    with filelock.FileLock(tmp_path / ".alive.and.well.lock"):
        build(tmp_path / "toy", make_images(4))
        assert names(tmp_path) == [".alive.and.well.building", ".of.today.building", "toy"]
    build(tmp_path / "other", make_images(4))
    assert names(tmp_path) == [".of.today.building", "other", "toy"]


# --- builds that are gone on with --------------------------------------------------------------

ROWS = np.random.default_rng(3).integers(0, 256, size=(20_000, 8), dtype=np.uint8)

GOING_ON = """
import sys, time
from pathlib import Path
import numpy as np
from unweave.data.pixels.build import build_store

rows = np.random.default_rng(3).integers(0, 256, size=(20_000, 8), dtype=np.uint8)

def blocks(first):
    yield rows[first:13_000]
    print("so far", flush=True)
    time.sleep(60)

build_store(Path(sys.argv[1]), text="toy", form={}, source="rendered", image_shape=(8, 8, 1),
            count=20_000, encoding="bits", blocks=blocks, origin=lambda: {"file": "as it is"})
"""


def go_on(folder, *, file="as it is", told=None, rows=ROWS, end=None, labels=None):
    """Build it here; gives the store and the first row that was asked for."""
    asked = []

    def blocks(first):
        asked.append(first)
        yield rows[first:end]
        if end is not None:
            raise KeyboardInterrupt

    store = build_store(
        folder,
        text="toy",
        form={},
        source="rendered",
        image_shape=(8, 8, 1),
        count=len(rows),
        encoding="bits",
        blocks=blocks,
        origin=lambda: {"file": file},
        labels=labels,
        progress=None if told is None else lambda *report: told.append(report),
    )
    return store, asked[0]


@pytest.fixture(scope="module")
def left(tmp_path_factory):
    """What is left where a build was killed after 13,000 of 20,000 images."""
    folder = tmp_path_factory.mktemp("killed") / "data"
    command = [sys.executable, "-c", GOING_ON, str(folder / "toy")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as builder:
        assert builder.stdout.readline() == "so far\n"
        builder.send_signal(signal.SIGKILL)
    assert names(folder) == [".toy.building"]
    return folder


@pytest.fixture
def killed(left, tmp_path):
    """Where a store will lie whose build was killed, which has left something."""
    return shutil.copytree(left, tmp_path / "data") / "toy"


def test_a_killed_build_is_gone_on_with(killed):
    told = []
    store, first = go_on(killed, told=told)
    assert first == 3 * 4096
    np.testing.assert_array_equal(store.rows, ROWS)
    store.verify()
    assert names(killed.parent) == ["toy"]
    assert names(killed) == ["images.bin", "manifest.json"]
    checking = [("checking what is there", 4096 * block, 20_000) for block in (1, 2, 3)]
    writing = [("writing", done, 20_000) for done in (12_288, 16_384, 20_000)]
    assert told == [*checking, *writing]
    # As if it had been built at once.
    whole, first = go_on(killed.parent / "whole")
    assert first == 0
    assert whole.manifest == store.manifest


def test_another_origin_begins_anew(killed):
    other = ROWS[::-1].copy()
    store, first = go_on(killed, file="changed", rows=other)
    assert first == 0
    np.testing.assert_array_equal(store.rows, other)
    store.verify()


def test_another_version_begins_anew(killed, monkeypatch):
    monkeypatch.setattr("unweave.data.pixels.build.__version__", "another")
    assert go_on(killed)[1] == 0


@pytest.mark.parametrize(
    ("damage", "first"),
    [
        ("a bit of the second block", 4096),
        ("the end of the third block", 8192),
        ("no images", 0),
        ("no checksums", 0),
        ("half a checksum", 8192),
        ("no origin", 0),
        ("origin is no text", 0),
    ],
)
def test_only_what_matches_its_checksum_is_kept(killed, damage, first):
    folder = killed.parent / ".toy.building"
    images, crcs, origin = (folder / name for name in ("images.bin", "blocks.txt", "origin.json"))
    match damage:
        case "a bit of the second block":
            data = bytearray(images.read_bytes())
            data[5000 * 8] ^= 1
            images.write_bytes(data)
        case "the end of the third block":
            images.write_bytes(images.read_bytes()[: 12_000 * 8])
        case "no images":
            images.unlink()
        case "no checksums":
            crcs.unlink()
        case "half a checksum":
            crcs.write_text(crcs.read_text()[:-5])
        case "no origin":
            origin.unlink()
        case _:
            origin.write_bytes(b"\xff\xfe")
    store, found = go_on(killed)
    assert found == first
    np.testing.assert_array_equal(store.rows, ROWS)
    store.verify()


def test_an_interrupted_build_is_kept_and_one_that_fails_is_not(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go_on(tmp_path / "toy", end=9000)
    assert names(tmp_path) == [".toy.building"]
    with pytest.raises(ValueError, match="expected 20000 images, not 19999"):
        build_store(
            tmp_path / "toy",
            text="toy",
            form={},
            source="rendered",
            image_shape=(8, 8, 1),
            count=20_000,
            encoding="bits",
            blocks=lambda first: [ROWS[first:-1]],
            origin=lambda: {"file": "as it is"},
        )
    assert names(tmp_path) == []


def test_a_build_can_stop_behind_its_last_image(tmp_path):
    rows = ROWS[:8192]
    with pytest.raises(KeyboardInterrupt):
        go_on(tmp_path / "toy", rows=rows, end=8192)
    store, first = go_on(tmp_path / "toy", rows=rows)
    assert first == 8192
    np.testing.assert_array_equal(store.rows, rows)


def test_a_build_that_is_stopped_while_labels_are_had_keeps_its_images(tmp_path):
    def stopped():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        go_on(tmp_path / "toy", labels=stopped)
    store, first = go_on(tmp_path / "toy")
    assert first == 4 * 4096
    store.verify()
    np.testing.assert_array_equal(store.rows, ROWS)
    assert names(tmp_path / "toy") == ["images.bin", "manifest.json"]


def test_a_build_whose_origin_cannot_be_told_is_not_gone_on_with(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        go_on(tmp_path / "toy", file=None, end=9000)
    assert names(tmp_path) == []
    assert go_on(tmp_path / "toy", file=None)[1] == 0


def test_what_is_gone_on_with_is_not_written_anew(killed):
    """To be killed once more in the middle of that would lose all blocks."""
    folder = killed.parent / ".toy.building"
    begun = {name: (folder / name).read_bytes() for name in ("blocks.txt", "origin.json")}
    for name in begun:
        os.utime(folder / name, (1, 1))
    with Unfinished(folder, json.loads(begun["origin.json"]), 20_000, 8, None) as rows:
        assert rows.done == 3 * 4096
    for name, data in begun.items():
        assert (folder / name).read_bytes() == data
        assert (folder / name).stat().st_mtime == 1


def test_what_is_taken_over_of_large_images_is_checked_in_pieces(tmp_path):
    """A block of these has 64 MiB."""
    width = 1 << 14
    rows = np.random.default_rng(4).integers(0, 256, size=(BLOCK + 1, width), dtype=np.uint8)
    with Unfinished(tmp_path / "toy", {"file": "as it is"}, len(rows), width, None) as begun:
        begun.write([rows])
    tracemalloc.start()
    with Unfinished(tmp_path / "toy", {"file": "as it is"}, len(rows), width, None) as again:
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert again.done == BLOCK
        again.write([rows[BLOCK:]])
        assert again.crcs == begun.crcs
    assert peak < 16 << 20


def test_space_is_only_asked_for_what_is_left(killed, monkeypatch):
    # 160,000 bytes in all, and a margin of 1 MiB.
    usage = shutil.disk_usage(killed.parent)._replace(free=2**20 + 60_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda place: usage)
    assert go_on(killed)[1] == 3 * 4096
    with pytest.raises(DataError, match="disk is full"):
        go_on(killed.parent / "other")


# --- damage ------------------------------------------------------------------------------------


@pytest.fixture
def stored(tmp_path):
    build(tmp_path / "toy", make_images(10_000))
    return tmp_path / "toy"


def change_manifest(folder, **changes):
    path = folder / "manifest.json"
    manifest = {**json.loads(path.read_text()), **changes}
    path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))


def flip(folder, offset):
    with (folder / "images.bin").open("r+b") as handle:
        handle.seek(offset)
        byte = handle.read(1)[0]
        handle.seek(offset)
        handle.write(bytes([byte ^ 1]))


def test_a_damaged_block_is_named(stored):
    flip(stored, 2 * 5000)
    flip(stored, 2 * 9000)
    with pytest.raises(DataError, match=r"images 4096 to 8191 \(block 1 of 3\)") as caught:
        Store.open(stored, sample=0).verify()
    assert f"Delete the folder {stored}" in str(caught.value)
    with pytest.raises(DataError, match=r"images 8192 to 9999 \(block 2 of 3\)"):
        Store.open(stored, sample=2)


def test_opening_samples_one_block(stored):
    for block in range(3):
        flip(stored, 2 * 4096 * block)
    with pytest.raises(DataError, match="do not match their checksum"):
        Store.open(stored)


@pytest.mark.parametrize("size", [0, 19_999, 20_001])
def test_a_file_of_another_size_is_refused(stored, size):
    os.truncate(stored / "images.bin", size)
    with pytest.raises(DataError, match=f"has {size:,} bytes; 20,000 bytes are expected"):
        Store.open(stored)


def test_missing_files_are_named(stored):
    (stored / "images.bin").unlink()
    with pytest.raises(DataError, match=r"images\.bin is missing"):
        Store.open(stored)
    (stored / "manifest.json").unlink()
    with pytest.raises(DataError, match=r"manifest\.json cannot be read: No such file"):
        Store.open(stored)


@pytest.mark.parametrize("text", ["", "{", "\x00", '{"format": 1'])
def test_a_manifest_that_is_not_json_is_refused(stored, text):
    (stored / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="is damaged: it is not JSON"):
        Store.open(stored)


@pytest.mark.parametrize("text", ["[]", "3", "null", '{"format": 2}', "{}"])
def test_another_format_is_refused(stored, text):
    (stored / "manifest.json").write_text(text)
    with pytest.raises(DataError, match="this version of unweave reads format 1"):
        Store.open(stored)


@pytest.mark.parametrize(
    "changes",
    [
        {"count": None},
        {"count": 0},
        {"count": "10000"},
        {"encoding": "jpeg"},
        {"image_shape": [3, 5]},
        {"image_shape": [3, 5, 0]},
        {"image_shape": [3, 5, "1"]},
        {"block": 1000},
        {"crc32": ["00000000"]},
        {"crc32": ["00000000", "00000000", "00000000"]},
        {"crc32": ["zz", "00", "00"]},
        {"sha256": "0" * 64},
        {"details": None},
    ],
)
def test_a_manifest_whose_fields_do_not_fit_is_refused(stored, changes):
    change_manifest(stored, **changes)
    with pytest.raises(DataError, match="fields do not fit together"):
        Store.open(stored)


def test_a_damaged_store_is_not_silently_built_again(stored):
    os.truncate(stored / "images.bin", 5)
    with pytest.raises(DataError, match="Delete the folder"):
        build(stored, make_images(10_000))


def test_row_bytes():
    assert row_bytes((64, 64, 1), "bits") == 512
    assert row_bytes((3, 3, 1), "bits") == 2
    assert row_bytes((64, 64, 3), "bytes") == 12_288
