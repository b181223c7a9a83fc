"""How fast DCI's boosted trees grow beside scikit-learn's, and whether they are the same.

Protocol
--------
One process. Codes of 10,000 rows and ten latents, in single precision: five follow one factor
each under noise, three follow the same factors weakly, two are noise. The factors have 3, 6, 40,
32 and 32 values, as those of dSprites. For one factor after the other, scikit-learn's
`GradientBoostingClassifier` at its defaults is fitted and scored, as disentanglement_lib does,
and then the metric's trees are grown, with the same seed; so both meet the same load. The
reference uses one core, the metric all that the process may use.

A second table repeats few rows: the full grid of 840 combinations, drawn with replacement.

Criteria: importances equal to 1e-9; at least 1.5 times as fast on two cores, aim 5 times.

Usage
-----
    python benchmarks/dci.py [--stages 100] [--rounds 1] [--out FILE]

prints a table, and writes it with --out, for instance to `benchmarks/results/dci.md`. Time grows
evenly with the number of stages, 100 in the metric, which takes minutes; fewer give the same
ratios sooner.
"""

from __future__ import annotations

__all__ = ["Measured", "main", "measure", "noisy_codes", "report"]

import argparse
import datetime
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import final

import numpy as np
from _machine import command, machine, versions
from numpy.typing import NDArray

from unweave.metrics.threads import cores
from unweave.metrics.trees.boosting import boost, draw_seeds, trees_of
from unweave.metrics.trees.regression import Presorted
from unweave.rundir import atomic_write
from unweave.splits import keyed_generator

SIZES = (3, 6, 40, 32, 32)
SMALL = (4, 5, 6, 7)
LATENTS = 10


@final
@dataclass(frozen=True)
class Measured:
    """One factor in one round.

    Attributes:
        trees: Trees grown by either.
        left: Trees that the metric left to scikit-learn.
        reference: Seconds of scikit-learn.
        ours: Seconds of the metric.
        deviation: Largest difference of an importance.
        labels: Test labels on which both differ.
    """

    trees: int
    left: int
    reference: float
    ours: float
    deviation: float
    labels: int


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time the trees of DCI; see the file.")
    parser.add_argument("--stages", type=int, default=100, help="stages of boosting")
    parser.add_argument("--rounds", type=int, default=1, help="repeats of all factors")
    parser.add_argument("--rows", type=int, default=10_000, help="rows that are fitted")
    parser.add_argument("--out", type=Path, help="file to write")
    given = parser.parse_args(arguments)
    if min(given.stages, given.rounds, given.rows) < 1:
        parser.error("--stages, --rounds and --rows are at least 1.")
    rng = keyed_generator(0, "benchmark of DCI")
    tables = {
        f"{given.rows:,} rows drawn anew": noisy_codes(rng, given.rows, SIZES),
        f"{given.rows:,} rows of 840 different ones": repeated_codes(rng, given.rows),
    }
    lines = []
    for name, (codes, factors) in tables.items():
        found = [
            [measure(codes, factors[:, k], given.stages) for k in range(factors.shape[1])]
            for _ in range(given.rounds)
        ]
        lines += [f"## {name}", "", *report(factors, found), ""]
    text = "\n".join(lines)
    print(text)
    if given.out is not None:
        today = datetime.datetime.now(datetime.UTC).date().isoformat()
        head = [
            "# Boosted trees of DCI beside scikit-learn's",
            "",
            f"    {command()}",
            "",
            f"{today}. {machine()}; {cores()} threads for trees. {given.stages} stages, "
            f"{given.rounds} rounds.",
            f"{versions()}, scikit-learn {version('scikit-learn')}.",
            "",
        ]
        given.out.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(given.out) as file:
            file.write(("\n".join(head) + "\n" + text).encode())


def noisy_codes(
    rng: np.random.Generator, rows: int, sizes: tuple[int, ...]
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Codes (N, 10) that follow factors (N, K) under noise."""
    factors = np.stack([rng.integers(size, size=rows) for size in sizes], axis=1)
    counts = np.array(sizes)
    units = (factors - (counts - 1) / 2) / np.sqrt((counts**2 - 1) / 12)
    codes = rng.normal(0, 0.3, (rows, LATENTS))
    codes[:, : len(sizes)] += units
    codes[:, 5:8] += 0.3 * units[:, :3]
    return np.float32(codes), factors


def repeated_codes(
    rng: np.random.Generator, rows: int
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """The same for a small grid, whose rows are drawn with replacement."""
    grid = np.indices(SMALL).reshape(len(SMALL), -1).T
    counts = np.array(SMALL)
    codes = rng.normal(0, 0.3, (len(grid), LATENTS))
    codes[:, : len(SMALL)] += (grid - (counts - 1) / 2) / np.sqrt((counts**2 - 1) / 12)
    drawn = rng.integers(len(grid), size=rows)
    return np.float32(codes)[drawn], grid[drawn]


def measure(codes: NDArray[np.float32], labels: NDArray[np.int64], stages: int) -> Measured:
    """Fit and score both, on all rows and on the first half of them."""
    from sklearn.ensemble import GradientBoostingClassifier

    test = codes[: len(codes) // 2]
    begun = time.perf_counter()
    model = GradientBoostingClassifier(
        n_estimators=stages, random_state=np.random.RandomState(0)
    ).fit(codes, labels)
    importances = model.feature_importances_
    model.score(codes, labels)
    found = model.predict(test)
    between = time.perf_counter()
    with ThreadPoolExecutor(cores()) as pool:
        seeds = draw_seeds(np.random.RandomState(0), labels, stages)
        boosted = boost(Presorted(codes), labels, test, seeds, pool.map)
    ended = time.perf_counter()
    return Measured(
        trees=trees_of(len(np.unique(labels)), stages),
        left=boosted.by_sklearn,
        reference=between - begun,
        ours=ended - between,
        deviation=float(np.abs(boosted.importances - importances).max()),
        labels=int((boosted.test != found).sum()),
    )


def report(factors: NDArray[np.int64], rounds: Sequence[Sequence[Measured]]) -> list[str]:
    """A table with a row for each factor; times are means over the rounds."""
    lines = [
        "| values | trees | left to scikit-learn | scikit-learn (s) | unweave (s) | ratio "
        "| largest difference of an importance | labels that differ |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    columns = list(zip(*rounds, strict=True))
    names = [str(len(np.unique(column))) for column in factors.T]
    for name, found in zip([*names, "all"], [*columns, None], strict=True):
        chosen = [each for column in columns for each in column] if found is None else found
        theirs = sum(each.reference for each in chosen) / len(rounds)
        ours = sum(each.ours for each in chosen) / len(rounds)
        trees = sum(each.trees for each in chosen) // len(rounds)
        left = sum(each.left for each in chosen) // len(rounds)
        lines.append(
            f"| {name} | {trees:,} | {left:,} | {theirs:.1f} | {ours:.1f} | {theirs / ours:.1f} "
            f"| {max(each.deviation for each in chosen):.1e} "
            f"| {sum(each.labels for each in chosen)} |"
        )
    return lines


if __name__ == "__main__":
    main()
