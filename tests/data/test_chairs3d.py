"""The published pictures of 3D Chairs: read as they are, and refused when they are others."""

import io

import numpy as np
import pytest
from PIL import Image

from reference.published import png
from reference.small_archives import (
    chair_members,
    few_chairs,
    smooth,
    write_tar,
    write_zip,
)
from unweave.data import load_dataset, parse_dataset, with_file
from unweave.errors import DataError

SIZES = (3, 2, 4)
PICTURES = smooth(np.random.default_rng(0), *SIZES, 120, 120, 3)
MEMBERS = chair_members(PICTURES)
CHAIRS = ("0f00aa", "1a2b87", "b663f1")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    return few_chairs(monkeypatch, *SIZES)


def small(pixels, crop=None):
    image = Image.open(io.BytesIO(png(pixels)))
    if crop:
        edge = (120 - crop) // 2
        image = image.crop((edge, edge, edge + crop, edge + crop))
    image = image.resize((64, 64), Image.Resampling.LANCZOS).convert("L")
    return np.asarray(image)[..., None]


def expected(crop=None):
    images = [small(pixels, crop) for pixels in PICTURES.reshape(-1, 120, 120, 3)]
    return np.array(images)


def unpacked(folder, members):
    for name, content in members:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


KINDS = {
    "published": lambda place: write_tar(place / "x.tar", MEMBERS),
    "zip": lambda place: write_zip(place / "x.zip", MEMBERS),
    "folder": lambda place: unpacked(place, MEMBERS),
    "folder of chairs": lambda place: unpacked(place, MEMBERS) / "rendered_chairs",
}


def test_the_whole_dataset(monkeypatch):
    monkeypatch.undo()
    spec = parse_dataset("chairs3d")
    assert (spec.count, spec.image_shape) == (86_366, (64, 64, 1))
    chair, elevation, azimuth = spec.factor_space.factors
    assert (chair.name, chair.size, chair.kind) == ("chair", 1393, "categorical")
    assert (elevation.name, elevation.values) == ("elevation", (20, 30))
    assert (azimuth.name, azimuth.size, azimuth.kind) == ("azimuth", 31, "circular")
    # Names that are found in the wild: image_001_p020_t011_r096, image_020_p020_t232_r096.
    assert [int(azimuth.values[index]) for index in (0, 1, 20)] == [0, 11, 232]


@pytest.mark.parametrize("kind", KINDS)
def test_images_from_every_form(home, tmp_path, kind):
    data = with_file("chairs3d", KINDS[kind](tmp_path)).open()
    assert data.is_grid
    np.testing.assert_array_equal(data.images(np.arange(len(data))), expected())


def test_pictures_that_are_stored_already_are_not_read(home, tmp_path, begins_anywhere):
    begins_anywhere(with_file("chairs3d", write_tar(tmp_path / "x.tar", MEMBERS)))


def test_the_order_is_that_of_sorted_names():
    # The order in which others list the folders of pictures.
    names = sorted(name for name, _ in MEMBERS if name.endswith(".png"))
    pixels = dict(MEMBERS)
    for name, image in zip(names, PICTURES.reshape(-1, 120, 120, 3), strict=True):
        np.testing.assert_array_equal(np.asarray(Image.open(io.BytesIO(pixels[name]))), image)


def test_a_crop_and_a_grid(home, tmp_path):
    path = write_tar(tmp_path / "x.tar", MEMBERS)
    data = load_dataset(f"chairs3d(path={str(path)!r}, crop=80)")
    np.testing.assert_array_equal(data.images(np.arange(len(data))), expected(80))
    data = load_dataset(f"chairs3d(path={str(path)!r}, grid=(2, 1, 2))")
    # Both ends of the chairs, the upper elevation, every other azimuth.
    images = expected().reshape(*SIZES, 64, 64, 1)[[0, 2]][:, 1:, ::2].reshape(-1, 64, 64, 1)
    np.testing.assert_array_equal(data.images(np.arange(len(data))), images)


FIRST = f"rendered_chairs/{CHAIRS[0]}/renders/image_000_p020_t000_r096.png"
SECOND = f"rendered_chairs/{CHAIRS[0]}/renders/image_001_p020_t011_r096.png"
GOOD = dict(MEMBERS)[FIRST]
EDGED = png(smooth(np.random.default_rng(0), 120, 100, 3))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {SECOND: None},
            "found 23 pictures; expected 24: of chair 0f00aa that of elevation 20 and",
        ),
        (
            {name: None for name, _ in MEMBERS if CHAIRS[1] in name},
            "found 2 chairs; expected 3",
        ),
        ({FIRST.replace(CHAIRS[0], "new"): GOOD}, "found 4 chairs; expected 3"),
        (
            {FIRST.replace("_000_", "_077_"): GOOD},
            r"image_000_p020.* and .*image_077_p020.*; expected one of each",
        ),
        ({FIRST.replace("p020", "p040"): GOOD}, r"p040_t000.*; expected p020 or p030, and t as"),
        ({FIRST.replace("t000", "t006"): GOOD}, r"p020_t006.*; expected p020 or p030, and t as"),
        ({SECOND: b"text"}, r"image_001_p020_t011_r096\.png: found no PNG picture"),
        ({SECOND: GOOD[:-90]}, r"image_001_p020_t011_r096\.png: found no PNG picture"),
        ({SECOND: EDGED}, r"found a picture of 100x120 pixels; expected a square PNG picture"),
        (
            {SECOND: png(np.zeros((79, 79, 3), np.uint8))},
            "found a picture of 79x79 pixels; expected a square PNG picture of at least 80x80",
        ),
    ],
)
def test_other_pictures_are_refused(home, tmp_path, changes, reason):
    members = dict(MEMBERS) | changes
    path = write_tar(tmp_path / "x.tar", [item for item in members.items() if item[1] is not None])
    with pytest.raises(DataError, match=reason) as caught:
        load_dataset(f"chairs3d(path={str(path)!r}, crop=80)")
    assert str(path) in str(caught.value)
    assert "rendered_chairs.tar" in str(caught.value)
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("share", [0, 0.3, 0.9])
def test_a_tar_that_is_cut_is_refused(home, tmp_path, share):
    path = write_tar(tmp_path / "x.tar", MEMBERS)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match=r"x\.tar"):
        with_file("chairs3d", path).open()
    assert list(home.rglob("*")) == []


def test_a_compressed_tar_is_to_be_unpacked(home, tmp_path):
    path = write_tar(tmp_path / "x.tar.gz", MEMBERS, "w:gz")
    with pytest.raises(DataError, match=r"compressed tar cannot be read .*unpack it"):
        with_file("chairs3d", path).open()
