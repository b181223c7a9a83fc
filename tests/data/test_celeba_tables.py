"""Tables and photographs of CelebA as other programs leave them, and as they should not be."""

import io
import resource
import sys

import numpy as np
import pytest
from PIL import Image

from reference.published import png
from reference.small_archives import (
    attribute_table,
    few_faces,
    jpeg,
    smooth,
    write_faces,
    write_zip,
)
from unweave.data import load_dataset, with_file
from unweave.data.files import celeba
from unweave.errors import DataError

COUNT = 12
RNG = np.random.default_rng(0)
FILES = [jpeg(pixels) for pixels in smooth(RNG, COUNT, 218, 178, 3)]
TABLE = RNG.integers(0, 2, (COUNT, 40))
PEOPLE = [2880, 2937, 1, 10_177, 5, 5, 7, 8, 9, 10, 2880, 3]
TEXT = attribute_table(TABLE)
IDENTITIES = "".join(f"{row + 1:06}.jpg {who}\n" for row, who in enumerate(PEOPLE))


@pytest.fixture(autouse=True)
def few(monkeypatch):
    few_faces(monkeypatch, COUNT)


def test_the_published_numbers(monkeypatch):
    monkeypatch.undo()
    assert (celeba.IMAGES, celeba.IDENTITIES, len(celeba.ATTRIBUTES)) == (202_599, 10_177, 40)
    assert celeba.SIZE == (178, 218)


FORMS = {
    "as published": lambda text: text.encode(),
    "line ends of Windows": lambda text: text.replace("\n", "\r\n").encode(),
    "line ends of old Macs": lambda text: text.replace("\n", "\r").encode(),
    "a mark at the beginning": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "mark and line ends": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "tabs": lambda text: text.replace(" ", "\t").encode(),
    "more spaces": lambda text: text.replace(" ", "   ").replace("\n", "  \n").encode(),
    "empty lines": lambda text: ("\n" + text.replace("\n", "\n\n") + "\n\n").encode(),
    "no last line end": lambda text: text.rstrip("\n").encode(),
    "as csv": lambda text: (
        "image_id," + text.partition("\n")[2].replace("  ", " ").replace(" ", ",")
    ).encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_attributes_in_other_forms(tmp_path, form):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_bytes(FORMS[form](TEXT))
    np.testing.assert_array_equal(celeba.read_attributes(path), TABLE)


@pytest.mark.parametrize("form", [form for form in FORMS if form != "as csv"])
@pytest.mark.parametrize("title", ["", "image_id identity\n"])
def test_identities_in_other_forms(tmp_path, form, title):
    path = tmp_path / "identity_CelebA.txt"
    path.write_bytes(FORMS[form](title + IDENTITIES))
    np.testing.assert_array_equal(celeba.read_identities(path) + 1, PEOPLE)


LINES = TEXT.splitlines(keepends=True)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: found nothing; expected the 40 names of the attributes"),
        (b"\n\n", "line 1: found nothing; expected the 40 names"),
        (b"12\n", "line 2: found nothing; expected the 40 names"),
        (TEXT.replace("12", "12,000", 1).encode(), "line 1: found 000; expected the 40 names"),
        (TEXT.replace("12", "12000", 1).encode(), "line 1: found 12000 rows; expected 12"),
        (TEXT.encode("utf-16"), r"line 1: found '"),
        (b"\0" * 10_000, "line 1: found 4096 characters or more; expected a table"),
        (b"PK\3\4" + bytes(range(256)) * 9, r"line 1: found 'PK\x03\x04"),
        ("".join([*LINES[:2], LINES[2], *LINES[2:]]).encode(), "line 4: found 000001.jpg"),
        ("".join([*LINES[:5], *LINES[6:]]).encode(), "line 6: found 000005.jpg; expected 000004"),
        (
            "".join([*LINES[:5], "\n", *LINES[6:]]).encode(),
            "line 7: found 000005.jpg; expected 00",
        ),
        (TEXT.replace("000003.jpg", "000003.png").encode(), "line 5: found 000003.png; expected"),
        (TEXT.replace("000003.jpg", '"000003.jpg"').encode(), 'line 5: found "000003.jpg"; exp'),
        ("".join([*LINES[:4], LINES[4].strip() + " 1\n"]).encode(), "line 5: found 41 numbers"),
        (attribute_table(TABLE).replace("-1", "0").encode(), "found 0; expected -1 or 1"),
        (TEXT.replace(" -1", " -1.0").encode(), "found -1.0; expected -1 or 1"),
    ],
)
def test_other_attributes_are_refused(tmp_path, content, words):
    path = tmp_path / "list_attr_celeba.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        celeba.read_attributes(path)
    text = str(caught.value)
    assert text.startswith(f"{path}: ")
    assert words in text
    assert text.isprintable()
    assert "give the folder they lie in with path=" in text


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "line 1: found the end after 0 rows; expected 12 rows"),
        (b"image_id,identity\n", "line 2: found the end after 0 rows; expected 12 rows"),
        (IDENTITIES.replace(" 2937", " 2937.0").encode(), "line 2: found 2937.0; expected 1 to"),
        (IDENTITIES.replace(" 2937", " ").encode(), "line 2: found 0 numbers"),
        (IDENTITIES.replace(" 2937", " " + "9" * 4000).encode(), "line 2: found 9999"),
        (b"9" * 10_000, "line 1: found 4096 characters or more"),
    ],
)
def test_other_identities_are_refused(tmp_path, content, words):
    path = tmp_path / "identity_CelebA.txt"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        celeba.read_identities(path)
    assert words in str(caught.value)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is told in kilobytes")
def test_a_table_without_line_ends_fills_no_memory(tmp_path):
    path = tmp_path / "list_attr_celeba.txt"
    with path.open("wb") as file:
        file.truncate(3 << 30)  # Takes no room on the disk.
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for read in (celeba.read_attributes, celeba.read_identities):
        with pytest.raises(DataError, match="line 1: found 4096 characters or more"):
            read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


def saved(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


def shown(home, tmp_path, content):
    """The first photograph where it is this one, as it is read."""
    write_faces(tmp_path, [content, *FILES[1:]], TABLE)
    return load_dataset(f"celeba(path={str(tmp_path)!r})").images([0])[0]


def plain(content):
    image = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(image.resize((64, 64), Image.Resampling.LANCZOS))


PIXELS = smooth(RNG, 218, 178, 3)


def test_colours_of_other_kinds_become_those_of_screens(home, tmp_path):
    image = Image.fromarray(PIXELS)
    found = shown(home, tmp_path, saved(image.convert("CMYK")))
    assert np.abs(found.astype(int) - plain(jpeg(PIXELS))).mean() < 4
    grey = saved(image.convert("L"))
    (tmp_path / "grey").mkdir()
    np.testing.assert_array_equal(shown(home, tmp_path / "grey", grey), plain(grey))


def test_a_note_that_it_should_be_turned_is_passed_over(home, tmp_path):
    # The published photographs are upright as they are stored.
    exif = Image.Exif()
    exif[0x0112] = 6
    content = saved(Image.fromarray(PIXELS), exif=exif.tobytes())
    np.testing.assert_array_equal(shown(home, tmp_path, content), plain(content))


def header(width, height):
    """A JPEG that says it is this large, with nothing behind."""
    content = bytearray(saved(Image.new("RGB", (16, 16))))
    place = content.index(b"\xff\xc0")
    content[place + 5 : place + 9] = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return bytes(content)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (png(PIXELS), "found no JPEG picture, but a file that begins with 89 50 4e 47; expected"),
        (b"", "found no JPEG picture, but nothing; expected a JPEG picture of 178x218"),
        (b"<html>", "found no JPEG picture, but a file that begins with 3c 68 74 6d"),
        (FILES[0][: len(FILES[0]) // 2], "found no JPEG picture ("),
        (header(9000, 9000), "found a picture of 9000x9000 pixels; expected"),
        (header(10_000, 10_000), "pi"),  # Pillow warns of it, which may count as an error.
        (header(65_500, 65_500), "found no JPEG picture (Image size"),
        (FILES[0] + b"\0" * (1 << 24), "000001.jpg in it has more than 16,777,216 bytes"),
    ],
)
def test_other_pictures_are_refused(home, tmp_path, content, words):
    write_faces(tmp_path, [content, *FILES[1:]], TABLE)
    with pytest.raises(DataError) as caught:
        with_file("celeba", tmp_path).open()
    text = str(caught.value)
    assert text.startswith(str(tmp_path / "img_align_celeba.zip"))
    assert words in text
    assert "object at" not in text
    assert "000001.jpg" in text
    assert not [path for path in home.rglob("*") if path.suffix != ".lock" and path.is_file()]


def test_a_name_twice_in_a_zip(home, tmp_path):
    write_faces(tmp_path, FILES, TABLE)
    members = [(f"{row + 1:06}.jpg", data) for row, data in enumerate(FILES)]
    with pytest.warns(UserWarning, match="Duplicate name"):
        write_zip(tmp_path / "img_align_celeba.zip", [*members, members[4]])
    with pytest.raises(DataError, match=r"found 000005\.jpg and 000005\.jpg; expected each of"):
        with_file("celeba", tmp_path).open()
