"""One cause of each result, tested on the runs of the study and on few more."""

from __future__ import annotations

__all__ = ["recursion_cause", "search_cause"]

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from _population.comparisons import carried_out, compared, scores_of, spearman
from _population.sizes import Sizes
from unweave.population import Population, PopulationFolder
from unweave.population.fitness import parse_fitness
from unweave.population.judging import judge
from unweave.population.recursion.running import run_recursion
from unweave.population.table import Row, ranked
from unweave.run import load_run

_LEAST: Final = 0.5


def search_cause(sizes: Sizes, out: Path) -> list[str]:
    """How much a score after each round tells of the last one, where nobody copies."""
    lines = [
        "## Search: what scores after a round tell",
        "",
        "Rank correlation within a repeat of fitness after a round with fitness after the last "
        "one, of members that trained all the way, and the place of the member that ends best.",
        "",
        "| repeat | members | " + _heads(sizes, "correlation, round {}") + " | "
        + _heads(sizes, "place, round {}") + " |",
        "|---|---|" + "---|" * 2 * (sizes.rounds - 1),
    ]  # fmt: skip
    found = []
    lost = copied = 0
    for seed in sizes.seeds:
        _, outcome = carried_out(sizes.search(seed, exploit=False), out / f"random-{seed}")
        histories = _histories(outcome.rounds)
        table = np.array([[row.score for row in history] for history in histories], np.float64)
        correlations = [spearman(column, table[:, -1]) for column in table.T[:-1]]
        winner = int(np.argmax(table[:, -1]))
        places = [1 + int((column > column[winner]).sum()) for column in table.T[:-1]]
        quarter = math.ceil(sizes.members / 4)
        lost += places[0] > len(table) - quarter
        copied += places[0] > quarter
        found.append(correlations)
        cells = [*(f"{value:.2f}" for value in correlations), *map(str, places)]
        lines.append(f"| {seed} | {len(table)} | " + " | ".join(cells) + " |")
    means = np.nanmean(np.array(found), axis=0)
    confirmed = bool(means[0] < _LEAST)
    return [
        *lines,
        "",
        "Mean correlations: " + ", ".join(f"{value:.2f}" for value in means) + ". After the first "
        f"round the member that ended best was in the worst quarter in {lost} of "
        f"{len(sizes.seeds)} repeats, and outside of the best quarter in {copied}. The cause is "
        f"{'confirmed' if confirmed else 'not confirmed'}.",
    ]  # fmt: skip


def recursion_cause(sizes: Sizes, out: Path) -> list[str]:
    """The final population ranked by the truth, in the place of labels of leaf-runs."""
    lines = [
        "## Recursion: final populations ranked by true labels",
        "",
        "| repeat | MIG, true labels | MIG, labels of leaf-runs | correlation of leaf-MIG and MIG "
        "|",
        "|---|---|---|---|",
    ]  # fmt: skip
    rows = []
    for seed in sizes.seeds:
        recursion = sizes.recursion(seed)
        folder, outcome = run_recursion(recursion, out / f"recursion-{seed}")
        truth = dataclasses.replace(
            recursion.final, fitness=parse_fitness(f"mig(labels={sizes.labels})")
        )
        _, by_truth = carried_out(truth, out / f"truth-{seed}")
        mine, theirs = scores_of(by_truth)["mig"], scores_of(outcome.final).get("mig", math.nan)
        correlation = math.nan
        if outcome.final is not None:
            place = PopulationFolder(folder.path / "final")
            correlation = _told(place, truth, outcome.final.rounds[-1])
        rows.append((mine, theirs))
        lines.append(f"| {seed} | {mine:.3f} | {theirs:.3f} | {correlation:.2f} |")
    both = np.array([pair for pair in rows if not math.isnan(pair[1])])
    if len(both) < 2:
        return [*lines, "", "Too few recursions have a final model to compare."]
    return [*lines, "", *compared("true labels", both[:, 0], "labels of leaf-runs", both[:, 1])]


def _told(place: PopulationFolder, population: Population, rows: Sequence[Row]) -> float:
    """Rank correlation of members' scores with their MIG on the images kept apart."""
    scored = [row for row in rows if row.score is not None]
    migs = [
        judge(load_run(place.run_of(row)), population.split, ("mig",), "fast", 0)["scores"]["mig"]
        for row in scored
    ]
    return spearman([row.score for row in scored], [score["value"] for score in migs])


def _histories(rounds: Sequence[Sequence[Row]]) -> list[list[Row]]:
    """Of each member that has a score in all rounds what it did in each."""
    by_member = [{row.member: row for row in rows} for rows in rounds]
    members = [row.member for row in ranked(rounds[-1])]
    histories = [[rows[member] for rows in by_member] for member in sorted(members)]
    return [h for h in histories if all(row.score is not None for row in h)]


def _heads(sizes: Sizes, text: str) -> str:
    return " | ".join(text.format(number) for number in range(1, sizes.rounds))
