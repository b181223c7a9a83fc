"""Run folders and studies as they stand on disk, with the scores that a test wants."""

from __future__ import annotations

import json

CONFIG = {
    "dataset": {"type": "dsprites", "path": None, "source": "rendered", "grid": None},
    "objective": {"type": "beta_vae", "beta": 4.0},
    "steps": 10,
    "architecture": {"type": "burgess"},
    "likelihood": {"type": "bernoulli"},
    "latents": 10,
    "optimizer": {"type": "adam", "lr": 0.0005, "beta1": 0.9, "beta2": 0.999},
    "batch_size": 64,
    "seed": 0,
    "holdout": 0.0,
    "init_from": None,
    "threads": 1,
    "device": "cpu",
    "precision": "float32",
    "log_every": 50,
}


def score(metric, value, **given):
    """A row of `scores.json`."""
    row = {
        "metric": metric,
        "text": metric,
        "protocol": "unweave/1",
        "value": value,
        "parts": {},
        "matrix": None,
        "unit": "",
        "units": {},
        "interval": None,
        "data": "dsprites",
        "source": "rendered",
        "part": "all",
        "codes": "mean",
        "precision": "float32",
        "samples": 100,
        "seed": 0,
        "step": 10,
        "unweave": "0.1.0",
    }
    assert given.keys() <= row.keys() | {"repeats"}
    repeats = given.pop("repeats", 1)
    if repeats > 1:
        ends = {"low": value - 0.1, "high": value + 0.1, "sd": 0.05}
        row["interval"] = {"over": "draws", **ends, "values": [value] * repeats}
    return row | given


def made(folder, *scores, beta=4.0, state="finished", seconds=1.0, **config):
    """A run folder; `beta` and `dataset` (a name) are short for the components."""
    folder.mkdir(parents=True)
    form = CONFIG | {"objective": {"type": "beta_vae", "beta": beta}} | config
    if isinstance(form["dataset"], str):
        form["dataset"] = CONFIG["dataset"] | {"type": form["dataset"]}
    objective = form["objective"]
    text = {
        "dataset": form["dataset"]["type"],
        "objective": f"beta_vae(beta={beta:g})" if objective["type"] == "beta_vae" else "other",
        "architecture": "burgess",
        "likelihood": "bernoulli",
        "optimizer": "adam",
    }
    document = {"format": 1, "unweave": "0.1.0", "address": "0" * 64, "text": text, **form}
    (folder / "config.json").write_text(json.dumps(document))
    status = {
        "format": 1,
        "state": state,
        "step": form["steps"],
        "steps": form["steps"],
        "seconds": seconds,
        "images_per_second": 100.0,
        "message": "kl is not finite" if state == "diverged" else "",
    }
    (folder / "status.json").write_text(json.dumps(status))
    if scores:
        (folder / "scores.json").write_text(json.dumps({"format": 1, "scores": list(scores)}))
    return folder


def series(folder, values, metric="mig", **given):
    """Runs of one configuration, one seed a value."""
    for seed, value in enumerate(values):
        made(
            folder / f"{len(list(folder.glob('*'))):03}", score(metric, value), seed=seed, **given
        )
    return folder


def study(folder, keys, name="a study", events=()):
    """The file of a study that asks for these runs."""
    folder.mkdir(parents=True, exist_ok=True)
    form = {"format": 1, "study": {"name": name}, "runs": [{"key": key} for key in keys]}
    (folder / "study.json").write_text(json.dumps(form))
    (folder / "state.jsonl").write_text("".join(json.dumps(row) + "\n" for row in events))
    return folder
