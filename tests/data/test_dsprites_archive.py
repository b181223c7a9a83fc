"""The published file: read as it is, and refused with a reason when it is anything else."""

import zipfile
from pathlib import Path

import numpy as np
import pytest

from reference.sprites_archive import published_arrays, write_npz
from unweave.data.files.dsprites import open_archive
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace

SPACE = FactorSpace(
    (
        Factor("shape", 3, (1.0, 2.0, 3.0), "categorical"),
        Factor("orientation", 5, tuple(np.linspace(0, 2 * np.pi, 5).tolist()), "circular", True),
        Factor("pos_x", 400, tuple(np.linspace(0, 1, 400).tolist())),
    )
)
# Coarse images, which are quickly compressed.
IMAGES = np.random.default_rng(0).integers(0, 2, size=(SPACE.size, 4, 4), dtype=np.uint8)
IMAGES = IMAGES.repeat(16, axis=1).repeat(16, axis=2)
WHOLE = SPACE.grid(SPACE.sizes)


@pytest.fixture(scope="module")
def arrays():
    return published_arrays(SPACE, IMAGES)


@pytest.fixture(scope="module")
def published(arrays, tmp_path_factory):
    return write_npz(tmp_path_factory.mktemp("archive") / "dsprites.npz", arrays)


def read(path, kept=WHOLE):
    with open_archive(Path(path), SPACE) as archive:
        blocks = list(archive.blocks(kept))
    return np.unpackbits(np.concatenate(blocks), axis=1).reshape(-1, 64, 64)


def test_all_images_in_order(published):
    np.testing.assert_array_equal(read(published), IMAGES)


def test_a_grid_of_images(published):
    kept = SPACE.grid((2, 3, 7))
    grid = IMAGES.reshape(*SPACE.sizes, 64, 64)[np.ix_(*kept)].reshape(-1, 64, 64)
    np.testing.assert_array_equal(read(published, kept), grid)


@pytest.mark.parametrize("version", [(1, 0), (2, 0), (3, 0)])
def test_every_version_of_the_npy_header_is_read(arrays, tmp_path, version):
    path = write_npz(tmp_path / "file.npz", arrays, version)
    np.testing.assert_array_equal(read(path), IMAGES)


def test_a_file_that_is_not_compressed_is_read(arrays, tmp_path):
    np.savez(tmp_path / "file.npz", **arrays)
    np.testing.assert_array_equal(read(tmp_path / "file.npz"), IMAGES)


def swap_rows(array):
    changed = array.copy()
    changed[[10, 11]] = changed[[11, 10]]
    return changed


def put(array, place, value):
    changed = array.copy()
    changed[place] = value
    return changed


DEFECTS = {
    "a missing key": (
        {"latents_classes": None},
        r"latents_classes: found the keys imgs, latents_bases, .*expected this key too",
    ),
    "fewer images": ({"imgs": IMAGES[:-1]}, r"imgs: found the shape \(5999, 64, 64\)"),
    "other images": (
        {"imgs": IMAGES[:, :32]},
        r"shape \(6000, 32, 64\); expected \(6000, 64, 64\)",
    ),
    "real pixels": ({"imgs": IMAGES.astype(np.float32)}, r"imgs: found the type float32.*uint8"),
    "pixels to 255": ({"imgs": put(IMAGES, (5000, 3, 3), 255)}, "a pixel of 255 in image 5000"),
    "Fortran order": (
        {"imgs": np.asfortranarray(IMAGES)},
        "found Fortran order; expected C order",
    ),
    "objects": ({"imgs": np.array([None, {}])}, r"imgs: found the shape \(2,\)"),
    "another order": (
        {"latents_classes": swap_rows},
        r"latents_classes: found \[0, 0, 0, 11\] in row 10; expected \[0\.0, 0\.0, 0\.0, 10\.0\]",
    ),
    "real classes": ({"latents_classes": lambda a: a * 1.0}, "type float64.*whole-number type"),
    "other values": (
        {"latents_values": lambda a: put(a, (7, 0), 2.0)},
        r"latents_values: found \[2\.0, .*\] in row 7; expected \[1\.0, ",
    ),
    "values not a number": ({"latents_values": lambda a: put(a, (7, 1), np.nan)}, "nan.* row 7"),
    "fewer columns": ({"latents_values": lambda a: a[:, 1:]}, r"shape \(6000, 3\); expected .*4"),
}


@pytest.mark.parametrize(("changes", "reason"), DEFECTS.values(), ids=DEFECTS.keys())
def test_another_content_is_refused(arrays, tmp_path, changes, reason):
    changed = dict(arrays)
    for key, change in changes.items():
        if change is None:
            del changed[key]
        else:
            changed[key] = change(arrays[key]) if callable(change) else change
    path = write_npz(tmp_path / "file.npz", changed)
    with pytest.raises(DataError, match=reason) as caught:
        read(path)
    assert str(path) in str(caught.value)
    assert "source=rendered" in str(caught.value)


def test_pickles_are_never_opened(arrays, tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was opened",))

    bomb = np.array(Bomb(), dtype=object)
    path = write_npz(tmp_path / "file.npz", {**arrays, "metadata": bomb})
    np.testing.assert_array_equal(read(path), IMAGES)
    path = write_npz(tmp_path / "images.npz", {**arrays, "imgs": bomb})
    with pytest.raises(DataError, match="imgs: found the shape"):
        read(path)


def rewrite(source, target, key, change):
    """Copy an npz with the bytes of one member changed."""
    with (
        zipfile.ZipFile(source) as old,
        zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new,
    ):
        for name in old.namelist():
            content = old.read(name)
            new.writestr(name, change(content) if name == f"{key}.npy" else content)
    return target


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda content: content[:-5000], "imgs: found 5998 rows; expected 6000 rows"),
        (lambda content: content + b"\0", "found more than 6000 rows"),
        (lambda content: b"", "imgs: found no array"),
        (lambda content: b"hello" + content, "imgs: found no array"),
        (lambda content: content[:20], "imgs: found no array"),
        (lambda content: content[:10] + b"[" * 118 + content[128:], "imgs: found no array"),
    ],
)
def test_arrays_that_are_cut_or_garbled_are_refused(published, tmp_path, change, reason):
    path = rewrite(published, tmp_path / "file.npz", "imgs", change)
    with pytest.raises(DataError, match=reason):
        read(path)


@pytest.mark.parametrize("place", [0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_flipped_byte_is_found(published, tmp_path, place):
    content = bytearray(published.read_bytes())
    content[int(len(content) * place)] ^= 0x55
    path = tmp_path / "file.npz"
    path.write_bytes(content)
    with pytest.raises(DataError, match=f"{path}"):
        read(path)


@pytest.mark.parametrize("share", [0.0, 0.2, 0.999])
def test_a_file_that_is_cut_is_refused(published, tmp_path, share):
    content = published.read_bytes()
    path = tmp_path / "file.npz"
    path.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(DataError, match="damaged or not an npz file"):
        read(path)


def test_what_is_no_file_is_named(tmp_path):
    with pytest.raises(
        DataError, match=r"nowhere\.npz does not exist; expected the file dsprites_"
    ):
        read(tmp_path / "nowhere.npz")
    with pytest.raises(DataError, match="is a folder"):
        read(tmp_path)
    np.save(tmp_path / "array.npy", np.zeros(3))
    with pytest.raises(DataError, match="not an npz file"):
        read(tmp_path / "array.npy")
