"""Why populations did not clearly win in `population_study.py`: one cause of each, tested.

Protocol, written after the results of the study and before these runs
-----------------------------------------------------------------------
All is on the study's folder, with its data, seeds and settings.

1. **Search.** Suspected: after a round of 24,000 images a score tells too little of what a member
   will become, so that weights are copied which are not those that would have become best. The
   random searches, in which nobody is copied, tell it without further training: the rank
   correlation within a repeat of fitness after each round with fitness after the last one, and
   whether the member that ends best stood in the worst quarter, whose weights population based
   training throws away, or outside of the best quarter, which it copies. Counts as confirmed if
   the mean correlation after the first round is below 0.5.

2. **Recursion.** Suspected: labels of models as little trained as these hardly tell factors, so
   that they rank the final population badly. The final population is trained again with the same
   seeds, so that it begins with the same members, ranked by MIG of 1,000 images with true labels
   that judge nobody. Counts as confirmed if the 95 % bootstrap interval of the mean difference of
   its MIG on the images kept apart and that of the recursion is above zero. Beside it: the rank
   correlation of leaf-MIG with MIG on the images kept apart, of the members that each recursion's
   final population ends with.

Usage
-----
    python benchmarks/population_causes.py --out DIR

on the folder of a study that is done; writes `benchmarks/results/population_causes.md`. Without
--out a tiny study is carried out in a temporary folder first, and nothing is written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from _machine import circumstances
from _population.causes import recursion_cause, search_cause
from _population.comparisons import recursion_page, search_page
from _population.sizes import FULL, TINY, Sizes

from unweave.errors import UnweaveError
from unweave.rundir import atomic_write

ROOT: Final = Path(__file__).resolve().parents[1]


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(description="Test why populations did not win.")
    parser.add_argument("--out", type=Path, help="folder of a study that is done")
    options = parser.parse_args(given)
    try:
        if options.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                out = Path(temporary)
                for page in (search_page, recursion_page):
                    page(TINY, out)
                print("Tiny sizes: these figures show that everything runs, nothing else.\n")
                print(_page(TINY, out))
            return
        text = _page(FULL, options.out.resolve())
    except UnweaveError as error:
        sys.exit(str(error))
    print(text)
    with atomic_write(ROOT / "benchmarks" / "results" / "population_causes.md") as handle:
        handle.write(text.encode())


def _page(sizes: Sizes, out: Path) -> str:
    lines = ["# Populations: why they did not clearly win", ""]
    lines += [f"- {name}: {value}" for name, value in circumstances()]
    lines += ["- protocol: the docstring of `benchmarks/population_causes.py`", ""]
    lines += [*search_cause(sizes, out), "", *recursion_cause(sizes, out), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
