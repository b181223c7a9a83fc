"""Loss curves of the baseline and of `unweave.train` from the same weights."""

from __future__ import annotations

__all__ = ["TERMS", "Curves", "draw", "ours", "plain", "summary"]

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

import unweave
from _training.cells import BATCH, unpacked
from _training.plain import PlainVAE, plain_batches, plain_step
from unweave.importing import import_run
from unweave.jsonlines import read_lines
from unweave.rundir import read_json, write_json

# The published loss with its defect, so that both minimise the same.
OBJECTIVE = (
    "beta_tcvae(beta=6, gamma=linear(start=0, stop=1, steps=10000), "
    "estimator=stratified, compat=disvae)"
)
TERMS = ("loss", "recon", "kl", "mi", "tc", "dw_kl")
_NAMES = {
    "reconstruction": "recon",
    "mutual_information": "mi",
    "total_correlation": "tc",
    "dimension_kl": "dw_kl",
}

Curves = dict[str, list[float]]


def plain(out: Path, data: str, steps: int, seed: int) -> Curves:
    """Train the baseline in float32; every step's terms, kept in `out` and not made again."""
    place = out / f"plain-{seed}-{steps}.json"
    if place.is_file():
        return _read(place)
    images, factors = unpacked(data)
    model = _initial(seed)
    torch.manual_seed(seed)
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    batches = plain_batches(images, factors, BATCH, seed)
    curves: Curves = {name: [] for name in TERMS}
    for step in range(1, steps + 1):
        parts = plain_step(model, optimizer, next(batches), len(images), step)
        for name in TERMS:
            curves[name].append(parts[name].item())
        if step % 500 == 0:
            print(f"plain, seed {seed}: step {step} of {steps}", file=sys.stderr)
    write_json(place, curves)
    return curves


def ours(out: Path, data: str, steps: int, seed: int, precision: str) -> Curves:
    """Train ours from the same weights; every step's terms, kept in `out` and not made again."""
    place = out / f"unweave-{precision}-{seed}-{steps}.json"
    if place.is_file():
        return _read(place)
    with tempfile.TemporaryDirectory() as temporary:
        weights = Path(temporary) / "model.pt"
        torch.save(_initial(seed).state_dict(), weights)
        start = Path(temporary) / "start"
        import_run(weights, out=start, dataset=data, objective=OBJECTIVE)
        run = unweave.train(
            data,
            OBJECTIVE,
            steps=steps,
            batch_size=BATCH,
            seed=seed,
            precision=precision,
            init_from=str(start),
            log_every=1,
            out=Path(temporary) / "run",
        )
        rows = [r for r in read_lines(run.folder / "metrics.jsonl") if r["event"] == "train"]
    curves: Curves = {ours: [row["raw"][name] for row in rows] for name, ours in _NAMES.items()}
    curves["loss"] = [row["loss"]["model"] for row in rows]
    curves["kl"] = [sum(row["kl"]) for row in rows]
    print(f"unweave {precision}, seed {seed}: {len(rows)} steps", file=sys.stderr)
    write_json(place, curves)
    return curves


def smooth(curve: Sequence[float], width: int) -> NDArray[np.float64]:
    """Means of consecutive windows of so many steps."""
    values = np.asarray(curve, np.float64)
    return values[: len(values) // width * width].reshape(-1, width).mean(1)


def summary(found: dict[str, list[Curves]], last: int) -> list[dict[str, Any]]:
    """Of each kind and term: mean over the last steps, its mean and range over seeds."""
    rows = []
    for kind, runs in found.items():
        for term in TERMS:
            ends = [float(np.mean(run[term][-last:])) for run in runs]
            rows.append({"kind": kind, "term": term, "mean": float(np.mean(ends)), "ends": ends})
    return rows


def draw(found: dict[str, list[Curves]], steps: int) -> Any:
    """Curves with the band of the seeds, one panel for each of three terms."""
    import matplotlib.pyplot as plt

    width = max(1, steps // 50)
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.4), constrained_layout=True)
    shown = (("recon", "reconstruction"), ("kl", "KL"), ("loss", "loss"))
    for axis, (term, title) in zip(axes, shown, strict=True):
        for index, (kind, runs) in enumerate(found.items()):
            lines = np.stack([smooth(run[term], width) for run in runs])
            at = (np.arange(lines.shape[1]) + 1) * width
            color = f"C{index}"
            axis.plot(at, lines.mean(0), color=color, label=kind)
            axis.fill_between(at, lines.min(0), lines.max(0), color=color, alpha=0.25, lw=0)
        axis.set_title(title)
        axis.set_xlabel("step")
        axis.set_ylabel("nats an image")
    axes[0].set_yscale("log")
    axes[0].legend()
    return figure


def _initial(seed: int) -> PlainVAE:
    torch.manual_seed(seed)
    return PlainVAE()


def _read(place: Path) -> Curves:
    curves: Curves = read_json(place)
    return curves
