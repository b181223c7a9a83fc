"""Pages of source code take the navigation of their folder, and no other page does."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("sphinx")

_FILE = Path(__file__).parents[1] / "docs" / "shared_navigation.py"


@pytest.fixture
def ask() -> Callable[..., str]:
    """The navigation that a page shows, which says for which page it was made."""
    spec = importlib.util.spec_from_file_location("shared_navigation", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    shared = module._Shared()

    def navigation(page: str, **options: object) -> str:
        context = {"toctree": lambda **given: f"{page} {given}"}
        shared.give(None, page, "page.html", context, None)
        return context["toctree"](**options)

    return navigation


def test_sources_of_one_folder_share_it(ask):
    first = ask("_modules/unweave/metrics/base", maxdepth=1)
    assert first == "_modules/unweave/metrics/base {'maxdepth': 1}"
    assert ask("_modules/unweave/metrics/show", maxdepth=1) == first


def test_another_folder_and_other_options_have_their_own(ask):
    ask("_modules/unweave/metrics/base", maxdepth=1)
    assert ask("_modules/unweave/vae", maxdepth=1).startswith("_modules/unweave/vae ")
    assert ask("_modules/unweave/metrics/show", maxdepth=2).endswith("{'maxdepth': 2}")


def test_pages_that_stand_in_it_have_their_own(ask):
    ask("reference/methods/vae")
    assert ask("reference/methods/beta_vae") == "reference/methods/beta_vae {}"
