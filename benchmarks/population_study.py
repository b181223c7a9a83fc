"""Do populations find better models: by few labels, without labels, and by recursion?

Protocol, written before the runs
---------------------------------
dSprites without orientation, 18,432 rendered images, all trained on; beta-TCVAE on the Burgess
networks with ten latents, batches of 64, Adam, the default precision, one thread a member, two
members at once. Repeats are the seeds 1 to 5 of everything. A fifth of the images is kept from
every fitness; MIG and DCI of protocol `fast` on these are what is compared. No run is left out or
done again with other settings; a population that fails is reported as such.

1. **Search.** Eight members of one model, five rounds of 24,000 images a model, the learning rate
   from 1e-5 to 0.1 and beta from 1 to 100, both log-uniform; ranked by MIG of 1,000 images with
   labels. Population based training (the worst quarter takes the weights of the best quarter,
   factors 0.8 and 1.25) against random search (nobody takes anything; who diverges starts anew),
   which begins with the same members and trains on as many images. Compared: MIG on the images
   kept apart of the member with the best fitness, repeat by repeat. Population based training
   counts as better if the 95 % bootstrap interval of the mean difference is above zero.

2. **Ranking.** The members of the last rounds of the random searches, up to 40 models of different
   settings: UDR of each among all that differ in nothing but what is tuned, on 1,000 images,
   against its MIG on the images kept apart. Reported: the rank correlation over all models with
   its bootstrap interval over models, and that within each repeat.

3. **Recursion.** A recursion without any labels: first population of four members of two models,
   three rounds of 16,000 images a model; two leaf-runs of at most two levels, rounds of 8,000
   images; a final population of six members, four rounds of 16,000 images, ranked by the labels
   of the leaf-runs. The learning rate from 3e-4 to 3e-3 and beta from 2 to 32. Against the first
   population alone, with as many rounds more as use at least the images of the whole recursion,
   whose best model is chosen by UDR: the best single unsupervised model of the same budget.
   Compared: MIG and DCI of the two models that are chosen without labels, repeat by repeat, by the
   same criterion; and which factors the labels of each stage tell.

Usage
-----
    python benchmarks/population_study.py --out DIR [--only search|ranking|recursion ...]

goes on with what is in DIR, may be stopped at any time, and writes `benchmarks/results/
population.md` when all three are done. Without --out all sizes are tiny, in a temporary folder,
and no results are written.
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
from _population.comparisons import ranking_page, recursion_page, search_page
from _population.sizes import FULL, TINY, Sizes

from unweave.errors import UnweaveError
from unweave.rundir import atomic_write

ROOT: Final = Path(__file__).resolve().parents[1]
PARTS: Final = {
    "search": search_page,
    "ranking": ranking_page,
    "recursion": recursion_page,
}


def main(arguments: Sequence[str] | None = None) -> None:
    given = sys.argv[1:] if arguments is None else list(arguments)
    parser = argparse.ArgumentParser(description="Compare populations with what is simpler.")
    parser.add_argument("--out", type=Path, help="folder of the populations")
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    options = parser.parse_args(given)
    try:
        if options.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                print("Tiny sizes: these figures show that everything runs, nothing else.\n")
                print(_page(TINY, Path(temporary), options.only))
            return
        text = _page(FULL, options.out.resolve(), options.only)
    except UnweaveError as error:
        sys.exit(str(error))
    print(text)
    if set(options.only) == set(PARTS):
        with atomic_write(ROOT / "benchmarks" / "results" / "population.md") as handle:
            handle.write(text.encode())


def _page(sizes: Sizes, out: Path, only: Sequence[str]) -> str:
    lines = ["# Populations: search, ranking, recursion", ""]
    lines += [f"- {name}: {value}" for name, value in circumstances()]
    lines += ["- protocol: the docstring of `benchmarks/population_study.py`", ""]
    for name in only:
        lines += [*PARTS[name](sizes, out), ""]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
