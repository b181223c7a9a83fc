"""What was logged of a training, as part of a page that draws it."""

from __future__ import annotations

__all__ = ["ROOM", "curves_of"]

import json
from typing import Any, Final

from jinja2.utils import htmlsafe_json_dumps

from unweave import curves
from unweave.report.files import RunFiles
from unweave.report.words import count

ROOM: Final = 250_000
"""Bytes that the curves of a page may take, beside the 50,000 of their scripts and style."""

_LEAST = 8


def curves_of(run: RunFiles) -> dict[str, Any] | None:
    """Curves of a run, thinned so far that they take no more than `ROOM` bytes.

    Returns:
        None where nothing was logged; else `told`, JSON that `Board.update` of the scripts takes;
        `phases`, whether settings change; and two sentences, `thinned` and `left_out`, that are
        empty where nothing is.
    """
    rows = [*run.train, *run.during]
    most = curves.POINTS
    found = curves.collect(rows, most)
    if not found:
        return None
    while most > _LEAST and len(json.dumps(found, separators=(",", ":"))) > ROOM:
        most //= 2
        found = curves.collect(rows, most)
    phases = run.config.get("phases")
    units = run.config.get("units")
    told = {
        "curves": found,
        "units": units if isinstance(units, dict) else {},
        "phases": [
            phase["start"]
            for phase in (phases if isinstance(phases, list) else ())
            if isinstance(phase, dict) and isinstance(phase.get("start"), int)
        ],
    }
    return {
        "told": htmlsafe_json_dumps(told, separators=(",", ":")),
        "phases": bool(told["phases"]),
        "thinned": _thinned(run, most),
        "left_out": _left_out(curves.unfinite(rows)),
    }


def _thinned(run: RunFiles, most: int) -> str:
    longest = max(len(run.train), len(run.during))
    if longest <= most:
        return ""
    return (
        f"Of {count(longest)} records each curve shows at most {count(most)}: the first and the "
        "last, and of each part in between those with its least and its largest value."
    )


def _left_out(number: int) -> str:
    if not number:
        return ""
    if number == 1:
        return "One value that is not finite is left out."
    return f"{count(number)} values that are not finite are left out."
