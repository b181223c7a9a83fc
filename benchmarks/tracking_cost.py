"""What trackers cost a training: none of them beside TensorBoard, W&B offline and MLflow at once.

Protocol
--------
Each measurement trains a beta-TCVAE in batches of 64 on all 737,280 images of dSprites in a
process of its own, with the defaults of `unweave.train` (a record every 50 steps) and a picture
every 500. Steps are timed from the end of a warm-up on, by which all trackers must be open, to the
last one; pictures, which both draw, are within that time. A round has both cells, one after the
other, and the next round has them the other way round, so that a machine that grows slower is no
cost of trackers. A ratio is one of a round; the median over the rounds counts, and the range
stands beside it. What trackers take before the first step and after the last one, when they are
waited for, is told apart: seconds of the whole call beyond those of its steps.

Clocks of a shared machine differ by more than trackers can cost, so two more figures are taken of
the timed steps. A training that keeps all cores busy loses to its trackers what they take of the
processor, and the time for which it waits for them. The first is the processor time of all
processes that the training began, beside that of the training itself; the second is the time
within the calls by which the loop hands its records to trackers.

Criterion: all three at once cost at most 3 % of the images a second. It holds where the median
ratio of the clock says so, and where the sum of both other figures does; both are told.

Usage
-----
    python benchmarks/tracking_cost.py --out DIR

writes `benchmarks/results/tracking_cost.md`. Finished measurements stand in DIR and are not done
again. Without --out all sizes are tiny: that everything runs is all that it shows, and no results
are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from _machine import circumstances
from _processor import MARK, Taken, taken

import unweave
from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, read_lines
from unweave.rundir import atomic_write, read_json
from unweave.tracking import Tracking
from unweave.training import TrainConfig
from unweave.training.tracker import Record

ROOT = Path(__file__).resolve().parents[1]
OBJECTIVE = "beta_tcvae(beta=6)"
BATCH = 64
CELLS = {
    "none": (),
    "all": ("tensorboard(patience=120)", "wandb(mode=offline, patience=120)",
            "mlflow(patience=120)"),
}  # fmt: skip
WORST = 0.03
"""The part of the throughput that trackers may take."""


@final
@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    data: str
    rounds: int
    warm: int
    steps: int
    picture_every: int


FULL = Sizes("dsprites", rounds=6, warm=700, steps=1500, picture_every=500)
QUICK = Sizes("dsprites(grid=(3, 2, 4, 8, 8))", rounds=1, warm=10, steps=20, picture_every=10)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="What trackers cost a training; see the file.")
    parser.add_argument("--out", type=Path, help="folder of finished measurements")
    parser.add_argument("--cell", help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.cell is not None:
        order = json.loads(given.cell)
        print(json.dumps(_measure(order["cell"], Sizes(**order["sizes"]))))
        return
    try:
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("Tiny sizes: these figures show that everything runs, and nothing else.\n")
                print(_report(Path(temporary), QUICK))
            return
        text = _report(given.out, FULL)
    except UnweaveError as error:
        sys.exit(str(error))
    target = ROOT / "benchmarks" / "results" / "tracking_cost.md"
    with atomic_write(target) as handle:
        handle.write(text.encode())
    print(f"Wrote {target}.")


def _report(out: Path, sizes: Sizes) -> str:
    """Measure what is missing, and tell all of it."""
    out.mkdir(parents=True, exist_ok=True)
    unweave.load_dataset(sizes.data)
    path = out / "rounds.jsonl"
    for number in range(sizes.rounds):
        for cell in list(CELLS)[:: 1 if number % 2 == 0 else -1]:
            if any((row["round"], row["cell"]) == (number, cell) for row in read_lines(path)):
                continue
            found = _in_a_process(cell, sizes)
            append_line(path, {"round": number, "cell": cell, **found})
            print(
                f"round {number + 1} of {sizes.rounds}, {cell}: "
                f"{found['images_per_second']:,.0f} images/s",
                file=sys.stderr,
            )
    rows = read_lines(path)
    of = {cell: {row["round"]: row for row in rows if row["cell"] == cell} for cell in CELLS}
    ratios = [
        of["all"][number]["images_per_second"] / of["none"][number]["images_per_second"]
        for number in range(sizes.rounds)
    ]
    cost = 1 - statistics.median(ratios)
    shares = [_share(row) for row in of["all"].values()]
    opened = all(row["open"] for row in of["all"].values())
    lost = sum(row["left_out"] for row in of["all"].values())
    lines = [
        "# Trackers: what they cost a training",
        "",
        *(f"- {name}: {value}" for name, value in circumstances()),
        "- protocol: the docstring of `benchmarks/tracking_cost.py`",
        "",
        f"## {sizes.rounds} rounds of {sizes.steps:,} steps",
        "",
        "| trackers | images/s | seconds beside the steps |",
        "|---|---|---|",
    ]
    names = {"none": "none", "all": "TensorBoard, W&B offline, MLflow"}
    for cell, found in of.items():
        speed = _range([row["images_per_second"] for row in found.values()], 0)
        beside = _range([row["beside"] for row in found.values()], 1)
        lines.append(f"| {names[cell]} | {speed} | {beside} |")
    lines += [
        "",
        "Medians over the rounds, with the range in brackets.",
        "",
        f"By the clock: with trackers, times the speed without: {_range(ratios, 3)}. "
        f"{_held(cost, opened, lost)}: they take {100 * cost:.1f} % of the images a second.",
        "",
        "By what they take, in percent of the processor time of the training, beside it: "
        f"{_range([100 * share for share in shares], 2)}. "
        f"{_held(statistics.median(shares), opened, lost)}.",
        "",
        "| | seconds of 1,000 steps |",
        "|---|---|",
        *(
            f"| {words} | {_range([row[key] for row in of['all'].values()], 2)} |"
            for key, words in {
                "own": "processor time of the training",
                "threads": "of that, threads that feed trackers",
                "others": "processor time of the trackers' processes",
                "waited": "the loop within calls of trackers",
            }.items()
        ),
        "",
        *([] if opened else ["Not all trackers were open at the end of the warm-up.", ""]),
        *([f"Trackers were left out {lost} times.", ""] if lost else []),
    ]
    return "\n".join(lines)


def _share(row: Mapping[str, float]) -> float:
    """What trackers take, in parts of what the training takes for itself."""
    extra = row["others"] + row["threads"] + row["waited"]
    return extra / (row["own"] - row["threads"])


def _held(cost: float, opened: bool, lost: int) -> str:
    held = "holds" if cost <= WORST and opened and not lost else "does not hold"
    return f"The criterion, at most {100 * WORST:.0f} %, {held}"


def _range(values: Sequence[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _in_a_process(cell: str, sizes: Sizes) -> dict[str, Any]:
    order = json.dumps({"cell": cell, "sizes": asdict(sizes)})
    environment = {name: value for name, value in os.environ.items() if name != "UNWEAVE_TRACK"}
    environment[MARK] = str(time.monotonic_ns())
    done = subprocess.run(
        [sys.executable, __file__, "--cell", order],
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _measure(cell: str, sizes: Sizes) -> dict[str, Any]:
    """Time one training in this process.

    Returns:
        `images_per_second` of the timed steps; `beside`, seconds of the call beside its steps;
        `own`, `threads`, `others`, `waited`, seconds of 1,000 of the timed steps; `open`, whether
        all trackers were open when timing began; `left_out`, how many failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        watch = _Watch(out, sizes.warm, sizes.warm + sizes.steps)
        _time_calls(watch)
        begun = time.perf_counter()
        unweave.train(
            sizes.data,
            OBJECTIVE,
            steps=sizes.warm + sizes.steps,
            batch_size=BATCH,
            picture_every=sizes.picture_every,
            out=out,
            watch=watch,
            track=CELLS[cell],
        )
        whole = time.perf_counter() - begun
        log = (out / "log.txt").read_text(encoding="utf-8")
    used = watch.ended.since(watch.begun)
    of_thousand = {**asdict(used), "waited": watch.waited}
    return {
        "images_per_second": BATCH * sizes.steps / (watch.last - watch.warmed),
        "beside": whole - (watch.last - watch.first),
        **{name: 1000 * seconds / sizes.steps for name, seconds in of_thousand.items()},
        "open": watch.open or cell == "none",
        "left_out": log.count("is left out"),
    }


def _time_calls(watch: _Watch) -> None:
    """Have the calls by which the loop hands something over add their time to `watch.waited`."""
    for name in ("record", "scores", "picture"):
        call = getattr(Tracking, name)

        def timed(*given: Any, _call: Any = call, **named: Any) -> None:
            begun = time.perf_counter()
            _call(*given, **named)
            watch.waited += time.perf_counter() - begun

        setattr(Tracking, name, timed)


@final
class _Watch:
    """Notes when the first, the first timed and the last step begin and end."""

    def __init__(self, out: Path, warm: int, last: int) -> None:
        self._ids = out / "tracking" / "ids.json"
        self._events = out / "tracking" / "tensorboard"
        self._warm = warm
        self._last = last
        self.first = self.warmed = self.last = self.waited = 0.0
        self.begun = self.ended = Taken(0.0, 0.0, 0.0)
        self.open = False

    def start(self, config: TrainConfig, done: int) -> None:
        """Steps begin."""
        self.first = time.perf_counter()

    def step(self, step: int, images: int) -> None:
        """A step has been taken."""
        self.last = time.perf_counter()
        if step == self._warm:
            # Two are remembered once they are open, and the third has a file.
            known = read_json(self._ids).keys() if self._ids.is_file() else set()
            self.open = known == {"wandb", "mlflow"} and self._events.is_dir()
            self.begun, self.waited = taken("track "), 0.0
            self.warmed = time.perf_counter()
        elif step == self._last:
            self.ended = taken("track ")

    def record(self, step: int, record: Record) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


if __name__ == "__main__":
    main()
