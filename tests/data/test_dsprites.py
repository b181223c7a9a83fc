"""dSprites as a dataset: its text, its grids, its two sources and what it gives."""

import json
import os
import resource
import sys
import zipfile
from itertools import product

import numpy as np
import pytest

from reference.sprites_archive import published_arrays, write_npz
from unweave.data import Dataset, DatasetSpec, Dsprites, load_dataset, parse_dataset
from unweave.data.fetching import transfer
from unweave.data.fetching.download import RemoteFile
from unweave.data.files import dsprites as dsprites_file
from unweave.data.render import sprites
from unweave.errors import DataError, SpecError
from unweave.factors import FactorIndexError
from unweave.spec import from_dict, members, to_dict

MINI = "dsprites(grid=(3, 2, 4, 3, 5))"


def test_images_can_begin_at_any(home, begins_anywhere):
    begins_anywhere(parse_dataset(MINI))


def test_it_is_a_member_of_its_family():
    assert members(DatasetSpec)["dsprites"] is Dsprites


@pytest.mark.parametrize(
    "text",
    [
        "dsprites",
        MINI,
        "dsprites(source=archive)",
        "dsprites(path='a/b c.npz', source=archive, grid=(1, 1, 1, 1, 2))",
    ],
)
def test_text_and_full_form_are_read_back(text):
    spec = parse_dataset(text)
    assert str(spec) == text
    assert parse_dataset(str(spec)) == spec
    assert from_dict(json.loads(json.dumps(to_dict(spec))), DatasetSpec) == spec


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dsprite", "Did you mean dsprites"),
        ("dsprites(sauce=archive)", "Did you mean source"),
        ("dsprites(source=web)", "source"),
        ("dsprites(grid=(3, 2))", "grid"),
        ("dsprites(grid=(3, 2, 4, 3, 0))", "at least 1"),
        ("dsprites(grid=(3, 2, 4, 3, 1.5))", "grid"),
        ("dsprites(grid=(3, 2, 41, 3, 5))", "41 values of orientation, which has 40"),
        ("dsprites(path='file.npz')", "only read with source=archive"),
    ],
)
def test_wrong_texts_are_refused(text, reason):
    with pytest.raises(SpecError, match=reason):
        parse_dataset(text)


def test_the_whole_factor_space():
    spec = Dsprites()
    assert spec.factor_space == sprites.FACTOR_SPACE
    assert spec.image_shape == (64, 64, 1)
    assert spec.source == "rendered"


def test_a_grid_keeps_evenly_spaced_values():
    space = parse_dataset("dsprites(grid=(2, 3, 4, 1, 5))").factor_space
    assert space.names == ("shape", "scale", "orientation", "pos_x", "pos_y")
    values = [np.array(factor.values) for factor in space.factors]
    np.testing.assert_allclose(values[0], [1, 3])
    np.testing.assert_allclose(values[1], [0.5, 0.7, 1.0])
    np.testing.assert_allclose(values[2], 2 * np.pi / 39 * np.array([0, 9, 19, 29]))
    np.testing.assert_allclose(values[3], [16 / 31])
    np.testing.assert_allclose(values[4], np.array([0, 8, 16, 23, 31]) / 31)


def test_the_dataset_gives_images_and_factors(home):
    data = load_dataset(MINI)
    assert isinstance(data, Dataset)
    assert len(data) == data.factor_space.size == 360
    flat = np.arange(360)
    kept = sprites.FACTOR_SPACE.grid((3, 2, 4, 3, 5))
    expected = sprites.render(np.array(list(product(*kept))))[..., np.newaxis]
    images = data.images(flat)
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, expected * 255)
    gathered, scale = data.gather(flat[::-1])
    np.testing.assert_array_equal(gathered * scale, expected[::-1])
    np.testing.assert_array_equal(data.factors(flat), list(product(*map(range, (3, 2, 4, 3, 5)))))
    assert repr(data) == f"<Dataset {MINI}: 360 images, rendered>"


def test_images_come_in_the_order_asked_for(home):
    data = load_dataset(MINI)
    everything = data.images(np.arange(360))
    flat = [7, 7, 359, 0]
    np.testing.assert_array_equal(data.images(flat), everything[flat])
    assert data.images([]).shape == (0, 64, 64, 1)


@pytest.mark.parametrize("flat", [[-1], [360], [0.0], 3])
def test_indices_are_checked(home, flat):
    data = load_dataset(MINI)
    for method in (data.images, data.factors, data.gather):
        with pytest.raises(FactorIndexError):
            method(flat)


def test_the_store_is_built_once_and_found_again(home):
    spec = parse_dataset(MINI)
    assert not spec.ready()
    told = []
    spec.open(lambda *report: told.append(report))
    assert told == [("writing", 360, 360)]
    assert spec.ready()
    assert spec.folder().parent == home / "data"
    manifest = json.loads((spec.folder() / "manifest.json").read_text())
    assert manifest["text"] == MINI
    assert from_dict(manifest["dataset"], DatasetSpec) == spec
    assert manifest["source"] == "rendered"
    assert manifest["encoding"] == "bits"
    spec.open(lambda *report: told.append(report))
    assert len(told) == 1


def test_datasets_do_not_share_a_folder(home, monkeypatch):
    texts = ["dsprites", MINI, "dsprites(source=archive)", "dsprites(source=archive, path='a')"]
    folders = {parse_dataset(text).folder().name for text in texts}
    assert len(folders) == len(texts)
    assert all(name.startswith(("dsprites-rendered-", "dsprites-archive-")) for name in folders)
    # The same images by another way of writing lie in the same place ...
    assert parse_dataset("dsprites(source=rendered)").folder().name in folders
    # ... and other images by the same text in another.
    monkeypatch.setattr(Dsprites, "revision", 10**6)
    assert parse_dataset("dsprites").folder().name not in folders


def test_a_damaged_store_is_refused(home):
    spec = parse_dataset(MINI)
    spec.open()
    os.truncate(spec.folder() / "images.bin", 100)
    with pytest.raises(DataError, match="Delete the folder"):
        spec.open()


def test_verify_names_the_first_damaged_block(home):
    spec = parse_dataset("dsprites(grid=(3, 6, 3, 10, 10))")  # 5,400 images: two blocks
    with pytest.raises(DataError, match="does not exist: the images are not stored yet"):
        spec.verify()
    spec.open()
    told = []
    spec.verify(lambda *report: told.append(report))
    assert told == [("verifying", 4096, 5400), ("verifying", 5400, 5400)]
    for image in (5000, 100):
        with (spec.folder() / "images.bin").open("r+b") as file:
            file.seek(512 * image)
            file.write(b"unlike any sprite")
        block = image // 4096
        with pytest.raises(DataError, match=rf"block {block} of 2\) do not match"):
            spec.verify()


# --- the published file --------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch):
    """A dSprites of 384 images, so that a published file is made in no time."""
    space = sprites.FACTOR_SPACE.subspace(sprites.FACTOR_SPACE.grid((3, 2, 4, 4, 4)))
    monkeypatch.setattr(sprites, "FACTOR_SPACE", space)
    return space


@pytest.fixture
def images(small):
    return np.random.default_rng(0).integers(0, 2, size=(small.size, 64, 64), dtype=np.uint8)


@pytest.fixture
def archive(tmp_path, small, images):
    return write_npz(tmp_path / "the file.npz", published_arrays(small, images))


def test_the_archive_by_path(home, archive, images):
    data = load_dataset(f"dsprites(source=archive, path={str(archive)!r})")
    assert data.source == "archive"
    np.testing.assert_array_equal(data.images(np.arange(384)), images[..., np.newaxis] * 255)
    details = data.store.manifest["details"]
    assert details["archive"] == str(archive)
    assert len(details["archive_sha256"]) == 64


def test_a_grid_of_the_archive(home, archive, small, images):
    data = load_dataset(f"dsprites(source=archive, path={str(archive)!r}, grid=(2, 1, 3, 2, 4))")
    kept = small.grid((2, 1, 3, 2, 4))
    expected = images.reshape(*small.sizes, 64, 64)[np.ix_(*kept)].reshape(-1, 64, 64, 1)
    np.testing.assert_array_equal(data.images(np.arange(len(data))), expected * 255)
    assert data.factor_space == small.subspace(kept)


def test_a_store_outlives_its_archive_but_not_a_change_of_it(home, archive, images):
    spec = parse_dataset(f"dsprites(source=archive, path={str(archive)!r})")
    spec.open()
    archive.rename(archive.with_name("elsewhere"))
    assert spec.ready()
    spec.open()
    archive.write_bytes(b"another file")
    with pytest.raises(DataError, match=r"the file\.npz has changed since"):
        spec.open()


def test_a_relative_path_means_the_file_and_not_the_words(home, archive, monkeypatch):
    monkeypatch.chdir(archive.parent)
    by_name = parse_dataset("dsprites(source=archive, path='the file.npz')")
    by_path = parse_dataset(f"dsprites(source=archive, path={str(archive)!r})")
    assert by_name.folder() == by_path.folder()


def test_a_defective_archive_leaves_no_store(home, tmp_path, small, images):
    images = images.copy()
    images[300, 2, 2] = 7
    path = write_npz(tmp_path / "bad.npz", published_arrays(small, images))
    spec = parse_dataset(f"dsprites(source=archive, path={str(path)!r})")
    with pytest.raises(DataError, match=r"bad\.npz: imgs: found a pixel of 7 in image 300"):
        spec.open()
    assert not spec.ready()
    assert list(home.rglob("*")) == []
    assert path.exists()


def test_a_missing_archive(home, tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.npz does not exist"):
        load_dataset(f"dsprites(source=archive, path={str(tmp_path / 'nowhere.npz')!r})")


def put(home, content):
    """A file that lies where a download would, so that none is made."""
    target = home / "downloads" / dsprites_file.FILE.name
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(content)
    return target


def test_the_archive_by_download(home, archive, images):
    put(home, archive.read_bytes())
    data = load_dataset("dsprites(source=archive)")
    np.testing.assert_array_equal(data.images(np.arange(384)), images[..., np.newaxis] * 255)


def test_a_download_that_is_something_else_is_set_aside(home):
    target = put(home, b"<html>sign in to the network</html>")
    with pytest.raises(DataError, match=r"is kept as .*\.npz\.wrong; the next call") as caught:
        load_dataset("dsprites(source=archive)")
    assert "not an npz file" in str(caught.value)
    assert not target.exists()
    assert target.with_name(f"{target.name}.wrong").read_bytes().startswith(b"<html>")


def test_a_failed_download_says_how_to_go_on(home, monkeypatch):
    nowhere = RemoteFile(name="file.npz", urls=("http://127.0.0.1:1/file.npz",))
    monkeypatch.setattr(dsprites_file, "FILE", nowhere)
    monkeypatch.setattr(transfer.time, "sleep", lambda seconds: None)
    with pytest.raises(DataError) as caught:
        load_dataset("dsprites(source=archive)")
    for words in (
        "http://127.0.0.1:1/file.npz gave nothing",
        "https://github.com/google-deepmind/dsprites-dataset",
        "unweave data prepare 'dsprites(source=archive)' --from FILE",
        "source=rendered",
    ):
        assert words in str(caught.value)


@pytest.mark.slow
def test_a_whole_archive_gives_the_rendered_images(home, tmp_path):
    space = sprites.FACTOR_SPACE
    arrays = published_arrays(space, None)
    del arrays["imgs"]
    path = tmp_path / "dsprites.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as file:
        for key, array in arrays.items():
            with file.open(f"{key}.npy", "w") as member:
                np.lib.format.write_array(member, array)
        with file.open("imgs.npy", "w", force_zip64=True) as member:
            header = {"descr": "|u1", "fortran_order": False, "shape": (space.size, 64, 64)}
            np.lib.format.write_array_header_1_0(member, header)
            for block in sprites.packed_blocks(space.grid(space.sizes)):
                member.write(np.unpackbits(block, axis=1).data)
    data = load_dataset(f"dsprites(source=archive, path={str(path)!r})")
    rendered = load_dataset("dsprites")
    assert data.store.manifest["crc32"] == rendered.store.manifest["crc32"]
    if sys.platform == "linux":
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        assert peak < 1500, "the images were held in memory"
