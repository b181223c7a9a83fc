"""Importing unweave, its metrics, and asking for help load no heavy library."""

from __future__ import annotations

import json
import os
import subprocess
import sys

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


def test_what_is_not_there_is_an_attribute_error():
    import pytest

    import unweave

    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = unweave.nothing
    assert set(unweave.__all__) >= {"load_dataset", "load_run", "train", "Run", "__version__"}
    for name in unweave.__all__:
        assert getattr(unweave, name) is not None
