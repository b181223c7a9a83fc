"""dSprites in colour, in noise, over a picture and without its shape, against slow oracles."""

from typing import ClassVar, final

import numpy as np
import pytest
from PIL import Image

from reference import splitmix
from unweave.data import StoredSpec, load_dataset, parse_dataset
from unweave.data.render.backdrop import COLUMNS, ROWS, backdrop
from unweave.errors import DataError, SpecError
from unweave.factors import FactorIndexError

SMALL = "dsprites(grid=(3, 2, 4, 4, 4))"
OVERLAID = ("color_dsprites", "noisy_dsprites", "scream_dsprites")


@final
class Grey(StoredSpec):
    """Two grey images without factors."""

    name: ClassVar[str] = "grey_for_test_overlaid"
    listed: ClassVar[bool] = False
    labelled: ClassVar[bool] = False
    count: ClassVar[int] = 2
    image_shape: ClassVar[tuple[int, int, int]] = (4, 6, 1)
    source: ClassVar[str] = "own"
    encoding: ClassVar[str] = "bytes"

    def encoded_blocks(self, first, details, progress):
        yield np.full((2, 24), 100, dtype=np.uint8)


def load(name, **fields):
    given = "".join(f", {key}={value!r}" for key, value in fields.items())
    return load_dataset(f"{name}(data={SMALL}{given})")


def numbers(seed, purpose, image, count):
    """Draws between 0 and 1 of one image."""
    return [(word >> 11) / 2**53 for word in splitmix.draws(seed, purpose, image, count)]


def slow_color(mask, image, seed):
    color = [0.5 + draw / 2 for draw in numbers(seed, "sprite color", image, 3)]
    return np.array([[[pixel * c for c in color] for pixel in row] for row in mask])


def slow_noise(mask, image, seed):
    words = splitmix.draws(seed, "background noise", image, 3 * mask.size // 8)
    noise = [(words[place // 8] >> 8 * (place % 8) & 255) / 255 for place in range(3 * mask.size)]
    result = np.empty((*mask.shape, 3))
    for (row, column), pixel in np.ndenumerate(mask):
        for channel in range(3):
            place = (row * mask.shape[1] + column) * 3 + channel
            result[row, column, channel] = min(pixel + noise[place], 1)
    return result


def slow_scream(mask, image, seed, picture):
    draws = numbers(seed, "background part", image, 5)
    top = int(draws[0] * (picture.shape[0] - mask.shape[0]))
    left = int(draws[1] * (picture.shape[1] - mask.shape[1]))
    result = np.empty((*mask.shape, 3))
    for (row, column), pixel in np.ndenumerate(mask):
        for channel in range(3):
            part = picture[top + row, left + column, channel] / 255
            background = (part + draws[2 + channel]) / 2
            result[row, column, channel] = 1 - background if pixel else background
    return result


@pytest.mark.parametrize("seed", [0, 11])
@pytest.mark.parametrize("name", OVERLAID)
def test_images_are_those_of_the_slow_oracle(name, seed):
    data, masks = load(name, seed=seed), load_dataset(SMALL)
    flat = np.array([383, 0, 77, 200, 77])
    images = data.images(flat)
    assert images.shape == (5, 64, 64, 3)
    for row, image in enumerate(flat.tolist()):
        mask = masks.images([image])[0, :, :, 0] // 255
        if name == "color_dsprites":
            expected = slow_color(mask, image, seed)
        elif name == "noisy_dsprites":
            expected = slow_noise(mask, image, seed)
        else:
            expected = slow_scream(mask, image, seed, backdrop())
        assert abs(images[row] - 255 * expected).max() <= 0.5 + 1e-9


@pytest.mark.parametrize("name", [*OVERLAID, "dsprites_noshape"])
def test_another_seed_is_another_draw_and_has_another_fingerprint(name):
    first, second = load(name), load(name, seed=1)
    flat = np.arange(len(first))
    assert first.store.fingerprint() != second.store.fingerprint()
    assert first.store.fingerprint() == load(name, seed=0).store.fingerprint()
    assert first.store.fingerprint() != load_dataset(SMALL).store.fingerprint()
    differ = (first.images(flat) != second.images(flat)).reshape(len(flat), -1).any(axis=1)
    # Of three shapes two draws agree in a third of the images.
    assert differ.mean() > (0.5 if name == "dsprites_noshape" else 0.99)


@pytest.mark.parametrize("name", OVERLAID)
def test_factors_are_those_underneath(name):
    data, base = load(name), load_dataset(SMALL)
    assert data.is_grid
    assert data.factor_space == base.factor_space == data.spec.factor_space
    assert data.source == "rendered"
    assert data.spec.folder() is None
    assert str(data.spec) == f"{name}(data={SMALL})"
    assert parse_dataset(name).count == 737_280
    with pytest.raises(FactorIndexError):
        data.images([len(data)])


def test_colors_are_uniform_and_tell_nothing_of_the_factors():
    data = load_dataset("color_dsprites(data=dsprites(grid=(3, 6, 5, 6, 6)))")
    flat = np.arange(len(data))
    images = data.images(flat).reshape(len(data), -1, 3)
    colors = images.max(axis=1) / 255
    # A sprite has one colour, and the rest is black.
    levels = (images > 0).sum(axis=1)
    np.testing.assert_allclose(images.sum(axis=1), levels * images.max(axis=1).astype(int))
    errors = (colors.mean(axis=0) - 0.75) / np.sqrt(1 / 48 / len(data))
    assert abs(errors).max() < 5
    np.testing.assert_allclose(colors.var(axis=0), 1 / 48, rtol=0.1)
    assert colors.min() >= 127 / 255
    factors = data.factors(flat)
    table = np.corrcoef(np.concatenate([colors, factors], axis=1).T)[:3]
    table[:, :3] -= np.eye(3)
    assert abs(table).max() < 5 / np.sqrt(len(data))


def test_noise_is_uniform_around_white_sprites():
    data, masks = load("noisy_dsprites"), load_dataset(SMALL)
    flat = np.arange(len(data))
    images, sprites = data.images(flat), masks.images(flat)[..., 0] > 0
    assert (images[sprites] == 255).all()
    counts = np.bincount(images[~sprites].ravel(), minlength=256)
    mean = counts.mean()
    assert abs(((counts - mean) ** 2 / mean).sum() - 255) < 5 * np.sqrt(2 * 255)


def test_parts_of_a_picture_come_from_every_place_alike(tmp_path):
    # 66 by 67 pixels leave 2 by 3 places, told apart by trying them all.
    picture = np.random.default_rng(0).integers(0, 256, (66, 67, 3), dtype=np.uint8)
    Image.fromarray(picture).save(tmp_path / "noise.png")
    data, masks = load("scream_dsprites", picture=str(tmp_path / "noise.png")), load_dataset(SMALL)
    flat = np.arange(len(data))
    backgrounds = data.images(flat).astype(float)
    sprites = masks.images(flat) > 0
    backgrounds = np.where(sprites, 255 - backgrounds, backgrounds)
    spreads = np.empty((len(data), 2, 3))
    for top in range(2):
        for left in range(3):
            tints = 2 * backgrounds - picture[top : top + 64, left : left + 64]
            spreads[:, top, left] = np.ptp(tints, axis=(1, 2)).max(axis=1)
    # At the right place what remains is one colour, but for rounding.
    places = spreads.reshape(len(data), 6)
    assert (places.min(axis=1) <= 1).all()
    assert (np.sort(places, axis=1)[:, 1] > 100).all()
    counts = np.bincount(places.argmin(axis=1), minlength=6)
    mean = counts.mean()
    assert ((counts - mean) ** 2 / mean).sum() < 25


def test_a_picture_is_shrunk_in_proportion(tmp_path):
    rng = np.random.default_rng(0)
    for size, fitted in (((700, 548), (350, 274)), ((300, 1096), (75, 274)), ((90, 80), (90, 80))):
        picture = Image.fromarray(rng.integers(0, 256, (size[1], size[0], 3), dtype=np.uint8))
        picture.save(tmp_path / "picture.png")
        spec = parse_dataset(f"scream_dsprites(picture={str(tmp_path / 'picture.png')!r})")
        found = spec.added()
        assert found.shape == (fitted[1], fitted[0], 3)
        expected = np.array(picture.resize(fitted, Image.Resampling.LANCZOS))
        np.testing.assert_array_equal(found, expected)


def test_a_grey_picture_with_holes_becomes_colours(tmp_path):
    Image.new("LA", (80, 70), (90, 0)).save(tmp_path / "grey.png")
    found = parse_dataset(f"scream_dsprites(picture={str(tmp_path / 'grey.png')!r})").added()
    assert found.shape == (70, 80, 3)
    assert (found == 90).all()


def test_a_picture_that_cannot_serve_is_refused_before_any_work(home, tmp_path):
    (tmp_path / "words.png").write_text("no picture")
    Image.new("RGB", (64, 300)).save(tmp_path / "narrow.png")
    for name, reason in (
        ("missing.png", "cannot be read: .*No such file"),
        ("words.png", "cannot be read: cannot identify"),
        ("narrow.png", "too small .* it is 58 wide and 274 high"),
    ):
        spec = parse_dataset(f"scream_dsprites(picture={str(tmp_path / name)!r})")
        for way in (spec.check_loadable, spec.open):
            with pytest.raises(DataError, match=reason) as caught:
                way()
            assert "leave picture out" in str(caught.value)
        assert not spec.ready()
    assert not home.exists()


def test_the_picture_is_part_of_the_fingerprint(tmp_path):
    path = tmp_path / "picture.png"
    prints = {load("scream_dsprites").store.fingerprint()}
    for shade in (10, 200):
        Image.new("RGB", (70, 70), (shade, 0, 0)).save(path)
        prints.add(load("scream_dsprites", picture=str(path)).store.fingerprint())
    assert len(prints) == 3


def test_our_own_picture_is_large_colourful_and_unlike_from_place_to_place():
    picture = backdrop()
    assert picture.shape == (ROWS, COLUMNS, 3) == (274, 350, 3)
    assert (picture.reshape(-1, 3).std(axis=0) > 20).all()
    # Frozen: raise REVISION when the picture changes.
    assert picture.mean(axis=(0, 1)).round(1).tolist() == [139.3, 99.6, 72.5]
    corners = np.stack(
        [
            picture[top : top + 64, left : left + 64].mean(axis=(0, 1))
            for top in (0, 200)
            for left in (0, 280)
        ]
    )
    distances = abs(corners[:, None] - corners).max(axis=2)
    assert (distances[~np.eye(4, dtype=bool)] > 5).all()


def test_images_underneath_must_be_black_and_white(home):
    with pytest.raises(SpecError, match=r"celeba have 3: write color_dsprites alone"):
        parse_dataset("color_dsprites(data=celeba)")
    with pytest.raises(DataError, match="those of grey_for_test_overlaid are kept as shades"):
        parse_dataset("noisy_dsprites(data=grey_for_test_overlaid)").open()


def test_datasets_nest():
    data = load_dataset(f"noisy_dsprites(data=dsprites_noshape(data={SMALL}))")
    assert data.factor_space.names == ("scale", "orientation", "pos_x", "pos_y")
    base = load("dsprites_noshape")
    sprites = base.images(np.arange(len(base))) > 0
    assert (data.images(np.arange(len(data)))[sprites[..., 0]] == 255).all()


# Without the shape.


def test_each_image_without_shape_is_one_of_three():
    data, base = load("dsprites_noshape"), load_dataset(SMALL)
    assert data.is_grid
    assert len(data) == data.spec.count == len(base) // 3
    assert parse_dataset("dsprites_noshape").count == 245_760
    assert parse_dataset("dsprites_noshape").factor_space.names == (
        "scale",
        "orientation",
        "pos_x",
        "pos_y",
    )
    flat = np.arange(len(data))
    for image, factors in zip(data.images(flat), data.factors(flat).tolist(), strict=True):
        index = factors[0] * 64 + factors[1] * 16 + factors[2] * 4 + factors[3]
        draw = numbers(0, "hidden shape", index, 1)[0]
        expected = base.find([[int(draw * 3), *factors]])
        np.testing.assert_array_equal(image, base.images(expected)[0])


def test_shapes_are_drawn_alike_and_tell_nothing_of_the_factors():
    text = "dsprites(grid=(3, 6, 10, 10, 10))"
    data, base = load_dataset(f"dsprites_noshape(data={text})"), load_dataset(text)
    flat = np.arange(len(data))
    images = data.images(flat)
    shown = np.empty(len(data), dtype=int)
    for shape in range(3):
        same = base.images(flat + shape * len(data)) == images
        shown[same.reshape(len(data), -1).all(axis=1)] = shape
    for column, size in enumerate(data.factor_space.sizes):
        values = data.factors(flat)[:, column]
        counts = np.zeros((size, 3))
        np.add.at(counts, (values, shown), 1)
        expected = counts.sum(axis=1, keepdims=True) / 3
        degrees = 2 * size
        statistic = ((counts - expected) ** 2 / expected).sum()
        assert abs(statistic - degrees) < 5 * np.sqrt(2 * degrees)


def test_without_the_shape_images_keep_their_odds_among_each_other():
    text = f"correlated(data={SMALL}, pairs=((scale, pos_x),))"
    data, base = load_dataset(f"dsprites_noshape(data={text})"), load_dataset(text)
    factors = data.factors(np.arange(len(data)))
    shapes = [int(numbers(0, "hidden shape", row, 1)[0] * 3) for row in range(len(data))]
    kept = base.weights[base.find(np.insert(factors, 0, shapes, axis=1))]
    np.testing.assert_allclose(data.weights, kept / kept.sum(), rtol=1e-12)
    assert data.weights.max() > 2 * data.weights.min()
    assert load("dsprites_noshape").weights is None


def test_without_a_shape_to_leave_out_it_is_refused():
    with pytest.raises(SpecError, match="but dsprites_noshape has scale"):
        parse_dataset("dsprites_noshape(data=dsprites_noshape)")
    with pytest.raises(SpecError, match="grey_for_test_overlaid has no known factors"):
        parse_dataset("dsprites_noshape(data=grey_for_test_overlaid)")
    with pytest.raises(SpecError, match=r"subset\(.*\) is no full grid: write data=dsprites"):
        parse_dataset("dsprites_noshape(data=subset(data=dsprites, images=100))")
