"""The page of figures says what the catalogue says; `python docs/make_gallery.py` mends it."""

from __future__ import annotations

import dataclasses
import importlib.util
from pathlib import Path

from PIL import Image

from unweave.figures import FIGURES, Look

DOCS = Path(__file__).parents[1] / "docs"


def gallery():
    spec = importlib.util.spec_from_file_location("make_gallery", DOCS / "make_gallery.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_that_of_the_catalogue():
    made = gallery()
    assert made.PAGE.read_text("utf-8") == made.page(), "run `python docs/make_gallery.py --page`"


def test_every_flag_is_told():
    assert set(gallery().FLAGS) == {field.name for field in dataclasses.fields(Look)}


def test_every_kind_has_a_picture_and_all_are_small():
    names = {kind.file(name) for name, kind in FIGURES.items()} | {"runs.png", "runs.gif"}
    names |= {name for part in gallery().gallery_of_many.PARTS for name in part.pictures}
    found = list((DOCS / "images" / "figures").iterdir())
    # Every kind has its picture.
    assert {path.name for path in found} == names
    assert sum(path.stat().st_size for path in found) < 2_700_000
    for path in found:
        with Image.open(path) as picture:
            assert (getattr(picture, "n_frames", 1) > 1) == (path.suffix == ".gif")
