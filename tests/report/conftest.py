"""A run folder as a training leaves it, made by hand."""

from __future__ import annotations

import json

import numpy as np
import pytest

from unweave.plots import save

CONFIG = {
    "format": 1,
    "unweave": "0.1.0",
    "address": "9f3c21ab" * 8,
    "units": dict.fromkeys(
        ("reconstruction", "kl", "mutual_information", "total_correlation", "dimension_kl"),
        "nats an image",
    ),
    "text": {
        "dataset": "dsprites",
        "objective": "beta_tcvae(beta=6)",
        "architecture": "burgess",
        "likelihood": "bernoulli",
        "optimizer": "adam(lr=0.001)",
    },
    "command": "unweave train dsprites 'beta_tcvae(beta=6)' --steps 12000",
    "dataset": {"type": "dsprites", "source": "rendered", "grid": None},
    "objective": {"items": [{"type": "beta_tcvae", "beta": 6.0}]},
    "latents": 3,
    "batch_size": 64,
    "steps": 12000,
    "seed": 7,
    "holdout": 0.1,
    "init_from": None,
    "threads": 2,
    "device": "cpu",
    "precision": "bfloat16",
}
ENVIRONMENT = {"format": 1, "python": "3.11.9", "gpu": None, "cpu": {"cores": 2}}
STATUS = {
    "format": 1, "state": "finished", "step": 12000, "steps": 12000, "seconds": 264.4,
    "images_per_second": 2904.4, "message": "",
}  # fmt: skip
METRICS = [
    {"event": "train", "step": 6000, "loss": {"model": 999.5}, "raw": {"reconstruction": 888.25},
     "weighted": {"reconstruction": 888.25}, "kl": [1, 0, 0]},
    {"event": "scores", "step": 6000, "scores": {"mig": 0.1111}},
    {"event": "train", "step": 12000, "loss": {"model": 112.06, "discriminator": 0.6931},
     "raw": {"reconstruction": 94.882, "total_correlation": 1.163, "novel": -0.25},
     "weighted": {"reconstruction": 94.882, "total_correlation": 6.978, "novel": -2.5},
     "kl": [2.5, 0.001, 1.0]},
]  # fmt: skip
SCORE = {
    "metric": "mig", "text": "mig(bins=20)", "protocol": "unweave/1", "value": 0.22134,
    "parts": {"shape": 0.018, "scale": 0.47, "position_x": 0.54},
    "matrix": {
        "rows": ["z0", "z1", "z2"],
        "columns": ["shape", "scale", "position_x"],
        "values": [[0.12, 0.0, 1.5], [0.02, 0.01, 0.0], [0.1, 0.75, 0.5]],
        "label": "mutual information (nats)",
    },
    "data": "dsprites", "source": "rendered", "part": "all", "codes": "mean", "samples": 737280,
    "seed": 0, "step": 12000, "unweave": "0.1.0",
}  # fmt: skip


def write(folder, name, value):
    """Write one JSON file."""
    (folder / name).write_text(json.dumps(value), encoding="utf-8")


def image(shade, side=8):
    return np.full((side, side, 3), shade, np.uint8)


@pytest.fixture
def run(tmp_path):
    """A finished run with a score and pictures."""
    folder = tmp_path / "dsprites-beta_tcvae-9f3c21ab"
    folder.mkdir()
    write(folder, "config.json", CONFIG)
    write(folder, "environment.json", ENVIRONMENT)
    write(folder, "status.json", STATUS)
    write(folder, "scores.json", {"format": 1, "scores": [SCORE]})
    lines = "".join(json.dumps(row) + "\n" for row in METRICS)
    (folder / "metrics.jsonl").write_text(lines, encoding="utf-8")
    for shade, name in enumerate(("traversals", "a_new_one", "mig", "kl", "reconstructions")):
        save(image(shade), folder / "figures" / f"{name}.png")
    return folder
