"""What must be said beside a table: which runs do not count, and why."""

from __future__ import annotations

__all__ = ["notes_of", "states_of"]

from collections.abc import Iterator, Sequence

from unweave.results.grouping import REASONS, Summary
from unweave.results.table import Results

_SHOWN = 5
_STARTS = tuple(reason.format("") for reason in REASONS)


def states_of(results: Results) -> dict[str, int]:
    """How many runs there are of each state, the finished ones first."""
    counts = dict(results.runs["state"].value_counts().sort("state").rows())
    first = {"finished": counts.pop("finished")} if "finished" in counts else {}
    return first | {str(state): count for state, count in counts.items()}


def notes_of(results: Results, summary: Summary | None = None) -> list[str]:
    """Sentences for people: how many runs there are, and everything that does not count."""
    states = states_of(results)
    count = sum(states.values())
    told = ", ".join(f"{n} {state}" for state, n in states.items())
    notes = [f"{count} {'run' if count == 1 else 'runs'}: {told}."]
    if summary is not None:
        notes += _not_counted(summary)
    notes += _reasons(results)
    notes += results.notes
    versions = sorted(v for v in results.scores["score_unweave"].unique() if v is not None)
    if len(versions) > 1:
        notes.append(f"The scores are from different versions of unweave: {', '.join(versions)}.")
    return notes


def _not_counted(summary: Summary) -> Iterator[str]:
    """What is missing, for all scores that the same runs lack at once."""
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for reason, runs in summary.left_out.items():
        start = next((start for start in _STARTS if reason.startswith(start)), reason)
        together.setdefault((start, runs), []).append(reason.removeprefix(start))
    for (start, runs), names in together.items():
        yield f"Not counted, {start}{_few(names, '; ')}: {_few(runs)}."


def _reasons(results: Results) -> Iterator[str]:
    """Why the first damaged, failed or diverged run is that."""
    for state in ("damaged", "failed", "diverged"):
        for run, found, message in results.runs.select("run", "state", "message").rows():
            if found == state and message:
                yield f"{run}, {state}: {message}"
                break


def _few(names: Sequence[str], between: str = ", ") -> str:
    more = f" and {len(names) - _SHOWN:,} more" if len(names) > _SHOWN else ""
    return f"{between.join(names[:_SHOWN])}{more}"
