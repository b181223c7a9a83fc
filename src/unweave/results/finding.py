"""Which runs there are: in studies, in folders of runs, or named one by one."""

from __future__ import annotations

__all__ = ["Found", "find_runs"]

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError
from unweave.execution import EventLog, replay
from unweave.rundir import FORMAT, is_run, read_json

STUDY: Final = "study.json"

# Folders of folders of runs, such as one a dataset.
_DEPTH = 3


@final
@dataclass(frozen=True)
class Found:
    """A run that there is, or shall be.

    Attributes:
        path: Its folder.
        study: Name of the study that has it, or empty.
        state: `not begun` or `failed` where there is no run folder yet; else empty.
        message: What went wrong.
    """

    path: Path
    study: str = ""
    state: str = ""
    message: str = ""


def find_runs(folders: Sequence[str | Path]) -> tuple[list[Found], list[str]]:
    """All runs that some folders stand for.

    Args:
        folders: Runs, studies, or folders of either, up to three levels deep.

    Returns:
        The runs, in the order of the folders, of the study, or of their names; and notes on what
        was passed over.

    Raises:
        RunError: A folder does not exist, or there is no run in it.
    """
    if not folders:
        raise RunError("Name at least one folder: a study, a run, or a folder of runs.")
    found: list[Found] = []
    notes: list[str] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise RunError(f"{folder} is no folder. Name a study, a run, or a folder of runs.")
        here = list(_within(folder, _DEPTH, notes))
        if not here:
            raise RunError(
                f"There are no runs in {folder}: neither it nor any folder up to {_DEPTH} levels "
                f"below has a config.json or a {STUDY}."
            )
        found += here
    return found, notes


def _within(folder: Path, depth: int, notes: list[str]) -> Iterator[Found]:
    if is_run(folder):
        yield Found(folder)
    elif (folder / STUDY).is_file():
        yield from _of_study(folder, notes)
    elif depth:
        for child in _folders(folder):
            yield from _within(child, depth - 1, notes)


def _of_study(folder: Path, notes: list[str]) -> Iterator[Found]:
    """The runs that a study asks for, whether they are there or not."""
    form = read_json(folder / STUDY)
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        raise RunError(f"{folder / STUDY} has another format than this version reads.")
    name, keys = _told(form, folder)
    states = replay(EventLog(folder / "state.jsonl").read())
    runs = folder / "runs"
    for key in keys:
        if is_run(runs / key):
            yield Found(runs / key, name)
        else:
            failed = key in states and states[key].state == "failed"
            message = states[key].message if failed else ""
            yield Found(runs / key, name, "failed" if failed else "not begun", message)
    asked = set(keys)
    more = [p.name for p in _folders(runs) if p.name not in asked and is_run(p)]
    if more:
        notes.append(
            f"{len(more)} of the runs in {runs} are not asked for by its study any more, and are "
            f"left out: {', '.join(more[:5])}{', ...' if len(more) > 5 else ''}. Name their "
            "folders to have them."
        )


def _told(form: dict[str, Any], folder: Path) -> tuple[str, list[str]]:
    """Name and keys of a study."""
    try:
        return str(form["study"]["name"]), [str(run["key"]) for run in form["runs"]]
    except (KeyError, TypeError) as error:
        raise RunError(f"{folder / STUDY} is damaged: {error!r} is not there.") from error


def _folders(folder: Path) -> list[Path]:
    """Folders within one, by name; hidden ones are no runs."""
    if not folder.is_dir():
        return []
    try:
        with os.scandir(folder) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir()
            ]
    except PermissionError:
        raise RunError(f"{folder} cannot be read: permission denied.") from None
    return [folder / name for name in sorted(names)]
