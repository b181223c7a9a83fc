"""Rows of tables and sentences of the page of several runs."""

from __future__ import annotations

__all__ = [
    "apart_rows",
    "group_names",
    "pair_words",
    "run_words",
    "score_notes",
    "seed_sentences",
    "setting_rows",
    "shared_words",
    "table_words",
]

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from unweave import plots
from unweave.comparison.figures import MINUS, by_kl, heat_map
from unweave.comparison.latents import Coded, RunMatch
from unweave.comparison.matching import latents_in_use
from unweave.comparison.opening import named
from unweave.comparison.scores import Cell, GroupMean, ScoreTable
from unweave.report.pictures import picture
from unweave.report.training import origin, python_lines, status_of
from unweave.report.words import count, number, plain, sentence_list

if TYPE_CHECKING:
    from unweave.comparison.compared import Comparison

_MOST_PAIRS: Final = 40
_ABSENT: Final = "absent"


def run_words(comparison: Comparison, place: int) -> dict[str, Any]:
    """What the page says of one run."""
    each, of = comparison.runs[place], comparison.files[place]
    texts = of.config.get("text")
    texts = texts if isinstance(texts, Mapping) else {}
    status, came = status_of(of), origin(of)
    coded = {c.run.letter: c for c in comparison.coded}.get(each.letter)
    used = ""
    if coded is not None:
        used = f"{latents_in_use(coded.mean, coded.kl).sum()} of {coded.mean.shape[1]}"
    return {
        "letter": each.letter,
        "name": each.name,
        "objective": plain(texts.get("objective", "")),
        "dataset": plain(texts.get("dataset", "")),
        "facts": status.facts,
        "headline": status.headline,
        "origin": came.sentence if came else "",
        "used": used,
        "command": plain(of.config.get("command") or ""),
        "python": "\n".join(python_lines(of)),
        "address": plain(of.config.get("address") or ""),
    }


def setting_rows(comparison: Comparison) -> list[dict[str, Any]]:
    """The table of settings in which runs differ; None for a field that a run does not have."""
    return [
        {
            "name": setting.name,
            "cells": [
                None if value == _ABSENT and type(value) is str else _value(value)
                for value in setting.values
            ],
            "aside": setting.aside,
        }
        for setting in comparison.differing.settings
    ]


def shared_words(comparison: Comparison) -> str:
    """The settings that all runs share, for one sentence."""
    return sentence_list(
        [
            f"{name.replace('_', ' ')} {_value(value)}"
            for name, value in comparison.differing.shared
        ]
    )


def _value(value: Any) -> str:
    return f"{value:,}" if type(value) is int and value >= 10_000 else plain(value)


def seed_sentences(comparison: Comparison) -> list[str]:
    """Which runs differ in their seed alone, and which not even in that."""
    sentences = []
    for group in comparison.groups:
        if len(group) < 2:
            continue
        runs = [comparison.runs[place] for place in group]
        said = f"But for their seed, {named(runs)} are the same training."
        seeds = Counter(each.run.config.seed for each in runs)
        twice = [each for each in runs if seeds[each.run.config.seed] > 1]
        if twice:
            said += f" {named(twice)} share a seed, too: their mean is none over seeds."
        sentences.append(said)
    return sentences


def group_names(comparison: Comparison) -> list[str]:
    """What each group of runs is called in figures: letters, and the objective."""
    return [
        f"{_letters(comparison, group)}  "
        f"{comparison.runs[group[0]].run.config.objective.expand().method.name}"
        for group in comparison.groups
    ]


def _letters(comparison: Comparison, group: Sequence[int]) -> str:
    return ", ".join(comparison.runs[place].letter for place in group)


def score_notes(comparison: Comparison) -> list[str]:
    """What must be known before scores of these runs are compared."""
    notes = []
    trained: dict[str, list[Any]] = {}
    for each in comparison.runs:
        trained.setdefault(str(each.run.config.dataset), []).append(each)
    if len(trained) > 1:
        on = "; ".join(f"{named(runs)} on {text}" for text, runs in trained.items())
        notes.append(
            f"The runs were trained on different data: {on}. Scores stand side by side only where "
            "they are of the same data."
        )
    if not comparison.scored.tables and comparison.scored.apart:
        notes.append(
            "No two runs were scored under the same circumstances, so no scores are compared."
        )
    if comparison.scored.earlier:
        runs = [comparison.runs[place] for place in comparison.scored.earlier]
        notes.append(f"Scores of earlier weights of {named(runs)} do not count.")
    intervals = any(
        cell is not None and cell.low is not None
        for table in comparison.scored.tables
        for row in table.rows
        for cell in row.cells
    )
    if intervals:
        notes.append(
            "Under a score of several draws stand the ends of its 95 % interval over them. That "
            "is how far draws move the score of these weights, not how far another training would."
        )
    return notes


def table_words(
    comparison: Comparison, table: ScoreTable, several: Sequence[int]
) -> dict[str, Any]:
    """One table of scores that can be put side by side.

    Args:
        comparison: The runs.
        table: Their scores.
        several: Places of groups of several runs, whose means are told.
    """
    facts = table.circumstances
    tables = comparison.scored.tables
    heading = f"Protocol {facts['protocol']}"
    told = {name: len({str(t.circumstances[name]) for t in tables}) > 1 for name in facts}
    further = [
        _fact(name, facts[name])
        for name in facts
        if name != "protocol" and told[name] and facts[name] is not None
    ]
    said = [
        _fact(name, facts[name])
        for name in facts
        if name != "protocol" and facts[name] is not None
    ]
    if len(table.versions) > 1:
        said.append(f"computed by different versions of unweave, {sentence_list(table.versions)}")
    twice = Counter(row.metric for row in table.rows)
    shown = [
        place
        for place in several
        if any((mean := row.means[place]) is not None and mean.runs > 1 for row in table.rows)
    ]
    return {
        "heading": ": ".join(filter(None, [heading, ", ".join(further)])),
        "facts": f"{'; '.join(said)}.",
        "rows": [
            {
                "metric": row.metric,
                "detail": _detail(row, several=twice[row.metric] > 1),
                "arrow": "\N{UPWARDS ARROW}" if row.higher_is_better else "\N{DOWNWARDS ARROW}",
                "direction": "higher" if row.higher_is_better else "lower",
                "cells": [_cell(cell, row.unit) for cell in row.cells],
                "means": [_mean(row, place, comparison) for place in shown],
            }
            for row in table.rows
        ],
        "groups": [_letters(comparison, comparison.groups[place]) for place in shown],
    }


def _fact(name: str, value: Any) -> str:
    if name == "data":
        return f"on {value}"
    if name == "source":
        return f"{value} images"
    if name == "part":
        return "all images" if value == "all" else f"part {value}"
    if name == "codes":
        return "posterior means" if value == "mean" else f"{value} codes"
    if name == "repeats":
        return "one draw" if value == 1 else f"mean of {value} draws"
    return f"{name} {count(value)}"


def _detail(row: Any, *, several: bool) -> str:
    """What is small below the name of a metric: settings, unit, and what tells two rows apart."""
    parts = [row.unit] if row.unit else []
    if row.text != row.metric:
        parts.append(row.text)
    if several:
        parts += [f"{count(row.samples)} images"] if row.samples else []
        parts += [row.precision] if row.precision else []
    return ", ".join(parts)


def _cell(cell: Cell | None, unit: str) -> dict[str, str] | None:
    if cell is None:
        return None
    # What has a unit, such as a loss, is compared to more digits than a score from 0 to 1.
    digits = 5 if unit else 3
    return {"value": _number(cell.value, digits), "ends": _ends(cell.low, cell.high, digits)}


def _mean(row: Any, place: int, comparison: Comparison) -> dict[str, str] | None:
    mean: GroupMean | None = row.means[place]
    if mean is None or mean.runs < 2:
        return None
    digits = 5 if row.unit else 3
    ends = _ends(mean.low, mean.high, digits)
    group = comparison.groups[place]
    if mean.runs == 2:
        values = [row.cells[k].value for k in group if row.cells[k] is not None]
        ends = " and ".join(_number(value, digits) for value in values)
    if mean.runs < len(group):
        ends = "; ".join(filter(None, [ends, f"{mean.runs} of {len(group)} runs"]))
    return {"value": _number(mean.mean, digits), "ends": ends}


def _ends(low: float | None, high: float | None, digits: int) -> str:
    if low is None or high is None:
        return ""
    return f"{_number(low, digits)} to {_number(high, digits)}"


def _number(value: float, digits: int) -> str:
    return number(float(value), digits).replace("-", MINUS)


def apart_rows(comparison: Comparison) -> list[dict[str, str]]:
    """Scores that stand alone, with all that they would have to share with others."""
    rows = []
    for each in comparison.scored.apart:
        cell = _cell(each.cell, each.unit)
        assert cell is not None
        facts = dict(each.circumstances)
        text = facts.pop("text")
        said = [f"protocol {facts.pop('protocol')}"]
        said += [f"{count(samples)} rows"] if (samples := facts.pop("samples")) else []
        said += [str(precision)] if (precision := facts.pop("precision")) else []
        said += [_fact(name, value) for name, value in facts.items() if value is not None]
        said += [str(text)] if text and text != each.metric else []
        rows.append(
            {
                "metric": each.metric,
                "letter": comparison.runs[each.run].letter,
                "value": f"{cell['value']} {each.unit}".strip(),
                "ends": cell["ends"],
                "facts": ", ".join(said),
            }
        )
    return rows


def pair_words(match: RunMatch) -> dict[str, Any]:
    """What the page says of the first run and another one."""
    matching, first, second = match.matching, match.first, match.second
    a, b = first.run.letter, second.run.letter
    pairs = by_kl(match)
    sentences = []
    if not pairs:
        sentences.append("There is nothing to match, as one of the two uses no latent.")
    left = matching.unmatched()
    for letter, other, latents in ((a, b, left[0]), (b, a, left[1])):
        if latents:
            sentences.append(
                f"Without a partner, as {other} uses fewer: {_latents(latents)} of {letter}."
            )
    for letter, used in ((a, matching.used[0]), (b, matching.used[1])):
        idle = np.flatnonzero(~used).tolist()
        if idle:
            sentences.append(
                f"Not in use, and so not matched: {_latents(idle)} of {letter}, which carry "
                f"{plots.INACTIVE_KL} nats or less, or do not vary."
            )
    if len(pairs) > _MOST_PAIRS:
        sentences.append(f"The table has the first {_MOST_PAIRS} of {len(pairs)} pairs.")
    figure = heat_map(match)
    made = None
    if figure is not None:
        made = picture(
            "heat map",
            plots.png(figure),
            f"Correlations of latents of {a} and {b}",
            "Of latents in use. Matches are outlined, on the diagonal; where the two runs have "
            "learnt the same latents, the rest is pale.",
            f"Heat map of correlations, a row for each latent of {a}, a column for each of {b}, "
            "ordered so that matched latents are on the diagonal. The matches stand in the table "
            "above.",
        )
    return {
        "letter": b,
        "name": second.run.name,
        "used": f"{int(matching.used[0].sum())} and {int(matching.used[1].sum())}",
        "matched": str(len(pairs)),
        "closely": str(sum(pair.clear for pair in pairs)),
        "mean": "" if matching.mean is None else f"{matching.mean:.2f}",
        "sentences": sentences,
        "rows": [
            {
                "first": f"z{pair.first}",
                "first_kl": _kl(first, pair.first),
                "first_factor": first.factors[pair.first] or "",
                "second": f"{MINUS if pair.correlation < 0 else ''}z{pair.second}",
                "second_kl": _kl(second, pair.second),
                "second_factor": second.factors[pair.second] or "",
                "closely": pair.clear,
                "correlation": f"{pair.correlation:.2f}".replace("-", MINUS),
            }
            for pair in pairs[:_MOST_PAIRS]
        ],
        "picture": made,
    }


def _kl(coded: Coded, latent: int) -> str:
    return "" if coded.kl is None else f"{coded.kl[latent]:.2f}"


def _latents(latents: Sequence[int]) -> str:
    """Names of latents for a sentence; of many the first ones."""
    names = [f"z{j}" for j in latents]
    if len(names) > 12:
        return f"{', '.join(names[:10])} and {len(names) - 10} more"
    return sentence_list(names)
