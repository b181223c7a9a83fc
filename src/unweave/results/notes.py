"""What must be said beside a table: which runs do not count, and why."""

from __future__ import annotations

__all__ = ["notes_of", "states_of"]

from collections.abc import Iterator, Sequence

from unweave.results.grouping import Summary
from unweave.results.table import Results

_SHOWN = 5


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
        for reason, runs in summary.left_out.items():
            notes.append(f"Not counted, {reason}: {_few(runs)}.")
    notes += _reasons(results)
    notes += results.notes
    versions = sorted(v for v in results.scores["score_unweave"].unique() if v is not None)
    if len(versions) > 1:
        notes.append(f"The scores are from different versions of unweave: {', '.join(versions)}.")
    return notes


def _reasons(results: Results) -> Iterator[str]:
    """Why the first damaged, failed or diverged run is that."""
    for state in ("damaged", "failed", "diverged"):
        for run, found, message in results.runs.select("run", "state", "message").rows():
            if found == state and message:
                yield f"{run}, {state}: {message}"
                break


def _few(runs: Sequence[str]) -> str:
    more = f" and {len(runs) - _SHOWN:,} more" if len(runs) > _SHOWN else ""
    return f"{', '.join(runs[:_SHOWN])}{more}"
