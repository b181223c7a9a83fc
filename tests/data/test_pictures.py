"""Pictures made ready for training, against plain formulas; and threads that keep the order."""

import io
import threading
import time

import numpy as np
import pytest
from PIL import Image

from reference.published import png
from reference.small_archives import jpeg, smooth
from unweave.data.files.pictures import Making, Unreadable, in_threads, picture, resized

RNG = np.random.default_rng(0)


def kernel(distance, how):
    """Weight of a pixel at a distance in pixels of the coarser of both pictures."""
    if how == "bilinear":
        return np.maximum(1 - np.abs(distance), 0)
    return np.where(np.abs(distance) < 3, np.sinc(distance) * np.sinc(distance / 3), 0)


def weights(before, after, how):
    """How much each pixel counts for each pixel of a picture of another length."""
    scale = max(before / after, 1)
    centres = (np.arange(after) + 0.5) * before / after
    table = kernel((np.arange(before) + 0.5 - centres[:, None]) / scale, how)
    return table / table.sum(axis=1, keepdims=True)


def plain(image, height, width, how):
    """A resized picture (H, W, C): rows first, rounded to bytes, then columns."""
    rows, columns = weights(image.shape[0], height, how), weights(image.shape[1], width, how)
    wide = np.clip(np.einsum("xw,hwc->hxc", columns, image.astype(float)), 0, 255)
    return np.clip(np.einsum("yh,hxc->yxc", rows, wide.round()), 0, 255)


def close(found, expected):
    """Equal but for halves that are rounded the other way."""
    apart = np.abs(found - expected)
    assert apart.max() < 1.6
    assert apart.mean() < 0.3


@pytest.mark.parametrize(
    ("shape", "side", "how"),
    [
        ((96, 96, 1), 64, "lanczos"),
        ((128, 128, 3), 64, "lanczos"),
        ((28, 28, 1), 32, "bilinear"),
    ],
)
def test_resizing_is_interpolation(shape, side, how):
    images = RNG.integers(0, 256, (3, *shape), dtype=np.uint8)
    for found, image in zip(resized(images, side, how), images, strict=True):
        close(found, plain(image, side, side, how))


def test_a_picture_is_reduced_without_a_crop():
    pixels = RNG.integers(0, 256, (218, 178, 3), dtype=np.uint8)
    found = picture(png(pixels), Making(form="PNG", size=(178, 218)))
    close(found, plain(pixels, 64, 64, "lanczos"))


@pytest.mark.parametrize("crop", [64, 127, 128, 178])
def test_a_crop_is_a_square_in_the_middle(crop):
    pixels = RNG.integers(0, 256, (218, 178, 3), dtype=np.uint8)
    found = picture(png(pixels), Making(form="PNG", size=(178, 218), crop=crop))
    top, left = (218 - crop) // 2, (178 - crop) // 2
    square = pixels[top : top + crop, left : left + crop]
    close(found, plain(square, 64, 64, "lanczos"))


def test_grey_is_a_weighted_mean_of_the_colours():
    pixels = smooth(RNG, 100, 100, 3)
    found = picture(png(pixels), Making(form="PNG", size=None, grey=True))
    small = plain(pixels, 64, 64, "lanczos")
    assert found.shape == (64, 64, 1)
    close(found[..., 0], small @ [0.299, 0.587, 0.114])


def test_pictures_of_every_mode_become_colours():
    pixels = smooth(RNG, 64, 64, 3)
    grey = Image.fromarray(pixels[..., 0])
    making = Making(form="PNG", size=(64, 64))
    np.testing.assert_array_equal(
        picture(png(np.asarray(grey)), making), np.repeat(pixels[..., :1], 3, axis=2)
    )
    opaque = np.concatenate([pixels, np.full((64, 64, 1), 255, np.uint8)], axis=2)
    np.testing.assert_array_equal(picture(png(opaque), making), pixels)


def deep(kind):
    """A grey picture of 16 bits, which has no meaning as bytes before it is scaled."""
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 1 << 16, (64, 64), dtype=np.uint16)).save(buffer, kind)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "changes", "reason"),
    [
        (deep("PNG"), {}, "a picture whose pixels are of the kind I;16"),
        (png(np.zeros((2049, 2049), np.uint8)), {"size": None}, "a picture of 2049x2049 pixels"),
        (b"", {}, "no PNG picture, but nothing"),
        (b"text", {}, "no PNG picture, but a file that begins with 74 65 78 74$"),
        (jpeg(smooth(RNG, 64, 64, 3)), {}, "no PNG picture"),
        (png(smooth(RNG, 64, 64, 3))[:-40], {}, "no PNG picture"),
        (png(smooth(RNG, 64, 65, 3)), {}, "a picture of 65x64 pixels"),
        (png(smooth(RNG, 64, 65, 3)), {"size": None}, "a picture of 65x64 pixels"),
        (png(smooth(RNG, 70, 70, 3)), {"size": None, "crop": 71}, "a picture of 70x70 pixels"),
        (jpeg(smooth(RNG, 64, 64, 3))[:-200], {"form": "JPEG"}, "no JPEG picture"),
    ],
)
def test_what_is_no_such_picture_is_said(data, changes, reason):
    making = Making(**{"form": "PNG", "size": (64, 64)} | changes)
    with pytest.raises(Unreadable, match=reason):
        picture(data, making)


def test_a_large_square_is_read():
    pixels = np.repeat(np.arange(2048, dtype=np.uint8)[:, None], 2048, axis=1)
    assert picture(png(pixels), Making(form="PNG", size=None, grey=True)).shape == (64, 64, 1)


def test_threads_keep_the_order_and_few_items():
    alive, most = 0, 0

    def items():
        nonlocal alive, most
        for item in range(50):
            alive += 1
            most = max(most, alive)
            yield item

    def work(item):
        # The first of several takes longest.
        time.sleep(0.004 if item % 4 == 0 else 0)
        return item * item

    found = []
    for result in in_threads(work, items(), ahead=7):
        alive -= 1
        found.append(result)
    assert found == [item * item for item in range(50)]
    assert most <= 8


def test_threads_end_with_an_error_and_when_nobody_asks_any_more():
    def work(item):
        if item == 5:
            raise ValueError("five")
        return item

    seen = []
    with pytest.raises(ValueError, match="five"):
        seen.extend(in_threads(work, iter(range(100)), ahead=3))
    others = set(threading.enumerate())
    results = in_threads(work, iter(range(100)), ahead=3)
    assert next(results) == 0
    began = set(threading.enumerate()) - others
    assert began
    results.close()
    for thread in began:  # Leaving does not wait for them, but they have nothing left to do.
        thread.join(timeout=60)
    assert not any(thread.is_alive() for thread in began)


def test_threads_can_be_left_by_one_of_their_own():
    left, failures = threading.Event(), []

    def work(item):
        if item == 1:
            left.wait(10)
            try:
                results.close()
            except RuntimeError as error:
                failures.append(error)
            left.clear()
        return item

    results = in_threads(work, range(9), ahead=2)
    assert next(results) == 0
    left.set()
    for _ in range(1000):
        if not left.is_set():
            break
        time.sleep(0.01)
    assert not left.is_set()
    assert failures == []
    assert list(results) == []
