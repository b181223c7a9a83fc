"""Arrays in npz, npy and HDF5 files: shapes, types, factors, damage."""

import h5py
import numpy as np
import pytest

from reference.own_files import grid, pictures
from unweave.data import load_dataset, parse_dataset
from unweave.errors import DataError, SpecError

IMAGES = pictures(12)


def all_of(dataset):
    return dataset.images(np.arange(len(dataset)))


@pytest.fixture(params=["arrays", "h5"])
def write(request, tmp_path, home):
    """Writes arrays to a file and gives the text of a dataset of it."""
    path = tmp_path / f"own.{'npz' if request.param == 'arrays' else 'h5'}"

    def write(more="", **arrays):
        if request.param == "arrays":
            np.savez_compressed(path, **arrays)
        else:
            with h5py.File(path, "w") as file:
                for key, array in arrays.items():
                    array = np.asarray(array)
                    text = array.dtype.kind in "UO"
                    file[key] = array.astype(object).astype("S") if text else array
        return f"{request.param}(path={str(path)!r}{more})"

    return write


@pytest.mark.parametrize(
    ("array", "more", "expected"),
    [
        (IMAGES, "", IMAGES),
        (IMAGES[..., 0], "", IMAGES[..., :1]),
        (IMAGES[..., :1], ", colour=rgb", np.repeat(IMAGES[..., :1], 3, axis=3)),
        (IMAGES / 255.0, "", IMAGES),
        ((IMAGES / 255).astype(np.float16), "", IMAGES),
        (IMAGES[..., 0] > 99, "", 255 * (IMAGES[..., :1] > 99)),
        (IMAGES[..., 0] // 128, ", white=1", 255 * (IMAGES[..., :1] // 128)),
        (IMAGES.astype(np.uint16) * 257, "", IMAGES),
        (IMAGES.astype(np.int64), "", IMAGES),
        (np.concatenate([IMAGES, IMAGES[..., :1] * 0 + 255], axis=3), "", IMAGES),
        (IMAGES[:, :, 2:14], ", size=16, fit=pad", None),
    ],
)
def test_arrays_of_every_kind_become_bytes(write, array, more, expected):
    dataset = load_dataset(write(more, images=array))
    if expected is None:
        expected = np.zeros_like(IMAGES)
        expected[:, :, 2:14] = array
    np.testing.assert_array_equal(all_of(dataset), expected)
    assert dataset.image_shape == expected.shape[1:]
    assert not dataset.labelled


def test_factors_have_the_names_beside_them(write):
    rows = grid((3, 4))
    text = write(images=IMAGES, factors=rows * [2, 1] + [5, 0], factor_names=["a b", "c"])
    dataset = load_dataset(text)
    assert dataset.is_grid
    assert dataset.factor_space.names == ("a_b", "c")
    assert dataset.factor_space.factors[0].values == (5.0, 7.0, 9.0)
    np.testing.assert_array_equal(dataset.factors(np.arange(12)), rows)


def test_factors_may_be_texts(write):
    words = np.array(["red", "blue", "blue", "green"] * 3)
    dataset = load_dataset(write(images=IMAGES, factors=words))
    (factor,) = dataset.factor_space.factors
    assert (factor.name, factor.kind) == ("factor_0", "categorical")
    assert factor.labels == ("blue", "green", "red")
    assert dataset.factors([0, 1, 3]).tolist() == [[2], [0], [1]]
    assert not dataset.is_grid


def test_factor_sizes_stand_for_a_full_grid(write):
    dataset = load_dataset(write(images=IMAGES, factor_sizes=[2, 6]))
    assert dataset.is_grid
    assert dataset.factors([7]).tolist() == [[1, 1]]
    assert dataset.factor_space.sizes == (2, 6)


@pytest.mark.parametrize(
    ("arrays", "more", "reason"),
    [
        ({"pictures": IMAGES}, "", "images: found the keys pictures; expected this key too"),
        ({"images": IMAGES.reshape(12, -1)}, "", r"\(N, H, W, C\) with 1, 3 or 4 channels, not"),
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, "", "Channels come last: write images.trans"),
        ({"images": IMAGES * 2.0}, "", "pixels from 0 to .*, where 1 is white, among the images"),
        ({"images": IMAGES[..., 0] // 128}, "", "pixels of 0 and 1 alone.*white=1"),
        ({"images": IMAGES.astype(complex)}, "", "is of type complex128, no numbers"),
        ({"images": IMAGES, "factors": grid((3, 3))}, "", r"must have the shape \(12, K\)"),
        ({"images": IMAGES, "factor_sizes": [3, 5]}, "", "a grid of 15 images, but there are 12"),
        ({"images": IMAGES, "factor_sizes": [3.5]}, "", "factor_sizes must be whole numbers"),
        ({"images": IMAGES}, ", factors='y'", "has no array 'y' of factors; it has images"),
        (
            {"images": IMAGES, "factors": np.full(12, np.nan)},
            "",
            "factor_0 has no value in 12 of 12 rows",
        ),
        (
            {"images": IMAGES, "factors": grid((3, 4)), "factor_names": ["a", "a"]},
            "",
            "2 factors need 2 different names, not a, a",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_nothing_is_stored(write, home, arrays, more, reason):
    with pytest.raises(DataError, match=reason):
        load_dataset(write(more, **arrays))
    assert not home.exists()


def test_damage_leaves_nothing_behind(write, home, tmp_path):
    text = write(images=IMAGES)
    (path,) = tmp_path.glob("own.*")
    data = bytearray(path.read_bytes())
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(DataError, match=f"{path.name} is damaged"):
        load_dataset(text)
    path.unlink()
    with pytest.raises(DataError, match=f"{path.name} does not exist"):
        load_dataset(text)
    assert not home.exists()


def test_a_changed_file_is_noticed_and_one_that_is_gone_is_not_needed(write, tmp_path):
    text = write(images=IMAGES, factor_sizes=[12])
    before = all_of(load_dataset(text))
    write(images=IMAGES[::-1], factor_sizes=[12])
    (path,) = tmp_path.glob("own.*")
    with pytest.raises(DataError, match="have changed since"):
        load_dataset(text)
    path.unlink()
    np.testing.assert_array_equal(all_of(load_dataset(text)), before)


def test_one_array_alone_is_a_file_too(tmp_path, home):
    np.save(tmp_path / "own.npy", IMAGES)
    dataset = load_dataset(f"arrays(path={str(tmp_path / 'own.npy')!r})")
    np.testing.assert_array_equal(all_of(dataset), IMAGES)


def test_pickles_are_not_opened(tmp_path, home):
    factors = np.array([object()] * 12)
    np.savez(tmp_path / "own.npz", images=IMAGES, factors=factors)
    with pytest.raises(DataError, match="factors cannot be read"):
        load_dataset(f"arrays(path={str(tmp_path / 'own.npz')!r})")


def test_large_arrays_are_read_in_blocks(tmp_path, home):
    images = np.random.default_rng(0).integers(0, 256, (1100, 100, 100, 3), dtype=np.uint8)
    np.savez(tmp_path / "own.npz", images=images)
    told = []
    spec = parse_dataset(f"arrays(path={str(tmp_path / 'own.npz')!r})")
    dataset = spec.open(lambda *values: told.append(values))
    assert len(told) > 1
    np.testing.assert_array_equal(
        dataset.images([0, 1066, 1067, 1099]), images[[0, 1066, 1067, -1]]
    )


def test_settings_that_cannot_be_are_refused():
    for text in ("arrays(path=x, white=0)", "arrays(path=x, size=0)", "h5(path=x, colour=lab)"):
        with pytest.raises(SpecError):
            parse_dataset(text)


def test_a_shape_that_the_text_says_needs_no_file():
    assert parse_dataset("arrays(path=gone, size=32, colour=grey)").image_shape == (32, 32, 1)
    with pytest.raises(DataError, match="gone does not exist"):
        _ = parse_dataset("arrays(path=gone, size=32)").image_shape


def test_factors_in_a_group_have_the_names_that_lie_there(tmp_path, home):
    path = tmp_path / "own.h5"
    with h5py.File(path, "w") as file:
        file["train/images"], file["train/factors"] = IMAGES, grid((3, 4))
        file["train/factor_names"] = np.array(["a", "b"], "S")
        file["test/images"], file["test/factor_sizes"] = IMAGES, [2, 6]
        file["factor_names"] = np.array(["c", "d"], "S")
    text = f"h5(path={str(path)!r}, images='/train/images', factors='/train/factors')"
    assert load_dataset(text).factor_space.names == ("a", "b")
    test = load_dataset(f"h5(path={str(path)!r}, images='test/images')")
    # Those of the group first, then those of the file.
    assert (test.factor_space.names, test.factor_space.sizes) == (("c", "d"), (2, 6))


@pytest.mark.parametrize(
    ("write", "reason"),
    [
        (
            lambda file: file.create_dataset("images", data=h5py.Empty("u1")),
            "an array without a shape",
        ),
        (lambda file: file.create_dataset("images", data=5), r"not \(\)"),
        (
            lambda file: file.update(images=IMAGES, factors=np.array([b"\xff"] * 12)),
            "not in UTF-8",
        ),
        (lambda file: file.update({"x/images": IMAGES}), "found the keys x; expected"),
    ],
)
def test_strange_h5_files_are_refused(tmp_path, home, write, reason):
    with h5py.File(tmp_path / "own.h5", "w") as file:
        write(file)
    with pytest.raises(DataError, match=reason):
        load_dataset(f"h5(path={str(tmp_path / 'own.h5')!r})")
    assert not home.exists()


@pytest.mark.parametrize(
    ("images", "reason"),
    [
        (np.asfortranarray(IMAGES), "images is in Fortran order.*numpy.ascontiguousarray"),
        (IMAGES / 127.5 - 1, r"pixels from -1 to 1, where 1 is white.*\(images \+ 1\) / 2"),
        (np.where(IMAGES > 9, np.nan, 0.5), "pixels that are not finite"),
    ],
)
def test_what_must_be_done_to_arrays_first_is_said(tmp_path, home, images, reason):
    np.savez(tmp_path / "own.npz", images=images)
    with pytest.raises(DataError, match=reason):
        load_dataset(f"arrays(path={str(tmp_path / 'own.npz')!r})")
    assert not home.exists()
