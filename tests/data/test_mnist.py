"""The published files of MNIST and Fashion-MNIST: read as they are, and refused when not."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from reference.server import answer, checksum, running
from reference.small_archives import few_pictures, idx, smooth, write_idx
from unweave.data import load_dataset, parse_dataset, with_file
from unweave.data.fetching.download import RemoteFile, downloads
from unweave.data.sets import mnist
from unweave.errors import DataError

COUNT = 23
PICTURES = smooth(np.random.default_rng(0), COUNT, 28, 28, 1)[..., 0]
CLASSES = np.arange(COUNT) * 7 % 10
IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
SETS = ("mnist", "fashion_mnist")


@pytest.fixture(autouse=True)
def few(monkeypatch):
    few_pictures(monkeypatch, COUNT)


@pytest.mark.parametrize(
    ("name", "factor", "labels"),
    [
        ("mnist", "digit", "0 1 2 3 4 5 6 7 8 9"),
        (
            "fashion_mnist",
            "article",
            "t_shirt trouser pullover dress coat sandal shirt sneaker bag ankle_boot",
        ),
    ],
)
def test_the_whole_dataset(monkeypatch, name, factor, labels):
    monkeypatch.undo()
    spec = parse_dataset(name)
    assert (spec.count, spec.image_shape, spec.full_grid) == (60_000, (32, 32, 1), False)
    (only,) = spec.factor_space.factors
    assert (only.name, only.kind, only.labels) == (factor, "categorical", tuple(labels.split()))


@pytest.mark.parametrize("name", SETS)
def test_images_and_labels(home, tmp_path, name):
    data = with_file(name, write_idx(tmp_path, PICTURES, CLASSES)).open()
    assert not data.is_grid
    large = [np.asarray(Image.fromarray(p).resize((32, 32), Image.BILINEAR)) for p in PICTURES]
    np.testing.assert_array_equal(data.images(np.arange(COUNT))[..., 0], large)
    np.testing.assert_array_equal(data.factors(np.arange(COUNT))[:, 0], CLASSES)
    assert data.find([[3]]).tolist() == [9]


def test_images_can_begin_at_any(home, tmp_path, begins_anywhere):
    begins_anywhere(with_file("mnist", write_idx(tmp_path, PICTURES, CLASSES)))


def test_padded_and_as_published(home, tmp_path):
    path = write_idx(tmp_path, PICTURES, CLASSES)
    padded = load_dataset(f"mnist(path={str(path)!r}, resize=pad)")
    expected = np.zeros((COUNT, 32, 32, 1), np.uint8)
    expected[:, 2:30, 2:30, 0] = PICTURES
    np.testing.assert_array_equal(padded.images(np.arange(COUNT)), expected)
    plain = load_dataset(f"mnist(path={str(path)!r}, resize=none)")
    assert plain.image_shape == (28, 28, 1)
    np.testing.assert_array_equal(plain.images(np.arange(COUNT))[..., 0], PICTURES)


@pytest.mark.parametrize(
    "place",
    ["{}", "{}.gz", "raw/{}", "FashionMNIST/raw/{}", "FashionMNIST/raw/{}.gz"],
)
@pytest.mark.parametrize("dotted", [False, True])
def test_unpacked_forms(home, tmp_path, place, dotted):
    for name, array in ((IMAGES, PICTURES), (LABELS, CLASSES)):
        plain = name.removesuffix(".gz")
        if dotted and not place.endswith("gz"):
            plain = plain.replace("-idx", ".idx")
        path = tmp_path / place.format(plain)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(idx(array)) if place.endswith("gz") else idx(array))
    data = with_file("fashion_mnist", tmp_path).open()
    np.testing.assert_array_equal(data.factors(np.arange(COUNT))[:, 0], CLASSES)


def test_the_format_written_out_by_hand(home, tmp_path, monkeypatch):
    few_pictures(monkeypatch, 1)
    pixels = bytes(range(256)) * 4
    (tmp_path / IMAGES).write_bytes(
        bytes.fromhex("00000803 00000001 0000001c 0000001c") + pixels[: 28 * 28]
    )
    (tmp_path / LABELS).write_bytes(bytes.fromhex("00000801 00000001 09"))
    data = load_dataset(f"mnist(path={str(tmp_path)!r}, resize=none)")
    assert data.images([0]).tobytes() == pixels[: 28 * 28]
    assert data.factors([0]).tolist() == [[9]]


def refused(home, folder, reason, name):
    with pytest.raises(DataError, match=reason) as caught:
        with_file("mnist", folder).open()
    assert str(folder / name) in str(caught.value)
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize("name", [IMAGES, LABELS])
@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (lambda good: good[:-1], "found an end after .* more bytes; expected"),
        (lambda good: good[:3], "found an end after 3 more bytes; expected 4 more"),
        (lambda good: good + b"\0", "found more bytes behind the array"),
        (lambda good: good[:4][::-1] + good[4:], r"found the first bytes .*in the wrong order"),
        (lambda good: b"\0\0\x0d" + good[3:], "found the first bytes 00 00 0d"),
        (
            lambda good: good[:4] + struct.pack("<I", COUNT) + good[8:],
            "found the shape .385875968",
        ),
        (lambda good: good[:4] + struct.pack(">I", 10) + good[8:], r"found the shape \(10,"),
    ],
)
def test_files_of_another_layout_are_refused(home, tmp_path, name, content, reason):
    write_idx(tmp_path, PICTURES, CLASSES)
    good = gzip.decompress((tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(gzip.compress(content(good)))
    refused(home, tmp_path, reason, name)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_a_gzip_that_is_cut_or_changed_is_refused(home, tmp_path, name):
    content = (write_idx(tmp_path, PICTURES, CLASSES) / name).read_bytes()
    (tmp_path / name).write_bytes(content[:-5])
    refused(home, tmp_path, "is damaged", name)
    (tmp_path / name).write_bytes(content[:-8] + bytes(4) + content[-4:])
    refused(home, tmp_path, "is damaged: CRC", name)


def test_a_gzip_of_several_parts_is_read(home, tmp_path):
    for name, array in ((IMAGES, PICTURES), (LABELS, CLASSES)):
        content = idx(array)
        parts = (content[:2], content[2:100], b"", content[100:])
        (tmp_path / name).write_bytes(b"".join(gzip.compress(part) for part in parts) + bytes(7))
    data = load_dataset(f"mnist(path={str(tmp_path)!r}, resize=none)")
    np.testing.assert_array_equal(data.images(np.arange(COUNT))[..., 0], PICTURES)
    np.testing.assert_array_equal(data.factors(np.arange(COUNT))[:, 0], CLASSES)


@pytest.mark.parametrize("name", [IMAGES, LABELS])
def test_what_follows_a_gzip_is_refused(home, tmp_path, name):
    content = (write_idx(tmp_path, PICTURES, CLASSES) / name).read_bytes()
    (tmp_path / name).write_bytes(content + b"more")
    refused(home, tmp_path, "is damaged: Not a gzipped file", name)
    (tmp_path / name).write_bytes(content + gzip.compress(b"more"))
    refused(home, tmp_path, "found more bytes behind the array; expected an end", name)


def test_a_gzip_that_unpacks_to_too_much_is_not_unpacked(home, tmp_path):
    write_idx(tmp_path, PICTURES, CLASSES)
    good = idx(PICTURES)
    (tmp_path / IMAGES).write_bytes(gzip.compress(good + bytes(200 << 20), 1))
    refused(home, tmp_path, "found more bytes behind the array", IMAGES)
    (tmp_path / IMAGES).write_bytes(gzip.compress(good[:4] + b"\xff" * 12, 1))
    refused(home, tmp_path, r"found the shape \(4294967295, 4294967295, 4294967295\)", IMAGES)


def test_files_that_have_changed_places_are_refused(home, tmp_path):
    write_idx(tmp_path, PICTURES, CLASSES)
    (tmp_path / IMAGES).rename(tmp_path / "x")
    (tmp_path / LABELS).rename(tmp_path / IMAGES)
    (tmp_path / "x").rename(tmp_path / LABELS)
    refused(home, tmp_path, "found the first bytes 00 00 08 03; expected 00 00 08 01", LABELS)


def test_a_class_beyond_the_last_is_refused(home, tmp_path):
    write_idx(tmp_path, PICTURES, np.where(np.arange(COUNT) == 6, 10, CLASSES))
    refused(home, tmp_path, "found digit 10 of picture 6; expected 0 to 9", LABELS)


def test_files_of_the_other_dataset_are_refused(home, tmp_path, monkeypatch):
    write_idx(tmp_path, PICTURES, CLASSES)
    found = RemoteFile(name=IMAGES, checksum=checksum((tmp_path / IMAGES).read_bytes(), "md5"))
    monkeypatch.setitem(mnist._FILES, "fashion_mnist", (found,))
    refused(home, tmp_path, r"found a file of fashion_mnist; expected one of mnist", IMAGES)


def test_both_are_downloaded_side_by_side(home, tmp_path, monkeypatch):
    with running() as server:
        for name in SETS:
            folder = tmp_path / name
            folder.mkdir()
            step = 1 if name == "mnist" else -1
            write_idx(folder, PICTURES[::step], CLASSES[::step])
            files = []
            for file in mnist._FILES[name]:
                content = (folder / file.name).read_bytes()
                server.plans[f"/{name}/{file.name}"] = [answer(content)]
                files.append(
                    RemoteFile(
                        name=file.name,
                        folder=file.folder,
                        urls=(f"{server.url}/{name}/{file.name}",),
                        checksum=checksum(content, "md5"),
                    )
                )
            monkeypatch.setitem(mnist._FILES, name, tuple(files))
        plain = [load_dataset(f"{name}(resize=none)") for name in SETS]
    np.testing.assert_array_equal(plain[0].images([0])[0, ..., 0], PICTURES[0])
    np.testing.assert_array_equal(plain[1].images([0])[0, ..., 0], PICTURES[-1])
    assert sorted(path.name for path in downloads().iterdir()) == sorted(SETS)
