"""How fast the metrics are beside the way in which disentanglement_lib goes about them.

Protocol
--------
One trained model of all of dSprites (737,280 images, ten latents), one process, one run. The
reference draws images anew for every metric and encodes them call by call: 64 images a call for
the BetaVAE and FactorVAE scores, 16 for the others, 3.0 million images in 53 thousand calls at
the sizes of the study of 2019. The baseline here is a plain PyTorch encoder in float32 that does
that; each kind of call is timed on a sample and scaled by its count, and its fits are run in full
with scikit-learn, one after the other. Ours encodes every image once and scores the table.

Criteria:

- (a) BetaVAE, FactorVAE, MIG, SAP, IRS, modularity and explicitness, and the unsupervised scores,
  encoding included: under `dlib` at least 3.5 times as fast, under `fast` at least 12 times.
- (b) DCI with the reference's estimator: `benchmarks/dci.py`.
- (c) all of these and DCI under `fast`: at least 10 times as fast; the deviation of each score
  from `dlib` stands beside it.
- All images encoded in at most 90 s in float32, and 30 s in the precision of `fast`, which itself
  takes a sample of 100,000. At most 2 GB of memory.

Usage
-----
    python benchmarks/metrics.py RUN --out DIR

keeps what is measured in DIR, so that an interrupted run goes on, and writes
`benchmarks/results/metrics.md`. Without a run, a small grid and an untrained model show that
everything runs.
"""

from __future__ import annotations

__all__ = ["SET_A", "main"]

import argparse
import datetime
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from _machine import command, machine, versions
from _metrics.reference import CALLS, fits, time_call

import unweave
from unweave.encoding import encode_rows, represent
from unweave.metrics import Draws, Metric
from unweave.metrics.protocols import metrics_of, protocol
from unweave.representation import Representation
from unweave.rundir import atomic_write, read_json, write_json
from unweave.training.precision import automatic

ROOT = Path(__file__).resolve().parents[1]
SET_A = ("beta_vae", "factor_vae", "mig", "sap", "irs", "modularity_explicitness", "unsupervised")
_CALLS = 200


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time metrics against the reference's way.")
    parser.add_argument("run", nargs="?", type=Path, help="folder of a run on all of dSprites")
    parser.add_argument("--out", type=Path, help="folder in which measurements are kept")
    options = parser.parse_args(arguments)
    if options.run is None or options.out is None:
        with tempfile.TemporaryDirectory() as temporary:
            _smoke(Path(temporary))
        return
    run = unweave.load_run(options.run)
    measured = _Measured(options.out)
    _measure(run, measured, repeats=_CALLS)
    target = ROOT / "benchmarks" / "results" / "metrics.md"
    with atomic_write(target) as handle:
        handle.write(_report(run, measured).encode())
    print(target.read_text(encoding="utf-8"))


class _Measured:
    """What has been measured, kept in a folder by name."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def get(self, name: str, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """The measurement of that name, made now if there is none."""
        place = self._folder / f"{name}.json"
        if not place.is_file():
            print(f"{name} ...", file=sys.stderr, flush=True)
            write_json(place, measure())
        found: dict[str, Any] = read_json(place)
        return found


def _measure(run: unweave.Run, measured: _Measured, repeats: int) -> None:
    dataset = run.dataset
    flat = np.arange(len(dataset))
    tables: dict[str, Representation] = {}

    def encode(precision: Any) -> dict[str, Any]:
        mean, logvar = np.empty((2, len(flat), run.model.latents), np.float32)
        begun = time.perf_counter()
        encode_rows(run.model, dataset, flat, mean, logvar, precision=precision)
        seconds = time.perf_counter() - begun
        tables[precision] = represent(mean, logvar, dataset, flat)
        return {"seconds": seconds}

    def table(precision: Any) -> Representation:
        if precision not in tables:
            encode(precision)
        return tables[precision]

    quick = automatic(run.model.device)
    for precision in dict.fromkeys(("float32", quick)):
        measured.get(f"encode-{precision}", lambda p=precision: encode(p))
    for call in CALLS:
        measured.get(
            f"reference-call-{call.images}", lambda c=call: {"seconds": _call(run, c, repeats)}
        )
    rows = np.random.default_rng(0).permutation(len(flat))[:15_000]
    measured.get(
        "reference-fits",
        lambda: fits(
            np.asarray(table("float32").mean[rows]), np.asarray(table("float32").factors[rows])
        ),
    )
    few = protocol("fast").images or len(flat)

    def sample() -> Representation:
        if "sample" not in tables:
            with _without_codes(run.folder) as place:
                fresh = unweave.load_run(place)
                begun = time.perf_counter()
                tables["sample"] = fresh.representation(precision=quick, images=few)
                seconds = time.perf_counter() - begun
            write = {"seconds": seconds, "images": len(tables["sample"])}
            measured.get("encode-fast", lambda: write)
        return tables["sample"]

    for name, rows_of in (("dlib", lambda: table("float32")), ("fast", sample)):
        for metric in metrics_of(protocol(name), (*SET_A, "dci")):
            measured.get(
                f"{name}-{metric.name}",
                lambda m=metric, rows=rows_of: _score(m, rows()),
            )
    measured.get("memory", lambda: _memory(run.folder))


def _memory(folder: Path) -> dict[str, Any]:
    """Most memory of a process that encodes a run's images and scores them."""
    # Its own peak: what the kernel counts for a child begins with the memory of its parent.
    code = (
        "import sys, unweave; run = unweave.load_run(sys.argv[1]); "
        "run.evaluate(tuple(sys.argv[2:]), protocol_name='dlib'); "
        "lines = open('/proc/self/status').read().splitlines(); "
        "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
    )
    with _without_codes(folder) as place:
        words = [sys.executable, "-c", code, str(place), *SET_A]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    return {"megabytes": int(done.stdout.split()[-1]) / 1024}


@contextmanager
def _without_codes(folder: Path) -> Iterator[Path]:
    """A copy of a run whose images have not been encoded yet."""
    with tempfile.TemporaryDirectory() as temporary:
        place = Path(temporary) / "run"
        shutil.copytree(folder, place, ignore=shutil.ignore_patterns("cache"))
        yield place


def _call(run: unweave.Run, call: Any, repeats: int) -> float:
    dataset = run.dataset
    height, width, _ = dataset.image_shape
    images = np.empty((len(dataset), height, width), np.uint8)
    for start in range(0, len(dataset), 4096):
        rows = np.arange(start, min(start + 4096, len(dataset)))
        images[rows] = dataset.gather(rows)[0][..., 0]
    layers = run.model.trunk, run.model.head

    @torch.inference_mode()
    def encode(batch: torch.Tensor) -> torch.Tensor:
        return layers[1](layers[0](batch))[:, : run.model.latents]

    return time_call(call, encode, images, dataset.factor_space.sizes, repeats)


def _score(metric: Metric, table: Representation) -> dict[str, Any]:
    # On a table that shares nothing, so that no metric is given what another has computed.
    alone = Representation(table.mean, table.factors, table.factor_space, table.logvar)
    draws = Draws(0, metric.stream or metric.name)
    begun = time.perf_counter()
    metric.prepare(alone, draws)
    found = metric.score(alone, draws)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "value": found.value, "text": str(metric)}


def _report(run: unweave.Run, measured: _Measured) -> str:
    def stored(name: str) -> dict[str, Any]:
        return measured.get(name, dict)

    quick = automatic(run.model.device)
    calls = {c.images: stored(f"reference-call-{c.images}")["seconds"] for c in CALLS}
    encoding = {
        metric: count * calls[c.images] for c in CALLS for metric, count in c.metrics.items()
    }
    fitted = stored("reference-fits")
    text = "# Metrics: speed beside the reference's way\n\n"
    text += f"- command: `{command()}`\n- date: {datetime.datetime.now(datetime.UTC).date()}\n"
    text += f"- machine: {machine()}\n- versions: {versions()}\n"
    text += "- protocol: the docstring of `benchmarks/metrics.py`\n\n"
    text += (
        f"Run: {run.config.objective} on {run.config.dataset}, {len(run.dataset):,} images. All "
        f"are encoded in {stored('encode-float32')['seconds']:.1f} s in float32, in "
        f"{stored(f'encode-{quick}')['seconds']:.1f} s in {quick}; the "
        f"{stored('encode-fast')['images']:,} that `fast` takes in "
        f"{stored('encode-fast')['seconds']:.1f} s. A call of the "
        f"reference takes {1000 * calls[64]:.2f} ms for 64 images and {1000 * calls[16]:.2f} ms "
        f"for 16. A process that encodes all images and scores (a) under `dlib` uses at most "
        f"{stored('memory')['megabytes']:,.0f} MB.\n\n"
    )
    text += (
        "| metric | reference: encoding, s | reference: fits, s | `dlib`, s | `fast`, s | "
        "`dlib` score | `fast` score | deviation |\n|---|---:|---:|---:|---:|---:|---:|---:|\n"
    )
    names = (*SET_A, "dci")
    for name in names:
        exact, fast = stored(f"dlib-{name}"), stored(f"fast-{name}")
        text += (
            f"| `{name}` | {encoding[name]:.1f} | {fitted[name]:.1f} | {exact['seconds']:.2f} | "
            f"{fast['seconds']:.2f} | {exact['value']:.4f} | {fast['value']:.4f} | "
            f"{fast['value'] - exact['value']:+.4f} |\n"
        )
    text += (
        "\n| | reference, s | ours with encoding, s | times | aim |\n|---|---:|---:|---:|---:|\n"
    )
    for what, kind, encoded, chosen, aim in (
        ("(a)", "dlib", "encode-float32", SET_A, "3.5"),
        ("(a)", "fast", "encode-fast", SET_A, "12"),
        ("(c), with DCI", "dlib", "encode-float32", names, "-"),
        ("(c), with DCI", "fast", "encode-fast", names, "10"),
    ):
        reference = sum(encoding[name] + fitted[name] for name in chosen)
        ours = stored(encoded)["seconds"]
        ours += sum(stored(f"{kind}-{name}")["seconds"] for name in chosen)
        text += (
            f"| {what} under `{kind}` | {reference:.0f} | {ours:.0f} | {reference / ours:.1f} | "
            f"{aim} |\n"
        )
    return text


def _smoke(folder: Path) -> None:
    """A small grid and a model of a few steps."""
    print("Without a run: a small grid, to show that everything runs.")
    run = unweave.train(
        "dsprites(grid=(3, 6, 10, 8, 8))", "vae", steps=2, batch_size=16, out=folder / "run"
    )
    _measure(run, measured := _Measured(folder / "measured"), repeats=3)
    print(_report(run, measured))


if __name__ == "__main__":
    main()
