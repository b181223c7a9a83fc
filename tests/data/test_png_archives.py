"""Isaac3D and Falcor3D: zips of numbered PNG images beside a table of their factors."""

import dataclasses
import io
import tracemalloc
import zipfile

import numpy as np
import pytest
from PIL import Image

from reference.published import few, png, write_pngs
from reference.small_archives import write_tar, write_zip
from unweave.data import Falcor3D, Isaac3D, load_dataset, parse_dataset, with_file
from unweave.data.files.pngs import open_archive
from unweave.data.sets import falcor3d, isaac3d
from unweave.errors import DataError, SpecError

SIZES = (2, 3, 1, 2, 1, 1, 2, 1, 1)
COUNT = 24


@pytest.fixture
def layout(monkeypatch):
    """An Isaac3D of 24 images."""
    layout = few(isaac3d.LAYOUT, SIZES)
    monkeypatch.setattr(isaac3d, "LAYOUT", layout)
    return layout


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).integers(0, 256, (COUNT, 128, 128, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def halved(images):
    """Rounded means of two by two pixels, one by one, half rounded up."""
    result = np.empty((COUNT, 64, 64, 3), np.uint8)
    for row in range(64):
        for column in range(64):
            square = images[:, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2].astype(float)
            result[:, row, column] = np.floor(square.mean(axis=(1, 2)) + 0.5)
    return result


def table(layout, change=lambda values: values):
    space = layout.space
    buffer = io.BytesIO()
    np.save(buffer, change(space.values(space.unravel(np.arange(space.size)))))
    return buffer.getvalue()


def test_the_published_factors_of_isaac3d():
    space = Isaac3D().factor_space
    assert space.names == (
        "object_shape",
        "robot_x",
        "robot_y",
        "camera_height",
        "object_scale",
        "lighting_intensity",
        "lighting_y",
        "object_color",
        "wall_color",
    )
    assert space.sizes == (3, 8, 5, 4, 4, 4, 6, 4, 4)
    assert Isaac3D().count == 737_280
    # Multipliers of the published formula for the number of an image.
    weights = [int(space.ravel(row[None])[0]) for row in np.eye(9, dtype=np.int64)]
    assert weights == [245760, 30720, 6144, 1536, 384, 96, 16, 4, 1]
    np.testing.assert_allclose(space.factors[4].values, [0, 1 / 3, 2 / 3, 1])


def test_the_published_factors_of_falcor3d():
    space = Falcor3D().factor_space
    assert space.names == (
        "lighting_intensity",
        *(f"lighting_{axis}" for axis in "xyz"),
        *(f"camera_{axis}" for axis in "xyz"),
    )
    assert space.sizes == (5, 6, 6, 6, 6, 6, 6)
    assert Falcor3D().count == 233_280
    weights = [int(space.ravel(row[None])[0]) for row in np.eye(7, dtype=np.int64)]
    assert weights == [46656, 7776, 1296, 216, 36, 6, 1]


def test_the_published_layouts():
    assert isaac3d.LAYOUT.folder == "Isaac3D_down128"
    assert isaac3d.LAYOUT.labels == "labels.npy"
    assert falcor3d.LAYOUT.folder == "Falcor3D_down128"
    assert falcor3d.LAYOUT.labels == "train-rec.labels"
    for spec, identifier in (
        (Isaac3D(), "1OmQ1G2wnm6eTsSFGTKFZZAh5D3nQTW1B"),
        (Falcor3D(), "1XAQfFK1x6cpN1eiovbP0hVfLTm5SsSoJ"),
    ):
        assert f"id={identifier}&" in spec.files[0].urls[0]


def test_images_in_order_reduced_by_two(home, tmp_path, layout, images, halved):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    data = with_file("isaac3d", path).open()
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), halved)
    assert data.factor_space == layout.space
    assert data.is_grid


def test_falcor3d_is_read_from_its_own_layout(home, tmp_path, images, halved, monkeypatch):
    layout = few(falcor3d.LAYOUT, (2, 3, 2, 2, 1, 1, 1))
    monkeypatch.setattr(falcor3d, "LAYOUT", layout)
    path = write_pngs(tmp_path / "falcor.zip", layout, images)
    data = with_file("falcor3d", path).open()
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), halved)


@pytest.mark.parametrize("inner", [True, False])
def test_an_unpacked_folder_is_read(home, tmp_path, layout, images, halved, inner):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    data = with_file("isaac3d", tmp_path / layout.folder if inner else tmp_path).open()
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), halved)


def test_a_grid_needs_only_its_own_images(home, tmp_path, layout, images, halved):
    text = "isaac3d(path={!r}, grid=(1, 2, 1, 2, 1, 1, 1, 1, 1))"
    path = write_pngs(tmp_path / "isaac.zip", layout, images, {"images/000000.png": None})
    data = load_dataset(text.format(str(path)))
    kept = layout.space.grid((1, 2, 1, 2, 1, 1, 1, 1, 1))
    expected = halved.reshape(*SIZES, 64, 64, 3)[np.ix_(*kept)].reshape(-1, 64, 64, 3)
    np.testing.assert_array_equal(data.images(np.arange(4)), expected)
    with pytest.raises(SpecError, match="4 values of robot_x, which has 3"):
        parse_dataset("isaac3d(grid=(1, 4, 1, 1, 1, 1, 1, 1, 1))")


def test_images_that_are_stored_already_are_not_read(
    home, tmp_path, layout, images, begins_anywhere
):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    begins_anywhere(with_file("isaac3d", path))
    spec = with_file(
        "isaac3d", write_pngs(tmp_path / "x.zip", layout, images, {"images/000000.png": None})
    )
    with pytest.raises(DataError, match=r"images/000000\.png"):
        list(spec.encoded_blocks(0, {}, None))
    assert sum(map(len, spec.encoded_blocks(1, {}, None))) == COUNT - 1


def test_images_of_other_modes_are_read_in_colour(home, tmp_path, layout, images, halved):
    opaque = np.concatenate([images[0], np.full((128, 128, 1), 255, np.uint8)], axis=2)
    palette = io.BytesIO()
    Image.fromarray(images[1]).quantize(16).save(palette, "PNG")
    grey = images[2, :, :, 0]
    changes = {
        "images/000000.png": png(opaque),
        "images/000001.png": palette.getvalue(),
        "images/000002.png": png(grey),
    }
    path = write_pngs(tmp_path / "isaac.zip", layout, images, changes)
    found = with_file("isaac3d", path).open().images([0, 1, 2])
    np.testing.assert_array_equal(found[0], halved[0])
    assert np.abs(found[1].astype(int) - halved[1]).mean() < 60
    np.testing.assert_array_equal(found[2], np.repeat(halved[2, :, :, :1], 3, axis=2))


def test_values_of_factors_may_be_rounded(home, tmp_path, layout, images):
    changes = {layout.labels: table(layout, lambda values: values.round(2).astype(np.float32))}
    with_file("isaac3d", write_pngs(tmp_path / "isaac.zip", layout, images, changes)).open()


def swapped(values):
    changed = values.copy()
    changed[[3, 4]] = changed[[4, 3]]
    return changed


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (swapped, r"labels\.npy: found .* in row 3; expected .*which is C order"),
        (lambda values: values[:, ::-1], "which is C order"),
        (lambda values: values * 2, "which is C order"),
        (
            lambda values: values[:-1],
            r"labels\.npy: found the shape \(23, 9\); expected \(24, 9\)",
        ),
        (lambda values: (values * 7).astype(int), "found the type int64"),
    ],
)
def test_another_order_of_factors_is_refused(home, tmp_path, layout, images, change, reason):
    changes = {layout.labels: table(layout, change)}
    path = write_pngs(tmp_path / "isaac.zip", layout, images, changes)
    with pytest.raises(DataError, match=reason) as caught:
        with_file("isaac3d", path).open()
    assert str(path) in str(caught.value)
    assert list(home.rglob("*")) == []


JPEG = io.BytesIO()
Image.new("RGB", (128, 128)).save(JPEG, "JPEG")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"labels.npy": None}, r"labels\.npy: found nothing; expected a file of this name"),
        ({"labels.npy": b"numbers"}, r"labels\.npy: found no array"),
        ({"images/000017.png": None}, r"images/000017\.png: found nothing; expected a file"),
        (
            {"images/000017.png": png(np.zeros((64, 64, 3), np.uint8))},
            r"images/000017\.png: found a picture of 64x64 pixels; expected 128x128 pixels",
        ),
        ({"images/000017.png": b"not a picture"}, r"images/000017\.png: found no PNG picture"),
        ({"images/000017.png": b""}, r"images/000017\.png: found no PNG picture"),
        ({"images/000017.png": JPEG.getvalue()}, r"images/000017\.png: found no PNG picture"),
        (
            {"images/000017.png": png(np.zeros((128, 128, 3), np.uint8))[:-40]},
            r"images/000017\.png: found no PNG picture",
        ),
    ],
)
def test_another_content_leaves_no_store(home, tmp_path, layout, images, changes, reason):
    path = write_pngs(tmp_path / "isaac.zip", layout, images, changes)
    with pytest.raises(DataError, match=reason) as caught:
        with_file("isaac3d", path).open()
    assert str(path) in str(caught.value)
    assert "High-res-disentanglement-datasets" in str(caught.value)
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_damage_is_found(home, tmp_path, layout, images, share):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    content = bytearray(path.read_bytes())
    content[int(len(content) * share)] ^= 1
    for damaged in (content, content[: int(len(content) * share)]):
        path.write_bytes(damaged)
        with pytest.raises(DataError, match=r"is damaged"):
            with_file("isaac3d", path).open()
    assert list(home.rglob("*")) == []


def test_what_is_no_file_is_named(home, tmp_path, layout):
    with pytest.raises(DataError, match=r"nothing does not exist; .*Isaac3D_down128\.zip"):
        with_file("isaac3d", tmp_path / "nothing").open()
    with pytest.raises(DataError, match=r"labels\.npy: found nothing"):
        with_file("isaac3d", tmp_path).open()


def test_memory_is_that_of_a_block(tmp_path, layout):
    layout = dataclasses.replace(
        layout, space=few(isaac3d.LAYOUT, (3, 8, 5, 4, 3, 1, 1, 1, 1)).space
    )
    picture = png(np.zeros((128, 128, 3), np.uint8))
    path = tmp_path / "isaac.zip"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{layout.folder}/{layout.labels}", table(layout))
        for place in range(layout.space.size):
            file.writestr(f"{layout.folder}/images/{place:06}.png", picture)
    with open_archive(path, layout) as archive:
        kept = layout.space.grid(layout.space.sizes)
        tracemalloc.start()
        assert sum(len(block) for block in archive.blocks(kept)) == layout.space.size
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    # 1,024 images a block, decoded before any is waited for.
    assert peak < 5 * 1024 * 64 * 64 * 3


def test_greys_of_sixteen_bits_are_refused(home, tmp_path, layout, images):
    grey = np.arange(128 * 128, dtype=np.uint16).reshape(128, 128)
    path = write_pngs(tmp_path / "isaac.zip", layout, images, {"images/000003.png": png(grey)})
    with pytest.raises(DataError, match=r"000003\.png: found a picture whose pixels are"):
        with_file("isaac3d", path).open()


def test_other_forms_of_the_same_files(home, tmp_path, layout, images, halved):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    with zipfile.ZipFile(path) as file:
        members = [(name, file.read(name)) for name in file.namelist()]
    data = with_file("isaac3d", write_tar(tmp_path / "x.tar", members)).open()
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), halved)
    bare = [(name.removeprefix(f"{layout.folder}/"), content) for name, content in members]
    with_file("isaac3d", write_zip(tmp_path / "bare.zip", bare)).open()
    packed = write_tar(tmp_path / "x.tar.gz", members, "w:gz")
    with pytest.raises(DataError, match=r"x\.tar\.gz: a compressed tar cannot .* give the folder"):
        with_file("isaac3d", packed).open()


@pytest.mark.parametrize("name", ["labels.npy", "images/000003.png"])
def test_a_folder_in_the_place_of_a_file_is_named(home, tmp_path, layout, images, name):
    path = write_pngs(tmp_path / "isaac.zip", layout, images)
    with zipfile.ZipFile(path) as file:
        file.extractall(tmp_path)
    odd = tmp_path / layout.folder / name
    odd.unlink()
    odd.mkdir()
    with pytest.raises(DataError, match=rf"{name} in it cannot be read: it is no file") as caught:
        with_file("isaac3d", tmp_path).open()
    assert str(caught.value).startswith(str(tmp_path))
    assert list(home.rglob("*")) == []


def test_factors_are_compared_before_a_checksum_is_made(home, tmp_path, layout, images):
    changes = {layout.labels: table(layout, swapped)}
    path = write_pngs(tmp_path / "isaac.zip", layout, images, changes)
    told = []
    with pytest.raises(DataError, match="which is C order"):
        with_file("isaac3d", path).open(lambda *report: told.append(report))
    assert told == []
