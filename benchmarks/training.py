"""How fast `unweave.train` is beside the plain PyTorch step of disentangling-vae, and as good.

Protocol
--------
Speed. Each cell trains a beta-TCVAE in batches of 64 on all 737,280 images of dSprites in a
process of its own: 50 steps that are not timed, then 500 that are. `plain` is the source system's
step, written anew: eager PyTorch, float32, one image after the other made a tensor in a
`DataLoader`, the loss read at every step for a progress bar. `unweave` is `unweave.train` with its
defaults, logging and all. The cells take turns within a round, and a ratio is one of a round; the
median over the rounds counts, and the range stands beside it.

The baseline is shown twice: as it is, and with the C library told to keep freed memory, which
`unweave.train` does by itself. Without, it pays page faults for its activations at every step,
and how dear these are differs from machine to machine.

Criterion: ours in its default precision at least 3 times the float32 baseline as it is.

Quality. Both train 2,000 steps from the same weights, three seeds, the same objective (the
published one, with its defect); ours in bfloat16. The mean over the last 200 steps of every term
is compared, beside the range over the seeds.

Criterion: no term's mean over seeds differs by more than the larger of the two ranges over seeds.

Pieces. Every piece of our step is timed alone, in the default precision and in float32.

Usage
-----
    python benchmarks/training.py --out DIR [speed] [quality] [pieces]

writes `benchmarks/results/training.md` and `docs/images/training_quality.png`; without a part,
all three. Finished rounds and curves stand in DIR and are not measured again. Without --out all
sizes are tiny: that everything runs is all that it shows, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from _machine import circumstances
from _training.cells import CELLS, run_cell
from _training.curves import draw, ours, plain, summary
from _training.pieces import pieces

import unweave
from unweave import plots
from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, read_lines
from unweave.rundir import atomic_write, read_json, write_json

ROOT = Path(__file__).resolve().parents[1]
PARTS = ("speed", "quality", "pieces")
PICTURE = ROOT / "docs" / "images" / "training_quality.png"


@final
@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    data: str
    rounds: int
    warm: int
    steps: int
    curve: int
    seeds: int
    repeats: int


FULL = Sizes("dsprites", rounds=4, warm=50, steps=500, curve=2000, seeds=3, repeats=100)
QUICK = Sizes("dsprites(grid=(3, 2, 4, 8, 8))", 1, 2, 5, curve=10, seeds=2, repeats=2)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Speed and quality of training; see the file.")
    parser.add_argument("parts", nargs="*", metavar="PART", help="speed, quality, pieces")
    parser.add_argument("--out", type=Path, help="folder of finished measurements")
    given = parser.parse_args(arguments)
    unknown = [part for part in given.parts if part not in PARTS]
    if unknown:
        parser.error(f"unknown part {unknown[0]}; there are {', '.join(PARTS)}")
    parts = given.parts or PARTS
    try:
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("Tiny sizes: these figures show that everything runs, and nothing else.\n")
                print(_measure(Path(temporary), QUICK, parts, None))
            return
        text = _measure(given.out, FULL, parts, PICTURE)
    except UnweaveError as error:
        sys.exit(str(error))
    target = ROOT / "benchmarks" / "results" / "training.md"
    with atomic_write(target) as handle:
        handle.write(text.encode())
    print(f"Wrote {target}.")


def _measure(out: Path, sizes: Sizes, parts: Sequence[str], picture: Path | None) -> str:
    out.mkdir(parents=True, exist_ok=True)
    unweave.load_dataset(sizes.data)
    if "speed" in parts:
        _rounds(out, sizes)
    if "pieces" in parts:
        for precision in ("auto", "float32"):
            found = pieces(sizes.data, precision, sizes.repeats)
            write_json(out / f"pieces-{precision}.json", found)
    if "quality" in parts:
        seeds = range(sizes.seeds)
        for seed in seeds:
            plain(out, sizes.data, sizes.curve, seed)
            ours(out, sizes.data, sizes.curve, seed, "bfloat16")
    head = [
        "# Training: speed and quality",
        "",
        *(f"- {name}: {value}" for name, value in circumstances()),
        "- protocol: the docstring of `benchmarks/training.py`",
        "",
    ]
    sections = [*_speed_section(out, sizes), *_pieces_section(out)]
    sections += _quality_section(out, sizes, picture)
    return "\n".join([*head, *sections])


def _rounds(out: Path, sizes: Sizes) -> None:
    lines = out / "rounds.jsonl"
    done = {(row["round"], row["cell"]) for row in read_lines(lines)}
    for number in range(sizes.rounds):
        for cell in CELLS:
            if (number, cell.name) in done:
                continue
            found = run_cell(cell, sizes.data, sizes.warm, sizes.steps)
            append_line(lines, {"round": number, "cell": cell.name, **found})
            print(
                f"round {number + 1} of {sizes.rounds}, {cell.name}: "
                f"{found['images_per_second']:,.0f} images/s",
                file=sys.stderr,
            )


def _speed_section(out: Path, sizes: Sizes) -> list[str]:
    rows = read_lines(out / "rounds.jsonl")
    if not rows:
        return []
    of: dict[str, dict[int, dict[str, Any]]] = {}
    for row in rows:
        of.setdefault(row["cell"], {})[row["round"]] = row
    base, kept = (of[cell.name] for cell in (CELLS[0], CELLS[-1]))
    text = [
        f"## Speed, {len(base)} rounds of {sizes.steps} steps",
        "",
        "| cell | ms a step | images/s | page faults a step | times the baseline as it is "
        "| times the baseline, memory kept |",
        "|---|---|---|---|---|---|",
    ]
    for cell in CELLS:
        found = of[cell.name]
        precision = next(iter(found.values()))["precision"]
        name = cell.name.replace("auto", f"default ({precision})")
        cells = [
            _range([row["milliseconds"] for row in found.values()], 1),
            _range([row["images_per_second"] for row in found.values()], 0),
            f"{statistics.median(row['faults'] for row in found.values()):,.0f}",
            _ratio(found, base),
            _ratio(found, kept),
        ]
        text.append(f"| {name} | {' | '.join(cells)} |")
    return [*text, "", "Medians over the rounds, with the range in brackets.", ""]


def _ratio(found: dict[int, dict[str, Any]], base: dict[int, dict[str, Any]]) -> str:
    shared = sorted(found.keys() & base.keys())
    key = "images_per_second"
    return _range([found[number][key] / base[number][key] for number in shared], 2)


def _range(values: Sequence[float], digits: int) -> str:
    low, high = min(values), max(values)
    return f"{statistics.median(values):,.{digits}f} ({low:,.{digits}f} to {high:,.{digits}f})"


def _pieces_section(out: Path) -> list[str]:
    files = [out / f"pieces-{precision}.json" for precision in ("auto", "float32")]
    if not all(path.is_file() for path in files):
        return []
    low, full = (read_json(path) for path in files)
    text = ["## Where the time of a step goes", "", "| piece | default, ms | float32, ms |"]
    text.append("|---|---|---|")
    for (name, first), (_, second) in zip(low, full, strict=True):
        text.append(f"| {name} | {first:.2f} | {second:.2f} |")
    return [*text, "", "Medians; every piece is timed alone, on tensors of the right size.", ""]


def _quality_section(out: Path, sizes: Sizes, picture: Path | None) -> list[str]:
    seeds = range(sizes.seeds)
    kinds = {"plain float32": "plain", "unweave bfloat16": "unweave-bfloat16"}
    places = {
        kind: [out / f"{name}-{seed}-{sizes.curve}.json" for seed in seeds]
        for kind, name in kinds.items()
    }
    if not all(path.is_file() for paths in places.values() for path in paths):
        return []
    found = {kind: [read_json(path) for path in paths] for kind, paths in places.items()}
    last = max(1, sizes.curve // 10)
    rows = summary(found, last)
    text = [
        f"## Quality, {sizes.curve:,} steps, {sizes.seeds} seeds",
        "",
        f"Means over the last {last} steps, nats an image.",
        "",
        "| term | plain float32: mean (range over seeds) | unweave bfloat16 | difference "
        "| within the larger range |",
        "|---|---|---|---|---|",
    ]
    half = len(rows) // 2
    for mine, theirs in zip(rows[half:], rows[:half], strict=True):
        gap = mine["mean"] - theirs["mean"]
        spread = max(max(row["ends"]) - min(row["ends"]) for row in (mine, theirs))
        verdict = "yes" if abs(gap) <= spread else "no"
        cells = [mine["term"], _range_of(theirs), _range_of(mine), f"{gap:+.3f}", verdict]
        text.append(f"| {' | '.join(cells)} |")
    if picture is not None:
        plots.save(draw(found, sizes.curve), picture)
        text += ["", "![Loss curves of both](../../docs/images/training_quality.png)"]
    return [*text, ""]


def _range_of(row: dict[str, Any]) -> str:
    return f"{row['mean']:.3f} ({min(row['ends']):.3f} to {max(row['ends']):.3f})"


if __name__ == "__main__":
    main()
