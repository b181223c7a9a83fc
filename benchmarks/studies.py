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

__all__ = ["KINDS", "NAMES", "main", "measured", "places", "study_form", "table"]

import argparse
import contextlib
import importlib.util
import itertools
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from _machine import circumstances
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
KINDS = ("undisturbed", "killed")


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
    runs: int, out: Path, names: Sequence[str], kinds: Sequence[str] = KINDS
) -> list[tuple[Place, str, Measured]]:
    """The study at each place, in each of the kinds `undisturbed` and `killed`.

    Raises:
        RunError: A run was not done once, or two tables differ.
    """
    os.environ["UNWEAVE_RUNS"] = str(out / "elsewhere")
    parse_dataset(DATA).open()
    form = study_form(runs)
    found: list[tuple[Place, str, Measured]] = []
    with places(out, names) as chosen:
        for place, kind in itertools.product(chosen, kinds):
            shutil.rmtree(out / "storage", ignore_errors=True)
            # A folder of its own: studies that lie side by side share their runs.
            target = out / f"{place.name.replace(' ', '-')}-{kind}" / "study"
            shutil.rmtree(target.parent, ignore_errors=True)
            got = measure(form, target, place, kill=kind == "killed")
            print(f"{place.name}, {kind}: {got.seconds:.1f} s", flush=True)
            found.append((place, kind, got))
            if got.table != found[0][2].table:
                raise RunError(f"{target} has another table of runs than those before.")
    return found


def _page(runs: int, found: Sequence[tuple[Place, str, Measured]]) -> str:
    text = "# A study on every engine\n\n"
    text += (
        f"{runs} trainings of five steps, each scored by SAP. Every run finished exactly once, "
        "also where the driver and then a worker were killed, and all tables of weights and "
        "scores are the same. What is measured is written at the top of "
        "`benchmarks/studies.py`.\n\n"
    )
    text += "".join(f"- {name}: {value}\n" for name, value in circumstances())
    return text + "\n" + table(found)


def table(found: Sequence[tuple[Place, str, Measured]]) -> str:
    lines = [
        "| engine | | workers | drivers | runs lost with a worker | seconds "
        "| training and scoring, a run | of these steps | storing, a run | overhead, a run "
        f"| at most {LIMIT:g} s |",
        "|" + "---|" * 11,
    ]
    for place, kind, got in found:
        runs, overhead = len(got.table), got.overhead(place.workers)
        # What a kill made worthless is in no account.
        calm = kind == "undisturbed"
        cells = [
            place.name,
            kind,
            str(place.workers),
            str(got.drivers),
            str(got.lost),
            f"{got.seconds:.1f}",
            f"{got.spent / runs:.3f} s",
            f"{got.steps / runs:.3f} s",
            f"{got.storing / runs:.3f} s" if got.storing else "",
            f"{overhead:.3f} s" if calm else "",
            ("yes" if overhead <= LIMIT else "**no**") if calm else "",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
