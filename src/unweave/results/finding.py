"""Which runs there are: in studies, in folders of runs, or named one by one."""

from __future__ import annotations

__all__ = ["Found", "find_runs"]

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave.errors import RunError
from unweave.execution import EventLog, replay
from unweave.inventory import subfolders
from unweave.rundir import STUDY_FILE, is_run, is_study, read_study


@final
@dataclass(frozen=True)
class Found:
    """A run that there is, or shall be.

    Attributes:
        path: Its folder.
        study: Name of the study that has it, or empty.
        state: `waiting` or `failed` where there is no run folder yet; else empty.
        message: What went wrong.
    """

    path: Path
    study: str = ""
    state: str = ""
    message: str = ""


def find_runs(folders: Sequence[str | Path]) -> tuple[list[Found], list[str]]:
    """All runs that some folders stand for.

    Args:
        folders: Runs, studies, or folders of either, at any depth.

    Returns:
        The runs, in the order of the folders, of the study, or of their names; and notes on what
        was passed over.

    Raises:
        RunError: A folder does not exist, or there is no run in it.
    """
    if not folders:
        raise RunError("Name at least one folder: a study, a run, or a folder of runs.")
    found: dict[Path, Found] = {}
    notes: list[str] = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise RunError(f"{folder} is no folder. Name a study, a run, or a folder of runs.")
        here = list(_within(folder, notes))
        if not here:
            raise RunError(
                f"There are no runs in {folder}: neither it nor a folder in it has a config.json "
                f"or a {STUDY_FILE}."
            )
        for run in here:
            # A folder that is named twice, in whatever words, is there once; within one folder
            # there are no two words for it.
            found.setdefault(run.path.resolve() if len(folders) > 1 else run.path, run)
    return list(found.values()), notes


def _within(folder: Path, notes: list[str]) -> Iterator[Found]:
    if is_run(folder):
        yield Found(folder)
    elif is_study(folder):
        yield from _of_study(folder, notes)
    else:
        for child in _folders(folder):
            yield from _within(child, notes)


def _of_study(folder: Path, notes: list[str]) -> Iterator[Found]:
    """The runs that a study asks for, whether they are there or not."""
    name, keys = _told(read_study(folder), folder)
    log = folder / "state.jsonl"
    try:
        states = replay(EventLog(log).read())
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{log} is damaged: {error!r}.") from error
    runs = folder / "runs"
    for key in keys:
        if is_run(runs / key):
            yield Found(runs / key, name)
        else:
            failed = key in states and states[key].state == "failed"
            message = states[key].message if failed else ""
            yield Found(runs / key, name, "failed" if failed else "waiting", message)
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
        raise RunError(f"{folder / STUDY_FILE} is damaged: {error!r} is not there.") from error


def _folders(folder: Path) -> list[Path]:
    try:
        return subfolders(folder) if folder.is_dir() else []
    except PermissionError:
        raise RunError(f"{folder} cannot be read: permission denied.") from None
