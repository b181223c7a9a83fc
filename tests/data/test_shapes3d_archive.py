"""The published h5 file of 3DShapes: read as it is, and refused when it is anything else."""

import itertools
import tracemalloc
from pathlib import Path

import h5py
import numpy as np
import pytest

from unweave.data.files import h5 as h5_module
from unweave.data.files.shapes3d import FILE, open_archive
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace

# Fewer values than published, in the published order.
SPACE = FactorSpace(
    (
        Factor("floor_hue", 3, (0.0, 0.1, 0.2), "circular"),
        Factor("wall_hue", 2, (0.0, 0.1), "circular"),
        Factor("object_hue", 2, (0.0, 0.1), "circular"),
        Factor("scale", 3, tuple(0.75 + k / 14 for k in range(3))),
        Factor("shape", 4, (0.0, 1.0, 2.0, 3.0), "categorical"),
        Factor("orientation", 5, tuple(-30 + k * 60 / 14 for k in range(5))),
    )
)
IMAGES = np.random.default_rng(0).integers(0, 8, (SPACE.size, 64, 64, 3), dtype=np.uint8)
LABELS = np.array(list(itertools.product(*(factor.values for factor in SPACE.factors))))
WHOLE = SPACE.grid(SPACE.sizes)


def write(path, images=IMAGES, labels=LABELS, **options):
    """As published: two arrays, the images compressed in chunks that h5py chose."""
    options = {"chunks": True, "compression": "gzip", "compression_opts": 1} | options
    with h5py.File(path, "w") as file:
        if images is not None:
            file.create_dataset("images", data=images, **options)
        if labels is not None:
            file.create_dataset("labels", data=labels)
    return path


def read(path, kept=WHOLE):
    with open_archive(Path(path), SPACE) as archive:
        return np.concatenate(list(archive.blocks(kept)))


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    return write(tmp_path_factory.mktemp("archive") / "3dshapes.h5")


def test_all_images_in_order(published):
    np.testing.assert_array_equal(read(published), IMAGES.reshape(SPACE.size, -1))


def test_a_grid_of_images(published):
    kept = SPACE.grid((2, 1, 2, 2, 4, 3))
    grid = IMAGES.reshape(*SPACE.sizes, -1)[np.ix_(*kept)].reshape(-1, 64 * 64 * 3)
    np.testing.assert_array_equal(read(published, kept), grid)


@pytest.mark.parametrize(
    "options",
    [
        {"chunks": None, "compression": None, "compression_opts": None},
        {"chunks": (1, 64, 64, 3)},
        {"chunks": (500, 4, 4, 1)},
        {"chunks": (SPACE.size, 8, 8, 3), "compression": "lzf", "compression_opts": None},
    ],
)
def test_every_layout_of_chunks_is_read(tmp_path, options):
    path = write(tmp_path / "file.h5", **options)
    np.testing.assert_array_equal(read(path), IMAGES.reshape(SPACE.size, -1))


def test_blocks_end_where_chunks_end_and_stay_small(tmp_path, monkeypatch):
    path = write(tmp_path / "file.h5", chunks=(100, 16, 16, 3))
    whole = SPACE.size * 64 * 64 * 3
    for most, sizes in ((10**9, {SPACE.size}), (250 * 12288, {200, 120}), (30 * 12288, {30})):
        monkeypatch.setattr(h5_module, "_MOST", most)
        with open_archive(path, SPACE) as archive:
            tracemalloc.start()
            rows = [len(block) for block in archive.blocks(WHOLE)]
            peak = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        assert set(rows) == sizes
        if most < whole:
            assert peak < 3 * most + 2_000_000


@pytest.mark.parametrize("dtype", [">f8", "<f4"])
def test_labels_of_every_precision_and_byte_order_are_read(tmp_path, dtype):
    path = write(tmp_path / "file.h5", labels=LABELS.astype(dtype))
    np.testing.assert_array_equal(read(path), IMAGES.reshape(SPACE.size, -1))


def swapped(array):
    changed = array.copy()
    changed[[10, 11]] = changed[[11, 10]]
    return changed


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"images": None}, "images: found the keys labels; expected this key too"),
        ({"labels": None}, "labels: found the keys images; expected this key too"),
        ({"images": IMAGES[:-1]}, r"shape \(719, 64, 64, 3\); expected \(720, 64, 64, 3\)"),
        ({"images": IMAGES[..., :1]}, r"images: found the shape \(720, 64, 64, 1\)"),
        ({"images": IMAGES.astype(np.float32)}, "images: found the type float32; expected uint8"),
        ({"labels": LABELS[:, 1:]}, r"labels: found the shape \(720, 5\)"),
        ({"labels": LABELS.astype(int)}, "type int64; expected a floating-point type"),
        ({"labels": swapped(LABELS)}, r"labels: found \[0\.0, .* in row 10; expected \[0\.0, "),
        ({"labels": LABELS[::-1]}, "in row 0; expected .*which is C order"),
        ({"labels": np.full_like(LABELS, np.nan)}, "nan.* in row 0"),
    ],
)
def test_another_content_is_refused(tmp_path, changes, reason):
    path = write(tmp_path / "file.h5", **{"chunks": (90, 32, 32, 1)} | changes)
    with pytest.raises(DataError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "source=rendered" in str(caught.value)


def test_a_group_is_no_array(tmp_path):
    path = write(tmp_path / "file.h5", images=None)
    with h5py.File(path, "a") as file:
        file.create_group("images")
    with pytest.raises(DataError, match="images: found the keys images, labels"):
        read(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.5, 0.999])
def test_a_file_that_is_cut_is_refused(published, tmp_path, share):
    content = published.read_bytes()
    path = tmp_path / "file.h5"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match=r"file\.h5 is damaged"):
        read(path)


@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_bytes_that_are_not_what_was_packed_are_found(published, tmp_path, share):
    content = bytearray(published.read_bytes())
    at = int(len(content) * share)
    content[at : at + 16] = bytes(16)
    path = tmp_path / "file.h5"
    path.write_bytes(content)
    with pytest.raises(DataError, match=r"file\.h5 is damaged: images cannot be read from row"):
        read(path)


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.h5 does not exist; .* 3dshapes\.h5"):
        read(tmp_path / "nowhere.h5")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    (tmp_path / "text").write_text("<html>hello</html>")
    with pytest.raises(DataError, match="damaged or not an HDF5 file"):
        read(tmp_path / "text")


def test_the_published_size_and_checksum_are_known():
    assert FILE.size == 267_573_662
    assert FILE.checksum.startswith("sha256:0a0f6ed98baff276")
