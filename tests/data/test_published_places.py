"""Published files at places that are closed, gone, links, or of another kind than expected."""

from __future__ import annotations

import os
import shlex
from pathlib import Path

import numpy as np
import pytest

from reference.server import answer, running
from reference.small_archives import (
    chair_members,
    few_chairs,
    few_faces,
    few_pictures,
    few_toys,
    idx,
    jpeg,
    smooth,
    toy_tables,
    write_faces,
    write_idx,
    write_tar,
    write_toys,
    write_zip,
)
from session.runs import cli, listing
from unweave.data import Isaac3D, load_dataset, with_file
from unweave.data.fetching.download import RemoteFile, downloads
from unweave.data.files.bundle import open_bundle
from unweave.data.files.npz import open_npz
from unweave.data.files.packed import open_packed
from unweave.data.kinds.archive import _listed
from unweave.data.sets import chairs3d
from unweave.errors import DataError

COUNT = 6
RNG = np.random.default_rng(0)
FACES = [jpeg(pixels) for pixels in smooth(RNG, COUNT, 218, 178, 3)]
TABLE = RNG.integers(0, 2, (COUNT, 40))
CHAIRS = chair_members(smooth(RNG, 3, 2, 4, 70, 70, 3))
CLASSES = np.arange(COUNT)
PICTURES = smooth(RNG, COUNT, 28, 28, 1)[..., 0]

MEMORY = Path("/proc/self/mem")

closed_to_all = pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to the superuser")


@pytest.fixture(autouse=True)
def few(monkeypatch, tmp_path, home):
    monkeypatch.chdir(tmp_path)
    few_faces(monkeypatch, COUNT)
    few_chairs(monkeypatch, 3, 2, 4)
    few_pictures(monkeypatch, COUNT)


def refused(name, path, *words):
    """The error of a path, which says so with one paragraph and leaves nothing behind."""
    with pytest.raises(DataError) as caught:
        with_file(name, path).open()
    text = str(caught.value)
    for word in words:
        assert word in text
    assert "\n" not in text
    return text


NAMES = ("celeba", "chairs3d", "mnist", "smallnorb", "dsprites", "cars3d", "mpi3d", "shapes3d")


@pytest.mark.parametrize("name", NAMES)
def test_a_link_to_itself(name, tmp_path, home):
    (tmp_path / "loop").symlink_to("loop")
    refused(name, tmp_path / "loop", "loop", "does not exist; expected the file", "--from")
    assert not home.exists()


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_of_nobody(name, home):
    refused(name, "~nobody-of-that-name/x", "~nobody-of-that-name/x", "does not exist")
    assert not home.exists()


@pytest.mark.parametrize("name", ["celeba", "mnist", "smallnorb"])
def test_a_folder_that_does_not_exist_is_not_the_one_above(name, tmp_path, home, monkeypatch):
    write_faces(tmp_path, FACES, TABLE)
    write_idx(tmp_path, PICTURES, CLASSES)
    layout = few_toys(monkeypatch)
    tables = toy_tables(layout, RNG)
    write_toys(tmp_path, [smooth(RNG, len(t[0]), 2, 96, 96, 1)[..., 0] for t in tables], tables)
    with_file(name, tmp_path).open()
    refused(name, tmp_path / "typo", f"{tmp_path}/typo", "does not exist")


def test_a_folder_in_place_of_a_file(tmp_path, home):
    folder = write_idx(tmp_path, PICTURES, CLASSES)
    name = "train-images-idx3-ubyte.gz"
    (folder / name).unlink()
    (folder / name).mkdir()
    refused("mnist", folder, f"{folder / name} is a folder; expected the file {name}")
    (tmp_path / "x.npz").mkdir()
    refused("dsprites", tmp_path / "x.npz", "x.npz is a folder; expected the file dsprites_")
    faces = tmp_path / "faces"
    faces.mkdir()
    table = write_faces(faces, FACES, TABLE) / "list_attr_celeba.txt"
    table.unlink()
    table.mkdir()
    refused("celeba", faces, f"{table} is a folder; expected the file list_attr_celeba.txt")


def test_each_file_in_a_folder_of_its_own_name(tmp_path, home):
    for name, array in (("images-idx3", PICTURES), ("labels-idx1", CLASSES)):
        folder = tmp_path / f"train-{name}-ubyte"
        folder.mkdir()
        (folder / folder.name).write_bytes(idx(array))
    data = with_file("mnist", tmp_path).open()
    np.testing.assert_array_equal(data.factors(np.arange(COUNT))[:, 0], CLASSES)


def test_links_are_followed_once(tmp_path, home):
    for name, content in CHAIRS:
        (tmp_path / "far" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "far" / name).write_bytes(content)
    near = tmp_path / "near"
    near.mkdir()
    (near / "chairs").symlink_to(tmp_path / "far" / "rendered_chairs")
    (near / "again").symlink_to(near)
    (tmp_path / "far" / "rendered_chairs" / "back").symlink_to(near)
    data = with_file("chairs3d", near).open()
    tar = with_file("chairs3d", write_tar(tmp_path / "x.tar", CHAIRS)).open()
    rows = np.arange(len(tar))
    np.testing.assert_array_equal(data.images(rows), tar.images(rows))


def test_a_photograph_that_is_a_link_to_nothing(tmp_path, home):
    write_faces(tmp_path, FACES, TABLE)
    (tmp_path / "img_align_celeba.zip").unlink()
    folder = tmp_path / "img_align_celeba"
    folder.mkdir()
    for row, content in enumerate(FACES):
        (folder / f"{row + 1:06}.jpg").write_bytes(content)
    (folder / "000003.jpg").unlink()
    (folder / "000003.jpg").symlink_to("gone.jpg")
    refused("celeba", tmp_path, str(folder), "000003.jpg: found nothing")


def test_links_to_nothing_and_things_that_are_no_files(tmp_path):
    (tmp_path / "link").symlink_to("gone")
    os.mkfifo(tmp_path / "pipe")
    for name, words in (("link", "is a link that leads nowhere"), ("pipe", "is no file")):
        for opened in (
            lambda path: open_bundle(path, "x.zip", "Mend it."),
            lambda path: open_npz(path, "x.npz", "Mend it."),
            lambda path: open_packed(path, "Mend it."),
        ):
            with (
                pytest.raises(DataError, match=f"{name} {words}; expected"),
                opened(tmp_path / name),
            ):
                pass


@pytest.mark.parametrize("name", ["img_align_celeba_png.7z", "img_align_celeba.7z.001"])
def test_a_7z_file(tmp_path, home, name):
    (tmp_path / name).write_bytes(b"7z\xbc\xaf\x27\x1c\0\4" + bytes(500))
    write_faces(tmp_path, FACES, TABLE)
    refused("celeba", tmp_path / name, f"{name} is a 7z file", "unpack it, and give the folder")
    assert not home.exists()


@pytest.mark.parametrize("name", ["faces.ZIP", "faces.bin", "celeba.zip"])
def test_a_zip_of_any_name(tmp_path, home, name):
    write_faces(tmp_path, FACES, TABLE)
    (tmp_path / "img_align_celeba.zip").rename(tmp_path / name)
    data = with_file("celeba", tmp_path / name).open()
    np.testing.assert_array_equal(data.factors(np.arange(COUNT)), TABLE)


@pytest.mark.parametrize("form", ["{:06}.JPG", "img_align_celeba\\{:06}.jpg", "A/B/{:06}.Jpg"])
def test_names_as_other_systems_write_them(tmp_path, home, form):
    write_faces(tmp_path, FACES, TABLE)
    other = tmp_path / "other.zip"
    write_zip(other, [(form.format(row + 1), data) for row, data in enumerate(FACES)])
    plain = with_file("celeba", tmp_path).open()
    data = with_file("celeba", other).open()
    rows = np.arange(COUNT)
    np.testing.assert_array_equal(data.images(rows), plain.images(rows))


def test_loose_photographs_with_large_endings(tmp_path, home):
    write_faces(tmp_path, FACES, TABLE)
    folder = tmp_path / "faces"
    folder.mkdir()
    for row, content in enumerate(FACES):
        (folder / f"{row + 1:06}.JPG").write_bytes(content)
    assert len(with_file("celeba", folder).open()) == COUNT


def test_chairs_with_the_separators_of_windows(tmp_path, home):
    members = [(name.replace("/", "\\").replace(".png", ".PNG"), data) for name, data in CHAIRS]
    assert len(with_file("chairs3d", write_zip(tmp_path / "x.zip", members)).open()) == 24


def test_what_macos_adds_to_a_zip_is_passed_over(tmp_path, home):
    write_faces(tmp_path, FACES, TABLE)
    members = [(f"img_align_celeba/{row + 1:06}.jpg", data) for row, data in enumerate(FACES)]
    extra = [(f"__MACOSX/img_align_celeba/._{row + 1:06}.jpg", b"x") for row in range(COUNT)]
    path = write_zip(tmp_path / "img_align_celeba.zip", [*members, *extra, (".DS_Store", b"x")])
    assert len(with_file("celeba", path).open()) == COUNT


@closed_to_all
@pytest.mark.parametrize(
    ("name", "given", "closed"),
    [
        ("celeba", ".", "img_align_celeba.zip"),
        ("celeba", ".", "list_attr_celeba.txt"),
        ("chairs3d", "chairs.tar", "chairs.tar"),
        ("mnist", ".", "train-images-idx3-ubyte.gz"),
        ("mnist", ".", "train-labels-idx1-ubyte.gz"),
        ("dsprites", "x.npz", "x.npz"),
    ],
)
def test_files_that_may_not_be_read(tmp_path, home, name, given, closed):
    write_faces(tmp_path, FACES, TABLE)
    write_idx(tmp_path, PICTURES, CLASSES)
    np.savez(tmp_path / "x.npz", imgs=np.zeros(3))
    write_tar(tmp_path / "chairs.tar", CHAIRS)
    (tmp_path / closed).chmod(0)
    text = refused(name, given, f"{tmp_path / closed} cannot be read: Permission denied")
    assert "Change who may read it" in text
    assert listing(home) == {}


@closed_to_all
@pytest.mark.parametrize("name", NAMES)
def test_a_folder_that_may_not_be_looked_into(tmp_path, home, name):
    closed = tmp_path / "closed"
    closed.mkdir()
    write_faces(closed, FACES, TABLE)
    closed.chmod(0)
    try:
        refused(name, closed / "file", "cannot be read: Permission denied", "Change who may")
        if name in ("celeba", "mnist"):
            refused(name, closed, "cannot be read: Permission denied", "Change who may")
    finally:
        closed.chmod(0o700)
    assert not home.exists()


@closed_to_all
def test_readers_of_closed_files_say_so(tmp_path):
    path = write_zip(tmp_path / "x.zip", [("a", b"a")])
    path.chmod(0)
    for opened in (
        lambda: open_bundle(path, "x.zip", "Mend it."),
        lambda: open_npz(path, "x.npz", "Mend it."),
        lambda: open_npz(path, "x.npz", "Mend it.", plain=True),
        lambda: open_packed(path, "Mend it."),
    ):
        with pytest.raises(DataError, match=r"x\.zip cannot be read: Permission"), opened():
            pass


def test_the_command_line_is_told_of_its_own_option(tmp_path, home):
    write_faces(tmp_path, FACES, TABLE)
    write_idx(tmp_path, PICTURES, CLASSES)
    write_zip(tmp_path / "x.zip", [("a", b"a")])
    (tmp_path / "img_align_celeba.zip").write_bytes(b"PK")
    name = "train-images-idx3-ubyte.gz"
    (tmp_path / name).write_bytes((tmp_path / name).read_bytes()[:100])
    np.savez(tmp_path / "n.npz", imgs=np.zeros(3))
    for text, place, words in (
        ("celeba", ".", "the folder they lie in with --from ...."),
        ("chairs3d", "x.zip", "that it was unpacked to, with --from ...."),
        ("mnist", ".", "give their folder with --from ...."),
        ("dsprites", "n.npz", "give its place with --from ..., or use source=rendered"),
    ):
        result = cli("data", "prepare", text, "--from", place)
        assert result.code == 2
        assert words in result.err
        assert "path=..." not in result.err
        assert result.err.count("\n") == 1
    path = str(tmp_path / "x.zip")
    with pytest.raises(DataError, match=r"with path=\.\.\."):
        load_dataset(f"chairs3d(path={path!r})")
    result = cli("data", "prepare", f"chairs3d(path={path!r})")
    assert "with path=...." in result.err
    assert listing(home) == {}


def test_a_wrong_download_is_replaced_by_the_same_option(tmp_path, home, monkeypatch):
    with running() as server:
        server.plans["/chairs.tar"] = [answer(b"<html>Log in first</html>")]
        file = RemoteFile(name="rendered_chairs.tar", urls=(f"{server.url}/chairs.tar",))
        monkeypatch.setattr(chairs3d, "FILE", file)
        result = cli("data", "prepare", "chairs3d")
    kept = downloads() / "rendered_chairs.tar.wrong"
    assert result.code == 2
    for words in (f"is kept as {kept}", "is damaged or not a zip", "with --from ...."):
        assert words in result.err
    assert kept.read_bytes().startswith(b"<html>")


@pytest.mark.skipif(not MEMORY.is_file(), reason="a file that cannot be read is one of Linux")
def test_a_download_that_cannot_be_read_is_not_taken_for_a_wrong_one(tmp_path, home):
    """Memory of a process has no page at address 0, so that the kernel says EIO."""
    path = downloads() / Isaac3D().files[0].name
    path.parent.mkdir(parents=True)
    path.symlink_to(MEMORY)
    with pytest.raises(DataError, match="cannot be read: Input/output error") as caught:
        load_dataset("isaac3d")
    assert "not what was published" not in str(caught.value)
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]
    assert path.is_symlink()


def test_many_files_are_named_once(tmp_path, home):
    text = refused("smallnorb", tmp_path, "Fetch the 6 files smallnorb-5x...mat.gz by hand from")
    assert text.count("training-cat") == 0
    assert text.endswith(
        shlex.join(["unweave", "data", "prepare", "smallnorb"]) + " --from FOLDER."
    )


def test_names_in_a_sentence():
    assert _listed(["a.gz", "b.gz"]) == "a.gz, b.gz"
    assert _listed(["x-a.gz", "x-b.gz", "x-c.gz", "x-.gz"]) == "the 4 files x-...gz"
    assert _listed(["a", "b", "c", "d"]) == "the 4 files ..."
