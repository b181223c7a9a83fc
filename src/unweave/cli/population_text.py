"""A population in words and tables."""

from __future__ import annotations

__all__ = [
    "cells",
    "disk_text",
    "forecast_lines",
    "forecast_text",
    "headline",
    "heads",
    "ordered",
    "score_text",
    "standing",
    "stopped_text",
    "text_of",
    "told",
    "workers_text",
]

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from unweave.cli.words import duration, size_text, table

if TYPE_CHECKING:
    from unweave.cli.driving import StoppedBy
    from unweave.population.costs import Forecast
    from unweave.population.overview import MemberView, Overview
    from unweave.population.recursion.costs import RecursionForecast

_MOST_ROWS: Final = 60
_MOST_MESSAGES: Final = 3


def headline(found: Overview) -> str:
    """The round, the best score, how long it took, and how long the rest takes."""
    if found.why:
        over = f"{found.done} of {found.rounds} rounds"
        # That the last one is over needs no reason.
        words = [over if found.done >= found.rounds else f"{over}, since {found.why}"]
        if found.state == "running" and found.judged is None:
            words.append("the best member is being scored")
    else:
        ended = sum(member.state == "finished" for member in found.under_way)
        words = [
            f"round {found.done + 1} of {found.rounds}",
            f"{ended} of {len(found.under_way)} members done",
        ]
    if found.best is not None and found.best.score is not None:
        words.append(f"best score {found.best.score:.4g} ({_who(found.best)})")
    words.append(f"{duration(found.seconds)} so far")
    if found.seconds_left:
        words.append(
            f"about {duration(found.seconds_left)} left with {workers_text(found.workers)}"
        )
    return ", ".join(words)


def text_of(found: Overview) -> str:
    """A population in words and tables: its last round, the one under way, its best member."""
    parts = [f"{found.folder}: {headline(found)}"]
    if found.table:
        parts.append(f"round {found.done}, by {found.fitness}\n{_rows(found, found.table)}")
        parts += filter(None, [_messages(found.table)])
    if found.under_way and (found.state == "running" or any(m.done for m in found.under_way)):
        parts.append(f"round {found.done + 1}\n{_rows(found, ordered(found.under_way))}")
    if found.best is not None:
        parts.append(_best(found))
    if found.error:
        parts.append(f"error: {found.error}")
    return "\n\n".join(parts)


def forecast_text(found: Forecast, folder: Path) -> str:
    """What a population would cost, or what is left of it, in words."""
    lines = forecast_lines(found, str(folder))
    if found.steps_measured:
        lines.append(disk_text(found))
    lines += [
        f"to be prepared first: {entry['text']}, {size_text(entry['bytes'])}"
        for entry in found.datasets
    ]
    if not found.fits:
        less = "keep less (--keep best), or give" if found.keep == "all" else "give"
        lines.append(f"The disk is too small: {less} another --out.")
    return "\n".join(lines)


def forecast_lines(found: Forecast, title: str) -> list[str]:
    """What a population is, and how long it takes, without the disk.

    Args:
        found: What is known of it.
        title: What it is called.
    """
    members = f"{found.members:,} members"
    if found.later_members != found.members:
        members += f", {found.later_members:,} after the first round"
    models = "" if found.models == 1 else f" of {found.models} models each"
    over = f", {found.done:,} of them over" if found.done else ""
    lines = [
        f"{title}: {members}{models}, {_rounds(found.rounds)} at most{over}",
        f"ranked by {found.fitness}",
        f"tuned: {', '.join(map(_tuned, found.tuned))}",
    ]
    if not found.steps_measured:
        left = "only the best member is left to be scored" if found.judging else "nothing is left"
        return [*lines, f"{left}: {found.why}"]
    paces = [
        f"{row['seconds']:.3g} s with batch_size {row['batch_size']:,}"
        for row in found.steps_measured
    ]
    left = " are left," if found.done or found.disk_taken_bytes else ""
    return [
        *lines,
        f"images: about {found.images:,}{left} in {found.steps:,} steps of models",
        f"a step of a model: {', '.join(paces)}",
        f"time: about {duration(found.seconds)} with {workers_text(found.workers)}, for trainings "
        f"without scores ({duration(found.seconds_serial)} one after the other)",
    ]


def disk_text(found: Forecast | RecursionForecast) -> str:
    """What is kept, and what is free."""
    there = (
        f", {size_text(found.disk_taken_bytes)} of it is there" if found.disk_taken_bytes else ""
    )
    return (
        f"disk: about {size_text(found.disk_bytes)} in the end, at most "
        f"{size_text(found.disk_peak_bytes)} before{there}; {size_text(found.free_bytes)} are free"
    )


def _rounds(count: int) -> str:
    return "one round" if count == 1 else f"{count:,} rounds"


def _tuned(row: Mapping[str, Any]) -> str:
    """A tuned field with its prior, and bounds where these are not the ends of the prior."""
    low, high = row["low"], row["high"]
    text = f"{row['path']}={row['prior']}"
    return text if row["within"] else f"{text} {_bounds(low, high)}"


def _bounds(low: float | None, high: float | None) -> str:
    """Between which bounds later values stay."""
    if low is None and high is None:
        return "and then without bounds"
    lower = "" if low is None else f" from {low:g}"
    return f"and then{lower}" + ("" if high is None else f" up to {high:g}")


def heads(found: Overview) -> list[str]:
    """What the columns of its members are called."""
    from unweave.population.views import short_names

    return ["rank", "member", "score", *short_names(found.tuned), "weights of", "state"]


def cells(found: Overview, place: int, member: MemberView) -> list[str]:
    """A member as a row: rank among those that have ended the round, and so on."""
    ended = member.state == "finished"
    return [
        str(place) if ended and member.score is not None else "",
        str(member.member),
        score_text(member.score) if ended else "",
        *(_value(member.hyper.get(path, "")) for path in found.tuned),
        _weights(member),
        _state(member),
    ]


def _rows(found: Overview, members: Sequence[MemberView]) -> str:
    body = [cells(found, place, member) for place, member in enumerate(members, 1)]
    text = table(heads(found), body[:_MOST_ROWS])
    more = len(body) - _MOST_ROWS
    return f"{text}\nand {more:,} more: --json" if more > 0 else text


def ordered(members: Sequence[MemberView]) -> list[MemberView]:
    """Members that have ended the round, the best first; then those under way, then others."""
    states = ("finished", "running", "failed", "waiting")

    def key(member: MemberView) -> tuple[int, float, float, int]:
        score = float("inf") if member.score is None else -member.score
        return states.index(member.state), score, -member.done, member.member

    return sorted(members, key=key)


def _state(member: MemberView) -> str:
    if member.state == "finished":
        return f"finished in {duration(member.seconds)}"
    if member.state == "running":
        return "scoring" if member.done >= 1 else f"running, {member.done:.0%}"
    return (
        f"waiting, {member.done:.0%}"
        if member.state == "waiting" and member.done
        else member.state
    )


def _weights(member: MemberView) -> str:
    """Whose weights a member began with."""
    if member.parent is None:
        return "new"
    return "own" if member.parent == member.member else str(member.parent)


def _messages(members: Sequence[MemberView]) -> str:
    """Why some members have no score."""
    lost = [member for member in members if member.score is None]
    lines = [f"member {m.member} has no score: {m.message}" for m in lost[:_MOST_MESSAGES]]
    more = len(lost) - _MOST_MESSAGES
    return "\n".join([*lines, *([f"and {more} more"] if more > 0 else [])])


def _best(found: Overview) -> str:
    best = found.best
    assert best is not None
    lines = [
        f"best: {_who(best)}, score {score_text(best.score)}, {told(found, best)}",
        f"  run {best.run}",
    ]
    if found.judged is not None:
        judged = found.judged
        scores = [f"{name} {one['value']:.4g}" for name, one in judged["scores"].items()]
        lines.append(
            f"  {', '.join(scores) or 'no score'} on {judged['samples']:,} {judged['source']} "
            f"images whose labels had no part in the fitness ({judged['protocol']})"
        )
        lines += [f"  {name} is left out: {why}" for name, why in judged["left_out"].items()]
    return "\n".join(lines)


def _who(member: MemberView) -> str:
    return f"member {member.member} of round {member.round}"


def told(found: Overview, member: MemberView) -> str:
    """The tuned fields of a member in one line."""
    from unweave.population.views import short_names

    pairs = zip(short_names(found.tuned), found.tuned, strict=True)
    return ", ".join(f"{name}={_value(member.hyper.get(path, ''))}" for name, path in pairs)


def _value(value: Any) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def score_text(score: float | None) -> str:
    """A score in four digits."""
    return "none" if score is None else f"{score:.4g}"


def workers_text(count: int) -> str:
    """How many workers there are."""
    return "one worker" if count == 1 else f"{count} workers"


def stopped_text(folder: Path, stopped_by: StoppedBy) -> str:
    """Why it was stopped, and how to go on; empty where it was not."""
    if stopped_by is None:
        return ""
    why = {"time": "The time is over.", "signal": "Stopped."}[stopped_by]
    return f"{why} {_go_on(folder)}"


def standing(folder: str, state: str) -> str:
    """What is to be said of something that is looked at: whether it goes on, and how."""
    if state == "running":
        return "A driver is at work."
    how = {"stopped": "It is stopped.", "failed": "It has failed."}
    return f"{how[state]} {_go_on(folder)}" if state in how else ""


def _go_on(folder: Path | str) -> str:
    return f"Go on with: {shlex.join(['unweave', 'population', 'resume', str(folder)])}"
