"""The public names of figures: each is loaded when it is used, and is never the file it is in."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

import pytest

from unweave import plots

FILES = {path.stem for path in Path(plots.__file__).parent.glob("*.py")}
SHARED = sorted(FILES & set(plots.__all__))


def test_every_public_name_is_there():
    assert dir(plots) == sorted(plots.__all__)
    assert len(plots.__all__) > 50
    for name in plots.__all__:
        assert not isinstance(getattr(plots, name), ModuleType), name


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = plots.nothing


@pytest.mark.parametrize("name", SHARED)
def test_a_name_stands_for_the_function_after_its_file_has_been_imported(name, monkeypatch):
    monkeypatch.delitem(sys.modules, f"unweave.plots.{name}", raising=False)
    file = importlib.import_module(f"unweave.plots.{name}")
    assert isinstance(file, ModuleType)
    assert getattr(plots, name) is getattr(file, name)


def test_functions_and_files_do_share_names():
    assert {"save", "traversals", "lineage"} <= set(SHARED)


def test_a_public_name_can_be_replaced(monkeypatch):
    monkeypatch.setattr(plots, "tile", len)
    assert plots.tile is len
    monkeypatch.undo()
    assert plots.tile.__module__ == "unweave.plots.images"
