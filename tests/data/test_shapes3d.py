"""3DShapes as a dataset: layers that add up to images, and the published file in their place."""

import h5py
import numpy as np
import pytest

from unweave.data import Shapes3D, load_dataset, parse_dataset
from unweave.data.pixels.layered import Layered
from unweave.data.render import rooms
from unweave.data.sets import shapes3d
from unweave.errors import DataError, SpecError

SMALL = "shapes3d(grid=(3, 2, 4, 2, 4, 2))"


class Rows:
    """What a store is to layers."""

    def __init__(self, rows):
        self.rows = rows.view(np.uint8)
        self.count = len(rows)


def test_layers_can_begin_at_any(home, begins_anywhere):
    begins_anywhere(parse_dataset(SMALL))


def test_layers_are_found_in_the_order_of_the_flat_index():
    # Two, three and one variants of three parts in four scenes: each row says what it is.
    names = [
        (scene, part, variant)
        for scene in range(4)
        for part, count in enumerate((2, 3, 1))
        for variant in range(count)
    ]
    values = [15 * scene + (30, 9, 1)[part] * variant for scene, part, variant in names]
    rows = np.repeat(np.array(values, dtype="<i2")[:, None], 6, axis=1)
    images = Layered(Rows(rows), (1, 2, 3), (2, 3, 1), 0)
    assert images.count == 2 * 3 * 1 * 4
    expected = [
        3 * 15 * scene + 30 * first + 9 * second
        for first in range(2)
        for second in range(3)
        for scene in range(4)
    ]
    found = images.gather(np.arange(24))
    assert len(set(expected)) == 24
    assert found[:, 0, 1, 2].tolist() == expected
    assert (found == found[:, :1, :1, :1]).all()
    assert images.gather(np.array([], dtype=np.int64)).shape == (0, 1, 2, 3)


def test_sums_of_layers_are_cut_off_below_a_step_and_beyond_a_byte():
    rows = np.random.default_rng(0).integers(-600, 2500, (2 * 5, 6)).astype("<i2")
    found = Layered(Rows(rows), (1, 2, 3), (1, 1), 4).gather(np.arange(5))
    for scene in range(5):
        total = [
            int(a) + int(b) for a, b in zip(rows[2 * scene], rows[2 * scene + 1], strict=True)
        ]
        expected = [min(max(value // 16, 0), 255) for value in total]
        assert found[scene].ravel().tolist() == expected


def test_images_of_the_store_are_those_of_the_renderer(home):
    data = load_dataset(SMALL)
    assert len(data) == 3 * 2 * 4 * 2 * 4 * 2
    kept = data.spec.kept
    rows = np.stack(
        [
            indices[column]
            for indices, column in zip(
                kept, data.factors(np.arange(0, len(data), 7)).T, strict=True
            )
        ],
        axis=1,
    )
    np.testing.assert_array_equal(data.images(np.arange(0, len(data), 7)), rooms.render(rows))
    # Nine layers a scene of two bytes a value.
    stored = sum(path.stat().st_size for path in data.spec.folder().glob("images.bin"))
    assert stored == (3 + 2 + 4) * 16 * 64 * 64 * 3 * 2


def test_the_whole_has_fifteen_times_fewer_bytes_than_its_images():
    rows, shape = Shapes3D().stored
    assert (rows, shape) == (30 * 480, (64, 64, 6))
    assert 480_000 * 64 * 64 * 3 / (rows * np.prod(shape)) > 15


def test_progress_is_that_of_images_not_of_their_layers(home, monkeypatch):
    # Of 144 layers, 72 a block, 384 images are made.
    for module in ("build", "manifest", "store", "unfinished"):
        monkeypatch.setattr(f"unweave.data.pixels.{module}.BLOCK", 72)
    spec, told = parse_dataset(SMALL), []
    spec.open(lambda *values: told.append(values))
    spec.verify(lambda *values: told.append(values))
    assert told == [
        (what, done, 384) for what in ("writing", "verifying") for done in (192, 384)
    ]  # fmt: skip


def test_a_damaged_layer_is_found(home):
    spec = load_dataset(SMALL).spec
    spec.verify()
    path = spec.folder() / "images.bin"
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)
    with pytest.raises(DataError, match="do not match their checksum"):
        spec.verify()


def test_the_published_file_takes_the_place_of_the_renderer(home, tmp_path, monkeypatch):
    few = rooms.FACTOR_SPACE.subspace([[0, 1], [0, 1], [0], [0, 1], [0, 1, 2, 3], [0, 1]])
    monkeypatch.setattr(shapes3d.rooms, "FACTOR_SPACE", few)
    images = np.random.default_rng(0).integers(0, 256, (few.size, 64, 64, 3), dtype=np.uint8)
    path = tmp_path / "3dshapes.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("images", data=images, compression="gzip")
        file.create_dataset("labels", data=few.values(few.unravel(np.arange(few.size))))
    data = load_dataset(f"shapes3d(source=archive, path={str(path)!r})")
    assert data.source == "archive"
    assert data.factor_space == few
    np.testing.assert_array_equal(data.images(np.arange(few.size)), images)
    part = load_dataset(f"shapes3d(source=archive, path={str(path)!r}, grid=(1, 2, 1, 2, 4, 1))")
    rows = few.ravel([[0, 1, 0, 0, 3, 1]])
    flat = part.factor_space.ravel([[0, 1, 0, 0, 3, 0]])
    np.testing.assert_array_equal(part.images(flat), images[rows])


def test_fields_are_checked():
    with pytest.raises(SpecError, match="only read with source=archive"):
        Shapes3D(path="3dshapes.h5")
    with pytest.raises(SpecError, match="grid keeps 5 values of shape, which has 4"):
        Shapes3D(grid=(1, 1, 1, 1, 5, 1))
