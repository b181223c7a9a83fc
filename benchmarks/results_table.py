"""How long the table of many runs takes, and how much memory.

Protocol
--------
Run folders are made in a temporary folder: four datasets, fifty configurations of each, and as
many seeds as give 10,000 runs, each with `config.json`, `status.json` and a `scores.json` that
holds all scores of the default protocol, with their parts and tables. Each command runs in a
process of its own, on at most two cores: seconds from its start, imports and all, to the last line
that it prints, and the most memory that it had. The folders have just been written, so that they
lie in the memory of the system and not only on the disk. Each command runs twice; the slower one
counts.

Criteria: at most 20 s and 1 GB for a table of means that is printed, and for the tidy table as
Parquet.

Usage
-----
    python benchmarks/results_table.py [--out FILE]

prints a table and writes it with --out, for instance to `benchmarks/results/results_table.md`. It
takes some minutes and 1 GB of disk, in a temporary folder. Without --out there are eight runs:
that everything runs is all that it shows.
"""

from __future__ import annotations

__all__ = ["COMMANDS", "FULL", "QUICK", "main", "table"]

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from _machine import circumstances
from _results.folders import make_runs

from unweave.rundir import atomic_write

MOST_SECONDS = 20.0
MOST_MEMORY = 1024.0
FULL, QUICK = 10_000, 8
ROUNDS = 2

COMMANDS = {
    "means of two metrics by objective, JSON": (
        True, ["--group-by", "objective", "--metrics", "mig,sap", "--format", "json"],
    ),
    "means of all metrics, each configuration": (True, []),
    "tidy table, Parquet": (True, ["--group-by", "objective.type", "--out", "{}/tidy.parquet"]),
    "tidy table with all parts, Parquet": (
        False, ["--group-by", "objective.type", "--parts", "--out", "{}/parts.parquet"],
    ),
    "tidy table, CSV": (True, ["--group-by", "objective.type", "--out", "{}/tidy.csv"]),
    "rank correlations of all metrics": (False, ["--layout", "correlations"]),
}  # fmt: skip
"""What is measured: whether the criteria hold for it, and the flags."""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Time unweave results; see the file.")
    parser.add_argument("--out", type=Path, help="file to write")
    given = parser.parse_args(arguments)
    if given.out is None:
        print("Eight runs: these figures show that everything runs, and nothing else.\n")
        print("\n".join(_measure(QUICK, rounds=1)))
        return
    text = "\n".join(_measure(FULL, ROUNDS))
    head = [
        "# The table of many runs: time and memory",
        "",
        *(f"- {name}: {value}" for name, value in circumstances()),
        "- protocol: the docstring of `benchmarks/results_table.py`",
        "",
    ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(given.out) as file:
        file.write(("\n".join(head) + "\n" + text + "\n").encode())
    print(text)


def _measure(runs: int, rounds: int) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        place = Path(folder) / "runs"
        made = make_runs(place, runs)
        size = sum(path.stat().st_size for path in place.rglob("*.json")) / 1e6
        said = (
            f"{made:,} run folders, {size:,.0f} MB, made in {time.perf_counter() - start:.0f} s."
        )
        print(said, file=sys.stderr)
        found = {
            name: _slowest([_once([part.format(folder) for part in flags], place)
                            for _ in range(rounds)])
            for name, (_, flags) in COMMANDS.items()
        }  # fmt: skip
    return [said, "", *table(found)]


def _once(flags: Sequence[str], runs: Path) -> dict[str, Any]:
    """What a process of its own measures."""
    done = subprocess.run(
        [sys.executable, "-m", "_results.measure", "results", str(runs), *flags],
        cwd=Path(__file__).parent, check=True, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    print(f"{' '.join(flags)}: {found['seconds']:.1f} s", file=sys.stderr)
    return found


def _slowest(found: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: max(row[name] for row in found) for name in found[0]}


def table(found: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Time and memory of each command."""
    lines = [
        "| what | s | asked | s of the processor | most memory, MB | asked | lines printed "
        "| loads torch |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for name, row in found.items():
        asked, _ = COMMANDS[name]
        seconds = _asked(row["seconds"] <= MOST_SECONDS, f"at most {MOST_SECONDS:.0f}", asked)
        memory = _asked(row["megabytes"] <= MOST_MEMORY, f"at most {MOST_MEMORY:,.0f}", asked)
        lines.append(
            f"| {name} | {row['seconds']:.1f} | {seconds} | {row['processor']:.1f} "
            f"| {row['megabytes']:,.0f} | {memory} | {row['lines']:,} "
            f"| {'yes' if row['torch'] else 'no'} |"
        )
    return lines


def _asked(met: bool, what: str, asked: bool) -> str:
    return f"{what}: {'met' if met else 'missed'}" if asked else ""


if __name__ == "__main__":
    main()
