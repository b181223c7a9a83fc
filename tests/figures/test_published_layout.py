"""The published pictures of disentangling-vae come out again, pixel by pixel."""

from __future__ import annotations

import os
import random
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

import unweave
from session.runs import RICH_IMAGES, lines, rich
from unweave.errors import SpecError
from unweave.figures import Look, draw
from unweave.figures.decoded import disvae_noise
from unweave.plots import Animation, save

REFERENCE = Path(os.environ.get("UNWEAVE_REFERENCE", "")) / "disentangling-vae" / "VAE_mnist"
PUBLISHED = {"layout": "disvae", "rows": 10, "cols": 10, "start": "posterior", "labels": True}


def cut(picture, side=32):
    """Tiles of a published grid, (n, side, side, 3)."""
    rows, cols = ((size - 2) // (side + 2) for size in picture.shape[:2])
    tops, lefts = ([2 + k * (side + 2) for k in range(n)] for n in (rows, cols))
    return np.stack([picture[y : y + side, x : x + side] for y in tops for x in lefts])


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    """The imported run, its data samples as a dataset, and the pictures."""
    if not (REFERENCE / "data_samples.png").is_file():
        pytest.skip("UNWEAVE_REFERENCE names no folder with the files of disentangling-vae")
    pictures = {
        path.stem: np.asarray(Image.open(path).convert("RGB")) for path in REFERENCE.glob("*.png")
    }
    folder = tmp_path_factory.mktemp("published") / "run"
    run = unweave.import_run(REFERENCE / "model.pt", out=folder)
    data = unweave.from_arrays(cut(pictures["data_samples"])[..., :1], name="tiles")
    return run, data, pictures


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        ("data_samples", "data_samples"),
        ("samples", "samples"),
        ("reconstructions", "reconstruct"),
        ("traversals", "posterior_traversals"),
        ("reconstruct_traverse", "reconstruct_traverse"),
    ],
)
def test_published_pictures_come_out_again(published, kind, name):
    run, data, pictures = published
    # Its images are named one by one, since they are few of the 60,000.
    look = Look(**PUBLISHED, indices=tuple(range(100)), seed=1234)
    made = draw(kind, run.folder, run.config, run.model, data, run.step, look)
    golden = pictures[name]
    assert made.shape == golden.shape
    assert np.abs(made.astype(int) - golden).max() <= 1
    # Where rounding is right, hardly any pixel is another.
    assert (made != golden).mean() < 1e-4


def test_its_words_are_those_of_the_published_picture(published):
    run, data, pictures = published
    look = Look(**PUBLISHED, indices=tuple(range(100)))
    made = draw("reconstruct_traverse", run.folder, run.config, run.model, data, run.step, look)
    np.testing.assert_array_equal(made[:, -100:], pictures["reconstruct_traverse"][:, -100:])


@pytest.fixture(scope="module")
def run():
    return unweave.load_run(rich())


def drawn(run, kind, **changes):
    look = Look(**{"layout": "disvae", **changes})
    return draw(kind, run.folder, run.config, run.model, run.dataset, run.step, look)


def pasted(tiles, columns, shade, pad=2):
    """Images (n, H, W) pasted one by one, with Pillow."""
    height, width = tiles[0].shape
    rows = -(-len(tiles) // columns)
    size = (columns * (width + pad) + pad, rows * (height + pad) + pad)
    sheet = Image.new("L", size, shade)
    for place, image in enumerate(tiles):
        row, column = divmod(place, columns)
        at = (pad + column * (width + pad), pad + row * (height + pad))
        sheet.paste(Image.fromarray(np.asarray(image, np.uint8)), at)
    return np.asarray(sheet.convert("RGB"))


def chosen(count, *first, seed=3):
    """What the published code draws, with the generator of the standard library."""
    return [*first, *random.Random(seed).sample(range(RICH_IMAGES), count - len(first))]


def decoded(run, codes, *, truncate):
    levels = 255 * run.decode(np.asarray(codes, np.float32))[..., 0]
    return np.floor(levels if truncate else levels + 0.5)


def order(run):
    kl = lines(run.folder, "train")[-1]["kl"]
    return sorted(range(4), key=lambda j: -kl[j]), kl


def assert_near(made, expected):
    assert made.shape == expected.shape
    assert np.abs(made.astype(int) - expected).max() <= 1
    assert (made != expected).mean() < 1e-3


def test_dsprites_indices_are_those_of_the_published_pictures():
    # The first ones drawn with seed 1234 of 737,280 images, three of them named.
    drawn = random.Random(1234).sample(range(737_280), 97)
    assert drawn[:5] == [462141, 122526, 7855, 95046, 610509]
    assert drawn[-3:] == [404942, 366574, 519943]


def test_images_are_drawn_in_one_lot_for_all_pictures(run):
    flat = chosen(42, 5, 9)
    images = run.dataset.images(np.array(flat))[..., 0]
    made = drawn(run, "data_samples", indices=(5, 9))
    np.testing.assert_array_equal(made, pasted(images, 7, 255))
    above, below = images[:21], decoded(run, run.encode(images[:21, ..., None])[0], truncate=True)
    assert_near(drawn(run, "reconstructions", indices=(5, 9)), pasted([*above, *below], 7, 255))


@pytest.mark.parametrize(
    ("start", "far", "values"),
    [
        ("prior", 1.5, lambda mean, std: np.linspace(-1.5, 1.5, 5)),
        ("posterior", 1.5, lambda mean, std: np.linspace(-1.5, 1.5, 5)),
        # Its quantiles, which are wrong: from + to -, and around 0 rather than the mean.
        ("prior", 0.475, lambda mean, std: np.linspace(1.959964, -1.959964, 5)),
        (
            "posterior",
            0.3,
            lambda mean, std: np.linspace(-(mean - 0.8416212 * std), mean - 0.8416212 * std, 5),
        ),
    ],
)
def test_rows_are_walks_in_the_order_of_the_kl(run, start, far, values):
    image = run.dataset.images(np.array([7]))
    mean, logvar = run.encode(image)
    mean, std = (mean[0], np.exp(logvar[0] / 2)) if start == "posterior" else (np.zeros(4), 1)
    latents, _ = order(run)
    codes = []
    for latent in latents[:3]:
        spread = std[latent] if start == "posterior" else 1.0
        for value in values(mean[latent], spread):
            code = mean.copy()
            code[latent] = value
            codes.append(code)
    look = {"start": start, "range": far, "rows": 3, "cols": 5, "indices": (7,)}
    made = drawn(run, "traversals", **look, upsample=2)
    tiles = decoded(run, codes, truncate=True).repeat(2, axis=1).repeat(2, axis=2)
    assert_near(made, pasted(tiles, 5, 255))


def test_reconstructions_stand_over_traversals_with_words_beside(run):
    look = {"rows": 3, "cols": 5, "labels": True, "seed": 8}
    made = drawn(run, "reconstruct_traverse", **look)
    images = run.dataset.images(np.array(chosen(15, seed=8)[:5]))
    latents, kl = order(run)
    codes = np.zeros((3, 5, 4))
    for row, latent in enumerate(latents[:3]):
        codes[row, :, latent] = np.linspace(-2, 2, 5)
    pairs = [*images[..., 0], *decoded(run, run.encode(images)[0], truncate=False)]
    grids = [pasted(pairs, 5, 255)]
    grids.append(pasted(decoded(run, codes.reshape(15, 4), truncate=False), 5, 255))
    whole = np.concatenate(grids)
    sheet = Image.new("RGB", (whole.shape[1] + 100, len(whole)), (255, 255, 255))
    sheet.paste(Image.fromarray(whole), (0, 0))
    words = ["orig", "recon", *(f"KL={kl[j]:.4f}" for j in latents[:3])]
    for number, word in enumerate(words):
        at = (whole.shape[1] + 0.005, int((number + 0.5) / 5 * len(whole)))
        font = ImageFont.load_default_imagefont()
        ImageDraw.Draw(sheet).text(at, word, (0, 0, 0), font=font)
    assert_near(made, np.asarray(sheet))
    assert made.shape == (5 * 66 + 4, 5 * 66 + 2 + 100, 3)
    # Without words there is no column for them.
    plain = drawn(run, "reconstruct_traverse", rows=3, cols=5, seed=8)
    np.testing.assert_array_equal(plain, made[:, :-100])


def test_the_moving_picture_has_its_sizes_and_times(run, tmp_path):
    made = drawn(run, "gif_traversals", rows=3, cols=5, indices=(7,))
    assert isinstance(made, Animation)
    flat = chosen(15, 7)[:5]
    means = run.encode(run.dataset.images(np.array(flat)))[0]
    latents, _ = order(run)
    for frame in (0, 4, 14):
        codes = []
        for latent in latents[:3]:
            for mean in means:
                code = mean.copy()
                code[latent] = np.linspace(-2, 2, 15)[frame]
                codes.append(code)
        grid = pasted(decoded(run, codes, truncate=False), 5, 255)
        wide = np.pad(grid, ((0, 0), (0, 2), (0, 0)), constant_values=255)
        assert_near(made.frames[frame], wide)
    path = save(made, tmp_path / "walk.gif")
    with Image.open(path) as picture:
        assert picture.size == (5 * 66 + 4, 3 * 66 + 2)
        assert picture.n_frames == 15
        assert picture.info["duration"] == 80
        assert picture.info["loop"] == 65535


def test_the_published_noise_is_that_of_a_program_that_makes_the_model():
    torch.manual_seed(1234)
    layers = [torch.nn.Conv2d(1, 3, 4), torch.nn.Linear(5, 2), torch.nn.ConvTranspose2d(3, 1, 4)]
    for layer in layers:
        torch.nn.init.kaiming_uniform_(layer.weight, nonlinearity="relu")
    expected = torch.randn(20, 7).numpy()
    model = torch.nn.Sequential(*layers)
    model.latents = 7
    np.testing.assert_array_equal(disvae_noise(model, 20, 1234), expected)


def test_reconstructions_need_two_halves(run):
    with pytest.raises(SpecError, match="rows must be even, not 5"):
        drawn(run, "reconstructions", rows=5)
