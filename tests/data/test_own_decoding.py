"""Pictures of every kind as bytes: modes of Pillow, arrays and tensors, sizes and shapes."""

import io
import struct
import zlib

import numpy as np
import pytest
import torch
from PIL import Image

from unweave.data.own.decoding import Unusable, of_array, of_picture, pixels_of
from unweave.data.own.fitting import Fitting

RNG = np.random.default_rng(0)
RGB = RNG.integers(0, 256, (6, 9, 3), dtype=np.uint8)
GREY = RNG.integers(0, 256, (6, 9), dtype=np.uint8)


def reopened(image, form="PNG", **options):
    """A picture as it is read from a file."""
    stream = io.BytesIO()
    image.save(stream, form, **options)
    return Image.open(io.BytesIO(stream.getvalue()))


def test_colours_and_greys_stay_as_they_are():
    np.testing.assert_array_equal(of_picture(reopened(Image.fromarray(RGB))), RGB)
    np.testing.assert_array_equal(of_picture(reopened(Image.fromarray(GREY)))[..., 0], GREY)


@pytest.mark.parametrize(
    ("orientation", "turned"),
    [
        (1, RGB),
        (2, RGB[:, ::-1]),
        (3, RGB[::-1, ::-1]),
        (4, RGB[::-1]),
        (5, RGB.transpose(1, 0, 2)),
        (6, np.rot90(RGB, -1)),
        (7, RGB[::-1, ::-1].transpose(1, 0, 2)),
        (8, np.rot90(RGB)),
    ],
)
def test_pictures_are_turned_as_their_exif_orientation_says(orientation, turned):
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = reopened(Image.fromarray(RGB), exif=exif)
    np.testing.assert_array_equal(of_picture(picture), turned)


def test_transparent_pixels_show_the_background():
    alpha = np.array([0, 51, 255] * 18, np.uint8).reshape(6, 9, 1)
    picture = reopened(Image.fromarray(np.dstack([RGB, alpha])))
    share = alpha / 255
    for background in (0, 200):
        mixed = RGB * share + background * (1 - share)
        np.testing.assert_array_equal(of_picture(picture, background), np.floor(mixed + 0.5))


def test_palettes_become_colours_also_transparent_ones():
    colours = [(255, 0, 0), (0, 128, 0), (10, 20, 30)]
    picture = Image.fromarray((GREY % 3).astype(np.uint8)).convert("P")
    picture.putpalette([part for colour in colours for part in colour])
    expected = np.array(colours, np.uint8)[GREY % 3]
    np.testing.assert_array_equal(of_picture(reopened(picture)), expected)
    expected[GREY % 3 == 1] = 77
    see_through = reopened(picture, transparency=1)
    np.testing.assert_array_equal(of_picture(see_through, 77), expected)


def test_16_bit_greys_are_scaled_and_not_cut_off():
    deep = np.array([[0, 128, 129, 256, 257, 32768, 65534, 65535]], np.uint16)
    picture = reopened(Image.fromarray(deep))
    expected = np.floor(deep / 65535 * 255 + 0.5)
    np.testing.assert_array_equal(of_picture(picture)[..., 0], expected)
    np.testing.assert_array_equal(pixels_of(deep)[..., 0], expected)


def test_16_bit_colours_lose_their_lower_bytes():
    deep = RNG.integers(0, 65536, (5, 7, 3)).astype(">u2")

    def chunk(kind, data):
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    rows = b"".join(b"\0" + row.tobytes() for row in deep)
    header = struct.pack(">IIBBBBB", 7, 5, 16, 2, 0, 0, 0)
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    data += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    np.testing.assert_array_equal(of_picture(Image.open(io.BytesIO(data))), deep >> 8)


def test_of_an_animation_the_first_frame_counts():
    frames = [Image.fromarray(np.full((4, 4), tone, np.uint8)) for tone in (10, 200, 90)]
    picture = reopened(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert picture.n_frames == 3
    np.testing.assert_array_equal(np.unique(of_picture(picture)), [10])


def test_other_modes_are_converted():
    cmyk = Image.fromarray(RGB).convert("CMYK")
    np.testing.assert_array_equal(of_picture(cmyk), np.asarray(cmyk.convert("RGB")))
    bits = Image.fromarray(GREY > 99)
    assert bits.mode == "1"
    np.testing.assert_array_equal(of_picture(bits)[..., 0], 255 * (GREY > 99))
    fractions = Image.fromarray((GREY / 255).astype(np.float32))
    np.testing.assert_array_equal(of_picture(fractions)[..., 0], GREY)
    with pytest.raises(Unusable, match=r"pixels from .* to 300, where 1 is white"):
        of_picture(Image.fromarray(np.full((2, 2), 300, np.float32)))


@pytest.mark.parametrize("kind", ["numpy", "tensor", "gradient", "bfloat16"])
def test_arrays_and_tensors_have_channels_last_or_first(kind):
    pixels = (RGB // 128 * 255).astype(np.uint8)
    for array in (pixels, pixels.transpose(2, 0, 1)):
        given = array
        if kind != "numpy":
            given = torch.from_numpy(array / 255.0)
            given = given.requires_grad_() if kind == "gradient" else given
            given = given.bfloat16() if kind == "bfloat16" else given
        np.testing.assert_array_equal(pixels_of(given), pixels)


@pytest.mark.parametrize(
    ("array", "white", "expected"),
    [
        (np.array([0.0, 0.5, 1.0]), None, [0, 128, 255]),
        (np.array([0.0, 1.0, 2.0]), 2, [0, 128, 255]),
        (np.array([False, True]), None, [0, 255]),
        (np.array([0, 1], np.uint8), 1, [0, 255]),
        (np.array([0, 7, 255]), None, [0, 7, 255]),
    ],
)
def test_white_is_what_the_type_says_or_what_is_given(array, white, expected):
    assert of_array(array[:, None], 0, white)[:, 0].tolist() == expected


@pytest.mark.parametrize(
    "item", ["text", None, [], np.zeros(3), np.zeros((2, 5, 7)), np.zeros((2, 2), complex)]
)
def test_what_is_no_picture_is_refused(item):
    with pytest.raises(Unusable):
        Fitting().one(item)


@pytest.mark.parametrize("array", [[-0.1], [1.5], [np.nan], [np.inf]])
def test_numbers_that_are_no_pixels_are_refused(array):
    reason = "where 1 is white" if np.isfinite(array[0]) else "pixels that are not finite"
    with pytest.raises(Unusable, match=reason):
        of_array(np.array([array]))


WIDE = RNG.integers(0, 256, (20, 31, 3), dtype=np.uint8)


def test_stretch_is_lanczos_of_the_whole():
    expected = Image.fromarray(WIDE).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(Fitting(size=8, fit="stretch").one(WIDE), np.asarray(expected))


def test_crop_keeps_the_square_in_the_middle():
    even = WIDE[:, :30]
    expected = Image.fromarray(even[:, 5:25]).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(Fitting(size=8).one(even), np.asarray(expected))
    tall = even.transpose(1, 0, 2)
    expected = Image.fromarray(tall[5:25]).resize((8, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(Fitting(size=8).one(tall), np.asarray(expected))
    # No resampling where the square has the size already.
    np.testing.assert_array_equal(Fitting(size=20).one(even), even[:, 5:25])


def test_pad_fills_both_sides_evenly():
    image = Fitting(size=16, fit="pad", background=9).one(WIDE[:10, :20])
    inner = Image.fromarray(WIDE[:10, :20]).resize((16, 8), Image.Resampling.LANCZOS)
    np.testing.assert_array_equal(image[4:12], np.asarray(inner))
    assert (image[:4] == 9).all()
    assert (image[12:] == 9).all()
    line = Fitting(size=4, fit="pad").one(np.full((1, 100), 255, np.uint8))
    assert line.shape == (4, 4, 1)
    assert line.max() == 255


def test_blocks_of_arrays_are_their_images_one_by_one():
    images = RNG.random((5, 12, 7, 4))
    for fitting in (Fitting(), Fitting(size=6, colour="hsv"), Fitting(size=6, colour="grey")):
        one_by_one = np.stack([fitting.one(image) for image in images])
        np.testing.assert_array_equal(fitting.block(images), one_by_one)
        assert one_by_one.shape[1:] == fitting.shape(images.shape[1:])
