"""Run folders as a training and its scoring leave them, without either."""

from __future__ import annotations

__all__ = ["make_runs"]

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from unweave.metrics import evaluate
from unweave.metrics.show import form
from unweave.metrics.synthetic import noisy_codes
from unweave.rundir import FORMAT, read_json
from unweave.session.folder import write_config
from unweave.settings import make_config

DATASETS = ("dsprites", "shapes3d", "xysquares", "xyobject")
METHODS = {
    "beta_vae(beta={})": (1, 2, 4, 6, 8, 12, 16, 20, 24, 32),
    "beta_tcvae(beta={})": (1, 2, 4, 6, 8, 10, 12, 14, 16, 20),
    "factor_vae(gamma={})": (5, 10, 20, 30, 40, 50, 60, 70, 80, 100),
    "annealed_vae(gamma={})": (50, 75, 100, 150, 200, 300, 400, 600, 800, 1000),
    "vae + density_ratio_tc(weight={})": (1, 2, 3, 4, 6, 8, 12, 16, 24, 32),
}
"""Fifty configurations of each dataset."""


def make_runs(folder: Path, runs: int) -> int:
    """Make run folders, `folder/DATASET/NAME`: so many configurations, each with as many seeds.

    Configurations are written by the code that trains, and their form is that of a real run;
    scores have the form of those of a real table, with tables behind them and parts, and values
    that are drawn at random.

    Args:
        folder: Where to.
        runs: How many; rounded down to a multiple of 200, or of 4 below that.

    Returns:
        How many there are.
    """
    configurations = 50 if runs >= 200 else 1
    seeds = max(1, runs // (configurations * len(DATASETS)))
    texts = [text.format(value) for text, values in METHODS.items() for value in values]
    scores = _scores()
    generator = np.random.default_rng(0)
    for dataset in DATASETS:
        for number, text in enumerate(texts[:configurations]):
            place = folder / dataset
            place.mkdir(parents=True, exist_ok=True)
            write_config(place, make_config(dataset, text, steps=100_000))
            document = read_json(place / "config.json")
            (place / "config.json").unlink()
            for seed in range(seeds):
                run = place / f"{number:02}-{seed:03}"
                run.mkdir()
                _write(run / "config.json", document | {"seed": seed})
                _write(run / "status.json", _status(generator))
                _write(run / "scores.json", _drawn(scores, dataset, generator))
                _write(run / "environment.json", {"format": FORMAT})
    return configurations * seeds * len(DATASETS)


def _scores() -> list[dict[str, Any]]:
    """Scores of a table of codes under the default protocol, as they are stored."""
    table = noisy_codes(0.3, 2000)
    found = evaluate(table, protocol="unweave")
    return [
        {
            "metric": name, "text": name, "protocol": "unweave/1", **form(score),
            "source": "rendered", "part": "all", "codes": "mean", "precision": "float32",
            "samples": len(table), "seed": 0, "step": 100_000, "unweave": "0.1.0",
        }
        for name, score in found.items()
    ]  # fmt: skip


def _drawn(
    scores: list[dict[str, Any]], dataset: str, generator: np.random.Generator
) -> Mapping[str, Any]:
    rows = []
    for score, value in zip(scores, generator.uniform(size=len(scores)).tolist(), strict=True):
        row = copy.copy(score) | {"value": value, "data": dataset}
        row["parts"] = {name: value * part for name, part in score["parts"].items()}
        rows.append(row)
    return {"format": FORMAT, "scores": rows}


def _status(generator: np.random.Generator) -> Mapping[str, Any]:
    return {
        "format": FORMAT, "state": "finished", "step": 100_000, "steps": 100_000,
        "seconds": 3600 * float(generator.uniform(1, 2)), "images_per_second": 2500.0,
        "message": "",
    }  # fmt: skip


def _write(path: Path, value: Mapping[str, Any]) -> None:
    """As run folders are written, but not flushed to the disk one by one."""
    path.write_text(json.dumps(value, indent=2) + "\n")
