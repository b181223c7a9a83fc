"""A page replaces an earlier one of its kind, and nothing else."""

from __future__ import annotations

import itertools

import pytest

import unweave
from session.runs import rich
from unweave.errors import SpecError
from unweave.plots import check_picture, kl_bars, save
from unweave.report import write_datasets, write_generalisation, write_report
from unweave.report.place import DATASETS, GENERALISATION, RUN, check_page


def of_datasets(path):
    write_datasets([unweave.load_dataset("dsprites(grid=(3, 2, 4, 8, 8))")], path)


def of_generalisation(path):
    write_generalisation(path, title="T", notes=(), figures=(), conditions=(), source="S")


def of_a_run(path):
    write_report(rich(), path)


WRITERS = {DATASETS: of_datasets, GENERALISATION: of_generalisation, RUN: of_a_run}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page of each kind."""
    folder = tmp_path_factory.mktemp("pages")
    paths = {kind: folder / f"{place}.html" for place, kind in enumerate(WRITERS)}
    for kind, write in WRITERS.items():
        write(paths[kind])
    return paths


@pytest.mark.parametrize(("there", "asked"), list(itertools.product(WRITERS, repeat=2)))
def test_only_a_page_of_the_same_kind_is_replaced(pages, there, asked):
    before = pages[there].read_bytes()
    if there is asked:
        check_page(pages[there], asked)
    else:
        with pytest.raises(SpecError, match=f"is no {asked.name}, so it is left as it is"):
            check_page(pages[there], asked)
    assert pages[there].read_bytes() == before


def test_a_page_of_datasets_is_written_again_and_over_nothing_else(pages, tmp_path):
    path = tmp_path / "page.html"
    path.write_bytes(pages[DATASETS].read_bytes())
    of_datasets(path)
    assert path.read_bytes() == pages[DATASETS].read_bytes()
    path.write_text("<p>My notes.</p>")
    with pytest.raises(SpecError, match=r"page\.html is there already"):
        of_datasets(path)
    assert path.read_text() == "<p>My notes.</p>"


@pytest.mark.parametrize("ending", ["png", "gif", "webp", "mp4", "jpg"])
def test_a_picture_replaces_a_picture_of_its_format_alone(tmp_path, ending):
    path = tmp_path / f"figure.{ending}"
    check_picture(path)
    path.write_bytes(b"%PDF-1.4 my drawing, and more than a few bytes")
    with pytest.raises(SpecError, match="is no picture of that format, so it is left as it is"):
        check_picture(path)
    path.write_bytes(b"")
    with pytest.raises(SpecError, match="is there already"):
        check_picture(path)


def test_pictures_that_were_written_are_known(tmp_path):
    check_picture(save(kl_bars([1.0]), tmp_path / "kl.png"))
    film = unweave.load_dataset("circles")
    from unweave.gallery import dataset_film

    for ending in ("gif", "webp"):
        check_picture(save(dataset_film(film, 0), tmp_path / f"circles.{ending}"))
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SpecError, match=r"folder\.png is a folder"):
        check_picture(tmp_path / "folder.png")
