"""Made-up records of runs, for tests."""

from __future__ import annotations

import dataclasses

from unweave.reproduction import ROWS, RunRecord

__all__ = ["record", "score"]

ENVIRONMENT = {
    "unweave": "9.8.7", "python": "3.12.1", "torch": "2.9", "numpy": "2.3", "scikit-learn": "1.7",
    "processor": "Abacus", "gpu": None, "threads": 2, "device": "cpu", "precision": "float32",
}  # fmt: skip


def score(metric, value, *, protocol="clg/1", data=None, interval=None, **parts):
    """One row of scores."""
    return {
        "metric": metric, "text": metric, "protocol": protocol, "value": value, "unit": "",
        "interval": interval, "source": "rendered", "part": "all", "codes": "mean",
        "precision": "float32", "samples": 100, "seed": 0, "step": 7, "unweave": "9.8.7",
        "data": data, "parts": parts,
    }  # fmt: skip


def record(name, *scores, **changes):
    """A run of a row at its published length."""
    config = ROWS[name].config
    made = RunRecord(
        row=name,
        seed=config.seed,
        steps=config.steps,
        dataset=str(config.dataset),
        source=config.dataset.source,
        images=config.num_train,
        start=None,
        command=config.command,
        address=config.address,
        weights="0123456789abcdef",
        trained="2030-01-02",
        seconds=5400.0,
        environment=ENVIRONMENT,
        scores=scores,
    )
    return dataclasses.replace(made, **changes)
