"""Many files in a zip, a tar or a folder: the same from each, and damage is named."""

import gzip
import os
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest

from reference.small_archives import write_tar, write_zip
from unweave.data.files import bundle as bundle_module
from unweave.data.files.bundle import open_bundle
from unweave.errors import DataError

NOISE = np.random.default_rng(0).bytes(199_680)
MEMBERS = [("b/two.txt", NOISE), ("a.txt", b"one"), ("b/c/three.txt", b"")]


def folder(path, members):
    for name, content in members:
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


KINDS = {
    "zip": lambda place: write_zip(place / "x.zip", MEMBERS),
    "deflated": lambda place: write_zip(place / "x.bin", MEMBERS, zipfile.ZIP_DEFLATED),
    "tar": lambda place: write_tar(place / "x.tar", MEMBERS),
    "gz": lambda place: write_tar(place / "x.tar.gz", MEMBERS, "w:gz"),
    "xz": lambda place: write_tar(place / "x.tar.xz", MEMBERS, "w:xz"),
    "bz2": lambda place: write_tar(place / "x.tar.bz2", MEMBERS, "w:bz2"),
    "folder": lambda place: folder(place / "x", MEMBERS),
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_files_from_each(tmp_path, kind):
    with open_bundle(KINDS[kind](tmp_path), "x", "Mend it.") as bundle:
        names = [name for name, _ in MEMBERS]
        assert list(bundle.names) == (sorted(names) if kind == "folder" else names)
        assert bundle.seekable == (kind not in ("gz", "xz", "bz2"))
        for name, content in MEMBERS[::-1]:
            assert bundle.read(name) == content
        stored = list(bundle.stored(["a.txt", "b/two.txt"]))
        assert sorted(stored) == sorted(MEMBERS[:2])
        assert [name for name, _ in stored] == [n for n in bundle.names if n != "b/c/three.txt"]


def test_folders_and_links_are_no_files(tmp_path):
    path = tmp_path / "x.tar"
    with tarfile.open(path, "w") as file:
        for name, kind in (("d", tarfile.DIRTYPE), ("l", tarfile.SYMTYPE)):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, "/etc/passwd"
            file.addfile(info)
    with open_bundle(path, "x", "Mend it.") as bundle:
        assert bundle.names == ()


def test_nothing_is_refused_by_name(tmp_path):
    with (
        pytest.raises(DataError, match=r"x does not exist; expected the file y\.zip\. Mend it"),
        open_bundle(tmp_path / "x", "y.zip", "Mend it."),
    ):
        pass


def read_all(path):
    with open_bundle(path, "x", "Mend it.") as bundle:
        return {name: bundle.read(name) for name in bundle.names}


@pytest.mark.parametrize("kind", ["zip", "deflated", "tar", "gz", "xz", "bz2"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.9])
def test_what_is_cut_is_refused(tmp_path, kind, share):
    path = KINDS[kind](tmp_path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"damaged.*Mend it\.$") as caught:
        read_all(path)
    assert str(path) in str(caught.value)


def test_a_tar_that_ends_between_two_files_lacks_the_rest(tmp_path):
    # It has no list of its files: who reads it must know what to expect.
    path = KINDS["tar"](tmp_path)
    path.write_bytes(path.read_bytes()[: 512 + 199_680])
    with open_bundle(path, "x", "Mend it.") as bundle:
        assert bundle.names == ("b/two.txt",)
        assert bundle.read("b/two.txt") == MEMBERS[0][1]


@pytest.mark.parametrize("content", [b"text" * 500, b"PK but no zip", b"\x1f\x8bno gzip"])
def test_other_files_are_refused(tmp_path, content):
    path = tmp_path / "x.bin"
    path.write_bytes(content)
    with (
        pytest.raises(DataError, match=r"x\.bin is damaged or not a zip or tar file"),
        open_bundle(path, "x", "Mend it."),
    ):
        pass


def test_a_flipped_bit_in_a_zip_is_found(tmp_path):
    path = write_zip(tmp_path / "x.zip", MEMBERS)
    content = bytearray(path.read_bytes())
    content[content.index(NOISE) + 999] ^= 1
    path.write_bytes(content)
    with open_bundle(path, "x", "Mend it.") as bundle:
        with pytest.raises(DataError, match=r"x\.zip: b/two\.txt in it is damaged: .*Mend it"):
            bundle.read("b/two.txt")
        assert bundle.read("a.txt") == b"one"


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_that_is_larger_than_it_may_be(tmp_path, kind):
    with open_bundle(KINDS[kind](tmp_path), "x", "Mend it.") as bundle:
        assert bundle.read("b/two.txt", len(NOISE)) == NOISE
        with pytest.raises(
            DataError, match=r"b/two\.txt in it has more than 199,679 bytes\. Mend"
        ):
            bundle.read("b/two.txt", len(NOISE) - 1)


def test_a_small_file_that_unpacks_to_a_large_one_fills_no_memory(tmp_path):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file, file.open("a", "w") as member:
        for _ in range(64):
            member.write(bytes(1 << 20))
    tracemalloc.start()
    with (
        open_bundle(path, "x", "Mend it.") as bundle,
        pytest.raises(DataError, match="a in it has more than 1,000,000 bytes"),
    ):
        bundle.read("a", 1_000_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 8_000_000


def refused(path, reason):
    tracemalloc.start()
    with pytest.raises(DataError, match=reason) as caught:
        read_all(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert str(path) in str(caught.value)
    assert str(caught.value).endswith("Mend it.")
    return peak


def test_names_that_lead_elsewhere_are_names_only(tmp_path):
    members = [("../../a.txt", b"up"), ("/b.txt", b"root"), ("c/../d.txt", b"back")]
    for path in (write_zip(tmp_path / "x.zip", members), write_tar(tmp_path / "x.tar", members)):
        assert sorted(read_all(path).values()) == [b"back", b"root", b"up"]
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["x.tar", "x.zip"]


@pytest.mark.parametrize("compression", [zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2])
def test_damage_of_every_compression_is_named(tmp_path, compression):
    path = write_zip(tmp_path / "x.zip", MEMBERS, compression)
    assert read_all(path) == dict(MEMBERS)
    content = bytearray(path.read_bytes())
    content[5000:5200] = bytes(200)
    path.write_bytes(content)
    refused(path, r"b/two\.txt in it is damaged")


def test_a_name_that_is_no_text_is_damage(tmp_path):
    path = write_zip(tmp_path / "x.zip", [*MEMBERS, ("é", b"")])
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xfe"))
    refused(path, "is damaged or not a zip or tar file: 'utf-8' codec")


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
@pytest.mark.parametrize("kind", ["gz", "xz", "bz2"])
def test_a_flipped_bit_in_a_packed_tar_is_found(tmp_path, kind, share):
    path = KINDS[kind](tmp_path)
    content = bytearray(path.read_bytes())
    content[int(share * len(content))] ^= 1
    path.write_bytes(content)
    refused(path, "is damaged or not a zip or tar file")


def zipped_zeros(path, size):
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file,
        file.open("a", "w", force_zip64=True) as member,
    ):
        for _ in range(0, size, 1 << 20):
            member.write(bytes(1 << 20))
    return path


def tarred_zeros(path, size, kind, name):
    info = tarfile.TarInfo(name)
    info.type, info.size = kind, size
    with gzip.open(path, "wb", 1) as file:
        file.write(info.tobuf(tarfile.GNU_FORMAT))
        for _ in range(0, size, 1 << 20):
            file.write(bytes(1 << 20))
        file.write(bytes(1024))
    return path


def sparse(path, size):
    info = tarfile.TarInfo("a")
    info.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    # No piece of the file is there, and its real size stands behind the table of pieces.
    header[483:495] = b"%011o\0" % size
    header[148:156] = b"%06o\0 " % tarfile.calc_chksums(bytes(header))[0]
    path.write_bytes(bytes(header) + bytes(1024))
    return path


BIG = 150 << 20
BOMBS = {
    "zip": (lambda path: zipped_zeros(path, BIG), "a in it has more than 67,108,864 bytes"),
    "tar": (
        lambda path: tarred_zeros(path, BIG, tarfile.REGTYPE, "a"),
        "a in it has more than 67,108,864 bytes",
    ),
    "sparse": (lambda path: sparse(path, BIG), "a in it has more than 67,108,864 bytes"),
    "name": (
        lambda path: tarred_zeros(path, BIG, tarfile.GNUTYPE_LONGNAME, "././@LongLink"),
        "a part of it says that it has 157,286,400 bytes",
    ),
    "settings": (
        lambda path: tarred_zeros(path, BIG, tarfile.XHDTYPE, "././@PaxHeader"),
        "a part of it says that it has 157,286,400 bytes",
    ),
}


@pytest.mark.parametrize("kind", BOMBS)
def test_what_unpacks_to_much_more_does_not_fill_the_memory(tmp_path, kind):
    write, reason = BOMBS[kind]
    assert refused(write(tmp_path / "x"), reason) < 170 << 20


def test_a_tar_of_very_many_files_is_refused(tmp_path, monkeypatch):
    path = write_tar(tmp_path / "x.tar", MEMBERS)
    monkeypatch.setattr(bundle_module, "_MEMBERS", 3)
    assert read_all(path) == dict(MEMBERS)
    monkeypatch.setattr(bundle_module, "_MEMBERS", 2)
    refused(path, "it has more than 2 files")


@pytest.mark.parametrize("kind", ["pipe", "device", "broken", "loop"])
def test_what_is_no_file_in_a_folder_is_refused(tmp_path, kind):
    place = folder(tmp_path / "x", MEMBERS)
    odd = place / "a.txt"
    odd.unlink()
    if kind == "pipe":
        os.mkfifo(odd)
    else:
        odd.symlink_to({"device": "/dev/zero", "broken": place / "gone", "loop": odd}[kind])
    refused(place, r"a\.txt(: found nothing| in it cannot be read: )")


def test_a_file_that_the_disk_does_not_give_is_not_called_damaged(tmp_path):
    if not Path("/proc/self/mem").exists():
        pytest.skip("needs a file that is there and cannot be read")
    place = folder(tmp_path / "x", MEMBERS)
    (place / "a.txt").unlink()
    (place / "a.txt").symlink_to("/proc/self/mem")
    refused(place, r"a\.txt in it cannot be read: Input/output error")
