"""The published files of CelebA: read as they are, and refused when they are anything else."""

import io

import numpy as np
import pytest
from PIL import Image

from reference.published import png
from reference.small_archives import (
    ATTRIBUTES,
    attribute_table,
    few_faces,
    jpeg,
    smooth,
    write_faces,
    write_zip,
)
from unweave.data import load_dataset, parse_dataset, with_file
from unweave.data.files.celeba import ATTRIBUTES as NAMES
from unweave.errors import DataError

COUNT = 12
RNG = np.random.default_rng(0)
FILES = [jpeg(pixels) for pixels in smooth(RNG, COUNT, 218, 178, 3)]
TABLE = RNG.integers(0, 2, (COUNT, 40))
PEOPLE = [2880, 2937, 1, 10_177, 5, 5, 7, 8, 9, 10, 2880, 3]


@pytest.fixture(autouse=True)
def few(monkeypatch):
    few_faces(monkeypatch, COUNT)


@pytest.fixture
def published(tmp_path):
    return write_faces(tmp_path, FILES, TABLE, PEOPLE)


def small(content, crop=None):
    image = Image.open(io.BytesIO(content))
    assert image.size == (178, 218)
    if crop:
        left, top = (178 - crop) // 2, (218 - crop) // 2
        image = image.crop((left, top, left + crop, top + crop))
    return np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS))


def test_the_whole_dataset(monkeypatch):
    monkeypatch.undo()
    spec = parse_dataset("celeba")
    assert (spec.count, spec.image_shape, spec.full_grid) == (202_599, (64, 64, 3), False)
    space = spec.factor_space
    assert len(space.factors) == 40
    assert {(factor.size, factor.kind) for factor in space.factors} == {(2, "categorical")}
    published = [name.lower() for name in ATTRIBUTES.split()]
    assert list(space.names[1:]) == published[1:]
    assert space.names[0] == "five_o_clock_shadow"
    with_people = parse_dataset("celeba(identity=True)").factor_space
    assert with_people.names == (*space.names, "identity")
    assert with_people.sizes[-1] == 10_177
    assert parse_dataset("celeba(attributes=False, identity=True)").factor_space.sizes == (10_177,)
    bare = parse_dataset("celeba(attributes=False)")
    assert not bare.labelled
    with pytest.raises(DataError, match=r"factors of celeba.* are not known"):
        _ = bare.factor_space


@pytest.mark.parametrize("crop", [None, 128, 148])
def test_images_and_attributes(home, published, crop):
    data = load_dataset(f"celeba(path={str(published)!r}, crop={crop})")
    images = [small(content, crop) for content in FILES]
    np.testing.assert_array_equal(data.images(np.arange(COUNT)), images)
    np.testing.assert_array_equal(data.factors(np.arange(COUNT)), TABLE)
    assert not data.is_grid


def test_photographs_that_are_stored_already_are_not_read(home, published, begins_anywhere):
    begins_anywhere(parse_dataset(f"celeba(path={str(published)!r})"))


def test_identities(home, published):
    data = load_dataset(f"celeba(path={str(published)!r}, identity=True)")
    factors = data.factors(np.arange(COUNT))
    np.testing.assert_array_equal(factors[:, :40], TABLE)
    np.testing.assert_array_equal(factors[:, 40] + 1, PEOPLE)
    alone = load_dataset(f"celeba(path={str(published)!r}, identity=True, attributes=False)")
    np.testing.assert_array_equal(alone.factors(np.arange(COUNT))[:, 0] + 1, PEOPLE)


def test_identities_as_csv(home, published):
    path = published / "identity_CelebA.txt"
    rows = path.read_text().replace(" ", ",")
    path.with_suffix(".csv").write_text(f"image_id,identity\n{rows}")
    path.unlink()
    data = load_dataset(f"celeba(path={str(published)!r}, identity=True, attributes=False)")
    np.testing.assert_array_equal(data.factors(np.arange(COUNT))[:, 0] + 1, PEOPLE)


def test_images_without_tables(home, tmp_path):
    write_faces(tmp_path, FILES, TABLE)
    (tmp_path / "list_attr_celeba.txt").unlink()
    data = load_dataset(f"celeba(path={str(tmp_path)!r}, attributes=False)")
    np.testing.assert_array_equal(data.images([3])[0], small(FILES[3]))
    assert not data.labelled


def loose(folder, order=range(COUNT)):
    folder.mkdir(parents=True)
    for row in order:
        (folder / f"{row + 1:06}.jpg").write_bytes(FILES[row])


def arranged(kind, top):
    """The files in an arrangement that is found elsewhere; what is to be given as the path."""
    table = top / "list_attr_celeba.txt"
    if kind == "zip":
        return write_faces(top, FILES, TABLE) / "img_align_celeba.zip"
    if kind == "table":
        write_faces(top, FILES, TABLE)
        return table
    if kind == "folder of photographs":
        loose(top / "img_align_celeba", order=reversed(range(COUNT)))
        table.write_text(attribute_table(TABLE))
        return top / "img_align_celeba"
    if kind == "csv, nested":
        loose(top / "img_align_celeba" / "img_align_celeba")
        table.with_suffix(".csv").write_text(attribute_table(TABLE, "csv"))
        return top
    if kind == "publisher's folders":
        (top / "Img").mkdir()
        (top / "Anno").mkdir()
        write_faces(top / "Img", FILES, TABLE)
        (top / "Img" / table.name).rename(top / "Anno" / table.name)
        return top
    if kind == "zip in publisher's folders":
        return arranged("publisher's folders", top) / "Img" / "img_align_celeba.zip"
    # As torchvision arranges them.
    loose(top / "celeba" / "img_align_celeba")
    (top / "celeba" / table.name).write_text(attribute_table(TABLE))
    return top


@pytest.mark.parametrize(
    "kind",
    [
        "zip",
        "table",
        "folder of photographs",
        "csv, nested",
        "publisher's folders",
        "zip in publisher's folders",
        "a subfolder",
    ],
)
def test_arrangements(home, tmp_path, kind):
    data = with_file("celeba", arranged(kind, tmp_path)).open()
    np.testing.assert_array_equal(
        data.images(np.arange(COUNT)), [small(content) for content in FILES]
    )
    np.testing.assert_array_equal(data.factors(np.arange(COUNT)), TABLE)


def test_terms_come_first(home):
    spec = parse_dataset("celeba")
    with pytest.raises(DataError) as caught:
        spec.check_loadable()
    for words in (
        "Accept the terms at https://mmlab.ie.cuhk.edu.hk/projects/CelebA.html",
        "fetch img_align_celeba.zip, list_attr_celeba.txt from",
        "unweave data prepare celeba --from FOLDER",
    ):
        assert words in str(caught.value)


def test_a_missing_table_is_named(home, tmp_path):
    write_faces(tmp_path, FILES, TABLE)
    with pytest.raises(DataError, match=r"identity_CelebA\.txt does not exist"):
        load_dataset(f"celeba(path={str(tmp_path)!r}, identity=True)")


def refused(home, folder, reason, name, text="celeba(path={}, identity=True)"):
    with pytest.raises(DataError, match=reason) as caught:
        load_dataset(text.format(repr(str(folder))))
    assert str(folder / name) in str(caught.value)
    assert list(home.rglob("*")) == []


def without(row):
    return [content for place, content in enumerate(FILES) if place != row]


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"000012.jpg": None}, r"found 11 photographs, and not 000012\.jpg; expected 12"),
        ({"000003.jpg": None}, r"found 11 photographs, and not 000003\.jpg; expected 12"),
        ({"000013.jpg": FILES[0]}, r"found img_align_celeba/000013\.jpg; expected each of"),
        ({"x/000002.jpg": FILES[0]}, r"x/000002\.jpg and img_align_celeba/000002\.jpg; expected"),
        ({"000005.jpg": FILES[0][:-300]}, r"000005\.jpg: found no JPEG picture \("),
        ({"000005.jpg": b""}, r"000005\.jpg: found no JPEG picture"),
        ({"000005.jpg": png(np.zeros((218, 178, 3), np.uint8))}, r"000005\.jpg: found no JPEG"),
        (
            {"000005.jpg": jpeg(np.zeros((178, 218, 3), np.uint8))},
            r"000005\.jpg: found a picture of 218x178 pixels; expected a JPEG picture of 178x218",
        ),
    ],
)
def test_other_photographs_are_refused(home, published, members, reason):
    content = {f"{row + 1:06}.jpg": data for row, data in enumerate(FILES)} | members
    write_zip(
        published / "img_align_celeba.zip",
        [(f"img_align_celeba/{name}", data) for name, data in content.items() if data is not None],
    )
    refused(home, published, reason, "img_align_celeba.zip")


@pytest.mark.parametrize("share", [0, 0.5, 0.999])
def test_a_zip_that_is_cut_is_refused(home, published, share):
    path = published / "img_align_celeba.zip"
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    refused(home, published, "is damaged or not a zip or tar file", path.name)


GOOD = attribute_table(TABLE).splitlines(keepends=True)
CSV = attribute_table(TABLE, "csv").splitlines(keepends=True)


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        ([], "line 1: found nothing; expected the 40 names"),
        (["11\n", *GOOD[1:]], "line 1: found 11 rows; expected 12"),
        ([GOOD[0], GOOD[1].replace("Bald", "Hairy"), *GOOD[2:]], "line 2: found Hairy; expected"),
        (
            [GOOD[0], GOOD[1].replace("Bald Bangs", "Bangs Bald"), *GOOD[2:]],
            "line 2: found others or in another order",
        ),
        (GOOD[:-1], "line 14: found the end after 11 rows; expected 12 rows"),
        ([*GOOD, GOOD[-1]], "line 15: found another row; expected 12 rows"),
        (
            [*GOOD[:4], GOOD[5], GOOD[4], *GOOD[6:]],
            r"line 5: found 000004\.jpg; expected 000003\.jpg",
        ),
        ([*GOOD[:4], "000003.jpg -1 1\n", *GOOD[5:]], "line 5: found 2 numbers .*; expected 40"),
        ([*GOOD[:4], GOOD[4].replace("-1", " 0", 1), *GOOD[5:]], "line 5: found 0; expected -1"),
        ([CSV[0].replace("Male", "Female"), *CSV[1:]], "line 1: found Female; expected the 40"),
        ([*CSV[:4], CSV[5], *CSV[5:]], r"line 5: found 000005\.jpg; expected 000004\.jpg"),
    ],
)
def test_other_tables_of_attributes_are_refused(home, published, lines, reason):
    (published / "list_attr_celeba.txt").write_text("".join(lines))
    refused(home, published, reason, "list_attr_celeba.txt")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("000002.jpg 2937", "000002.jpg 0", "line 2: found 0; expected 1 to 10177"),
        ("000002.jpg 2937", "000002.jpg 10178", "line 2: found 10178; expected 1 to 10177"),
        ("000002.jpg 2937", "000002.jpg -5", "line 2: found -5; expected 1 to 10177"),
        ("000002.jpg 2937", "000002.jpg", "line 2: found 0 numbers after the name; expected 1"),
        ("000002.jpg 2937\n", "", r"line 2: found 000003\.jpg; expected 000002\.jpg"),
    ],
)
def test_other_tables_of_identities_are_refused(home, published, old, new, reason):
    path = published / "identity_CelebA.txt"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    refused(home, published, reason, path.name)


def test_names_of_attributes_are_good_names():
    assert len(set(NAMES)) == 40
    assert all(name.isidentifier() for name in NAMES)
