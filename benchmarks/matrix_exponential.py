"""How fast our exponential of many small matrices is beside `torch.matrix_exp`, and as exact.

Protocol
--------
A cell is a batch of N matrices of M by M, single precision, whose entries are normal, scaled so
that the mean 1-norm is what the table says. Timed are the value, and value and gradient together
of a weighted sum of all entries, each 20 times after 5 that are not timed. Both functions take
turns within a round, and a ratio is one of a round; the median over the rounds counts, and the
range stands beside it. 256 matrices of 10 by 10 are a batch of the Lie group VAE on dSprites, and
of 20 by 20 one on 3DShapes. Errors are the largest of any entry over the largest entry of its
matrix, against SciPy in double precision.

Criteria: in every cell at least as fast as `torch.matrix_exp` for value and gradient; errors of at
most 1e-5 up to a norm of 10.

Usage
-----
    python benchmarks/matrix_exponential.py --out DIR

writes `benchmarks/results/matrix_exponential.md`. Finished rounds stand in DIR and are not
measured again. Without --out everything runs once, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import scipy.linalg
import torch
from _machine import circumstances
from torch import Tensor

from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, read_lines
from unweave.nn.matrix_exponential import matrix_exponential
from unweave.rundir import atomic_write

ROOT = Path(__file__).resolve().parents[1]
Function = Callable[[Tensor], Tensor]
FUNCTIONS: Final[dict[str, Function]] = {"ours": matrix_exponential, "torch": torch.matrix_exp}
CELLS: Final = tuple(
    (count, side, norm)
    for count, side in ((64, 10), (256, 10), (256, 20))
    for norm in (0.01, 1.0, 10.0)
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description="Speed of the matrix exponential; see the file.")
    parser.add_argument("--out", type=Path, help="folder of finished rounds")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--repeats", type=int, default=20)
    given = parser.parse_args(arguments)
    try:
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("Tiny lengths: these figures show that everything runs, nothing else.\n")
                print(_measure(Path(temporary), 1, 1))
            return
        text = _measure(given.out, given.rounds, given.repeats)
    except UnweaveError as error:
        sys.exit(str(error))
    target = ROOT / "benchmarks" / "results" / "matrix_exponential.md"
    with atomic_write(target) as handle:
        handle.write(text.encode())
    print(f"Wrote {target}.")


def _measure(out: Path, rounds: int, repeats: int) -> str:
    out.mkdir(parents=True, exist_ok=True)
    lines = out / "rounds.jsonl"
    done = {row["round"] for row in read_lines(lines)}
    for number in range(rounds):
        if number not in done:
            for cell in CELLS:
                append_line(lines, {"round": number, "cell": list(cell)} | _round(cell, repeats))
            print(f"round {number + 1} of {rounds} done", file=sys.stderr)
    rows = read_lines(lines)
    text = ["# Matrix exponential: speed and error", ""]
    text += [f"- {name}: {value}" for name, value in circumstances()]
    text += ["- protocol: the docstring of `benchmarks/matrix_exponential.py`", ""]
    text += [
        "| matrices | 1-norm | value and gradient, ms: ours | torch | times faster | value alone, "
        "times faster | error: ours | torch |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for count, side, norm in CELLS:
        found = [row for row in rows if row["cell"] == [count, side, norm]]
        both = [statistics.median(row["both"][name] for row in found) for name in FUNCTIONS]
        errors = [found[0]["error"][name] for name in FUNCTIONS]
        cells = [f"{count} of {side}x{side}", f"{norm:g}", *(f"{t:.2f}" for t in both)]
        cells += [_ratio(found, kind) for kind in ("both", "value")]
        cells += [f"{error:.1e}" for error in errors]
        text.append(f"| {' | '.join(cells)} |")
    return "\n".join(
        [*text, "", "Medians over the rounds, with the range in brackets; milliseconds.", ""]
    )


def _round(cell: tuple[int, int, float], repeats: int) -> dict[str, Any]:
    """Times in milliseconds and errors of both functions on the same matrices."""
    matrices = _matrices(*cell)
    weights = torch.from_numpy(np.random.default_rng(1).normal(0, 1, matrices.shape)).float()
    expected = scipy.linalg.expm(matrices.double().numpy())
    found: dict[str, Any] = {"value": {}, "both": {}, "error": {}}
    for name, function in FUNCTIONS.items():
        with torch.no_grad():
            values = function(matrices).double().numpy()
            found["value"][name] = _time(lambda f=function: f(matrices), repeats)  # type: ignore[misc]
        sizes = np.abs(expected).max((1, 2))
        found["error"][name] = float((np.abs(values - expected).max((1, 2)) / sizes).max())
        leaf = matrices.clone().requires_grad_()
        found["both"][name] = _time(
            lambda f=function, x=leaf: torch.autograd.grad((f(x) * weights).sum(), x),  # type: ignore[misc]
            repeats,
        )
    return found


def _matrices(count: int, side: int, norm: float) -> Tensor:
    """Matrices (N, M, M) float32 with this mean 1-norm."""
    drawn = np.random.default_rng(0).normal(0, 1, (count, side, side))
    mean = np.abs(drawn).sum(1).max(1).mean()
    return torch.from_numpy(drawn * norm / mean).float()


def _time(call: Callable[[], object], repeats: int) -> float:
    for _ in range(min(5, repeats)):
        call()
    begun = time.perf_counter()
    for _ in range(repeats):
        call()
    return 1000 * (time.perf_counter() - begun) / repeats


def _ratio(rows: list[dict[str, Any]], kind: str) -> str:
    ratios = [row[kind]["torch"] / row[kind]["ours"] for row in rows]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
