"""`unweave generalise report`: runs that were trained without some combinations, on one page."""

from __future__ import annotations

__all__ = ["GeneraliseReport"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Text, say

if TYPE_CHECKING:
    from unweave.generalise import Found, Group, Relation


@final
@dataclass(kw_only=True)
class GeneraliseReport(Common):
    """Show how runs generalise: a table with intervals, and a page with figures.

    Runs are those of `unweave generalise run` and its like, or of a study that scores what was
    held out, such as dag/dsprites. Runs with the same condition and model are taken together.
    """

    folders: Positional[Annotated[tuple[str, ...], arg(metavar="DIR ...", help_behavior_hint="")]]
    """Studies, runs, or folders of either."""

    out: Text = None
    """HTML file to write; without it the table alone is printed."""

    def run(self) -> int:
        """Read the runs, and print and write what they have."""
        from unweave.errors import RunError
        from unweave.generalise import groups_of, read_run, relations_of, write_page
        from unweave.report.place import GENERALISATION, check_page
        from unweave.results.finding import find_runs
        from unweave.rundir import is_run

        if self.out is not None:
            check_page(Path(self.out), GENERALISATION)
        places, notes = find_runs(self.folders)
        found: list[Found] = []
        for place in places:
            if not is_run(place.path):
                notes.append(f"{place.path}: {place.message or 'not begun yet'}.")
                continue
            try:
                run = read_run(place.path)
            except RunError as error:
                notes.append(str(error))
                continue
            if not run.scored:
                notes.append(f"{place.path}: {run.state}, and not scored on what was held out.")
                continue
            found.append(run)
        if not found:
            raise RunError(
                "None of these runs has scores of what was held out of its training. Train with "
                "unweave generalise run, or score a run that was trained on a part of a dataset: "
                "unweave evaluate RUN --metrics reconstruction_nll --data held_out. "
                + " ".join(notes[:3])
            )
        groups = groups_of(found)
        relations = relations_of(groups)
        for note in notes:
            say(note)
        files = [] if self.out is None else [write_page(found, Path(self.out), notes)]
        result = {
            "groups": [group.to_dict() for group in groups],
            "relations": [vars(relation) for relation in relations],
            "runs": [run.to_dict() for run in found],
            "notes": notes,
            "files": [str(file) for file in files],
        }
        self.emit(result, "\n".join([_text(groups, relations), *map(str, files)]))
        return 0


def _text(groups: list[Group], relations: list[Relation]) -> str:
    """Conditions one below the other."""
    from unweave.generalise.words import lines_of

    return "\n".join(lines_of(groups, relations))
