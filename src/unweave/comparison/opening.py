"""The runs of a comparison, opened, and what no comparison can be made of."""

from __future__ import annotations

__all__ = ["MOST", "Compared", "named", "open_runs", "page_name"]

import string
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.encoding import digest
from unweave.errors import RunError
from unweave.plots.run_curves import MOST_RUNS
from unweave.run import Run, load_run
from unweave.rundir import read_json

MOST: Final = MOST_RUNS
"""Runs that can be told apart on one page."""


@final
@dataclass(frozen=True)
class Compared:
    """One of several runs.

    Attributes:
        letter: What it is called where there is little room: A, B and so on.
        name: Name of its folder, with that of the folder around it where names are equal.
        run: The run, with weights.
    """

    letter: str
    name: str
    run: Run

    @property
    def label(self) -> str:
        """Letter and name."""
        return f"{self.letter}  {self.name}"

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        config = self.run.config
        return {
            "letter": self.letter,
            "name": self.name,
            "run": str(self.run.folder),
            "objective": str(config.objective),
            "dataset": str(config.dataset),
            "seed": config.seed,
            "step": self.run.step,
        }


def open_runs(runs: Sequence[Run | str | Path]) -> tuple[Compared, ...]:
    """Open the runs of a comparison, in the order given.

    Raises:
        RunError: Fewer than two or more than `MOST` runs, one of them twice, a folder that is no
            run, or a run without weights.
    """
    given = [runs] if isinstance(runs, str | Path | Run) else list(runs)
    if len(given) < 2:
        raise RunError(
            f"A comparison takes at least 2 runs, not {len(given)}. The page of a single one is "
            "written by unweave report RUN, in Python by run.report()."
        )
    if len(given) > MOST:
        raise RunError(
            f"A comparison takes at most {MOST} runs, as more cannot be told apart, not "
            f"{len(given)}. Tables and figures of many runs are made by unweave results."
        )
    opened = [each if isinstance(each, Run) else load_run(each) for each in given]
    places = [run.folder.resolve() for run in opened]
    for run, place in zip(opened, places, strict=True):
        if places.count(place) > 1:
            raise RunError(f"{run.folder} is given twice. Name each run once.")
    for run in opened:
        try:
            _ = run.model
        except RunError as error:
            raise RunError(f"{run.folder} cannot be compared, so leave it out: {error}") from error
    return tuple(
        Compared(letter, name, run)
        for letter, name, run in zip(string.ascii_uppercase, _names(places), opened, strict=False)
    )


def named(runs: Sequence[Compared]) -> str:
    """Letters in a sentence: A, B and C."""
    letters = [each.letter for each in runs]
    return " and ".join(filter(None, [", ".join(letters[:-1]), *letters[-1:]]))


def page_name(runs: Sequence[Compared]) -> str:
    """What the page of these runs is called: the same for the same runs."""
    addresses = [read_json(each.run.folder / "config.json").get("address") for each in runs]
    told = [
        f"{each.name} {address} {each.run.step}"
        for each, address in zip(runs, addresses, strict=True)
    ]
    return f"comparison-{digest(*told)[:8]}.html"


def _names(places: Sequence[Path]) -> list[str]:
    """The last names of folders, as many as tell them apart."""
    names = [place.name for place in places]
    depth = 1
    while max(Counter(names).values()) > 1 and depth < max(len(place.parts) for place in places):
        depth += 1
        names = [
            "/".join(place.parts[-depth:]) if names.count(name) > 1 else name
            for place, name in zip(places, names, strict=True)
        ]
    return names
