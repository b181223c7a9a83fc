"""Many files in a zip, a tar or a folder: the same from each, and damage is named."""

import tarfile
import tracemalloc
import zipfile

import numpy as np
import pytest

from reference.small_archives import write_tar, write_zip
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
        pytest.raises(DataError, match=r"x\.bin is damaged or neither a zip nor a tar"),
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
