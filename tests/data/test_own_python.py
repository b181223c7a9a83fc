"""Arrays, PyTorch datasets and functions, stored under a name, and what happens to names."""

import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image

import unweave
from reference.own_files import grid, pictures
from unweave.data import from_arrays, from_function, from_torch, load_dataset, parse_dataset
from unweave.errors import DataError, SpecError
from unweave.factors import Factor, FactorSpace

IMAGES = pictures(12)


def all_of(dataset):
    return dataset.images(np.arange(len(dataset)))


class Items:
    """As much of a PyTorch dataset as is asked for, which remembers what was."""

    def __init__(self, *items):
        self.items = items
        self.asked = []

    def __len__(self):
        return len(self.items)

    def __getitem__(self, index):
        self.asked.append(index)
        return self.items[index]


def test_public_names_are_those_of_the_room():
    assert unweave.from_arrays is from_arrays
    assert unweave.from_torch is from_torch
    assert unweave.from_function is from_function


def test_arrays_are_a_dataset_under_their_name(home):
    dataset = from_arrays(IMAGES, factor_sizes=(3, 4), factor_names=("a", "b"), name="mine")
    assert dataset.spec == parse_dataset("stored(key=mine)")
    assert dataset.is_grid
    assert dataset.factor_space.names == ("a", "b")
    np.testing.assert_array_equal(all_of(load_dataset("stored(key=mine)")), IMAGES)
    assert [path.name for path in (home / "data").iterdir() if path.is_dir()] == ["stored-mine"]


def test_another_process_reads_them(home):
    from_arrays(IMAGES, {"x": np.arange(12) % 5}, name="mine")
    code = (
        "import unweave; d = unweave.load_dataset('stored(key=mine)');"
        "print(len(d), d.factor_space.sizes, int(d.images([7]).sum()), d.factors([7]).tolist())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"12 (5,) {IMAGES[7].sum()} [[2]]"


def test_factors_by_name_in_a_table_or_not_at_all(home):
    rows = grid((3, 4))
    by_name = from_arrays(IMAGES, {"a": rows[:, 0], "b b": rows[:, 1]}, name="one")
    assert by_name.factor_space.names == ("a", "b_b")
    table = from_arrays(IMAGES, rows[::-1], name="two")
    assert table.factor_space.names == ("factor_0", "factor_1")
    assert not table.is_grid
    np.testing.assert_array_equal(table.factors(np.arange(12)), rows[::-1])
    assert not from_arrays(IMAGES, name="three").labelled


def test_pictures_memory_maps_and_tensors_are_taken(home, tmp_path):
    np.save(tmp_path / "images.npy", IMAGES)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    given = [Image.fromarray(image) for image in IMAGES]
    for name, images in (("map", mapped), ("list", given), ("tensor", torch.from_numpy(IMAGES))):
        np.testing.assert_array_equal(all_of(from_arrays(images, name=name)), IMAGES)
    small = all_of(from_arrays(IMAGES, name="small", size=8, colour="grey"))
    picture = Image.fromarray(IMAGES[3]).resize((8, 8), Image.Resampling.LANCZOS).convert("L")
    np.testing.assert_array_equal(small[3, ..., 0], np.asarray(picture))


def test_a_name_keeps_its_images_unless_they_may_be_overwritten(home):
    from_arrays(IMAGES, grid((3, 4)), name="mine")
    (folder,) = (path for path in (home / "data").iterdir() if path.is_dir())
    before = folder.stat().st_ino
    # The same again is found, and not written anew.
    from_arrays(IMAGES, grid((3, 4)), name="mine")
    assert folder.stat().st_ino == before
    others = (
        (IMAGES[::-1], grid((3, 4))),
        (IMAGES[:11], grid((3, 4))[:11]),
        (IMAGES[..., :1], grid((3, 4))),
        (IMAGES, grid((4, 3))),
        (IMAGES, None),
        (IMAGES, grid((3, 4))[::-1]),
    )
    for images, factors in others:
        with pytest.raises(DataError, match="'mine' is the name of 12 other images or factors"):
            from_arrays(images, factors, name="mine")
        kept = load_dataset("stored(key=mine)")
        np.testing.assert_array_equal(all_of(kept), IMAGES)
        np.testing.assert_array_equal(kept.factors(np.arange(12)), grid((3, 4)))
    for images, factors in others:
        new = from_arrays(images, factors, name="mine", overwrite=True)
        np.testing.assert_array_equal(all_of(new), images)
        assert new.labelled == (factors is not None)
        assert len(new) == new.spec.count == len(images)
    assert [path.name for path in (home / "data").iterdir() if path.is_dir()] == ["stored-mine"]


def test_what_fails_leaves_what_was_there(home):
    from_arrays(IMAGES, name="mine")
    bad = [*IMAGES[:11], IMAGES[11][:, :9]]
    with pytest.raises(
        DataError, match=r"1 of the 12 images of mine cannot be used: 11 \(the sha"
    ):
        from_arrays(bad, name="mine", overwrite=True)
    with pytest.raises(DataError, match="x must have a name of its own and one value for each"):
        from_arrays(IMAGES, {"x": [1, 2]}, name="mine", overwrite=True)
    np.testing.assert_array_equal(all_of(load_dataset("stored(key=mine)")), IMAGES)
    assert [path.name for path in (home / "data").iterdir() if path.is_dir()] == ["stored-mine"]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"images": IMAGES.transpose(0, 3, 1, 2)}, "channels, which come last, not"),
        ({"images": []}, "there is no image"),
        ({"images": ["a", "b"]}, "the first image is a str"),
        ({"images": IMAGES[..., 0] // 128}, "give white=1"),
        ({"images": IMAGES * 2.0}, "where 1 is white"),
        ({"factors": grid((3, 3))}, r"must have the shape \(12, K\)"),
        ({"factor_sizes": (3, 3)}, "a grid of 9 images, but there are 12"),
        ({"factors": grid((3, 4)), "factor_sizes": (3, 4)}, "either factors or factor_sizes"),
        ({"factors": {"x": range(12)}, "factor_names": "x"}, "leave factor_names out"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(home, given, reason):
    with pytest.raises(DataError, match=reason):
        from_arrays(**{"images": IMAGES, "name": "mine"} | given)
    with pytest.raises(DataError, match="Nothing is stored as 'mine'"):
        load_dataset("stored(key=mine)")


@pytest.mark.parametrize(
    "setting", [{"name": "a b"}, {"name": "../x"}, {"name": ""}, {"size": 0}, {"colour": "lab"}]
)
def test_settings_that_cannot_be_are_refused(home, setting):
    with pytest.raises(SpecError):
        from_arrays(IMAGES, **{"name": "mine"} | setting)
    assert not home.exists()


def test_items_of_pytorch_are_asked_for_once_in_order(home):
    tensors = torch.from_numpy(IMAGES.transpose(0, 3, 1, 2) / 255.0)
    items = Items(*zip(tensors, torch.arange(12) // 4, strict=True))
    dataset = from_torch(items, name="mine", factor_names=("digit",))
    np.testing.assert_array_equal(all_of(dataset), IMAGES)
    assert dataset.factor_space.factors == (Factor("digit", 3, (0.0, 1.0, 2.0)),)
    # The first tells what all must be like.
    assert items.asked == [0, *range(12)]
    assert not from_torch(items, name="free", labelled=False).labelled


def test_items_of_0_and_1_alone_need_to_be_told_what_is_white(home):
    dark = torch.from_numpy(IMAGES[..., 0] // 128)
    with pytest.raises(DataError, match=r"all but black: .* give white=1"):
        from_torch(Items(*dark), name="mine")
    dataset = from_torch(Items(*dark), name="mine", white=1)
    np.testing.assert_array_equal(all_of(dataset), 255 * (IMAGES[..., :1] // 128))
    assert len(from_torch(Items(*(dark == 1)), name="mine")) == 12


def test_a_dataset_of_pytorch_itself(home):
    tensors = torch.utils.data.TensorDataset(torch.from_numpy(IMAGES[..., 0]))
    dataset = from_torch(tensors, name="mine")
    np.testing.assert_array_equal(all_of(dataset), IMAGES[..., :1])
    assert not dataset.labelled


@pytest.mark.parametrize(
    "label",
    [
        lambda a, b: (a, f"w{b}"),
        lambda a, b: {"factor_0": a, "factor_1": f"w{b}"},
        lambda a, b: [torch.tensor(a), f"w{b}"],
        lambda a, b: np.array([a, f"w{b}"], dtype=object),
    ],
)
def test_labels_of_every_form(home, label):
    pairs = [
        (Image.fromarray(i), label(a, b)) for i, (a, b) in zip(IMAGES, grid((3, 4)), strict=True)
    ]
    dataset = from_torch(Items(*pairs), name="mine")
    assert dataset.is_grid
    assert dataset.factor_space.sizes == (3, 4)
    assert dataset.factor_space.factors[1].labels == ("w0", "w1", "w2", "w3")


def test_labels_that_change_their_form_are_refused(home):
    image = Image.fromarray(IMAGES[0])
    for first, second, reason in (
        ((1, 2), (1,), "image 1 has 1 labels, but the first has 2"),
        ({"a": 1}, {"b": 1}, "labels of image 1 are not of a"),
        (1, None, "factor_0 has no value in 1 of 2 rows"),
    ):
        with pytest.raises(DataError, match=reason):
            from_torch(Items((image, first), (image, second)), name="mine")
    assert list((home / "data").glob("stored*")) == []


def test_a_function_is_drawn_over_its_whole_grid_in_c_order(home):
    drawn = []

    def draw(indices):
        drawn.append(indices.tolist())
        return IMAGES[indices[0] * 4 + indices[1]]

    dataset = from_function(draw, (3, 4), name="mine", factor_names=("a", "b"))
    np.testing.assert_array_equal(all_of(dataset), IMAGES)
    assert drawn[1:] == grid((3, 4)).tolist()
    space = FactorSpace((Factor("hue", 3, (0.0, 0.3, 0.6), "circular"), Factor("x", 4)))
    dataset = from_function(draw, space, name="mine", overwrite=True)
    assert dataset.is_grid
    assert dataset.factor_space == space
    assert parse_dataset("stored(key=mine)").factor_space == space


def test_a_damaged_store_is_said_and_may_be_overwritten(home):
    from_arrays(IMAGES, name="mine")
    path = home / "data" / "stored-mine" / "images.bin"
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="bytes are expected"):
        from_arrays(IMAGES, name="mine")
    np.testing.assert_array_equal(all_of(from_arrays(IMAGES, name="mine", overwrite=True)), IMAGES)
    manifest = path.with_name("manifest.json")
    manifest.write_text("no JSON")
    with pytest.raises(DataError, match=r"manifest\.json is damaged"):
        _ = parse_dataset("stored(key=mine)").count
    with pytest.raises(DataError, match="'mine' is the name of something else"):
        from_arrays(IMAGES, name="mine")
    np.testing.assert_array_equal(all_of(from_arrays(IMAGES, name="mine", overwrite=True)), IMAGES)


def test_a_killed_writing_is_taken_up_anew(home):
    (home / "data" / ".stored-mine.new").mkdir(parents=True)
    (home / "data" / ".stored-mine.new" / "images.bin").write_bytes(b"half")
    np.testing.assert_array_equal(all_of(from_arrays(IMAGES, name="mine")), IMAGES)


def test_an_overwrite_that_was_killed_half_way_loses_nothing(home):
    from_arrays(IMAGES, name="mine")
    folder = home / "data" / "stored-mine"
    folder.rename(folder.with_name(".stored-mine.old"))
    assert parse_dataset("stored(key=mine)").count == 12
    np.testing.assert_array_equal(all_of(load_dataset("stored(key=mine)")), IMAGES)
    folder.rename(folder.with_name(".stored-mine.old"))
    with pytest.raises(DataError, match="12 other images"):
        from_arrays(IMAGES[::-1], name="mine")
    np.testing.assert_array_equal(all_of(load_dataset("stored(key=mine)")), IMAGES)


def test_factors_of_far_more_combinations_than_images(home):
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(0, 2, (60, 40)), np.arange(60)])
    images = rng.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    data = from_arrays(images, factors, name="attributes", size=4)
    assert data.factor_space.size == 60 * 2**40
    assert not data.is_grid
    np.testing.assert_array_equal(data.factors(np.arange(60)), factors)


@pytest.mark.parametrize("labelled", [True, False])
def test_items_may_be_mappings_with_an_image(home, labelled):
    rows = grid((3, 4)).tolist()
    items = [
        {"a": torch.tensor(a), "image": Image.fromarray(image), "b": b}
        if labelled
        else {"image": image}
        for image, (a, b) in zip(IMAGES, rows, strict=True)
    ]
    dataset = from_torch(Items(*items), name="mine")
    np.testing.assert_array_equal(all_of(dataset), IMAGES)
    assert dataset.labelled == labelled
    if labelled:
        assert dataset.factor_space.names == ("a", "b")
        assert dataset.is_grid


@pytest.mark.parametrize(
    ("dataset", "reason"),
    [
        (Items({"pixels": IMAGES[0]}), "first image is a mapping without 'image'; it has pixels"),
        (Items(()), "first image is an item that is empty"),
        (Items((IMAGES[0], 1), ()), r"1 of the 2 images .*: 1 \(an item that is empty\)"),
        (iter(IMAGES), "iterator has no length"),
        (5, "mine: int has no length"),
        (Items(IMAGES[0] / 127.5 - 1), r"first image is pixels from -1 to 1.*\(images \+ 1\) / 2"),
    ],
)
def test_what_is_no_dataset_of_images_is_said(home, dataset, reason):
    with pytest.raises(DataError, match=reason):
        from_torch(dataset, name="mine")
    assert not home.exists() or not list((home / "data").glob("stored-*"))


def test_what_is_no_array_or_function_is_said(home):
    with pytest.raises(DataError, match="generator has no length"):
        from_arrays((image for image in IMAGES), name="mine")
    with pytest.raises(DataError, match="render must be a function, not 5"):
        from_function(5, (3,), name="mine")
    for sizes in ("ab", {"a": 3}, (8.5, 2)):
        with pytest.raises(DataError, match="factor_sizes must be whole numbers"):
            from_function(lambda _: IMAGES[0], sizes, name="mine")
    assert not home.exists()


def test_an_error_in_the_middle_is_the_users_own_and_names_the_image(home):
    from_arrays(IMAGES, name="mine")

    def draw(indices):
        if indices[0] == 700:
            raise ZeroDivisionError("mine")
        return np.zeros((4, 4))

    with pytest.raises(ZeroDivisionError) as caught:
        from_function(draw, (1000,), name="mine", overwrite=True)
    assert caught.value.__notes__ == ["This was image 700 of 1,000 of mine. Nothing is stored."]
    np.testing.assert_array_equal(all_of(load_dataset("stored(key=mine)")), IMAGES)


def test_a_table_with_named_columns_is_taken_by_its_names(home):
    class Frame:
        """As much of a pandas DataFrame as is asked for."""

        def keys(self):
            return ["kind", "x"]

        def __getitem__(self, name):
            return np.array(list("abc") * 4) if name == "kind" else np.arange(12) // 3

    dataset = from_arrays(IMAGES, Frame(), name="mine")
    assert dataset.factor_space.names == ("kind", "x")
    assert dataset.factor_space.factors[0].labels == ("a", "b", "c")
    rows = [{"kind": f"v{index % 3}", "x": index} for index in range(12)]
    listed = from_arrays(IMAGES, rows, name="listed")
    assert (listed.factor_space.names, listed.factor_space.sizes) == (("kind", "x"), (3, 12))


def test_items_of_several_shapes_are_refused_with_what_brings_them_together(home):
    items = Items(IMAGES[0], IMAGES[1][:9], IMAGES[2][..., :1])
    with pytest.raises(DataError, match=r"2 of the 3 .*size=\.\.\. and colour=\.\.\. make them"):
        from_torch(items, name="mine")
    assert len(from_torch(items, name="mine", size=8, colour="grey")) == 3


def test_tensors_of_half_precision_are_taken(home):
    tensors = torch.tensor([0.0, 0.5, 1.0]).reshape(3, 1, 1, 1).expand(3, 1, 5, 5)
    for name, kind in (("half", torch.float16), ("brain", torch.bfloat16)):
        for given in (from_torch(Items(*tensors.to(kind)), name=name),
                      from_arrays(tensors.to(kind)[:, 0], name=f"{name}s")):  # fmt: skip
            assert given.images([0, 1, 2])[:, 0, 0, 0].tolist() == [0, 128, 255]
