"""Whether disentangled models make more of combinations that they were not trained on.

Protocol, written before the runs
---------------------------------
Rendered dSprites and 3DShapes, whole, by the published conditions: recombination to element
(`leave1out`), to range (`shape2tx`, `shape2ohue`), and on dSprites extrapolation (`blank_side`).
Every model has 5,000 steps of batch size 64 and seeds 0 and 1, one thread, the default precision,
and 5 % of the images to train on are kept apart, to compare with. Changed before their runs, for
time: decoders on dSprites have seed 0 alone, composers too, and 3,000 steps. None is stopped
early, chosen by its result, or left out. The source trained VAEs for 170,000 to 340,000 steps, and
decoders of true factors for 5,000; its numbers stand beside ours, and are no criterion.

1. **dSprites.** VAE, beta-VAE with beta 8 and FactorVAE with gamma 50, networks `burgess_v2`, ten
   latents, Adam at 5e-4. Questions, of excess NLL at the posterior mean, held out less in
   distribution, the gap:
   a. Is it in the order element, range, extrapolation? Counts as confirmed if it is so for all
      three models in the mean over seeds.
   b. Do more disentangled models generalise better? Spearman's rank correlation of DCI
      disentanglement (lasso, images that were trained on) with the gap over the six runs of a
      condition; answered with yes if the upper end of its 95 % bootstrap interval is below 0 in
      each condition, with no if the interval holds 0 in each.
   c. Where does the error come from? Reported without a criterion, of images in distribution and
      held out: what is recovered when codes are moved back by their displacement from what was
      seen of each value (`attribution`), and the share of images of which a small network that was
      fitted to codes of trained images reads the shape from the code (`factor_r2`). Codes of which
      the shape is read wrongly leave nothing for a decoder to mend.
2. **Decoders of true factors on dSprites.** `decoder_higgins`, Adam at 1e-3, as published with raw
   factors, and with scaled ones. Does a decoder with perfect codes fail like a VAE? Confirmed if
   its gap is at least half that of the VAE, in range and in extrapolation.
3. **3DShapes.** VAE (`kim`) and decoder of raw factors (`decoder_kim_bn`), element and range.
   Pixels are not binary, so that raw NLL differs between sets of images by their entropy, too. The
   source's decoder had raw gaps of 441 (element) and 424 (range). Is that the entropy alone?
   Confirmed if the floor gap is at least 90 % of the decoder's raw gap in both.
4. **Composers on dSprites.** `burgess_v2`, Adam at 5e-4, operators linear and fixint. Reported:
   excess NLL of composed images in all regimes that there are, beside that of a reference left as
   it is. Is a new output the difficulty? Confirmed if in range the excess with known inputs and a
   new output is at least twice that with all known, for both operators.

Usage
-----
    python benchmarks/generalisation.py --out DIR [--part PART ...]

trains and scores what is missing in DIR, which may be stopped and gone on with at any time, and
writes `DIR/PART.html`, a page for each part. When all of them are there, parts 1 to 3 are written
to `benchmarks/results/generalisation.md`, and composers to `composition.md` beside it. Without
--out all sizes are tiny, and no results are written.
"""

from __future__ import annotations

__all__ = ["main"]

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from _generalisation.answers import answers
from _generalisation.studies import FULL, PARTS, TINY, Sizes, study_of
from _machine import circumstances

from unweave.errors import RunError, UnweaveError
from unweave.generalise import Found, groups_of, read_run, relations_of, write_page
from unweave.generalise.words import lines_of
from unweave.rundir import atomic_write
from unweave.studies import run_study

ROOT = Path(__file__).resolve().parents[1]

# Parts of which the questions compare models, in one file each.
RESULTS = {
    "generalisation": ("dsprites", "dsprites_decoders", "shapes3d", "shapes3d_decoders"),
    "composition": ("dsprites_composers",),
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, score, and write tables and pages."""
    parser = argparse.ArgumentParser(description="How models generalise; see the file.")
    parser.add_argument("--out", type=Path, help="folder of the studies")
    parser.add_argument("--part", nargs="+", choices=tuple(PARTS), help="only these")
    given = parser.parse_args(arguments)
    parts = tuple(given.part or PARTS)
    try:
        if given.out is None:
            with tempfile.TemporaryDirectory() as temporary:
                found = _found(parts, TINY, Path(temporary))
                print("Tiny sizes: these figures show that everything runs, nothing else.\n")
                print(_page(found))
            return
        found = _found(parts, FULL, given.out)
        for part, runs in found.items():
            print(f"Wrote {write_page(runs, given.out / f'{part}.html')}.")
    except UnweaveError as error:
        sys.exit(str(error))
    for name, own in RESULTS.items():
        if set(own) <= set(found):
            text = _page({part: found[part] for part in own})
            print(text)
            with atomic_write(ROOT / "benchmarks" / "results" / f"{name}.md") as handle:
                handle.write(text.encode())


def _found(parts: Sequence[str], sizes: Sizes, out: Path) -> dict[str, list[Found]]:
    """How the runs of each part generalise.

    Raises:
        RunError: A run has failed.
    """
    found = {}
    for part in parts:
        folder, states = run_study(study_of(part, sizes), out=out / part, listener=_tell)
        failed = [key for key, state in states.items() if state.state != "finished"]
        if failed:
            raise RunError(f"{len(failed)} runs failed: unweave study status {folder.path}")
        found[part] = [read_run(folder.run_folder(key)) for key in states]
    return found


def _tell(event: Any) -> None:
    if event["event"] != "started":
        print(event, file=sys.stderr)


def _page(found: dict[str, list[Found]]) -> str:
    lines = ["# Combinations that were not trained on", ""]
    lines += [f"- {name}: {value}" for name, value in circumstances()]
    lines += ["- protocol: the docstring of `benchmarks/generalisation.py`", ""]
    lines += answers(found)
    for part, runs in found.items():
        groups = groups_of(runs)
        lines += ["", f"## {part}", "", "```", *lines_of(groups, relations_of(groups)), "```"]
        published = [group for group in groups if group.published is not None]
        if published:
            lines += ["", "Published, one run each: DCI; NLL trained on, held out.", ""]
        for group in published:
            numbers = group.published
            assert numbers is not None
            lines.append(
                f"- {group.condition}, `{group.model}`: {numbers.disentanglement:g}; "
                f"{numbers.trained:,.2f}, {numbers.held_out:,.2f}"
            )
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
