"""The three comparisons of the study: each carried out as far as it is missing, then told."""

from __future__ import annotations

__all__ = [
    "carried_out",
    "compared",
    "ranking_page",
    "recursion_page",
    "scores_of",
    "search_page",
    "spearman",
]

import math
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from scipy.stats import spearmanr

from _population.sizes import Sizes
from unweave.metrics.interval import over_runs
from unweave.population import Outcome, Population, PopulationFolder, run_population
from unweave.population.judging import judge
from unweave.population.recursion.overview import told
from unweave.population.recursion.running import run_recursion
from unweave.ranking import rank
from unweave.run import load_run

METRICS: Final = ("mig", "dci")
_DRAWS: Final = 10_000


def search_page(sizes: Sizes, out: Path) -> list[str]:
    """Population based training against random search."""
    rows = []
    for seed in sizes.seeds:
        found = {
            name: carried_out(sizes.search(seed, exploit=exploit), out / f"{name}-{seed}")[1]
            for name, exploit in (("pbt", True), ("random", False))
        }
        rows.append((seed, *(found[name] for name in ("pbt", "random"))))
    lines = [
        "## Search: population based training against random search",
        "",
        "| repeat | fitness, population | fitness, random | MIG, population | MIG, random | "
        "difference | images, population | images, random | without a score, of all |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for seed, pbt, random in rows:
        lost = [sum(r.score is None for rs in each.rounds for r in rs) for each in (pbt, random)]
        lines.append(
            f"| {seed} | {pbt.best.score:.3f} | {random.best.score:.3f} | {_mig(pbt):.3f} | "
            f"{_mig(random):.3f} | {_mig(pbt) - _mig(random):+.3f} | {_images(pbt):,} | "
            f"{_images(random):,} | {lost[0]}, {lost[1]} |"
        )
    one = np.array([_mig(pbt) for _, pbt, _ in rows])
    other = np.array([_mig(random) for _, _, random in rows])
    return [*lines, "", *compared("population based training", one, "random search", other)]


def ranking_page(sizes: Sizes, out: Path) -> list[str]:
    """UDR against MIG, of the models that random search ends with."""
    groups: list[list[Path]] = []
    migs: list[list[float]] = []
    for seed in sizes.seeds:
        population = sizes.search(seed, exploit=False)
        folder, outcome = carried_out(population, out / f"random-{seed}")
        runs = [folder.run_of(row) for row in outcome.rounds[-1] if row.score is not None]
        groups.append(runs)
        migs.append(
            [
                judge(load_run(run), population.split, ("mig",), "fast", 0)["scores"]["mig"][
                    "value"
                ]
                for run in runs
            ]
        )
    every = [run for runs in groups for run in runs]
    place = {str(entry.run): entry.score for entry in rank(every, "udr").runs}
    udrs = [[place[str(run)] for run in runs] for runs in groups]
    x, y = np.concatenate(udrs), np.concatenate(migs)
    rng = np.random.default_rng(0)
    draws = []
    for _ in range(_DRAWS):
        chosen = rng.integers(len(x), size=len(x))
        draws.append(float(spearmanr(x[chosen], y[chosen]).statistic))
    low, high = np.nanquantile(draws, (0.025, 0.975))
    lines = [
        "## Ranking: UDR against MIG",
        "",
        f"Rank correlation of {len(x)} models: {spearman(x, y):.2f}, 95 % bootstrap interval "
        f"over models {low:.2f} to {high:.2f}.",
        "",
        "| repeat | models | rank correlation | MIG of the model with the highest UDR | "
        "median MIG | highest MIG |",
        "|---|---|---|---|---|---|",
    ]
    for seed, u, m in zip(sizes.seeds, udrs, migs, strict=True):
        lines.append(
            f"| {seed} | {len(u)} | {spearman(u, m):.2f} | {m[int(np.argmax(u))]:.3f} | "
            f"{np.median(m):.3f} | {max(m):.3f} |"
        )
    lines += ["", "Each model as UDR, MIG:", ""]
    lines += [
        f"- repeat {seed}: " + "; ".join(f"{a:.3f}, {b:.3f}" for a, b in zip(u, m, strict=True))
        for seed, u, m in zip(sizes.seeds, udrs, migs, strict=True)
    ]
    return lines


def recursion_page(sizes: Sizes, out: Path) -> list[str]:
    """The recursion against the first population with its budget."""
    rows: list[tuple[int, dict[str, Any], dict[str, Any], int, int]] = []
    stages: list[str] = []
    for seed in sizes.seeds:
        folder, outcome = run_recursion(sizes.recursion(seed), out / f"recursion-{seed}")
        found = told(folder.stages())
        images = _all_images(folder.path)
        a_round = sum(row.images for row in outcome.first.rounds[0])
        rounds = math.ceil(images / a_round)
        single = sizes.unsupervised(seed, rounds)
        place, alone = carried_out(single, out / f"alone-{seed}")
        rows.append((seed, scores_of(outcome.final), scores_of(alone), images, _images(alone)))
        for label in found["labels"]:
            stages.append(
                f"| {seed} | {label['leaf_run']} | {label['level']} | {label['name']} | "
                f"{label['clusters']} | {label['purity']:.2f} | {label['factor']} "
                f"{label['agreement']:.2f} |"
            )
        for leaf in outcome.leaves:
            last = leaf.levels[-1]
            stages.append(f"| {seed} | {leaf.number} | {last.number} | ended: {last.why} | | | |")
        del place
    lines = [
        "## Recursion against one unsupervised population of the same budget",
        "",
        "| repeat | "
        + " | ".join(f"{metric}, recursion | {metric}, alone" for metric in METRICS)
        + " | images, recursion | images, alone |",
        "|---|" + "---|---|" * len(METRICS) + "---|---|",
    ]
    for seed, recursive, alone_scores, images, spent in rows:
        cells = " | ".join(
            f"{_told(recursive, metric)} | {_told(alone_scores, metric)}" for metric in METRICS
        )
        lines.append(f"| {seed} | {cells} | {images:,} | {spent:,} |")
    lines.append("")
    for metric in METRICS:
        both = [(r[metric], a[metric]) for _, r, a, _, _ in rows if metric in r and metric in a]
        if len(both) < 2:
            lines.append(f"Too few recursions have a final model to compare {metric}.")
            continue
        one, other = (np.array(column) for column in zip(*both, strict=True))
        lines += compared(f"{metric} of the recursion", one, f"{metric} alone", other)
    lines += [
        "",
        "Which factor each label tells most, with their normalised mutual information:",
        "",
        "| repeat | leaf-run | level | label | clusters | purity | factor |",
        "|---|---|---|---|---|---|---|",
        *stages,
    ]
    return lines


def carried_out(population: Population, place: Path) -> tuple[PopulationFolder, Outcome]:
    """The population, or what is left of it."""
    folder, outcome = run_population(population, place, executor="processes", workers=2)
    print(f"{place.name}: {outcome.why}", file=sys.stderr, flush=True)
    return folder, outcome


def compared(one_name: str, one: Any, other_name: str, other: Any) -> list[str]:
    """Medians and means of two, and the interval of their mean difference, pair by pair."""
    interval = over_runs(one - other, np.mean, 0)
    text = "too few repeats for an interval"
    verdict = ""
    if interval is not None:
        text = f"95 % bootstrap interval {interval.low:+.3f} to {interval.high:+.3f}"
        above = interval.low > 0
        verdict = f" The criterion is {'met' if above else 'missed'}."
    return [
        f"{one_name}: median {np.median(one):.3f}, mean {one.mean():.3f}; {other_name}: median "
        f"{np.median(other):.3f}, mean {other.mean():.3f}; mean difference "
        f"{(one - other).mean():+.3f}, {text}.{verdict}"
    ]


def spearman(one: Sequence[float] | Any, other: Sequence[float] | Any) -> float:
    return float(spearmanr(one, other).statistic) if len(one) > 1 else math.nan


def scores_of(outcome: Outcome | None) -> dict[str, float]:
    """What a population's best model scores on the images kept apart."""
    if outcome is None or outcome.judged is None:
        return {}
    return {name: score["value"] for name, score in outcome.judged["scores"].items()}


def _told(scores: dict[str, float], metric: str) -> str:
    return f"{scores[metric]:.3f}" if metric in scores else "no final model"


def _mig(outcome: Outcome) -> float:
    return scores_of(outcome)["mig"]


def _images(outcome: Outcome) -> int:
    return sum(row.images for rows in outcome.rounds for row in rows)


def _all_images(folder: Path) -> int:
    """Images of all populations of a recursion."""
    files = folder.rglob("population.json")
    return sum(
        row.images
        for file in files
        for rows in PopulationFolder(file.parent).rounds()
        for row in rows
    )
