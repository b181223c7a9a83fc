"""The page of datasets says what they are, and needs nothing else."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from matplotlib.image import imread

import unweave
from plots.rendered import find
from reference.published import PUBLISHED
from reference.small_archives import SMALL_ARCHIVES
from report.pages import Page
from unweave.data import Dataset
from unweave.report import write_datasets
from unweave.splits import keyed_generator

GRID = "dsprites(grid=(3, 2, 4, 8, 8))"
FREE = "sprites(images=300, bins=4)"
SEVERAL = ["circles", FREE, GRID]


def page_of(texts, path, **given):
    datasets = [unweave.load_dataset(text) for text in texts]
    return Page(write_datasets(datasets, path, **given).read_text(encoding="utf-8"))


def inside(page):
    """The pictures of a page, (H, W, 3) uint8."""
    found = []
    for one in page.all("img"):
        data = base64.b64decode(one["src"].removeprefix("data:image/png;base64,"))
        found.append(np.uint8(255 * imread(io.BytesIO(data)))[..., :3])
    return found


@pytest.fixture(scope="module")
def of_a_grid(tmp_path_factory):
    """The file of the page of one dataset."""
    path = tmp_path_factory.mktemp("grid") / "page.html"
    page_of([GRID], path)
    return path


@pytest.fixture(scope="module")
def of_several(tmp_path_factory):
    """The page of three datasets with a note."""
    path = tmp_path_factory.mktemp("several") / "page.html"
    return page_of(SEVERAL, path, notes=["Some are <small>."])


def test_a_grid_has_a_table_images_and_bars_of_one_height(of_a_grid):
    page = Page(of_a_grid.read_text(encoding="utf-8"))
    words = page.words
    assert words.count(f"{GRID} ") == 1, "a single dataset is named in one heading"
    assert page.sections.keys() == {"Images", "How often each value occurs"}
    assert "1,536 images of 64x64x1 rendered" in words
    assert "Every combination of its factors is there once." in words
    assert "Matthey, Higgins, Hassabis and Lerchner (2017)" in words
    assert 'unweave data prepare "dsprites(grid=(3, 2, 4, 8, 8))"' in words
    assert page.rows[1] == ["shape", "categorical", "3", "square, ellipse, heart"]
    assert page.rows[3][:3] == ["orientation", "circular", "4"]
    assert len(page.rows) == 6
    assert "if all values occurred equally often, as they do here." in words
    assert "occur together" not in words
    assert "closest" not in words
    assert len(page.all("img")) == 2


def test_the_page_shows_images_of_the_dataset(tmp_path):
    # Of noise, so that each image is like no other place of the page.
    text = f"noisy_dsprites(data={GRID})"
    data = unweave.load_dataset(text)
    picture, _ = inside(page_of([text], tmp_path / "page.html", seed=4))
    drawn = keyed_generator(4, "shown images").choice(len(data), 10, replace=False)
    corners = [find(picture, image) for image in data.images(drawn[:3])]
    assert len({(row, scale) for row, _, scale in corners}) == 1
    assert [column for _, column, _ in corners] == sorted(column for _, column, _ in corners)


def test_labels_have_bars_and_counts_of_what_occurs(tmp_path):
    page = page_of([FREE], tmp_path / "page.html")
    assert "Each image has labels" in page.words
    assert "closest image" in page.words
    assert "Share of the images." in page.words
    assert page.rows[0] == ["factor", "kind", "values", "that occur", "which"]
    assert page.rows[2][:4] == ["scale", "ordinal", "4", "4"]
    assert len(page.all("img")) == 2


def test_odds_are_said_and_drawn(tmp_path):
    text = "correlated(data=circles(grid=(5, 4)), pairs=(('pos_x', 'pos_y'),))"
    page = page_of([text], tmp_path / "page.html")
    assert "Training draws its images by odds" in page.words
    assert "Share of the draws in training." in page.words
    assert "unweave data prepare" not in page.words
    assert "Made of circles(grid=(5, 4)): A white circle" in page.words
    assert "Source: the set circles of Montero et al. (2022)" in page.words
    assert "Which values occur together" in page.words
    assert len(page.all("img")) == 3
    assert "pos_x with pos_y" in page.all("img")[2]["alt"]


def test_all_that_a_dataset_is_made_of_is_named(tmp_path):
    text = f"subset(data=color_dsprites(data={GRID}), images=20)"
    words = page_of([text], tmp_path / "page.html").words
    outer, inner = (words.index(f"Made of {name}") for name in ("color_dsprites", GRID))
    assert outer < inner < words.index("Matthey, Higgins")


def test_without_factors_there_are_random_images(tmp_path):
    data = unweave.load_dataset(GRID)
    path = write_datasets([Dataset(data.spec, data.store)], tmp_path / "page.html")
    page = Page(path.read_text(encoding="utf-8"))
    assert "factors of its images are not known" in page.words
    assert page.rows == []
    assert len(page.all("img")) == 1


def test_several_datasets_are_on_one_page_and_can_be_reached(of_several):
    page = of_several
    assert list(page.sections) == SEVERAL
    assert "3 datasets" in page.words
    assert "Some are <small>." in page.words
    targets = [one["href"].removeprefix("#") for one in page.all("a")]
    assert targets == [one["id"] for one in page.all("section")]


def test_nothing_is_loaded_from_anywhere(of_several):
    page = of_several
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            assert attributes.get(name, "data:").startswith(("data:", "#"))
    assert not page.all("script")
    policy = next(one["content"] for one in page.all("meta") if "http-equiv" in one)
    assert "default-src 'none'" in policy
    assert all(one["alt"] for one in page.all("img"))


def test_the_same_dataset_gives_the_same_bytes(of_a_grid, tmp_path):
    page_of([GRID], tmp_path / "two.html")
    assert (tmp_path / "two.html").read_bytes() == of_a_grid.read_bytes()
    page_of([GRID], tmp_path / "two.html", seed=1)
    assert (tmp_path / "two.html").read_bytes() != of_a_grid.read_bytes()


def test_a_dataset_of_free_factors_gives_the_same_bytes(tmp_path):
    texts = ["sprites(images=40, bins=4)"]
    for name, seed in (("one.html", 0), ("two.html", 0), ("other.html", 1)):
        page_of(texts, tmp_path / name, seed=seed)
    first, second, other = (
        (tmp_path / name).read_bytes() for name in ("one.html", "two.html", "other.html")
    )
    assert first == second
    assert other != first


# Forty factors, which take as long as all other datasets, and grids of images as mpi3d is one.
MARKS = dict.fromkeys(("celeba", "falcor3d", "isaac3d"), pytest.mark.slow)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=MARKS.get(name, ())) for name in sorted(SMALL_ARCHIVES | PUBLISHED)],
)
def test_published_datasets_are_shown(name, tmp_path, monkeypatch):
    text = (SMALL_ARCHIVES | PUBLISHED)[name](tmp_path, monkeypatch)
    page = page_of([text], tmp_path / "page.html")
    assert "archive" in page.words
    assert "Published at" in page.words
    assert len(page.rows) == len(unweave.load_dataset(text).factor_space.factors) + 1
    assert len(page.all("img")) >= 2


def test_a_published_file_is_named_where_there_is_one(tmp_path):
    note = "are images drawn by unweave's own renderer"
    drawn = "sprites(images=20, bins=4)"
    assert f"{note}." in page_of([drawn], tmp_path / "a.html").words
    coloured = f"color_dsprites(data={GRID})"
    words = page_of([drawn, coloured], tmp_path / "b.html").words
    assert f"{note}, not those of the published file of dsprites." in words
