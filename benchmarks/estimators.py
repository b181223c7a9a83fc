"""How good are minibatch estimates of the decomposed KL, above all the gradients that they give?

Protocol
--------
For a model, a subset of N images drawn by key, and a batch size B, every estimator sees the same
batches of different images with one sample z each. What it puts in place of log q(z) and of the
sum of log q(z_j) is compared with the mixture of all N posteriors.

For each of total correlation, mutual information and dimension-wise KL:

* bias: mean over batches of the estimate minus the value of the same samples under all N
  posteriors, with its standard error. The reference value is the mean over all samples.
* (i) cosine of the mean gradient over many batches with the exact gradient (systematic error).
  Products of gradients are taken between different samples, so that sampling noise does not count;
  the figure may then exceed 1 a little. "Lost in noise" where noise hides the gradient.
* (ii) mean cosine of one batch's gradient with the exact gradient of all other samples: what one
  step of training sees. The row "exact" is what B samples give under all N posteriors with the
  components held fixed; an estimator can beat it, since a derivative through the components has
  zero mean under q(z) and may cancel noise.
* (iii) mean cosine of one batch's gradient with the gradient of the same samples under all N
  posteriors: the estimator's error without the choice of samples. Where this is low and (ii) is
  high, the estimator differs from the exact gradient by noise that it cancels.
* norms: of the mean gradient over that of the exact one, without sampling noise; and of one
  batch's gradient over that of the same samples.

Gradients are those in the encoder's weights, in float32. The exact gradient is derived in
`_estimators/exact.py`, and checked at the smallest N by differentiating through the components
too.

What decides: the eligible estimator whose mean over the cells of (ii) for the total correlation is
largest becomes the default; `stratified` stays if it is within 0.01 of that. It is the total
correlation that counts since the three terms add up to the sampled KL whatever the estimator:
at alpha = gamma = 1 the estimator changes the gradient by beta - 1 times that of the total
correlation and by nothing else. Eligible is what needs no more than the batch and tends to the
true densities as the batch becomes the dataset.

Usage
-----
    python benchmarks/estimators.py --out DIR [NAME=PATH ...]

PATH is a run folder, a file of its `snapshots/`, or a `model.pt` of disentangling-vae. Without
any, `early` is a beta-TCVAE trained for 1,000 steps in DIR, and `late` the published
btcvae_dsprites when UNWEAVE_REFERENCE names the folder that has it. Finished cells stand in
DIR/cells.jsonl, one a line, and are not measured again. Without --out, or with --quick, all sizes
are tiny: that everything runs is all that the table shows, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import torch
from _estimators.groups import Sizes
from _estimators.measure import Study
from _estimators.models import Weights, load, train_early
from _estimators.progress import Progress
from _estimators.results import draw, tables, write_markdown
from _machine import circumstances

import unweave
from unweave import plots
from unweave.errors import UnweaveError
from unweave.jsonlines import append_line, read_lines

ROOT = Path(__file__).resolve().parents[1]
FULL = Sizes(groups={4096: 12, 65_536: 10, 737_280: 5}, batches=(64, 256, 1024), most=4096)
FULL_DATA = "dsprites"
QUICK = Sizes(groups={128: 2, 1024: 2}, batches=(16, 64), most=128)
QUICK_DATA = "dsprites(grid=(3, 2, 4, 8, 8))"
_PUBLISHED = Path("disentangling-vae") / "btcvae_dsprites" / "model.pt"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Compare minibatch estimates; see the file.")
    parser.add_argument("checkpoints", nargs="*", metavar="NAME=PATH")
    parser.add_argument("--out", type=Path, help="folder of finished cells")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, no results")
    given = parser.parse_args(arguments)
    quick = given.quick or given.out is None
    try:
        with tempfile.TemporaryDirectory() as temporary:
            _run(given.checkpoints, given.out or Path(temporary), quick=quick)
    except UnweaveError as error:
        sys.exit(str(error))


def _run(checkpoints: Sequence[str], out: Path, *, quick: bool) -> None:
    # As in training: units that died leave numbers with which a processor is slow.
    torch.set_flush_denormal(True)
    sizes, text = (QUICK, QUICK_DATA) if quick else (FULL, FULL_DATA)
    models = [_named(item) for item in checkpoints] or _usual(out, text, quick=quick)
    dataset = unweave.load_dataset(text)
    lines = out / "cells.jsonl"
    finished = {_hashable(line["key"]): line for line in read_lines(lines)}
    progress = Progress()
    studies = [Study(model, dataset, sizes, out / "cache", progress.add) for model in models]
    keys = {
        (index, images, batch): {
            "checkpoint": model.name,
            "weights": model.digest,
            "data": str(dataset.spec),
            "images": images,
            "batch": batch,
            "groups": sizes.groups[images],
            "group": sizes.group,
            "most": sizes.most,
            "seed": sizes.seed,
        }
        for index, model in enumerate(models)
        for images in sizes.groups
        for batch in (*sizes.batches, *((None,) if images == min(sizes.groups) else ()))
    }
    missing = {place: key for place, key in keys.items() if _hashable(key) not in finished}
    for index in {place[0] for place in missing}:
        progress.expect(studies[index].encoding_work)
    for index, images in sorted({place[:2] for place in missing}):
        batches = tuple(b for i, n, b in missing if (i, n) == (index, images) and b is not None)
        progress.expect(studies[index].work(images, batches))
    for place, key in missing.items():
        index, images, batch = place
        study = studies[index]
        found = {"check": study.check(images)} if batch is None else study.cell(images, batch)
        line = {"key": key, **found}
        append_line(lines, line)
        finished[_hashable(key)] = line
    every = [finished[_hashable(key)] for key in keys.values()]
    cells = [line for line in every if "rows" in line]
    checks = [line for line in every if "check" in line]
    if quick:
        print("Tiny sizes: these figures show that everything runs, and nothing else.\n")
        print(tables(cells, checks))
        return
    head = [
        *circumstances(),
        ("data", f"{dataset.spec}, {dataset.source}"),
        *((model.name, model.about) for model in models),
    ]
    target = ROOT / "benchmarks" / "results" / "estimators.md"
    write_markdown(target, head, cells, checks)
    picture = plots.save(draw(cells), ROOT / "docs" / "images" / "estimators.png")
    print(f"Wrote {target} and {picture}.")


def _named(item: str) -> Weights:
    name, equals, path = item.partition("=")
    if not equals or not name or not path:
        raise UnweaveError(f"{item!r} is not NAME=PATH, such as early=runs/first.")
    return load(name, Path(path).expanduser())


def _usual(out: Path, data: str, *, quick: bool) -> list[Weights]:
    steps = 3 if quick else 1000
    models = [load("early", train_early(out / "early", data, "beta_tcvae", steps))]
    reference = os.environ.get("UNWEAVE_REFERENCE")
    if reference and not quick and (Path(reference) / _PUBLISHED).is_file():
        models.append(load("late", Path(reference) / _PUBLISHED))
    return models


def _hashable(key: dict[str, object]) -> tuple[tuple[str, object], ...]:
    return tuple(sorted(key.items()))


if __name__ == "__main__":
    main()
