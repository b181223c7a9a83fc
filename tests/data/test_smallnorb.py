"""The published files of SmallNORB: read as they are, and refused when they are anything else."""

import gzip
import struct

import numpy as np
import pytest
from PIL import Image

from reference.small_archives import few_toys, matrix, smooth, toy_tables, write_toys
from unweave.data import load_dataset, parse_dataset, with_file
from unweave.data.files.matrix import open_matrix
from unweave.data.files.smallnorb import FILES
from unweave.data.sets import smallnorb
from unweave.errors import DataError, SpecError

SIZES = (2, 4, 2, 3, 2)
NAMES = ("category", "instance", "elevation", "azimuth", "lighting")
# Instances 2 and 3 for training, 0 and 1 for testing.
LAYOUT = dict(zip(NAMES, (2, (0, 1, 2, 3), 2, 3, 2), strict=True))
COUNT = 96


@pytest.fixture(autouse=True)
def layout(monkeypatch):
    return few_toys(monkeypatch, **LAYOUT)


@pytest.fixture
def tables(layout):
    return toy_tables(layout, np.random.default_rng(0))


def pictures():
    rng = np.random.default_rng(1)
    return [smooth(rng, COUNT // 2, 2, 96, 96, 1)[..., 0] for _ in range(2)]


PICTURES = pictures()


def expected(tables):
    """Left pictures by category, instance, elevation, azimuth and lighting."""
    images = np.zeros((*SIZES, 64, 64, 1), np.uint8)
    for pairs, (categories, poses) in zip(PICTURES, tables, strict=True):
        for pair, category, pose in zip(pairs, categories, poses, strict=True):
            instance, elevation, azimuth, lighting = pose
            small = Image.fromarray(pair[0]).resize((64, 64), Image.Resampling.LANCZOS)
            place = category, instance, elevation, azimuth // 2, lighting
            images[place] = np.asarray(small)[..., None]
    return images


def test_the_whole_dataset(monkeypatch):
    monkeypatch.undo()
    spec = parse_dataset("smallnorb")
    assert (spec.count, spec.image_shape) == (48_600, (64, 64, 1))
    space = spec.factor_space
    assert (space.names, space.sizes) == (NAMES, (5, 10, 9, 18, 6))
    assert [factor.kind for factor in space.factors] == [
        "categorical",
        "categorical",
        "ordinal",
        "circular",
        "categorical",
    ]
    assert space.factors[0].labels == ("animal", "human", "airplane", "truck", "car")
    assert space.factors[2].values == (30, 35, 40, 45, 50, 55, 60, 65, 70)
    assert space.factors[3].values == tuple(range(0, 360, 20))
    assert sorted(sum(smallnorb.LAYOUT.halves, ())) == list(range(10))
    drawn = parse_dataset("smallnorb(instance=drawn)")
    assert (drawn.count, drawn.full_grid) == (4860, True)
    hidden = parse_dataset("smallnorb(instance=nuisance)")
    assert (hidden.count, hidden.full_grid) == (48_600, False)
    assert hidden.factor_space.sizes == (5, 9, 18, 6)


@pytest.mark.parametrize("packed", [True, False])
def test_images_in_order_with_and_without_gzip(home, tmp_path, tables, packed):
    path = write_toys(tmp_path, PICTURES, tables, packed=packed)
    data = with_file("smallnorb", path).open()
    assert data.is_grid
    images = expected(tables).reshape(COUNT, 64, 64, 1)
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), images)


def test_a_file_beside_the_others_stands_for_all(home, tmp_path, tables):
    path = write_toys(tmp_path, PICTURES, tables)
    data = with_file("smallnorb", path / FILES[4].name).open()
    np.testing.assert_array_equal(
        data.images([5]), expected(tables).reshape(COUNT, 64, 64, 1)[5:6]
    )


def test_a_grid(home, tmp_path, tables):
    path = write_toys(tmp_path, PICTURES, tables)
    data = load_dataset(f"smallnorb(path={str(path)!r}, grid=(1, 3, 2, 1, 2))")
    images = expected(tables)[1:][:, [0, 2, 3]][:, :, :, :1].reshape(-1, 64, 64, 1)
    np.testing.assert_array_equal(data.images(np.arange(len(data))), images)


def test_the_instance_as_a_nuisance(home, tmp_path, tables):
    path = write_toys(tmp_path, PICTURES, tables)
    data = load_dataset(f"smallnorb(path={str(path)!r}, instance=nuisance)")
    assert not data.is_grid
    assert data.factor_space.names == ("category", "elevation", "azimuth", "lighting")
    images, table = data.images(np.arange(COUNT)), data.factors(np.arange(COUNT))
    by_pose = expected(tables)
    for row, (category, *pose) in enumerate(table):
        toys = by_pose[category, :, pose[0], pose[1], pose[2]]
        assert any((images[row] == toy).all() for toy in toys)
    # Each combination once for each toy.
    assert set(np.unique(table, axis=0, return_counts=True)[1]) == {4}
    assert len(np.unique(images.reshape(COUNT, -1), axis=0)) == COUNT


def test_an_instance_drawn_for_each_combination(home, tmp_path, tables):
    path = write_toys(tmp_path, PICTURES, tables)
    by_pose = expected(tables)
    drawn = []
    for seed in range(40):
        text = f"smallnorb(path={str(path)!r}, instance=drawn, seed={seed})"
        data = load_dataset(text) if seed < 3 else None
        rows = parse_dataset(text)._wanted()
        found = np.array(np.unravel_index(rows, SIZES)).T
        drawn.append(found[:, 1])
        if data is None:
            continue
        assert data.is_grid
        assert data.factor_space.sizes == (2, 2, 3, 2)
        images, factors = data.images(np.arange(24)), data.factors(np.arange(24))
        np.testing.assert_array_equal(factors, np.delete(found, 1, axis=1))
        for image, (category, *pose), instance in zip(images, factors, found[:, 1], strict=True):
            np.testing.assert_array_equal(image, by_pose[(category, instance, *pose)])
    # Of 960 draws from four, each number comes about 240 times: within five standard deviations.
    assert np.abs(np.bincount(np.ravel(drawn), minlength=4) - 240).max() < 5 * 13.5
    assert len({tuple(row) for row in drawn}) == 40


def test_instances_are_drawn_from_those_that_are_kept(home, tmp_path, tables):
    path = write_toys(tmp_path, PICTURES, tables)
    text = f"smallnorb(path={str(path)!r}, instance=drawn, grid=(2, 2, 1, 3, 2))"
    data = load_dataset(text)
    assert len(data) == 12
    kept = expected(tables)[:, [0, 3]][:, :, 1:]
    for image, (category, elevation, azimuth, lighting) in zip(
        data.images(np.arange(12)), data.factors(np.arange(12)), strict=True
    ):
        toys = kept[category, :, elevation, azimuth, lighting]
        assert any((image == toy).all() for toy in toys)


def test_a_seed_without_draws_is_refused():
    with pytest.raises(SpecError, match="seed=3 is only read with instance=drawn"):
        parse_dataset("smallnorb(seed=3)")


def test_progress_is_told(home, tmp_path, tables):
    told = []
    spec = with_file("smallnorb", write_toys(tmp_path, PICTURES, tables))
    spec.open(lambda *report: told.append(report))
    assert ("reading pictures", COUNT, COUNT) in told


def test_the_format_of_a_matrix(tmp_path):
    # Written out by hand: an integer matrix of one dimension has three sizes, too.
    path = tmp_path / "cat.mat"
    path.write_bytes(
        bytes.fromhex("544c3d1e 01000000 02000000 01000000 01000000 07000000 feffffff")
    )
    with open_matrix(path, "Mend it.") as file:
        assert (file.shape, file.dtype) == ((2,), np.dtype("<i4"))
        assert np.concatenate(list(file.blocks(1))).tolist() == [7, -2]
    path.write_bytes(
        bytes.fromhex("554c3d1e 04000000 01000000 02000000 01000000 03000000 000102fdfeff")
    )
    with open_matrix(path, "Mend it.") as file:
        assert file.shape == (1, 2, 1, 3)
        (block,) = file.blocks(5)
        assert block.tolist() == [[[[0, 1, 2]], [[253, 254, 255]]]]


# The pictures, categories and poses for training.
DAT, CAT, INFO = (file.name for file in FILES[:3])


def refused(home, folder, reason, name):
    with pytest.raises(DataError, match=reason) as caught:
        with_file("smallnorb", folder).open()
    assert str(folder / name) in str(caught.value)
    assert "cs.nyu.edu" in str(caught.value)
    assert list(home.rglob("*")) == []


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        (CAT, lambda good: good[:-1], "found an end after 191 more bytes; expected 192"),
        (CAT, lambda good: good[:6], "found an end after 6 more bytes; expected 8 more"),
        (CAT, lambda good: good + b"\0", "found more bytes behind the array; expected an end"),
        (DAT, lambda good: good[:-1], "found an end after"),
        (DAT, lambda good: good + b"\0", "found more bytes behind the array"),
        (CAT, lambda good: good[:4][::-1] + good[4:], "0x544c3d1e.*in the wrong order.*0x1e3d4c5"),
        (CAT, lambda good: b"MATL" + good[4:], "found the first number 0x4c54414d; expected"),
        (CAT, lambda good: good[:4] + struct.pack(">i", 1) + good[8:], "16777216 dimensions"),
        (CAT, lambda good: good[:8] + struct.pack("<i", 7) + good[12:], r"the shape \(7,\) of"),
    ],
)
def test_files_of_another_layout_are_refused(home, tmp_path, tables, name, content, reason):
    write_toys(tmp_path, PICTURES, tables)
    good = gzip.decompress((tmp_path / name).read_bytes())
    (tmp_path / name).write_bytes(gzip.compress(content(good), 1))
    refused(home, tmp_path, reason, name)


def test_a_matrix_of_the_other_byte_order_is_refused(home, tmp_path, tables):
    write_toys(tmp_path, PICTURES, tables)
    (tmp_path / CAT).write_bytes(gzip.compress(matrix(tables[0][0], order=">")))
    refused(home, tmp_path, "in the wrong order", CAT)


@pytest.mark.parametrize("share", [0.3, 0.99])
@pytest.mark.parametrize("name", [DAT, INFO])
def test_a_gzip_that_is_cut_is_refused(home, tmp_path, tables, name, share):
    content = (write_toys(tmp_path, PICTURES, tables) / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(share * len(content))])
    refused(home, tmp_path, "is damaged", name)


@pytest.mark.parametrize(
    ("name", "half", "row", "column", "value", "reason"),
    [
        (CAT, 0, 3, None, 2, "found category 2 of picture 3; expected 0 to 1"),
        (CAT, 0, 3, None, -1, "found category -1 of picture 3"),
        (INFO, 0, 7, 0, 1, "found instance 1 of picture 7; expected one of 2, 3"),
        (INFO, 0, 7, 1, 2, "found elevation 2 of picture 7; expected 0 to 1"),
        (INFO, 0, 7, 2, 3, "found azimuth 3 of picture 7; expected an even number from 0 to 4"),
        (INFO, 0, 7, 2, 6, "found azimuth 6 of picture 7; expected an even number from 0 to 4"),
        (INFO, 0, 7, 3, 2, "found lighting 2 of picture 7; expected 0 to 1"),
        (FILES[5].name, 1, 7, 0, 2, "found instance 2 of picture 7; expected one of 0, 1"),
    ],
)
def test_other_values_are_refused(home, tmp_path, tables, name, half, row, column, value, reason):
    table = tables[half][0] if column is None else tables[half][1]
    table[row if column is None else (row, column)] = value
    refused(home, write_toys(tmp_path, PICTURES, tables), reason, name)


def test_a_combination_that_comes_twice_is_refused(home, tmp_path, tables):
    tables[0][0][4], tables[0][1][4] = tables[0][0][9], tables[0][1][9]
    write_toys(tmp_path, PICTURES, tables)
    refused(home, tmp_path, "the combination of picture 4 more than once", INFO)


def test_halves_that_have_changed_places_are_refused(home, tmp_path, tables):
    write_toys(tmp_path, PICTURES, tables[::-1])
    refused(home, tmp_path, "found instance .* expected one of 2, 3", INFO)


def test_a_missing_file_is_named_before_any_work(home, tmp_path, tables):
    (write_toys(tmp_path, PICTURES, tables) / INFO).unlink()
    with pytest.raises(DataError, match=f"{INFO} does not exist") as caught:
        with_file("smallnorb", tmp_path).check_loadable()
    assert "unweave data prepare smallnorb --from FOLDER" in str(caught.value)
