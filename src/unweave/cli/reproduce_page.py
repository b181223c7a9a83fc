"""`unweave reproduce page`: published numbers beside those of run folders, as Markdown."""

from __future__ import annotations

__all__ = ["ReproducePage"]

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, final

from tyro.conf import Positional, arg

from unweave.cli.common import Common, Text, say

if TYPE_CHECKING:
    from unweave.reproduction import RunRecord


@final
@dataclass(kw_only=True)
class ReproducePage(Common):
    """Write published numbers beside ours, from run folders or from a record of them.

    Which row a run belongs to is told by its settings, whatever command has trained it. Of runs
    of one row, seed and images the longest counts.
    """

    places: Positional[Annotated[tuple[str, ...], arg(metavar="PLACE ...", help_behavior_hint="")]]
    """Runs, studies, folders of either, or records (JSON) that --record has written."""

    out: Text = None
    """Markdown file to write; without it the page is printed."""

    record: Text = None
    """JSON file to write what the page is made of, which needs no run folders any more."""

    def run(self) -> int:
        """Read, compare, and write or print."""
        from unweave.errors import RunError, SpecError
        from unweave.reproduction import groups_of, merged, reproduction_page, write_records
        from unweave.reproduction.page import check_page
        from unweave.reproduction.records import check_record
        from unweave.rundir import atomic_write

        for flag, given, ending, check in (
            ("--out", self.out, ".md", check_page),
            ("--record", self.record, ".json", check_record),
        ):
            if given is None:
                continue
            if Path(given).suffix.lower() != ending:
                raise SpecError(f"{flag} must end in {ending}, but is {given!r}.")
            check(Path(given))
        if not self.places:
            raise RunError("Name at least one place: a run, a folder of runs, or a record.")
        found, notes = _read(self.places)
        records = merged(found)
        page = reproduction_page(records)
        files: list[str] = []
        if self.record is not None:
            write_records(records, Path(self.record))
            files.append(self.record)
        if self.out is not None:
            with atomic_write(Path(self.out)) as handle:
                handle.write(page.encode())
            files.append(self.out)
        for note in notes:
            say(note)
        rows = [group.to_dict() for group in groups_of(records)]
        told = [f"{len(records):,} {'run' if len(records) == 1 else 'runs'} of rows", *files]
        self.emit(
            {"rows": rows, "notes": notes, "files": files},
            page.rstrip("\n") if self.out is None else "\n".join(told),
        )
        return 0


def _read(places: tuple[str, ...]) -> tuple[list[RunRecord], list[str]]:
    """Records of all places, and why runs were passed over.

    Raises:
        RunError: A place does not exist, a record is damaged, or folders were named and none of
            their runs is one of a row.
    """
    from unweave.errors import RunError
    from unweave.reproduction import read_records, record_of
    from unweave.results.finding import find_runs
    from unweave.rundir import is_run

    records: list[RunRecord] = []
    notes: list[str] = []
    for place in places:
        if Path(place).suffix.lower() == ".json" and not Path(place).is_dir():
            records += read_records(Path(place))
            continue
        runs, told = find_runs([place])
        notes += told
        for run in runs:
            if not is_run(run.path):
                notes.append(f"{run.path}: {run.message or 'not begun yet'}.")
                continue
            try:
                records.append(record_of(run.path))
            except RunError as error:
                notes.append(str(error))
    folders = [place for place in places if Path(place).is_dir()]
    if folders and not records:
        raise RunError(
            "None of these runs repeats a published training and has its scores. "
            + " ".join(notes[:3])
        )
    return records, notes
