"""One timed training in a process of its own: the baseline, or `unweave.train`."""

from __future__ import annotations

__all__ = ["CELLS", "Cell", "measure", "run_cell"]

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

import numpy as np
import torch

import unweave
from _training.plain import PlainVAE, plain_batches, plain_step

BATCH = 64
OBJECTIVE = "beta_tcvae(beta=6)"
RECORD_EVERY = 50
_KEEP_MEMORY = "glibc.malloc.mmap_threshold=33554432:glibc.malloc.trim_threshold=1073741824"


@final
@dataclass(frozen=True)
class Cell:
    """What is timed.

    Attributes:
        kind: `plain` for the baseline, `unweave` for ours.
        precision: `float32`, `bfloat16` or, for ours, `auto`.
        keep: Whether the C library is told to keep freed memory; ours does so by itself.
    """

    kind: str
    precision: str
    keep: bool = False

    @property
    def name(self) -> str:
        """For tables."""
        return f"{self.kind} {self.precision}{', memory kept' if self.keep else ''}"


CELLS = (
    Cell("plain", "float32"),
    Cell("unweave", "auto"),
    Cell("plain", "bfloat16"),
    Cell("unweave", "float32"),
    Cell("plain", "float32", keep=True),
)


def run_cell(cell: Cell, data: str, warm: int, steps: int) -> dict[str, Any]:
    """Time a cell in a new process; images a second, and what the kernel counted."""
    environment = dict(os.environ)
    if cell.keep:
        environment["GLIBC_TUNABLES"] = _KEEP_MEMORY
    order = json.dumps({"cell": asdict(cell), "data": data, "warm": warm, "steps": steps})
    done = subprocess.run(
        [sys.executable, "-c", "from _training.cells import _main; _main()", order],
        cwd=Path(__file__).resolve().parents[1],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(cell: Cell, data: str, warm: int, steps: int) -> dict[str, Any]:
    """Time a cell in this process.

    Returns:
        `images_per_second`, `milliseconds` a step, `precision` as resolved, `faults` a step.
    """
    timed = _plain if cell.kind == "plain" else _unweave
    return timed(cell, data, warm, steps)


def _main() -> None:
    order = json.loads(sys.argv[1])
    found = measure(Cell(**order["cell"]), order["data"], order["warm"], order["steps"])
    print(json.dumps(found))


def _plain(cell: Cell, data: str, warm: int, steps: int) -> dict[str, Any]:
    images, factors = unpacked(data)
    torch.manual_seed(1234)
    model = PlainVAE()
    optimizer = torch.optim.Adam(model.parameters(), lr=5e-4)
    batches = plain_batches(images, factors, BATCH, seed=1234)
    recorded: list[dict[str, float]] = []
    epoch_loss = 0.0
    clock = _Clock()
    for step in range(1, warm + steps + 1):
        x = next(batches)
        parts = plain_step(model, optimizer, x, len(images), step, cell.precision)
        # Shown in the progress bar at every step, as published.
        epoch_loss += parts["loss"].item()
        if step % RECORD_EVERY == 1:
            recorded.append({name: value.item() for name, value in parts.items()})
        if step == warm:
            clock = _Clock()
    return clock.stop(steps) | {"precision": cell.precision}


def _unweave(cell: Cell, data: str, warm: int, steps: int) -> dict[str, Any]:
    watch = _Watch(warm)
    with tempfile.TemporaryDirectory() as folder:
        run = unweave.train(
            data,
            OBJECTIVE,
            steps=warm + steps,
            batch_size=BATCH,
            precision=cell.precision,
            out=Path(folder) / "run",
            watch=watch,
        )
        found = watch.clock.found
        return found | {"precision": run.config.precision}


def unpacked(data: str) -> tuple[np.ndarray, np.ndarray]:
    """All images as uint8 0 or 1 (n, H, W), and factor indices, in memory as published."""
    dataset = unweave.load_dataset(data)
    height, width, _ = dataset.image_shape
    images = np.empty((len(dataset), height, width), np.uint8)
    for start in range(0, len(dataset), 4096):
        rows = np.arange(start, min(start + 4096, len(dataset)))
        pixels, _ = dataset.gather(rows)
        images[rows] = pixels[..., 0]
    return images, dataset.factors(np.arange(len(dataset)))


@final
class _Clock:
    """Time and page faults since it was made."""

    def __init__(self) -> None:
        self._begun = time.perf_counter()
        self._faults = _faults()
        self.found: dict[str, Any] = {}

    def stop(self, steps: int) -> dict[str, Any]:
        seconds = time.perf_counter() - self._begun
        self.found = {
            "images_per_second": BATCH * steps / seconds,
            "milliseconds": 1000 * seconds / steps,
            "faults": (_faults() - self._faults) / steps,
        }
        return self.found


@final
class _Watch:
    """Starts the clock after the warm-up and stops it when the training is over."""

    def __init__(self, warm: int) -> None:
        self._warm = warm
        self._last = 0
        self.clock = _Clock()

    def start(self, config: Any, done: int) -> None:
        """Nothing is shown."""

    def step(self, step: int, images: int) -> None:
        """A step is over."""
        self._last = step
        if step == self._warm:
            self.clock = _Clock()

    def record(self, step: int, record: Any) -> None:
        """Nothing is shown."""

    def close(self) -> None:
        """The last checkpoint is written."""
        self.clock.stop(self._last - self._warm)


def _faults() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
