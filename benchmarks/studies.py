"""A study on every engine: killed twice, every run done once, the same table, and what it costs.

A study of tiny trainings (five steps on a small grid of dSprites, scored by SAP) is carried out
serially, by processes, and on a Ray cluster of two nodes on this machine (two raylets), once with
the study's folder shared by both nodes and once with a storage (`file://`) and folders of its own
for each node. Each is done twice: undisturbed, which is timed; and with its driver killed
(SIGKILL) after a third of the runs, and a worker of the next driver killed after another third.

Checked of every study: each run has finished exactly once by the event log, none was trained again
after it had finished, and the table of all runs (a digest of the weights, every score) is the same
as that of the serial study.

Overhead of a run: the time from the start of the driver to its end, times the number of workers,
without the seconds of training and scoring, divided by the number of runs. It holds the start of
Python and PyTorch in driver and workers, planning, the event log, messages, and whatever a worker
does besides; a cluster is there before. Training is everything from the opened configuration to
the last checkpoint, as `unweave.train` does it; how much of it is steps is shown, too.
Criterion: at most 100 ms.

    python benchmarks/studies.py --out DIR [--runs 200] [--only NAME ...]

writes `benchmarks/results/studies.md`. Without any argument it takes twelve runs in a temporary
folder, to show that everything works, and writes nothing.
"""

from __future__ import annotations

__all__ = ["NAMES", "main", "measured", "places", "study_form", "table"]

import argparse
import contextlib
import datetime
import importlib.util
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from _machine import command, machine, versions
from _studies.measure import Measured, Place, measure
from _studies.nodes import two_nodes

from unweave.data import parse_dataset
from unweave.errors import RunError, UnweaveError
from unweave.rundir import atomic_write

ROOT = Path(__file__).resolve().parents[1]
LIMIT = 0.1
WORKERS = 2
DATA = "dsprites(grid=(3, 2, 4, 8, 8))"
NAMES = ("serial", "processes", "ray", "ray with storage")


def study_form(runs: int) -> dict[str, Any]:
    """A study of so many tiny runs, an even number."""
    return {
        "train": {
            "dataset": DATA,
            "steps": 5,
            "batch_size": 8,
            "checkpoint_every": 2,
        },
        "sweep": [{"grid": {"objective": ["beta_vae(beta=4)", "factor_vae(gamma=10)"]}}],
        "seeds": runs // 2,
        "evaluate": {"metrics": ["sap"]},
        "limits": {"retries": 0},
    }


@contextlib.contextmanager
def places(out: Path, names: Sequence[str]) -> Iterator[list[Place]]:
    """Where the study is carried out; with Ray on two nodes, each with a home of its own."""
    with contextlib.ExitStack() as stack:
        found = []
        address, raylets = "", list[int]()
        if any("ray" in name for name in names):
            homes = [out / "nodes" / name for name in ("one", "two")]
            address, raylets = stack.enter_context(two_nodes(homes))
        for name in names:
            arguments: dict[str, Any] = {"executor": name.split()[0]}
            if "ray" in name:
                arguments |= {"address": address}
            if "storage" in name:
                arguments |= {"storage": f"file://{out / 'storage'}"}
            workers = 1 if name == "serial" else WORKERS
            mine = tuple(raylets) if "ray" in name else ()
            found.append(Place(name, arguments, workers, mine))
        yield found


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(description="Carry out a study on every engine.")
    parser.add_argument("--out", type=Path, help="folder of the studies; what is in it goes")
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=list(NAMES), metavar="NAME")
    options = parser.parse_args(given)
    names = [name for name in NAMES if name in options.only]
    if importlib.util.find_spec("ray") is None:
        print("Ray is not installed, so that there is no cluster: pip install 'unweave[ray]'.")
        names = [name for name in names if "ray" not in name]
    try:
        if options.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print(table(measured(12, Path(temporary), names)))
            return
        found = measured(options.runs, options.out.resolve(), names)
    except UnweaveError as error:
        sys.exit(str(error))
    text = _page(options.runs, found)
    with atomic_write(ROOT / "benchmarks" / "results" / "studies.md") as handle:
        handle.write(text.encode())
    print(text)


def measured(
    runs: int, out: Path, names: Sequence[str]
) -> Mapping[str, tuple[Place, Measured, Measured]]:
    """Each place with its undisturbed study and the one in which processes were killed."""
    os.environ["UNWEAVE_RUNS"] = str(out / "elsewhere")
    parse_dataset(DATA).open()
    form = study_form(runs)
    found: dict[str, tuple[Place, Measured, Measured]] = {}
    with places(out, names) as chosen:
        for place in chosen:
            pair = []
            for kind in ("undisturbed", "killed"):
                shutil.rmtree(out / "storage", ignore_errors=True)
                # A folder of its own: studies that lie side by side share their runs.
                target = out / f"{place.name.replace(' ', '-')}-{kind}" / "study"
                shutil.rmtree(target.parent, ignore_errors=True)
                pair.append(measure(form, target, place, kill=kind == "killed"))
                print(f"{place.name}, {kind}: {pair[-1].seconds:.1f} s", flush=True)
                tables = [pair[-1].table, *(first.table for _, first, _ in found.values())]
                if any(table != pair[0].table for table in tables):
                    raise RunError(f"{target} has another table of runs than those before.")
            found[place.name] = (place, pair[0], pair[1])
    return found


def _page(runs: int, found: Mapping[str, tuple[Place, Measured, Measured]]) -> str:
    head = (
        ("command", f"`{command()}`"),
        ("date", datetime.datetime.now(datetime.UTC).date().isoformat()),
        ("machine", machine()),
        ("versions", versions()),
    )
    text = "# A study on every engine\n\n"
    text += (
        f"{runs} trainings of five steps, each scored by SAP. Every run finished exactly once, "
        "also where the driver and then a worker were killed, and all tables of weights and "
        "scores are the same. What is measured is written at the top of "
        "`benchmarks/studies.py`.\n\n"
    )
    text += "".join(f"- {name}: {value}\n" for name, value in head)
    return text + "\n" + table(found)


def table(found: Mapping[str, tuple[Place, Measured, Measured]]) -> str:
    lines = [
        "| engine | workers | seconds | of training and scoring, a run | of these in steps "
        f"| overhead a run | at most {LIMIT * 1000:.0f} ms | storage, a run | killed: drivers "
        "| runs lost with a worker | seconds |",
        "|" + "---|" * 11,
    ]
    for name, (place, calm, killed) in found.items():
        runs, overhead = len(calm.table), calm.overhead(place.workers)
        cells = [
            name,
            str(place.workers),
            f"{calm.seconds:.1f}",
            f"{1000 * calm.spent / runs:.0f} ms",
            f"{1000 * calm.steps / runs:.0f} ms",
            f"{1000 * overhead:.0f} ms",
            "yes" if overhead <= LIMIT else "**no**",
            f"{1000 * calm.storing / runs:.0f} ms" if calm.storing else "",
            str(killed.drivers),
            str(killed.lost),
            f"{killed.seconds:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
