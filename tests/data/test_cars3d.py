"""The published files of Cars3D: read as they are, and refused when they are anything else."""

import io

import numpy as np
import pytest
from PIL import Image
from scipy.io import savemat

from reference.small_archives import (
    car_members,
    few_cars,
    smooth,
    write_tar,
    write_zip,
)
from unweave.data import load_dataset, parse_dataset, with_file
from unweave.errors import DataError

ELEVATIONS, AZIMUTHS, CARS = 2, 3, 4
VIEWS = smooth(np.random.default_rng(0), CARS, ELEVATIONS, AZIMUTHS, 128, 128, 3)
MEMBERS = car_members(VIEWS)


@pytest.fixture(autouse=True)
def few(monkeypatch):
    return few_cars(monkeypatch, ELEVATIONS, AZIMUTHS, CARS)


def small(view):
    return np.asarray(Image.fromarray(view).resize((64, 64), Image.Resampling.LANCZOS))


def expected():
    """All images in C order of elevation, azimuth and car."""
    return np.array(
        [
            small(VIEWS[car, elevation, azimuth])
            for elevation in range(ELEVATIONS)
            for azimuth in range(AZIMUTHS)
            for car in range(CARS)
        ]
    )


def unpacked(folder, members):
    for name, content in members:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


KINDS = {
    "published": lambda place: write_tar(place / "x.tar.gz", MEMBERS, "w:gz"),
    "plain tar": lambda place: write_tar(place / "x.tar", MEMBERS),
    "zip": lambda place: write_zip(place / "x.zip", MEMBERS),
    "folder": lambda place: unpacked(place, MEMBERS),
    "folder of cars": lambda place: unpacked(place, MEMBERS) / "data" / "cars",
}


def test_the_whole_dataset():
    spec = parse_dataset("cars3d")
    assert spec.count == ELEVATIONS * AZIMUTHS * CARS
    assert spec.image_shape == (64, 64, 3)
    names = [(factor.name, factor.kind) for factor in spec.factor_space.factors]
    assert names == [
        ("elevation", "ordinal"),
        ("azimuth", "circular"),
        ("object_type", "categorical"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_images_from_every_form(home, tmp_path, kind):
    data = with_file("cars3d", KINDS[kind](tmp_path)).open()
    assert data.is_grid
    np.testing.assert_array_equal(data.images(np.arange(len(data))), expected())


def test_a_grid(home, tmp_path):
    path = write_tar(tmp_path / "x.tar", MEMBERS)
    data = load_dataset(f"cars3d(path={str(path)!r}, grid=(1, 2, 3))")
    # The middle elevation, two of three azimuths around, three of four cars with both ends.
    images = expected().reshape(ELEVATIONS, AZIMUTHS, CARS, 64, 64, 3)[1:, [0, 1]]
    images = images[:, :, [0, 2, 3]].reshape(-1, 64, 64, 3)
    np.testing.assert_array_equal(data.images(np.arange(len(data))), images)


def test_progress_is_told(home, tmp_path):
    told = []
    spec = with_file("cars3d", write_tar(tmp_path / "x.tar", MEMBERS))
    spec.open(lambda *report: told.append(report))
    assert ("reading cars", CARS, CARS) in told


def mat(**arrays):
    stream = io.BytesIO()
    savemat(stream, arrays)
    return stream.getvalue()


def changed(name, content):
    members = dict(MEMBERS)
    if content is None:
        del members[name]
    else:
        members[name] = content
    return list(members.items())


GOOD = MEMBERS[-3][1]


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("data/cars/car_002_mesh.mat", None, r"found 3 files car_NNN_mesh\.mat; expected 4"),
        ("data/cars/car_003_mesh.mat", GOOD, r"found 5 files car_NNN_mesh\.mat; expected 4"),
        ("data/cars/car_002_mesh.mat", b"", "car_002_mesh.mat: found no readable MATLAB file"),
        ("data/cars/car_002_mesh.mat", GOOD[:-900], "car_002_mesh.mat: found no readable MATLAB"),
        ("data/cars/car_002_mesh.mat", GOOD[:1000], "car_002_mesh.mat: found no"),
        ("data/cars/car_002_mesh.mat", b"x" * 500, "car_002_mesh.mat: found no readable MATLAB"),
        ("data/cars/car_002_mesh.mat", mat(mask=VIEWS[0]), "car_002_mesh.mat: found no array im"),
        (
            "data/cars/car_005_mesh.mat",
            mat(im=VIEWS[0]),
            r"car_005_mesh\.mat: found im, \(2, 3, 128, 128, 3\) of type uint8; expected im, "
            r"\(128, 128, 3, 3, 2\) of type uint8",
        ),
        (
            "data/cars/car_005_mesh.mat",
            mat(im=np.zeros((128, 128, 3, 3, 2))),
            r"car_005_mesh\.mat: found im, \(128, 128, 3, 3, 2\) of type double",
        ),
    ],
)
def test_other_files_are_refused(home, tmp_path, name, content, reason):
    path = write_tar(tmp_path / "x.tar", changed(name, content))
    with pytest.raises(DataError, match=reason) as caught:
        with_file("cars3d", path).open()
    assert str(path) in str(caught.value)
    assert "nips2015-analogy-data.tar.gz" in str(caught.value)
    assert list(home.rglob("*")) == []


def test_a_car_in_two_folders_is_refused(home, tmp_path):
    members = changed("data/cars/car_002_mesh.mat", None)
    path = write_tar(tmp_path / "x.tar", [*members, ("other/car_001_mesh.mat", GOOD)])
    with pytest.raises(DataError, match=r"found 4 files .*under one name"):
        with_file("cars3d", path).open()


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_download_that_is_cut_is_refused(home, tmp_path, share):
    path = write_tar(tmp_path / "x.tar.gz", MEMBERS, "w:gz")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(DataError, match="damaged"):
        with_file("cars3d", path).open()
    assert list(home.rglob("*")) == []
