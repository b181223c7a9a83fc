"""MPI3D: factors by the length of the file, and its images in their order."""

import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from reference.published import write_mpi3d
from reference.server import answer, running
from unweave.data import MPI3D, DatasetSpec, load_dataset, parse_dataset, with_file
from unweave.data.fetching.download import RemoteFile, downloads
from unweave.data.files import mpi3d as mpi3d_file
from unweave.data.files.mpi3d import open_archive
from unweave.data.pixels.manifest import BLOCK
from unweave.errors import DataError, SpecError
from unweave.spec import from_dict, to_dict

LARGE, SMALL = (3, 2, 2, 3, 2, 2, 2), (2, 2, 2, 3, 2, 2, 2)


@pytest.fixture
def sizes(monkeypatch):
    """An MPI3D of 288 images in its newest release, of 192 in the first."""
    monkeypatch.setattr(mpi3d_file, "SIZES", {288: LARGE, 192: SMALL})


@pytest.fixture
def images():
    return np.random.default_rng(0).integers(0, 256, (288, 64, 64, 3), dtype=np.uint8)


def head(path, count):
    """A file of the published length as far as its header goes; there is nothing behind it."""
    buffer = io.BytesIO()
    header = {"descr": "|u1", "fortran_order": False, "shape": (count, 64, 64, 3)}
    np.lib.format.write_array_header_1_0(buffer, header)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("images.npy", buffer.getvalue())
    return path


NAMES = (
    "object_color",
    "object_shape",
    "object_size",
    "camera_height",
    "background_color",
    "horizontal_axis",
    "vertical_axis",
)


@pytest.mark.parametrize("subset", ["toy", "realistic", "real", "real_complex"])
@pytest.mark.parametrize(
    ("count", "expected"),
    [(1_036_800, (6, 6, 2, 3, 3, 40, 40)), (460_800, (4, 4, 2, 3, 3, 40, 40))],
)
def test_sizes_follow_from_the_length_of_the_file(tmp_path, subset, count, expected):
    path = head(tmp_path / "any name.npz", count)
    spec = with_file(f"mpi3d(subset={subset})", path)
    if subset == "real_complex" and count > 460_800:
        with pytest.raises(DataError, match=r"\(1036800, 64, 64, 3\); expected \(460800"):
            _ = spec.factor_space
        return
    space = spec.factor_space
    assert space.sizes == expected
    assert space.names == NAMES
    assert spec.count == count == space.size
    kinds = [factor.kind for factor in space.factors]
    assert kinds == ["categorical"] * 2 + ["ordinal"] * 2 + ["categorical"] + ["ordinal"] * 2
    colors = space.factors[0].labels
    shapes = space.factors[1].labels
    if subset == "real_complex":
        assert colors == ("yellow", "green", "olive", "red")
        assert shapes == ("coffee_cup", "tennis_ball", "croissant", "beer_cup")
    elif expected[0] == 6:
        assert colors == ("white", "green", "red", "blue", "brown", "olive")
        assert shapes == ("cone", "cube", "cylinder", "hexagonal", "pyramid", "sphere")
    else:
        assert colors == ("green", "red", "blue", "brown")
        assert shapes == ("cone", "cube", "hexagonal", "sphere")
    assert space.factors[4].labels == ("purple", "sea_green", "salmon")


@pytest.mark.parametrize("count", [0, 1, 460_799, 737_280, 1_036_801])
def test_another_length_is_an_error(home, tmp_path, count):
    spec = with_file("mpi3d", head(tmp_path / "file.npz", count))
    for way in (lambda: spec.count, lambda: spec.factor_space, spec.open):
        with pytest.raises(DataError) as caught:
            way()
        for words in (
            f"file.npz: images: found the shape ({count}, 64, 64, 3)",
            "(1036800, 64, 64, 3) or (460800, 64, 64, 3)",
            "mpi3d(subset=toy)",
        ):
            assert words in str(caught.value)
    assert not home.exists()


def test_what_was_published_last_is_known_without_a_file(home):
    assert {str(subset): MPI3D(subset=subset).count for subset in mpi3d_file.FILES} == {
        "toy": 1_036_800,
        "realistic": 1_036_800,
        "real": 1_036_800,
        "real_complex": 460_800,
    }
    assert not MPI3D().ready()
    assert MPI3D().source == "archive"
    assert not home.exists()


def test_every_subset_has_a_file_and_an_address_of_its_own():
    files = mpi3d_file.FILES.values()
    assert len({file.name for file in files}) == 4
    urls = [url for file in files for url in file.urls]
    assert len(set(urls)) == len(urls) == 7
    assert all(url.startswith("https://") for url in urls)


@pytest.mark.parametrize(
    "text",
    ["mpi3d", "mpi3d(subset=real_complex)", "mpi3d(path='a.npz', grid=(2, 2, 1, 1, 1, 4, 4))"],
)
def test_text_and_full_form_are_read_back(text):
    spec = parse_dataset(text)
    assert str(spec) == text
    assert from_dict(json.loads(json.dumps(to_dict(spec))), DatasetSpec) == spec
    assert parse_dataset(str(spec)) == spec


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("mpi3d(subset=complex)", "subset"),
        ("mpi3d(grid=(7, 6, 2, 3, 3, 40, 40))", "7 values of object_color, which has 6"),
        ("mpi3d(subset=real_complex, grid=(6, 4, 2, 3, 3, 4, 4))", "object_color, which has 4"),
        ("mpi3d(grid=(2, 2))", "grid"),
    ],
)
def test_wrong_texts_are_refused(text, reason):
    with pytest.raises(SpecError, match=reason):
        parse_dataset(text)


@pytest.mark.parametrize("how", ["stored", "deflated", "plain"])
@pytest.mark.parametrize("count", [288, 192])
def test_all_images_in_order(home, tmp_path, sizes, images, how, count):
    path = tmp_path / "file.npz"
    if how == "plain":
        with path.open("wb") as handle:
            np.save(handle, images[:count])
    else:
        write_mpi3d(path, images[:count], np.savez if how == "stored" else np.savez_compressed)
    data = with_file("mpi3d(subset=real)", path).open()
    assert len(data) == count
    np.testing.assert_array_equal(data.images(np.arange(count)), images[:count])
    assert data.factor_space.sizes == (LARGE if count == 288 else SMALL)


def test_a_grid_of_images(home, tmp_path, sizes, images):
    path = write_mpi3d(tmp_path / "file.npz", images)
    text = f"mpi3d(path={str(path)!r}, grid=(2, 1, 2, 2, 1, 2, 1))"
    data = load_dataset(text)
    kept = data.spec.published_space.grid((2, 1, 2, 2, 1, 2, 1))
    expected = images.reshape(*LARGE, 64, 64, 3)[np.ix_(*kept)].reshape(-1, 64, 64, 3)
    np.testing.assert_array_equal(data.images(np.arange(len(data))), expected)
    # A grid that the newest release has may be more than an earlier one has.
    early = write_mpi3d(tmp_path / "early.npz", images[:192])
    with pytest.raises(SpecError, match="object_color has 2 values"):
        _ = parse_dataset(f"mpi3d(path={str(early)!r}, grid=(3, 1, 1, 1, 1, 1, 1))").factor_space


def test_a_store_keeps_the_factors_of_a_file_that_is_gone(home, tmp_path, sizes, images):
    path = write_mpi3d(tmp_path / "file.npz", images[:192])
    spec = with_file("mpi3d", path)
    spec.open()
    path.unlink()
    assert spec.count == 192
    assert spec.open().factor_space.sizes == SMALL
    (spec.folder() / "manifest.json").write_text("{")
    with pytest.raises(DataError, match="Delete the folder"):
        spec.open()


def test_a_download_of_an_earlier_release_is_taken_for_what_it_is(
    home, tmp_path, sizes, images, monkeypatch
):
    content = write_mpi3d(tmp_path / "file.npz", images[:192]).read_bytes()
    with running() as server:
        server.plans["/toy.npz"] = [answer(content)]
        file = RemoteFile(name="toy.npz", urls=(f"{server.url}/toy.npz",))
        monkeypatch.setitem(mpi3d_file.FILES, "toy", file)
        spec = parse_dataset("mpi3d")
        assert spec.count == 288
        data = spec.open()
        assert len(server.asked) == 1
    assert len(data) == spec.count == 192
    np.testing.assert_array_equal(data.images(np.arange(192)), images[:192])


def test_a_part_of_a_download_with_fewer_images_has_the_images_of_its_factors(
    home, tmp_path, sizes, images
):
    # Before there is a file, the newest release is expected, of 288 images with three colours.
    path = tmp_path / "later.npz"
    spec = parse_dataset(f"only(data=mpi3d(path='{path}'), where='index(object_shape) == 1')")
    assert (spec.count, spec.factor_space.sizes[0]) == (144, 3)
    write_mpi3d(path, images[:192])
    data = spec.open()
    shown = [row for row in range(192) if row // 48 % 2 == 1]
    assert len(data) == spec.count == len(shown) == 96
    assert data.factor_space == spec.factor_space
    assert data.factor_space.sizes[:2] == (2, 1)
    np.testing.assert_array_equal(data.images(np.arange(96)), images[shown])


def test_a_download_of_something_else_is_set_aside(home, sizes, images, monkeypatch):
    name = mpi3d_file.FILES["toy"].name
    downloads().mkdir(parents=True)
    write_mpi3d(downloads() / name, images[:100])
    spec = parse_dataset("mpi3d")
    assert spec.count == 288  # a listing goes on
    with pytest.raises(DataError, match=r"kept as .*mpi3d_toy\.npz\.wrong; .*shape \(100, 64"):
        spec.open()
    assert [path.name for path in home.rglob("*.npz*")] == [f"{name}.wrong"]
    assert not (home / "data").exists()


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (lambda path, images: np.savez(path, pictures=images), "images: found the keys pictures"),
        (lambda path, images: np.savez(path, images=images[..., 0]), "shape .288, 64, 64.;"),
        (lambda path, images: np.savez(path, images=images / 255), "the type float64; .* uint8"),
        (
            lambda path, images: np.savez(path, images=np.asfortranarray(images)),
            "found Fortran order",
        ),
        (lambda path, images: path.write_bytes(b"<html>"), "not an npz file"),
        (lambda path, images: path.mkdir(), "is a folder"),
    ],
)
def test_another_content_leaves_no_store(home, tmp_path, sizes, images, write, reason):
    path = tmp_path / "file.npz"
    write(path, images)
    spec = with_file("mpi3d", path)
    with pytest.raises(DataError, match=reason) as caught:
        spec.open()
    assert str(path) in str(caught.value)
    assert list(home.rglob("*")) == []
    assert path.exists()


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_damage_anywhere_leaves_no_store(home, tmp_path, sizes, images, share):
    path = write_mpi3d(tmp_path / "file.npz", images)
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 1
    path.write_bytes(content)
    for damaged in (bytes(content), bytes(content[: int(len(content) * share)])):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match="damaged or not an npz file"):
            with_file("mpi3d", path).open()
        # A grid that needs none of the damaged images is no excuse.
        with pytest.raises(DataError, match="damaged or not an npz file"):
            with_file("mpi3d(grid=(1, 1, 1, 1, 1, 1, 1))", path).open()
    assert list(home.rglob("*")) == []


def test_a_header_without_images_leaves_no_store(home, tmp_path):
    spec = with_file("mpi3d", head(tmp_path / "file.npz", 460_800))
    with pytest.raises(DataError, match="found 0 rows; expected 460800 rows"):
        spec.open()
    assert list(home.rglob("*")) == []


def test_memory_is_that_of_a_block(tmp_path, monkeypatch):
    count = 3 * BLOCK
    monkeypatch.setattr(mpi3d_file, "SIZES", {count: (4, 4, 2, 3, 2, 8, 8)})
    path = write_mpi3d(
        tmp_path / "file.npz", np.zeros((count, 64, 64, 3), np.uint8), np.savez_compressed
    )
    with open_archive(path, "toy") as archive:
        kept = archive.space.grid(archive.space.sizes)
        tracemalloc.start()
        assert sum(len(block) for block in archive.blocks(kept)) == count
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 2.5 * BLOCK * 64 * 64 * 3


def test_what_the_header_tells_is_said_before_a_checksum_is_made(home, tmp_path, sizes, images):
    told = []
    for array in (images.astype(">u2"), np.asfortranarray(images)):
        np.savez(tmp_path / "file.npz", images=array)
        with pytest.raises(DataError, match=r"file\.npz: images: found (the type|Fortran)"):
            with_file("mpi3d", tmp_path / "file.npz").open(lambda *report: told.append(report))
    assert told == []
