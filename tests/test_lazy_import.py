"""Importing unweave, its metrics, and asking for help load no heavy library."""

from __future__ import annotations

import ast
import importlib
import json
import os
import subprocess
import sys
from importlib.util import resolve_name
from pathlib import Path

import pytest

from unweave._lazy import lazy_names

SCRIPT = """
import contextlib, io, json, sys

HEAVY = ("torch", "matplotlib", "sklearn", "jinja2", "safetensors", "requests", "h5py", "polars")
found = {}

def look(stage):
    found[stage] = [name for name in HEAVY if name in sys.modules]

def show_help(*words):
    from unweave.cli import main
    shown = io.StringIO()
    with contextlib.redirect_stdout(shown):
        try:
            main([*words, "--help"])
        except SystemExit as ending:
            assert ending.code == 0, ending.code
    assert "usage" in shown.getvalue().lower(), shown.getvalue()
    look(" ".join(["unweave", *words, "--help"]))

import unweave
look("import unweave")
assert unweave.__version__
assert "load_run" in dir(unweave)
found["numpy after import unweave"] = [name for name in ("numpy", "scipy") if name in sys.modules]
show_help()
for words in (["train"], ["import"], ["evaluate"], ["score"], ["rank"], ["results"], ["demo"],
              ["plot"], ["report"], ["data"], ["data", "prepare"], ["objectives"], ["metrics"],
              ["presets"], ["reproduce", "run"], ["study", "run"], ["runs", "list"]):
    show_help(*words)
import unweave.metrics
look("import unweave.metrics")
import unweave.inventory
look("import unweave.inventory")
from unweave.studies import StudyFolder, survey
look("how far a study is")
import unweave.plots
look("import unweave.plots")
unweave.load_dataset
found["unweave.load_dataset"] = [name for name in ("torch",) if name in sys.modules]
print(json.dumps(found))
"""


def test_nothing_heavy_is_loaded():
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(found) >= 14
    assert {stage: names for stage, names in found.items() if names} == {}


TRAINING = """
import json, sys
from pathlib import Path

DRAWING = ("matplotlib", "mpl_toolkits", "PIL.ImageDraw")
SCORING = ("scipy", "sklearn", "polars", "pandas")
OTHERS = ("requests", "h5py", "onnx", "onnxruntime", "ray", "huggingface_hub")
found = {}

def look(stage):
    found[stage] = [name for name in DRAWING + SCORING + OTHERS if name in sys.modules]

import unweave.run
look("import unweave.run")
assert {"torch", "unweave.plots", "unweave.figures.catalog"} <= set(sys.modules)

import unweave.studies.task, unweave.population.task
look("tasks of workers")

from unweave.cli import main
place = Path(sys.argv[1])
numbers = ["--steps", "2", "--batch-size", "4"]
assert main(["train", sys.argv[2], "beta_vae", *numbers, "--out", str(place / "run")]) in (None, 0)
assert (place / "run" / "status.json").is_file()
look("unweave train")

study = place / "small.toml"
study.write_text(
    f"[train]\\ndataset = '{sys.argv[2]}'\\nsteps = 2\\nbatch_size = 4\\n"
    "[[sweep]]\\ngrid = {objective = ['vae', 'factor_vae']}\\n"
    "[evaluate]\\nmetrics = ['mig']\\n"
)
words = ["study", "run", str(study), "--out", str(place / "study")]
assert main([*words, "--executor", "serial"]) in (None, 0)
assert len(list((place / "study" / "runs").glob("*/status.json"))) == 2
look("worker of a study")

unweave.plots.kl_bars
assert "matplotlib" in sys.modules
print(json.dumps(found), file=sys.stderr)
"""


def test_training_loads_what_draws_and_scores_no_sooner_than_it_draws_and_scores(tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", TRAINING, str(tmp_path), "dsprites(grid=(3, 2, 4, 4, 4))"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stderr.splitlines()[-1])
    assert list(found) == [
        "import unweave.run",
        "tasks of workers",
        "unweave train",
        "worker of a study",
    ]
    assert {stage: names for stage, names in found.items() if names} == {}


# Packages whose names are imported when they are used, and what else each has.
LAZY = {
    "unweave": {"__version__"},
    "unweave.generalise": set(),
    "unweave.plots": set(),
    "unweave.studies": set(),
}


@pytest.mark.parametrize("package", LAZY)
def test_every_public_name_is_there_and_no_other(package):
    module = importlib.import_module(package)
    assert dir(module) == sorted(module.__all__)
    for name in module.__all__:
        assert getattr(module, name) is not None
    with pytest.raises(AttributeError, match=f"module '{package}' has no attribute 'nothing'"):
        _ = module.nothing


@pytest.mark.parametrize("package", LAZY)
def test_type_checkers_see_every_public_name_and_no_other(package):
    module = importlib.import_module(package)
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    [seen] = (
        {
            name.asname or name.name: statement.module
            for statement in block.body
            if isinstance(statement, ast.ImportFrom)
            for name in statement.names
        }
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "TYPE_CHECKING"
    )
    assert seen == {name: resolve_name(home, package) for name, home in module._HOMES.items()}
    assert {*seen, *LAZY[package]} == set(module.__all__)
    # One that answers for any name would let every misspelt one pass.
    [hidden] = (
        block.body
        for block in tree.body
        if isinstance(block, ast.If) and ast.unparse(block.test) == "not TYPE_CHECKING"
    )
    usual = ast.parse("__getattr__, __dir__ = lazy_names(__name__, __all__, _HOMES)").body
    assert list(map(ast.dump, hidden)) == list(map(ast.dump, usual))
    assert "__getattr__" not in {getattr(statement, "name", "") for statement in tree.body}


def test_a_home_is_a_module_of_the_package_or_any_other():
    homes = {"JSONDecoder": ".decoder", "sep": "os"}
    find, names = lazy_names("json", ("sep", "JSONDecoder"), homes)
    assert find("JSONDecoder") is json.decoder.JSONDecoder
    assert find("sep") == os.sep
    assert names() == ["sep", "JSONDecoder"]
    with pytest.raises(AttributeError, match="module 'json' has no attribute 'loads'"):
        find("loads")
