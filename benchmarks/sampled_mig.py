"""What MIG by sampling loses by its default, which evaluates a part of the components.

For the same draws of z, the default (`mig_sampled`, `aam`: at most 10,000 posteriors stand for
each density) is compared with the full sum, in which every image is a component of every density.
The difference is the bias of the default, up to the noise of the choice of components. The spread
of the default over seeds is what the draws themselves add, and the full sum has it as well.

    python benchmarks/sampled_mig.py RUN [--seeds 3] [--full 1] [--out FILE]

scores the run on all its data, times both, and writes `benchmarks/results/sampled_mig.md`; --full
is for how many of the seeds the full sum is computed, minutes each on all of dSprites. Without a
run it scores made-up posteriors on a small grid, to show that everything runs, and writes nothing.
"""

from __future__ import annotations

__all__ = ["Measured", "made_up", "main", "measure", "table"]

import argparse
import datetime
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
from _machine import command, machine, versions

import unweave
from unweave.cli.common import bar
from unweave.errors import UnweaveError
from unweave.factors import Factor, FactorSpace
from unweave.metrics import AAM, MIGSampled, Score
from unweave.metrics.draws import Draws
from unweave.metrics.posterior.entropies import Entropies
from unweave.metrics.threads import cores
from unweave.representation import Representation
from unweave.rundir import atomic_write
from unweave.splits import keyed_generator

ROOT = Path(__file__).resolve().parents[1]


@final
@dataclass(frozen=True)
class Measured:
    """One estimate: its entropies, both scores, and how long it took."""

    entropies: Entropies
    mig: Score
    aam: Score
    seconds: float


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Measure the bias of sampled MIG; see the file.")
    parser.add_argument("run", nargs="?", type=Path, help="run folder")
    parser.add_argument("--seeds", type=int, default=3, help="seeds of the default")
    parser.add_argument("--full", type=int, default=1, help="seeds of the full sum")
    parser.add_argument(
        "--out", type=Path, default=ROOT / "benchmarks" / "results" / "sampled_mig.md"
    )
    given = parser.parse_args(arguments)
    if not 1 <= given.full <= given.seeds:
        parser.error("--full is at least 1 and at most --seeds.")
    if given.run is None:
        print("Made-up posteriors on a small grid: they show that everything runs.\n")
        small = {"samples": 1_000, "components": 500}
        print(_report(made_up(), given.seeds, given.full, MIGSampled(**small), AAM(**small)))
        return
    try:
        run = unweave.load_run(given.run)
        with bar() as progress:
            rows = run.representation(progress=progress)
    except UnweaveError as error:
        sys.exit(str(error))
    text = _report(rows, given.seeds, given.full, MIGSampled(), AAM())
    about = (
        f"Run: {run.config.objective} on {run.config.dataset} ({run.config.dataset.source}), "
        f"{run.step:,} steps; all {len(rows):,} images, {rows.latents} latents."
    )
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    head = [
        "# Bias and time of MIG by sampling",
        "",
        f"    {command()}",
        "",
        about,
        "",
        f"{today}. {machine()}; {cores()} threads for densities.",
        f"{versions()}.",
        "",
    ]
    given.out.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(given.out) as file:
        file.write(("\n".join(head) + "\n" + text + "\n").encode())
    print(text)


def made_up() -> Representation:
    """Posteriors that follow three factors with noise, on 4,800 rows."""
    space = FactorSpace((Factor("a", 4), Factor("b", 30), Factor("c", 40)))
    rng = keyed_generator(0, "made-up posteriors")
    factors = space.unravel(np.arange(space.size))
    mean = rng.normal(0, 0.1, (space.size, 4))
    mean[:, :3] += (factors - factors.mean(axis=0)) / factors.std(axis=0)
    mean[:, 3] += 0.5 * mean[:, 1]
    logvar = rng.uniform(-4, -2, mean.shape)
    return Representation(np.float32(mean), factors, space, np.float32(logvar))


def measure(rows: Representation, seed: int, mig: MIGSampled, aam: AAM) -> Measured:
    """Both scores from one estimate, with the stream of `unweave evaluate`."""
    table = Representation(rows.mean, rows.factors, rows.factor_space, rows.logvar)
    begun = time.perf_counter()
    with bar() as progress:
        entropies = mig.prepared(table, _stream(seed), progress)
    seconds = time.perf_counter() - begun
    return Measured(
        entropies,
        mig.score(table, _stream(seed)),
        aam.score(table, _stream(seed)),
        seconds,
    )


def _stream(seed: int) -> Draws:
    return Draws(seed, MIGSampled.stream)


def _report(rows: Representation, seeds: int, full: int, mig: MIGSampled, aam: AAM) -> str:
    whole = {"samples": mig.samples, "components": "all"}
    exact_mig, exact_aam = MIGSampled(**whole), AAM(**whole)
    default = [measure(rows, seed, mig, aam) for seed in range(seeds)]
    print(f"{exact_mig}: {exact_mig.cost(rows)}, {full} times.", file=sys.stderr, flush=True)
    exact = [measure(rows, seed, exact_mig, exact_aam) for seed in range(full)]
    return table(rows.factor_space.names, mig, default, exact)


def table(
    names: Sequence[str],
    metric: MIGSampled,
    default: Sequence[Measured],
    exact: Sequence[Measured],
) -> str:
    """The report: scores and times, and the bias of each factor and of the entropies.

    Args:
        names: The factors.
        metric: The default.
        default: Its estimates by seed.
        exact: Full sums by seed, for the first seeds.
    """
    pairs = list(zip(default, exact, strict=False))

    def row(name: str, of: str) -> str:
        values = np.array([_value(m, of, name, names) for m in default])
        full = np.array([_value(m, of, name, names) for m in exact])
        bias = np.mean([_value(d, of, name, names) - _value(e, of, name, names) for d, e in pairs])
        spread = f"{values.std(ddof=1):.4f}" if len(values) > 1 else "-"
        return (
            f"| {of} | {name} | {full.mean():.4f} | {values.mean():.4f} | {spread} | {bias:+.5f} |"
        )

    marginal = np.mean([d.entropies.marginal - e.entropies.marginal for d, e in pairs], axis=0)
    given = np.mean([d.entropies.conditional - e.entropies.conditional for d, e in pairs], axis=0)
    information = np.mean(
        [d.entropies.information - e.entropies.information for d, e in pairs], axis=0
    )
    columns = " | ".join(names)
    lines = [
        f"{metric.samples:,} draws; the default takes at most {metric.components:,} components of "
        f"each density. Full sums of {len(exact)} of {len(default)} seeds; the bias is the mean "
        "difference on the same draws. Entropies and information in nats; I is that of the latent "
        "that knows most.",
        "",
        f"Time: default {_times(default)}; full sum {_times(exact)}.",
        "",
        "| | factor | full sum | default | spread over seeds | bias |",
        "|---|---|---:|---:|---:|---:|",
        *(row(name, of) for of in ("MIG", "AAM") for name in ("mean", *names)),
        *(row(name, "I") for name in names),
        "",
        "Bias of the entropies of each latent, and given each factor:",
        "",
        f"| | H(z) | {columns} |",
        "|---|---:" + "|---:" * len(names) + "|",
        *(
            f"| z{j} | {marginal[j]:+.5f} | " + " | ".join(f"{v:+.5f}" for v in given[j]) + " |"
            for j in range(len(marginal))
        ),
        "",
        f"Largest bias: of an entropy {max(np.abs(marginal).max(), np.abs(given).max()):.5f}, "
        f"of an information {np.abs(information).max():.5f} nats.",
    ]
    return "\n".join(lines)


def _value(measured: Measured, of: str, name: str, names: Sequence[str]) -> float:
    if of == "I":
        return float(measured.entropies.information[:, list(names).index(name)].max())
    score = measured.mig if of == "MIG" else measured.aam
    return score.value if name == "mean" else score.parts[name]


def _times(measured: Sequence[Measured]) -> str:
    return ", ".join(f"{m.seconds:.1f} s" for m in measured)


if __name__ == "__main__":
    main()
