"""The page of reproductions as Markdown, from records alone."""

from __future__ import annotations

__all__ = ["check_page", "command_of", "reproduction_page", "score_cells"]

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from unweave.metrics import Metric
from unweave.reproduction.catalog import SOURCES
from unweave.reproduction.comparing import Comparison, Group, groups_of
from unweave.reproduction.matching import base_text
from unweave.reproduction.published import Row, Source
from unweave.reproduction.records import RunRecord, merged
from unweave.reproduction.running import REPEATS
from unweave.rundir import check_replaceable
from unweave.scores import repeats_of
from unweave.spec import members

# Two tables a source, so that neither is wide.
_NUMBERS: Final = ("row", "score", "published", "ours", "95 % interval", "difference")
_TRAININGS: Final = ("row", "steps", "seeds", "images", "protocol", "printed in")
_MISSING: Final = ("row", "published", "steps", "waits for")
_RIGHT: Final = ("published", "ours")

# One that does not break a line.
_SPACE: Final = "\N{NO-BREAK SPACE}"

_HEAD: Final = """\
# Published numbers, and ours

What papers and their code print, beside what unweave gets when it repeats the same training and \
computes the same score. `unweave reproduce page` writes this page from run folders, or from a \
record of them; no number on it is typed. `unweave reproduce run ROW` runs a row, and \
`unweave reproduce list` has all of them.
"""

_READING: Final = """\
## How to read it

- A **row** is one published training and has the name of its preset. `unweave presets NAME` \
says what it trains, and where that differs from the source. Of rows with the word \
**candidate** it is not known which one was published, so that each has the same numbers.
- **published** is the number as printed, on the scale of our score: with its standard deviation \
over trainings where it has one, and of how many trainings it is a mean where it is one.
- **ours** is the score of the last weights, or its mean over seeds.
- **shortened** trainings are of fewer steps than the published one. Their warm-ups keep the \
published length. Compare such a number with what a longer one brings, and not with the \
published one.
- **95 % interval**: `seeds` is a bootstrap over three or more trainings of ours. `draws` is of \
one training, and says how far the metric's own draws move the score; another training moves it \
further. `none` is one training and a score without draws, or two trainings.
- **difference** is ours less the published number; in brackets how many published standard \
deviations that is, and whether the published number lies inside our interval over seeds.
- **seeds**: how many trainings of ours, and of how many the published number is.
- **images**: `published file`, or `drawn` by unweave, which are not the same pixels. A part of \
them is a trial, and no reproduction.
- **printed in** is explained below the tables of each source.
"""


def reproduction_page(records: Iterable[RunRecord]) -> str:
    """The page, which depends on nothing but the records and the catalogue of rows.

    Args:
        records: Of any rows; of equal trainings the longest counts.

    Returns:
        Markdown for GitHub and MyST.
    """
    groups = groups_of(merged(records))
    done = {group.row.name for group in groups}
    parts = [_HEAD, _summary(groups), _READING]
    for source in SOURCES:
        own = [group for group in groups if group.row.source == source.name]
        if own:
            parts.append(_section(source, own))
    parts.append(
        "## Rows without a run\n\n"
        "`steps` is the published length. `unweave reproduce run SOURCE/ROW` runs one.\n"
    )
    for source in SOURCES:
        rows = [row for row in source.rows if row.name not in done]
        if rows:
            parts.append(_missing(source, rows))
    parts.append(
        "## Published numbers that are no row\n\n"
        + "\n".join(
            f"- **{source.title}**: {entry.what}: {entry.why}."
            for source in SOURCES
            for entry in source.left_out
        )
        + "\n"
    )
    return "\n".join(parts)


def check_page(path: Path) -> None:
    """Refuse to write the page over a file that is no such page, before any work.

    Args:
        path: The file that is asked for.

    Raises:
        SpecError: There is a folder, or a file that is no such page.
        UnweaveError: What is there cannot be read.
    """
    title = _HEAD.splitlines()[0].encode()
    check_replaceable(
        path,
        "page of published numbers",
        lambda handle: handle.readline(2 * len(title)).rstrip() == title,
    )


def command_of(group: Group) -> str:
    """What repeats the runs of a group, and scores them."""
    first, row = group.records[0], group.row
    words = ["unweave", "reproduce", "run", row.name]
    if group.steps != row.config.steps:
        words += ["--steps", str(group.steps)]
    if first.dataset != str(row.config.dataset):
        words += ["--dataset", base_text(first.dataset)]
    last = max(record.seed for record in group.records)
    if last != row.config.seed:
        words += ["--seeds", str(max(1, last - row.config.seed + 1))]
    repeats = {
        repeats_of(score)
        for record in group.records
        for score in record.scores
        # Analyses draw once, whatever is asked for.
        if score["metric"] in members(Metric)
    }
    if repeats - {REPEATS}:
        words += ["--repeats", str(max(repeats))]
    return shlex.join(words)


def score_cells(comparison: Comparison) -> dict[str, str]:
    """A published value and ours as texts: published, ours, interval and difference."""
    digits = comparison.published.digits
    interval = "none"
    if comparison.low is not None and comparison.high is not None:
        over = "seeds" if comparison.over == "runs" else comparison.over
        interval = f"{comparison.low:.{digits}f} to {comparison.high:.{digits}f}, {over}"
    more = []
    if comparison.published.sd:
        more.append(f"{abs(comparison.difference) / comparison.published.sd:.1f} sd")
    if comparison.inside is not None:
        more.append("inside" if comparison.inside else "outside")
    difference = f"{comparison.difference:+.{digits}f}"
    return {
        "score": comparison.published.label,
        "published": comparison.published.text,
        "ours": f"{comparison.ours:.{digits}f}",
        "95 % interval": interval,
        "difference": difference + (f" ({', '.join(more)})" if more else ""),
    }


def _summary(groups: Sequence[Group]) -> str:
    """How much of it there is."""
    rows = [row for source in SOURCES for row in source.rows]
    published = [row for row in rows if not row.instead_of]
    values = sum(len(row.values) for row in published)
    told = f"There are {values} published numbers of {len(published)} trainings"
    told += f", and {len(rows)} rows, since of some there are several candidates. "
    if not groups:
        return f"{told}None of the rows has been run yet.\n"
    done = len({group.row.name for group in groups})
    full = len({group.row.name for group in groups if not group.shortened})
    return f"{told}{done} {_rows_have(done)} been run, {full} at full length.\n"


def _rows_have(count: int) -> str:
    return "row has" if count == 1 else "rows have"


def _section(source: Source, groups: Sequence[Group]) -> str:
    """A source: its tables, where its numbers are printed, doubts, circumstances, commands."""
    lines = [f"## {source.title}", "", f"{source.citation}.", ""]
    lines += [*_head(_NUMBERS, _RIGHT)]
    for group in groups:
        name = _name(group.row) + (" **shortened**" if group.shortened else "")
        lines += [
            _line({"row": name, **_unbroken(score_cells(comparison))}, _NUMBERS)
            for comparison in group.comparisons
        ]
    lines += ["", "How each row was trained and scored:", "", *_head(_TRAININGS, ())]
    lines += [_line(_training(group), _TRAININGS) for group in groups]
    printed = source.printed.items()
    lines += ["", *(f"- Printed in `{name}`: {_linked(where)}." for name, where in printed)]
    lines += [f"- {doubt}" for doubt in source.doubts]
    lines += [f"- {line}" for line in _circumstances(groups)]
    lines += ["", "Each row again, in the order of the table:", "", "```sh"]
    lines += [*(command_of(group) for group in groups), "```", ""]
    return "\n".join(lines)


def _line(cells: Mapping[str, str], names: Sequence[str]) -> str:
    return f"| {' | '.join(cells[name] for name in names)} |"


def _unbroken(cells: Mapping[str, str]) -> dict[str, str]:
    """Numbers that belong together stay in one line of a narrow column."""
    return {
        name: re.sub(r"(?<=\d) (±|to) (?=[-\d])", f"{_SPACE}\\1{_SPACE}", text)
        for name, text in cells.items()
    }


def _linked(text: str) -> str:
    """With addresses that can be followed."""
    return re.sub(r"https://[^\s,]+", r"<\g<0>>", text)


def _head(names: Sequence[str], right: Sequence[str]) -> list[str]:
    marks = "|".join("---:" if name in right else "---" for name in names)
    return [f"| {' | '.join(names)} |", f"|{marks}|"]


def _training(group: Group) -> dict[str, str]:
    """How the runs of a group were trained and scored."""
    published = group.row.config.steps
    steps = f"{group.steps:,}"
    if group.shortened:
        steps = f"**shortened**: {steps} of {published:,}"
    elif group.steps > published:
        steps = f"longer: {steps} instead of {published:,}"
    runs, count = group.row.runs, len(group.records)
    return {
        "row": _name(group.row),
        "steps": steps,
        "seeds": f"{count}" if runs == count else f"{count}, published {runs}",
        "images": _images(group),
        "protocol": _codes(each.protocol for each in group.comparisons),
        "printed in": _codes(each.published.printed for each in group.comparisons),
    }


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def _images(group: Group) -> str:
    first, whole = group.records[0], group.row.config.num_train
    told = "drawn" if first.source == "rendered" else "published file"
    return told if first.images == whole else f"**a part**, {first.images:,} of {whole:,}, {told}"


def _name(row: Row) -> str:
    own = row.name.partition("/")[2]
    return f"`{own}`" + (f" {row.label}" if row.label else "")


def _circumstances(groups: Sequence[Group]) -> Iterator[str]:
    """On what, and with which versions; and what else must be told of single runs."""
    found: dict[str, list[RunRecord]] = {}
    for record in (record for group in groups for record in group.records):
        found.setdefault(_environment(record.environment), []).append(record)
    for told, records in found.items():
        days = sorted({record.trained for record in records})
        span = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
        minutes = round(sum(record.seconds for record in records) / 60)
        took = f"{max(minutes, 1)} min" if minutes < 60 else f"{minutes / 60:.1f} hours"
        whose = "" if len(found) == 1 else f" ({_names(records)})"
        yield f"Trained with {told}; {span}, {took} of training in all{whose}."
    for group in groups:
        starts = {record.start for record in group.records if record.start is not None}
        for start in sorted(starts, key=lambda each: each.steps):
            short = "**shortened**: " if start.steps < start.published else ""
            yield (
                f"`{group.row.name}` went on from the weights of `{start.preset}`, {short}"
                f"{start.steps:,} of {start.published:,} steps."
            )
        if group.shorter:
            were = "run was" if group.shorter == 1 else "runs were"
            yield f"`{group.row.name}`: {group.shorter} shorter {were} left out."


def _names(records: Iterable[RunRecord]) -> str:
    return ", ".join(dict.fromkeys(f"`{record.row}`" for record in records))


def _environment(told: Mapping[str, Any]) -> str:
    """Versions and machine in a line."""
    packages = ", ".join(
        f"{name} {told[name]}" for name in ("torch", "numpy", "scikit-learn") if told.get(name)
    )
    threads = "" if told["threads"] is None else f", {told['threads']} threads"
    return (
        f"unweave {told['unweave']}, Python {told['python']}, {packages} on "
        f"{told.get('gpu') or told['processor']}{threads}, {told['precision']}"
    )


def _missing(source: Source, rows: Sequence[Row]) -> str:
    """The rows of a source that nobody has run."""
    lines = [f"### {source.title}: `{source.name}`", "", *_head(_MISSING, ("steps",))]
    for row in rows:
        values = "; ".join(f"{value.label} {value.text}" for value in row.values)
        cells = {
            "row": _name(row),
            "published": values,
            "steps": f"{row.config.steps:,}",
            "waits for": _waits(row),
        }
        lines.append(_line(cells, _MISSING))
    return "\n".join([*lines, ""])


def _waits(row: Row) -> str:
    dataset = row.config.dataset
    return "time" if dataset.source == "rendered" else f"the published file of {dataset.name}"
