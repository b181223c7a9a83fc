"""How soon datasets are ready, what a batch costs, and how much of a training step that is.

Protocol
--------
Ready. Every rendered dataset that has a store is prepared in a process of its own, on at most two
cores, with an empty cache folder: seconds until it is open, and the most memory that the process
had, Python and NumPy with it.

Criteria: dSprites ready in at most 30 s, 3DShapes in at most 60 s; at most 1 GB of memory each.

Batches. Of every rendered dataset batches of 64 are drawn at random. `gather` gives them as
arrays; `tensor` is what a training step gets, the images as float32 between 0 and 1. The plain
loader is PyTorch's `DataLoader` as disentangling-vae uses it: `__getitem__` makes one image after
the other a tensor, and hands out its factors, too. It has 8,192 of the images, in memory, as there
dSprites is, or in a file for each, as there all other datasets are; the former is kind to it, as
that many stay near the processor. Each runs in the training process, and with two workers, which
here have nothing else to do, while in a training they share the cores with it. Ways take turns
within a round; medians over the rounds.

Criterion: `gather` at least 10 times as fast as the plain loader that has such a dataset there: of
grey images in memory, of coloured ones from files, in the training process.

Steps. A beta-TCVAE trains in batches of 64, in the default precision. Steps that load their batch
take turns with steps that use one batch again and again; the share is how much shorter the median
of the latter is, of the former. Beside it stands what `tensor` took alone, of the former: the two
differ by what loading does to the caches, and by noise.

Criterion: a share of at most 5 %.

Usage
-----
    python benchmarks/data.py [--out FILE]

prints tables and writes them with --out, for instance to `benchmarks/results/data.md`. It takes
some ten minutes and 1.5 GB of disk, in a temporary folder. Without --out all sizes are tiny: that
everything runs is all that it shows.
"""

from __future__ import annotations

__all__ = ["FULL", "LIMITS", "QUICK", "Sizes", "batch_table", "main", "ready_table"]

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import final

from _data.loading import loading
from _data.steps import step_times
from _machine import circumstances

from unweave.data import StoredSpec, catalog, parse_dataset
from unweave.rundir import atomic_write

LIMITS = {"dsprites": 30.0, "shapes3d": 60.0}
"""Seconds until a dataset shall be ready, by its name."""

MOST_MEMORY = 1024.0
LEAST_RATIO = 10.0
MOST_SHARE = 0.05


@final
@dataclass(frozen=True)
class Sizes:
    """How much is measured.

    Attributes:
        stored: Datasets that are prepared.
        all: Datasets of which batches are loaded.
        images: Images that the plain loaders have.
        rounds: Rounds of loading.
        batches: Batches of a round.
        warm: Steps that are not timed.
        steps: Steps of each kind that are.
    """

    stored: tuple[str, ...]
    all: tuple[str, ...]
    images: int
    rounds: int
    batches: int
    warm: int
    steps: int


_DRAWN = [spec for spec in catalog() if spec.source == "rendered"]
FULL = Sizes(
    stored=tuple(str(spec) for spec in _DRAWN if isinstance(spec, StoredSpec)),
    all=tuple(str(spec) for spec in _DRAWN),
    images=8192,
    rounds=7,
    batches=100,
    warm=20,
    steps=300,
)
_SMALL = ("dsprites(grid=(3, 2, 2, 4, 4))", "shapes3d(grid=(2, 2, 2, 2, 4, 2))")
QUICK = Sizes(_SMALL, (*_SMALL, "circles"), images=128, rounds=1, batches=2, warm=1, steps=2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time datasets and their loading; see the file.")
    parser.add_argument("--out", type=Path, help="file to write")
    given = parser.parse_args(arguments)
    if given.out is None:
        print("Tiny sizes: these figures show that everything runs, and nothing else.\n")
        print(_measure(QUICK))
        return
    text = _measure(FULL)
    head = [
        "# Datasets: time until they are ready, and cost of a batch",
        "",
        *(f"- {name}: {value}" for name, value in circumstances()),
        "- protocol: the docstring of `benchmarks/data.py`",
        "",
    ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(given.out) as file:
        file.write(("\n".join(head) + "\n" + text).encode())
    print(text)


def _measure(sizes: Sizes) -> str:
    """All three parts as text, in a cache folder of their own."""
    ready, batches, steps = {}, {}, {}
    with tempfile.TemporaryDirectory() as folder, _home(folder):
        for text in sizes.stored:
            ready[text] = _ready(text)
            print(f"{text}: ready after {ready[text]['seconds']:.1f} s", file=sys.stderr)
        for text in sizes.all:
            batches[text] = loading(text, sizes.images, sizes.rounds, sizes.batches)
            steps[text] = step_times(text, sizes.warm, sizes.steps)
            print(f"{text}: gathered in {batches[text]['gather']:.2f} ms", file=sys.stderr)
    return "\n".join([*ready_table(ready), "", *batch_table(batches, steps), ""])


def _ready(text: str) -> dict[str, float]:
    """What a process of its own measures, in the present cache folder."""
    done = subprocess.run(
        [sys.executable, "-m", "_data.ready", text],
        cwd=Path(__file__).parent, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    return {name: float(value) for name, value in json.loads(done.stdout).items()}


@contextmanager
def _home(folder: str) -> Iterator[None]:
    """Datasets lie in another folder until the block ends."""
    before = os.environ.get("UNWEAVE_HOME")
    os.environ["UNWEAVE_HOME"] = folder
    try:
        yield
    finally:
        if before is None:
            del os.environ["UNWEAVE_HOME"]
        else:
            os.environ["UNWEAVE_HOME"] = before


def ready_table(found: Mapping[str, Mapping[str, float]]) -> list[str]:
    """Time and memory of each preparation."""
    lines = [
        "## Until a dataset is ready",
        "",
        "| dataset | s | asked | s of the processor | most memory, MB | asked | on disk, MB |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    for text, row in found.items():
        limit = LIMITS.get(text.split("(")[0])
        asked = "" if limit is None else _asked(row["seconds"] <= limit, f"at most {limit:.0f}")
        memory = _asked(row["megabytes"] <= MOST_MEMORY, f"at most {MOST_MEMORY:,.0f}")
        lines.append(
            f"| `{text}` | {row['seconds']:.1f} | {asked} | {row['processor']:.1f} "
            f"| {row['megabytes']:,.0f} | {memory} | {row['stored']:,.0f} |"
        )
    return lines


def batch_table(
    batches: Mapping[str, Mapping[str, float]], steps: Mapping[str, Mapping[str, float]]
) -> list[str]:
    """Cost of a batch, and its share of a training step."""
    ways = ("gather", "tensor", "memory", "memory 2", "files", "files 2")
    lines = [
        "## A batch of 64",
        "",
        "Milliseconds; the plain loader from memory and from files, each also with two workers.",
        "",
        f"| dataset | {' | '.join(ways)} | memory / gather | files / gather | memory / tensor "
        "| asked |",
        f"|---|{'---:|' * (len(ways) + 4)}",
    ]
    for text, row in batches.items():
        there = "files" if parse_dataset(text).image_shape[-1] > 1 else "memory"
        met = row[there] >= LEAST_RATIO * row["gather"]
        lines.append(
            f"| `{text}` | {' | '.join(f'{row[way]:.2f}' for way in ways)} "
            f"| {row['memory'] / row['gather']:.1f} | {row['files'] / row['gather']:.1f} "
            f"| {row['memory'] / row['tensor']:.1f} "
            f"| {_asked(met, f'{there} / gather at least {LEAST_RATIO:.0f}')} |"
        )
    lines += [
        "",
        "## A training step",
        "",
        "| dataset | step, ms | with one batch, ms | share of loading | asked | tensor / step |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    for text, row in steps.items():
        share = 1 - row["fixed"] / row["loaded"]
        lines.append(
            f"| `{text}` | {row['loaded']:.1f} | {row['fixed']:.1f} | {100 * share:.1f} % "
            f"| {_asked(share <= MOST_SHARE, f'at most {100 * MOST_SHARE:.0f} %')} "
            f"| {100 * batches[text]['tensor'] / row['loaded']:.1f} % |"
        )
    return lines


def _asked(met: bool, what: str) -> str:
    return f"{what}: {'met' if met else 'missed'}"


if __name__ == "__main__":
    main()
