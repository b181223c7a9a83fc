"""Every metric on codes whose quality is known: eight synthetic codes, rotations and noise.

Protocol
--------
The codes are those of `unweave.metrics.synthetic`, 5,000 rows each: the eight that are modular,
compact and explicit or not, two factors turned in their plane by 0 to 45 degrees, and two factors
with noise of 0.1 to 2 standard deviations. Every metric of the protocol `unweave` scores each of
them with seed 0, the ones that are opt-in too. A metric that refuses a code has a dash. Nothing is
tuned: a metric that gives a good score to bad codes is shown to do so.

Usage
-----
    python benchmarks/calibration.py --out DIR

scores what is not in DIR yet, and writes the tables of `docs/explanation/calibration.md`, its
picture `docs/images/calibration.png`, and `benchmarks/results/calibration.json`, which a test
holds the metrics against. Without --out, a few hundred rows and the quick metrics show that
everything runs.
"""

from __future__ import annotations

__all__ = ["CASES", "ROWS", "figure", "main", "score_case", "tables"]

import argparse
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from unweave.errors import DataError
from unweave.metrics import Draws, Metric
from unweave.metrics.protocols import DEFAULT, protocol
from unweave.metrics.synthetic import SYNTHETIC, noisy_codes, rotated_codes, synthetic_codes
from unweave.representation import Representation
from unweave.rundir import atomic_write, read_json, write_json

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results" / "calibration.json"
PAGE = ROOT / "docs" / "explanation" / "calibration.md"
PICTURE = ROOT / "docs" / "images" / "calibration.png"
ROWS = 5_000
_MARK = "<!-- What follows is written by benchmarks/calibration.py. -->"
_FEW_ROWS = 300

Make = Callable[[int], Representation]


def _synthetic(name: str) -> Make:
    return lambda rows: synthetic_codes(name, rows)


def _rotated(degrees: float) -> Make:
    return lambda rows: rotated_codes(degrees, rows)


def _noisy(noise: float) -> Make:
    return lambda rows: noisy_codes(noise, rows)


CASES: dict[str, Make] = {
    **{name: _synthetic(name) for name in SYNTHETIC},
    **{f"turned {degrees}": _rotated(degrees) for degrees in (0, 15, 30, 45)},
    **{f"noise {noise}": _noisy(noise) for noise in (0.1, 0.3, 1.0, 2.0)},
}

_GROUPS = {
    "The eight codes": SYNTHETIC,
    "Rotations, degrees": tuple(name for name in CASES if name.startswith("turned")),
    "Noise, standard deviations of a code": tuple(
        name for name in CASES if name.startswith("noise")
    ),
}


def metrics(*, quick: bool = False) -> tuple[Metric, ...]:
    """What is scored: all metrics of the default protocol, or those that it scores unasked."""
    return tuple(m for m in protocol(DEFAULT).metrics if not (quick and m.opt_in))


def score_case(metric: Metric, table: Representation) -> dict[str, float] | None:
    """The value and the parts of a score, or None when the metric refuses the codes."""
    try:
        metric.check(np.asarray(table.factors), table.factor_space, table.latents)
        found = metric.score(table, Draws(0, metric.stream or metric.name))
    except DataError:
        return None
    return {"value": found.value, **found.parts}


def tables(scores: Mapping[str, Mapping[str, Any]], chosen: Sequence[Metric]) -> str:
    """The tables of the page, from scores by metric and case."""
    text = ""
    for title, cases in _GROUPS.items():
        text += f"\n## {title}\n\n| metric | {' | '.join(cases)} |\n"
        text += "|---|" + "---:|" * len(cases) + "\n"
        for metric in chosen:
            cells = [_cell(scores[metric.name][case]) for case in cases]
            arrow = "" if metric.higher_is_better else " (lower is better)"
            text += f"| `{metric.name}`{arrow} | {' | '.join(cells)} |\n"
    return text


def figure(scores: Mapping[str, Mapping[str, Any]], chosen: Sequence[Metric]) -> Any:
    """A heat map of the metrics that lie between 0 and 1; others are in the tables alone."""
    import matplotlib.pyplot as plt

    shown = [m for m in chosen if m.bounds == (0.0, 1.0)]
    values = np.array(
        [
            [
                np.nan if (found := scores[m.name][case]) is None else found["value"]
                for case in CASES
            ]
            for m in shown
        ]
    )
    size = (0.52 * len(CASES) + 2.6, 0.3 * len(shown) + 1.6)
    drawing, axis = plt.subplots(figsize=size, constrained_layout=True)
    image = axis.imshow(values, vmin=0, vmax=1, cmap="viridis", aspect="auto")
    axis.set_xticks(range(len(CASES)), list(CASES), rotation=60, ha="right")
    names = [m.name + ("" if m.higher_is_better else " (lower is better)") for m in shown]
    axis.set_yticks(range(len(shown)), names)
    for (row, column), value in np.ndenumerate(values):
        if np.isfinite(value):
            color = "white" if value < 0.6 else "black"
            axis.text(
                column, row, f"{value:.2f}", ha="center", va="center", fontsize=6, color=color
            )
    for edge in np.cumsum([len(cases) for cases in _GROUPS.values()])[:-1]:
        axis.axvline(edge - 0.5, color="white", lw=2)
    drawing.colorbar(image, ax=axis, label="score", shrink=0.6)
    return drawing


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Score codes of known quality.")
    parser.add_argument("--out", type=Path, help="folder in which scores are kept")
    options = parser.parse_args(arguments)
    quick = options.out is None
    chosen = metrics(quick=quick)
    scores: dict[str, dict[str, Any]] = {}
    for metric in chosen:
        kept = None if quick else options.out / f"{metric.name}.json"
        # A metric whose settings have changed is scored again.
        if kept is not None and kept.is_file() and read_json(kept)["text"] == str(metric):
            scores[metric.name] = read_json(kept)["scores"]
            continue
        rows = _FEW_ROWS if quick else ROWS
        scores[metric.name] = {
            case: score_case(metric, make(rows)) for case, make in CASES.items()
        }
        if kept is not None:
            kept.parent.mkdir(parents=True, exist_ok=True)
            write_json(kept, {"text": str(metric), "scores": scores[metric.name]})
        print(f"{metric.name}: {len(CASES)} codes", file=sys.stderr, flush=True)
    if quick:
        print(tables(scores, chosen))
        return
    texts = {metric.name: str(metric) for metric in chosen}
    with atomic_write(RESULTS) as handle:
        body = {"rows": ROWS, "metrics": texts, "scores": scores}
        handle.write((json.dumps(body, indent=1) + "\n").encode())
    text = PAGE.read_text(encoding="utf-8").partition(_MARK)[0]
    with atomic_write(PAGE) as handle:
        handle.write(f"{text}{_MARK}\n{tables(scores, chosen)}".encode())
    from unweave import plots

    plots.save(figure(scores, chosen), PICTURE)
    print(f"Wrote {PAGE.relative_to(ROOT)}.")


def _cell(found: Mapping[str, float] | None) -> str:
    return "-" if found is None else f"{found['value']:.3f}"


if __name__ == "__main__":
    main()
