"""A folder of images: their order, their factors by a CSV, what is wrong with either."""

import os
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from reference.own_files import grid, pictures, write_folder, write_table
from unweave.data import load_dataset, parse_dataset
from unweave.errors import DataError, SpecError

IMAGES = pictures(12)


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    return folder


def text(place, size=16, **fields):
    given = "".join(f", {key}={value!r}" for key, value in fields.items())
    return f"folder(path={str(place)!r}, size={size}{given})"


def all_of(dataset):
    return dataset.images(np.arange(len(dataset)))


def test_images_are_in_the_order_of_their_names_whatever_lies_beside_them(place, home):
    names = write_folder(place, IMAGES[:4], ["b.png", "a/z.PNG", "a/c.png", "d.png"])
    assert names
    (place / "notes.txt").write_text("no image")
    write_folder(place, IMAGES[4:6], [".hidden.png", ".git/e.png"])
    dataset = load_dataset(text(place))
    np.testing.assert_array_equal(all_of(dataset), IMAGES[[2, 1, 0, 3]])
    assert not dataset.labelled
    assert not dataset.is_grid
    assert dataset.source == "own"
    with pytest.raises(DataError, match=r"The factors of folder.* are not known"):
        _ = dataset.factor_space


def test_pictures_that_are_stored_already_are_not_read(place, home, begins_anywhere):
    write_folder(place, IMAGES)
    begins_anywhere(parse_dataset(text(place)))


def test_colours_sizes_and_shapes_are_those_that_are_asked_for(place, home):
    write_folder(place, [IMAGES[0][:, :10], IMAGES[1]])
    dataset = load_dataset(text(place, 8, colour="grey", fit="pad", background=200))
    assert dataset.image_shape == dataset.spec.image_shape == (8, 8, 1)
    small = Image.fromarray(IMAGES[0][:, :10]).resize((5, 8), Image.Resampling.LANCZOS)
    padded = np.full((8, 8), 200, np.uint8)
    padded[:, 1:6] = np.asarray(small.convert("L"))
    np.testing.assert_array_equal(dataset.images([0])[0, ..., 0], padded)


def test_the_order_of_a_csv_is_that_of_its_rows_and_a_grid_is_one(place, home):
    names = write_folder(place, IMAGES)
    order = np.random.default_rng(0).permutation(12)
    rows = [(names[i], f"v{a}", b / 2) for i, (a, b) in zip(order, grid((3, 4)), strict=True)]
    write_table(place / "factors.csv", ("file", "kind", "size in cm"), rows)
    dataset = load_dataset(text(place, factors="factors.csv"))
    np.testing.assert_array_equal(all_of(dataset), IMAGES[order])
    assert dataset.is_grid
    assert dataset.spec.full_grid
    kind, size = dataset.factor_space.factors
    assert (kind.name, kind.kind, kind.labels) == ("kind", "categorical", ("v0", "v1", "v2"))
    assert (size.name, size.kind, size.values) == ("size_in_cm", "ordinal", (0.0, 0.5, 1.0, 1.5))
    # Again from the store, in what could be another process.
    assert load_dataset(text(place, factors="factors.csv")).factor_space == dataset.factor_space


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_rows_in_any_other_order_or_number_are_no_grid(place, home, mark):
    names = write_folder(place, IMAGES)
    values = grid((3, 4))[::-1].tolist()
    rows = [(*value, name) for name, value in zip(names, values, strict=True)]
    write_table(place / "own.csv", ("a", "b", "file"), rows, mark)
    dataset = load_dataset(text(place, factors="own.csv"))
    assert not dataset.is_grid
    assert not dataset.spec.full_grid
    np.testing.assert_array_equal(dataset.factors(np.arange(12)), values)
    np.testing.assert_array_equal(dataset.find([[0, 0], [2, 3]]), [11, 0])
    chosen = load_dataset(text(place, factors="own.csv", columns=("b",)))
    assert chosen.factor_space.names == ("b",)


def test_continuous_columns_get_intervals_and_keep_exact_values(place, home):
    count = 50
    names = write_folder(place, pictures(count))
    x = np.random.default_rng(0).normal(size=count)
    table = zip(names, x.tolist(), (np.arange(count) / 4 % 3).tolist(), strict=True)
    write_table(place / "f.csv", ("file", "x", "y"), list(table))
    dataset = load_dataset(text(place, factors="f.csv", bins=5))
    first, second = dataset.factor_space.factors
    edges = np.linspace(x.min(), x.max(), 6)
    expected = [min(int(np.searchsorted(edges, value, "right")) - 1, 4) for value in x]
    assert dataset.factors(np.arange(count))[:, 0].tolist() == expected
    np.testing.assert_allclose(first.values, (edges[1:] + edges[:-1]) / 2)
    # Few values of a column with fractions are values, not intervals.
    assert second.values == tuple(np.arange(12) / 4)
    again = load_dataset(text(place, factors="f.csv", bins=5))
    np.testing.assert_array_equal(again.values(np.arange(count))[:, 0], x)
    np.testing.assert_array_equal(again.values(np.arange(count))[:, 1], np.arange(count) / 4 % 3)


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ([("000.png", 1)], "has no row for 2 of the 3 images in .*: 001.png, 002.png"),
        (
            [(f"{i:03d}.png", i) for i in range(5)],
            "names 2 files that are not images in .*: 003.png, 004.png",
        ),
        ([("000.png", 1)] * 3, "has 000.png more than once"),
        ([(f"{i:03d}.png", "" if i else 3) for i in range(3)], "x has no value in 2 of 3 rows"),
        ([("000.png", 1), ("001.png",)], "line 3 has 1 cells, but the first has 2"),
    ],
)
def test_tables_that_do_not_fit_are_refused_before_anything_is_stored(place, home, rows, reason):
    write_folder(place, IMAGES[:3])
    write_table(place / "factors.csv", ("file", "x"), rows)
    with pytest.raises(DataError, match=reason):
        load_dataset(text(place, factors="factors.csv"))
    assert not home.exists()


def test_files_and_columns_that_are_not_there_are_named(place, home):
    with pytest.raises(DataError, match="photos has no image: files are looked for"):
        load_dataset(text(place))
    write_folder(place, IMAGES[:3])
    with pytest.raises(DataError, match="nowhere does not exist"):
        load_dataset(text(place.parent / "nowhere"))
    with pytest.raises(DataError, match=r"000.png is a file; folder\(path=...\) takes a folder"):
        load_dataset(text(place / "000.png"))
    with pytest.raises(DataError, match=r"photos/no\.csv does not exist"):
        load_dataset(text(place, factors="no.csv"))
    write_table(place / "f.csv", ("file", "width"), [(f"{i:03d}.png", i) for i in range(3)])
    with pytest.raises(SpecError, match=r"has no column 'wdth'. Did you mean width\?"):
        load_dataset(text(place, factors="f.csv", columns=("wdth",)))
    with pytest.raises(SpecError, match="columns are those of a CSV"):
        parse_dataset(text(place, columns=("width",)))
    assert not home.exists()


def test_all_unreadable_images_are_named_and_nothing_is_stored(place, home):
    names = write_folder(place, np.concatenate([IMAGES, IMAGES]))
    for index, name in enumerate(names[3:17]):
        path = place / name
        path.write_bytes(b"no picture" if index % 2 else path.read_bytes()[:-300])
    told = []
    with pytest.raises(DataError) as caught:
        load_dataset(text(place), progress=lambda *values: told.append(values))
    message = str(caught.value)
    assert message.startswith(f"14 of the 24 images in {place} cannot be read: 003.png (")
    assert [name for name in names if name in message] == names[3:13]
    assert "; and 4 more. Mend them, or take them out" in message
    assert told[-1] == ("reading images", 24, 24)
    assert not home.exists()
    write_folder(place, IMAGES)
    for name in names[12:]:
        (place / name).unlink()
    assert len(load_dataset(text(place))) == 12


@pytest.mark.parametrize("change", ["other image", "one more", "one less", "table"])
def test_a_folder_that_has_changed_is_noticed(place, home, change):
    names = write_folder(place, IMAGES)
    rows = [(name, index) for index, name in enumerate(names)]
    write_table(place / "f.csv", ("file", "x"), rows)
    spec = parse_dataset(text(place, factors="f.csv"))
    assert not spec.ready()
    spec.open()
    spec.verify()
    assert spec.ready()
    if change == "other image":
        write_folder(place, IMAGES[:1], names[3:4])
    elif change == "one more":
        write_folder(place, IMAGES[:1], ["z.png"])
    elif change == "one less":
        (place / names[0]).unlink()
    else:
        write_table(place / "f.csv", ("file", "x"), [(name, 11 - i) for name, i in rows])
    with pytest.raises(
        DataError, match="have changed since their images were stored in"
    ) as caught:
        spec.open()
    assert str(spec.folder()) in str(caught.value)
    with pytest.raises(DataError, match="have changed"):
        spec.verify()


def test_an_image_changed_in_place_in_a_folder_within_is_noticed(place, home):
    write_folder(place, IMAGES[:2], ["a/b/c.png", "d.png"])
    spec = parse_dataset(text(place))
    spec.open()
    image, within = place / "a" / "b" / "c.png", place / "a" / "b"
    before, times = image.stat(), within.stat()
    # As long as before, and the folder's own times are those of before.
    data = bytearray(image.read_bytes())
    data[-20] ^= 1
    image.write_bytes(data)
    os.utime(image, ns=(before.st_atime_ns, before.st_mtime_ns + 1000))
    os.utime(within, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert image.stat().st_size == before.st_size
    with pytest.raises(DataError, match="have changed since"):
        spec.open()


def test_a_folder_that_changes_while_it_is_read_is_not_stored(place, home):
    write_folder(place, IMAGES)
    spec = parse_dataset(text(place))
    with pytest.raises(DataError, match="were changed while they were read"):
        spec.open(lambda *values: write_folder(place, IMAGES[:1], ["new.png"]))
    assert not spec.ready()
    assert len(spec.open()) == 13


def test_a_store_is_enough_when_the_folder_is_gone(place, home):
    names = write_folder(place, IMAGES)
    write_table(place / "f.csv", ("file", "x"), [(name, i) for i, name in enumerate(names)])
    spec = parse_dataset(text(place, factors="f.csv"))
    before = spec.open()
    place.rename(place.with_name("elsewhere"))
    again = spec.open()
    np.testing.assert_array_equal(all_of(again), all_of(before))
    assert (spec.count, spec.full_grid) == (12, True)
    assert spec.factor_space == before.factor_space


def test_a_relative_path_means_the_same_folder_from_anywhere(place, home, monkeypatch):
    write_folder(place, IMAGES)
    monkeypatch.chdir(place.parent)
    spec = parse_dataset("folder(path=photos, size=16)")
    stored = spec.folder()
    spec.open()
    monkeypatch.chdir(place)
    assert parse_dataset("folder(path='../photos', size=16)").folder() == stored
    assert parse_dataset("folder(path='../photos', size=8)").folder() != stored
    assert parse_dataset("folder(path='../photos', size=16)").ready()


def test_links_that_lead_nowhere_are_named_and_links_to_folders_passed_over(place, home):
    write_folder(place, IMAGES[:2])
    (place / "loop").symlink_to(place)
    assert len(load_dataset(text(place))) == 2
    (place / "lost.png").symlink_to(place / "nowhere.png")
    with pytest.raises(DataError, match="have changed since"):
        load_dataset(text(place))
    with pytest.raises(DataError, match=r"1 of the 3 images in .* cannot be read: lost.png \("):
        load_dataset(text(place, colour="grey"))


@pytest.mark.parametrize("path", ["no\0path", "~nobody-of-this-name/photos", "", " "])
def test_what_is_no_path_is_said(home, path):
    with pytest.raises(DataError, match="is no path"):
        load_dataset(f"folder(path={path!r})")


@pytest.mark.parametrize("path", ["no\0path", "~nobody-of-this-name/f.csv", ""])
def test_what_is_no_path_of_a_table_is_said(place, home, path):
    write_folder(place, IMAGES[:2])
    with pytest.raises(DataError, match="is no path"):
        load_dataset(text(place, factors=path))


def test_parts_of_a_folder_follow_what_is_in_it(place, home):
    names = write_folder(place, IMAGES)
    rows = [(name, index % 3) for index, name in enumerate(names)]
    write_table(place / "f.csv", ("file", "x"), rows)
    whole = text(place, factors="f.csv")
    load_dataset(whole)
    part = load_dataset(f"only(data={whole}, where='x == 1')")
    np.testing.assert_array_equal(all_of(part), IMAGES[1::3])
    free = load_dataset(f"subset(data={text(place)}, images=5)")
    assert (len(free), free.labelled) == (5, False)


def names_of(count):
    return [f"{index:03d}.png" for index in range(count)]


def factors_of(place, data, count=12, **fields):
    """What a CSV of these bytes says of so many images."""
    write_folder(place, IMAGES[:count])
    (place / "f.csv").write_bytes(data)
    return load_dataset(text(place, factors="f.csv", **fields))


@pytest.mark.parametrize(
    ("code", "newline"), [("utf-8-sig", "\n"), ("utf-16", "\r\n"), ("utf-16-le", "\n")]
)
def test_tables_as_spreadsheets_write_them_are_read(place, home, code, newline):
    lines = [
        "File;größe;Ort;",
        *(f"{n};{i / 8:.3f};a\u2028b;" for i, n in enumerate(names_of(12))),
    ]
    mark = "\ufeff" if code.endswith("le") else ""
    data = (mark + newline.join(lines).replace(".125", ",125").replace(".", ",")).replace(
        ",png", ".png"
    )
    dataset = factors_of(place, data.encode(code))
    size, where = dataset.factor_space.factors
    assert (size.name, size.kind, size.values) == ("größe", "ordinal", tuple(np.arange(12) / 8))
    assert where.labels == ("a\u2028b",)


def test_the_column_of_files_is_known_by_its_name_wherever_it_stands(place, home):
    rows = [f"{index % 3},{name}" for index, name in enumerate(names_of(12))]
    dataset = factors_of(place, "\n".join(["x,Filename", *rows]).encode())
    assert dataset.factor_space.names == ("x",)
    assert dataset.factors([4]).tolist() == [[1]]


def test_quoted_cells_may_have_marks_and_line_breaks(place, home):
    rows = [f'"{name}", "a;\n{index % 2}", {index}' for index, name in enumerate(names_of(12))]
    dataset = factors_of(place, "\n".join(['"file", "x; y", z', *rows]).encode())
    assert dataset.factor_space.names == ("x__y", "z")
    assert dataset.factor_space.factors[0].labels == ("a;\n0", "a;\n1")


@pytest.mark.parametrize("gone", ["NA", "n/a", "None", "NULL", "-", "?"])
def test_numbers_with_a_few_words_for_nothing_are_no_texts(place, home, gone):
    rows = [
        f"{name},{gone if index == 4 else index / 7}" for index, name in enumerate(names_of(12))
    ]
    with pytest.raises(DataError, match="x has no value in 1 of 12 rows; the first is row 4, whi"):
        factors_of(place, "\n".join(["file,x", *rows]).encode())
    assert not home.exists()
    # A column of texts may have such words.
    rows = [f"{name},{gone if index == 4 else 'hat'}" for index, name in enumerate(names_of(12))]
    (factor,) = factors_of(place, "\n".join(["file,x", *rows]).encode()).factor_space.factors
    assert set(factor.labels) == {gone, "hat"}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("file,größe\n000.png,1".encode("latin-1"), "f.csv is no text in UTF-8: .* Save it as"),
        (b"file,x\n000.png," + b"a" * 200_000, "f.csv cannot be read: line 2"),
        (b"file,x\n\n\n000.png", "line 4 has 1 cells, but the first has 2"),
        (b"000.png,1\n001.png,2\n", "f.csv has no line of names: it begins with 000.png, which"),
        (b"file,x\n", "must have a line of names, .* and a line for each image"),
        (b",file,x\n0,000.png,3", "a name of its own, .* not '', file, x"),
        (b"file,x\nphotos/000.png,3", r"that folder; photos/000\.png may be 000\.png\."),
        (b"file,x\n000,3", r"names 1 files that .*: 000\. .*; 000 may be 000\.png\."),
    ],
)
def test_tables_of_other_forms_are_refused_with_what_to_mend(place, home, data, reason):
    with pytest.raises(DataError, match=reason):
        factors_of(place, data, count=2)
    assert not home.exists()


def test_a_file_that_stands_twice_is_found_soon_in_a_long_table(place, home):
    write_folder(place, IMAGES[:1])
    names = [f"{index}.png,1" for index in range(60_000)]
    (place / "long.csv").write_text("\n".join(["file,x", *names, names[7]]))
    begun = time.process_time()
    with pytest.raises(DataError, match=r"has 7\.png more than once"):
        load_dataset(text(place, factors="long.csv"))
    assert time.process_time() - begun < 5


def test_more_combinations_than_can_be_counted_are_refused_with_a_way_out(place, home):
    rng = np.random.default_rng(0)
    count = 50
    names = write_folder(place, pictures(count))
    rows = [
        (name, *row) for name, row in zip(names, rng.random((count, 22)).tolist(), strict=True)
    ]
    write_table(place / "f.csv", ("file", *(f"c{i}" for i in range(22))), rows)
    with pytest.raises(DataError, match=r"f\.csv: .*22 factors .* fewer columns, or fewer bins"):
        load_dataset(text(place, factors="f.csv"))
    assert load_dataset(text(place, factors="f.csv", bins=2)).factor_space.size == 2**22


def test_names_of_any_bytes_are_read(place, home):
    write_folder(place, IMAGES[:1])
    try:
        (place / "000.png").rename(os.fsdecode(os.fsencode(place) + b"/\xff\xfe.png"))
    except OSError:
        pytest.skip("this file system has names of Unicode alone")
    assert len(load_dataset(text(place))) == 1
    Path(os.fsdecode(os.fsencode(place) + b"/\xff.png")).write_bytes(b"no picture")
    with pytest.raises(DataError, match="cannot be read") as caught:
        load_dataset(text(place, colour="grey"))
    str(caught.value).encode()


def test_names_are_the_same_however_their_accents_are_written(place, home):
    composed = unicodedata.normalize("NFC", "é.png")
    apart = unicodedata.normalize("NFD", "é.png")
    write_folder(place, IMAGES[:2], [apart, "z.png"])
    write_table(place / "f.csv", ("file", "x"), [("z.png", 1), (composed, 0)])
    dataset = load_dataset(text(place, factors="f.csv"))
    np.testing.assert_array_equal(all_of(dataset), IMAGES[[1, 0]])
    write_table(place / "t.csv", ("file", "x"), [("z.png", 1), (composed, 0), (apart, 0)])
    with pytest.raises(DataError, match=r"t\.csv has .*\.png more than once"):
        load_dataset(text(place, factors="t.csv"))
