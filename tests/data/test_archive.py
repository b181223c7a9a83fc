"""What all datasets of published files have in common, on one that reads two small files."""

import json
import shutil
from collections import namedtuple
from typing import ClassVar, final

import numpy as np
import pytest

from contracts.components import MEMBERS
from reference.server import answer, checksum, running
from unweave.data import catalog, parse_dataset, with_file
from unweave.data.fetching.download import RemoteFile, downloads
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.kinds.stored import StoredSpec
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace
from unweave.spec import option

GOOD = {"images.bin": bytes(range(12)), "tones.bin": b"\x07"}
ADDRESSES = {}


@final
class TwoFiles(ArchiveSpec):
    """Three images of 2x2 pixels, to each of which a tone is added."""

    name: ClassVar[str] = "two_files"
    listed: ClassVar[bool] = False
    page: ClassVar[str] = "https://example.org/two"
    instead: ClassVar[str] = "Or use something else."

    darker: bool = option(default=False, help="For a field of its own.")

    @property
    def files(self):
        return tuple(
            RemoteFile(name=name, urls=ADDRESSES.get(name, ()), checksum=checksum(content))
            for name, content in GOOD.items()
        )

    @property
    def factor_space(self):
        return FactorSpace((Factor("place", 3),))

    @property
    def image_shape(self):
        return (2, 2, 1)

    @property
    def encoding(self):
        return "bytes"

    def read(self, paths, details, progress):
        images, tones = (path.read_bytes() for path in paths)
        if len(images) != 12:
            raise DataError(f"{paths[0]} has {len(images)} bytes; expected 12.")
        if len(tones) != 1:
            raise DataError(f"{paths[1]} has {len(tones)} bytes; expected 1.")
        yield (np.frombuffer(images, np.uint8) + tones[0]).reshape(3, 4)


@final
class WithTerms(ArchiveSpec):
    """One that nobody may download without a signature."""

    name: ClassVar[str] = "with_terms"
    listed: ClassVar[bool] = False
    page: ClassVar[str] = "https://example.org/files"
    terms: ClassVar[str | None] = "https://example.org/terms"

    files = (RemoteFile(name="secret.bin"),)
    factor_space = FactorSpace((Factor("place", 3),))
    image_shape = (2, 2, 1)
    encoding = "bytes"

    def read(self, paths, details, progress):
        yield np.frombuffer(paths[0].read_bytes(), np.uint8).reshape(3, 4)


@final
class NoFiles(StoredSpec):
    """One that comes from nowhere."""

    name: ClassVar[str] = "no_files"
    listed: ClassVar[bool] = False

    factor_space = FactorSpace((Factor("place", 3),))
    image_shape = (2, 2, 1)
    encoding = "bytes"
    source = "rendered"

    def encoded_blocks(self, first, details, progress):
        yield np.zeros((3, 4), np.uint8)


EXPECTED = np.arange(7, 19, dtype=np.uint8).reshape(3, 2, 2, 1)


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "my files"
    folder.mkdir()
    for name, content in GOOD.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def server(monkeypatch):
    with running() as server:
        for name, content in GOOD.items():
            server.plans[f"/{name}"] = [answer(content)]
            monkeypatch.setitem(ADDRESSES, name, (f"{server.url}/{name}",))
        yield server


@pytest.mark.parametrize("place", ["", "images.bin", "tones.bin"])
def test_files_in_a_folder_or_beside_the_one_that_is_given(home, folder, place):
    spec = with_file("two_files", folder / place)
    assert spec.source == "archive"
    np.testing.assert_array_equal(spec.open().images([0, 1, 2]), EXPECTED)
    manifest = json.loads((spec.folder() / "manifest.json").read_text())
    assert manifest["details"]["archive"] == [str(folder / name) for name in GOOD]
    sums = [checksum(content).partition(":")[2] for content in GOOD.values()]
    assert manifest["details"]["archive_sha256"] == sums


def test_other_fields_stay_as_they_are(folder):
    spec = with_file("two_files(darker=True)", folder)
    assert spec == parse_dataset(f"two_files(path={str(folder)!r}, darker=True)")


def test_files_that_are_missing_are_named_before_any_work(home, folder):
    (folder / "tones.bin").unlink()
    spec = with_file("two_files", folder)
    for way in (spec.check_loadable, spec.open):
        with pytest.raises(DataError) as caught:
            way()
        for words in (
            f"{folder / 'tones.bin'} does not exist",
            "https://example.org/two",
            "unweave data prepare two_files --from FOLDER. Or use something else.",
        ):
            assert words in str(caught.value)
    assert not home.exists()


def test_a_store_outlives_its_files_but_not_a_change_of_one(home, folder):
    spec = with_file("two_files", folder)
    spec.open()
    (folder / "tones.bin").rename(folder / "elsewhere")
    spec.open()
    (folder / "tones.bin").write_bytes(b"\x09")
    with pytest.raises(DataError, match="has changed since"):
        spec.open()
    with pytest.raises(DataError, match="has changed since"):
        spec.verify()


def test_a_wrong_file_of_the_users_is_left_alone(home, folder):
    (folder / "tones.bin").write_bytes(b"too long")
    with pytest.raises(DataError, match=r"tones\.bin has 8 bytes; expected 1"):
        with_file("two_files", folder).open()
    assert list(home.rglob("*")) == []
    assert sorted(path.name for path in folder.iterdir()) == sorted(GOOD)


def test_files_are_downloaded(home, server):
    told = []
    spec = parse_dataset("two_files")
    data = spec.open(lambda *report: told.append(report))
    np.testing.assert_array_equal(data.images([0, 1, 2]), EXPECTED)
    assert ("downloading images.bin (bytes)", 12, 12) in told
    assert [path for path, _, _ in server.asked] == ["/images.bin", "/tones.bin"]
    spec.open()
    assert len(server.asked) == 2


def test_room_for_the_images_is_asked_for_before_a_download(home, server, monkeypatch):
    usage = namedtuple("usage", "total used free")
    # The reserve of a download, its 12 bytes, and one byte less than three images of four bytes.
    free = 2**20 + 12 + 11
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9, free))
    with pytest.raises(DataError, match="disk is full"):
        parse_dataset("two_files").open()
    assert not (downloads() / "images.bin").exists()
    free += 1
    # The store keeps a reserve of the same size.
    assert len(parse_dataset("two_files").open()) == 3


def test_only_the_wrong_one_of_several_downloads_is_set_aside(home, server):
    downloads().mkdir(parents=True)
    for name, content in (GOOD | {"tones.bin": b"wrong"}).items():
        (downloads() / name).write_bytes(content)
    spec = parse_dataset("two_files")
    with pytest.raises(DataError, match=r"kept as .*tones\.bin\.wrong; .* has 5 bytes"):
        spec.open()
    assert not spec.ready()
    assert (downloads() / "images.bin").exists()
    np.testing.assert_array_equal(spec.open().images([0, 1, 2]), EXPECTED)
    assert [path for path, _, _ in server.asked] == ["/tones.bin"]


def test_a_wrong_download_that_cannot_be_renamed_is_named(home):
    downloads().mkdir(parents=True)
    for name, content in (GOOD | {"tones.bin": b"wrong"}).items():
        (downloads() / name).write_bytes(content)
    (downloads() / "tones.bin.wrong").mkdir()
    with pytest.raises(DataError, match=r"directory\): delete it, .*tones\.bin has 5 bytes"):
        parse_dataset("two_files").open()
    assert (downloads() / "tones.bin").read_bytes() == b"wrong"


def test_a_download_that_fails_says_what_to_do(home):
    with pytest.raises(DataError) as caught:
        parse_dataset("two_files(darker=True)").open()
    for words in (
        "no address is known",
        "Fetch images.bin, tones.bin by hand from https://example.org/two",
        "unweave data prepare 'two_files(darker=True)' --from FOLDER.",
    ):
        assert words in str(caught.value)


def test_terms_that_must_be_accepted_are_named_before_any_work(home, tmp_path):
    spec = parse_dataset("with_terms")
    for way in (spec.check_loadable, spec.open):
        with pytest.raises(DataError) as caught:
            way()
        for words in (
            "with_terms are not downloaded",
            "Accept the terms at https://example.org/terms",
            "fetch secret.bin from https://example.org/files",
            "unweave data prepare with_terms --from FILE.",
        ):
            assert words in str(caught.value)
    assert not home.exists()
    (tmp_path / "mine.bin").write_bytes(bytes(12))
    own = with_file("with_terms", tmp_path / "mine.bin")
    assert len(own.open()) == 3


def test_a_dataset_without_files_takes_none():
    with pytest.raises(SpecError, match="not read from an archive"):
        with_file("no_files", "file")


def test_the_catalogue_has_every_source_and_subset():
    texts = [str(spec) for spec in catalog()]
    assert len(set(texts)) == len(texts)
    subsets = {f"mpi3d(subset={name})" for name in ("realistic", "real", "real_complex")}
    assert {"dsprites", "dsprites(source=archive)", "mpi3d", "isaac3d"} | subsets <= set(texts)
    assert "two_files" not in texts


ARCHIVES = [cls for _, cls in MEMBERS if issubclass(cls, ArchiveSpec)]


@pytest.mark.parametrize("cls", ARCHIVES, ids=lambda cls: cls.name)
def test_a_file_can_be_given_for_every_archive(home, tmp_path, cls):
    spec = with_file(cls.name, tmp_path / "mine")
    assert isinstance(spec, cls)
    assert spec.path == str(tmp_path / "mine")
    assert spec.source == "archive"
    assert parse_dataset(str(spec)) == spec
    assert spec.page.startswith(("https://", "http://"))
    names = [file.name for file in spec.files]
    assert len(set(names)) == len(names) > 0
    with pytest.raises(DataError) as caught:
        spec.open()
    for words in (str(tmp_path), "does not exist", "unweave data prepare", "--from", spec.page):
        assert words in str(caught.value)
    assert not home.exists()


def test_a_file_that_was_prepared_stands_for_the_name_alone(home, folder, server):
    spec = with_file("two_files", folder)
    spec.open()
    assert not parse_dataset("two_files").ready()
    spec.remember()
    named = parse_dataset("two_files")
    assert named.ready()
    assert named.folder() == spec.folder()
    named.check_loadable()
    np.testing.assert_array_equal(named.open().images([0, 1, 2]), EXPECTED)
    named.verify()
    # Other settings are other images.
    assert not parse_dataset("two_files(darker=True)").ready()
    # Once the files are gone the store still stands for it; once the store is gone, nothing does.
    shutil.rmtree(folder)
    assert len(named.open()) == 3
    shutil.rmtree(spec.folder())
    assert not named.ready()
    assert server.asked == []
    named.open()
    assert len(server.asked) == 2


def test_the_last_file_that_was_prepared_counts(home, folder, tmp_path):
    first = with_file("two_files", folder)
    first.open()
    first.remember()
    other = tmp_path / "other"
    shutil.copytree(folder, other)
    second = with_file("two_files", other)
    second.open()
    second.remember()
    assert parse_dataset("two_files").folder() == second.folder() != first.folder()


def test_terms_are_not_asked_for_again_once_a_file_is_prepared(home, tmp_path):
    (tmp_path / "mine.bin").write_bytes(bytes(12))
    spec = with_file("with_terms", tmp_path / "mine.bin")
    spec.open()
    spec.remember()
    named = parse_dataset("with_terms")
    named.check_loadable()
    assert len(named.open()) == 3


def test_a_path_that_can_be_none_is_refused():
    with pytest.raises(SpecError, match=r"path='a\\x00b' has a character of number zero"):
        parse_dataset(r"two_files(path='a\x00b')")
