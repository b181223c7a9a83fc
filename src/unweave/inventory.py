"""Runs on disk: which there are, how far they have come, how large they are."""

from __future__ import annotations

__all__ = [
    "Size",
    "again_command",
    "check_removable",
    "describe",
    "find_runs",
    "last_step",
    "remove",
    "remove_folder",
    "resume_command",
    "seconds_a_step",
    "size_of",
    "study_of",
    "subfolders",
    "why_no_weights",
]

import contextlib
import os
import secrets
import shlex
import shutil
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.errors import RunError, UnweaveError
from unweave.jsonlines import last_line
from unweave.rundir import (
    FORMAT,
    LOCK,
    POPULATION_FILE,
    RECURSION_FILE,
    alone,
    explain_os_error,
    is_held,
    is_run,
    is_study,
    read_json,
    read_status,
    work_lock,
)
from unweave.scores import load_scores

_NOTHING: Final[dict[str, Any]] = {"dataset": None, "objective": None, "steps": None}


def find_runs(root: Path) -> Iterator[Path]:
    """Run folders in a folder, at any depth, in alphabetical order, or the folder itself.

    Hidden folders, and what links lead to, are passed over.

    Raises:
        RunError: There is no such folder.
    """
    if not root.is_dir():
        raise RunError(f"{root} is not a folder. Name one with runs in it.")
    if is_run(root):
        yield root
        return
    for folder in subfolders(root):
        with contextlib.suppress(PermissionError):
            yield from find_runs(folder)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, in alphabetical order; not hidden ones, nor what links lead to."""
    with os.scandir(folder) as entries:
        names = sorted(
            entry.name
            for entry in entries
            if entry.is_dir(follow_symlinks=False) and not entry.name.startswith(".")
        )
    return [folder / name for name in names]


def describe(folder: Path) -> dict[str, Any]:
    """Facts about a run, in plain types; one that cannot be read has the state `damaged`.

    Returns:
        run, dataset, objective (texts), state (`finished`, `stopped`, `running`, `diverged`;
        `interrupted` of one that was killed; `damaged`), step, steps, seconds (of training),
        scores (their number), bytes, changed (seconds since 1970), message.
    """
    facts: dict[str, Any] = {"run": str(folder)} | _NOTHING
    scores = 0
    try:
        config = read_json(folder / "config.json")
        if config["format"] != FORMAT:
            raise RunError(f"{folder / 'config.json'} has another format than this version reads.")
        texts = config["text"]
        facts |= {
            "dataset": texts["dataset"],
            "objective": texts["objective"],
            "steps": config["steps"],
        }
        scores = len(load_scores(folder))
        status = read_status(folder)
        state, message = status["state"], status.get("message", "")
        step, seconds = status["step"], float(status.get("seconds", 0.0))
    except (RunError, KeyError, TypeError, ValueError, AttributeError) as error:
        step, seconds, state = 0, 0.0, "damaged"
        what = f"its JSON files do not have what they should ({type(error).__name__}: {error})."
        message = str(error) if isinstance(error, RunError) else f"{folder} is damaged: {what}"
    if state == "running" and not is_held(folder / LOCK):
        state = "interrupted"
    return facts | {
        "state": state,
        "step": max(last_step(folder), step),
        "seconds": seconds,
        "scores": scores,
        "bytes": size_of(folder).bytes,
        "changed": _changed(folder),
        "message": message,
    }


def resume_command(folder: Path, state: str) -> str | None:
    """The command that goes on with a run; None where there is nothing to go on with.

    What a run is part of is gone on with as a whole. A training that has diverged does so again at
    the same step.

    Args:
        folder: The run.
        state: How it stands, as `describe` says.
    """
    if state in ("finished", "running", "diverged"):
        return None
    study, population = study_of(folder), _population_of(folder)
    if study is not None:
        return shlex.join(["unweave", "study", "resume", str(study)])
    if population is not None:
        return shlex.join(["unweave", "population", "resume", str(population)])
    return shlex.join(["unweave", "train", "--out", str(folder), "--resume"])


def _population_of(folder: Path) -> Path | None:
    """The population that a run was trained for, or the recursion which that is part of."""
    # Runs are at rounds/ROUND/MEMBER/models/MODEL of it.
    above = folder.absolute().parents
    if len(above) < 5 or above[3].name != "rounds" or not (above[4] / POPULATION_FILE).is_file():
        return None
    # Of a recursion it is a stage, or a level of one.
    return next((place for place in above[5:7] if (place / RECURSION_FILE).is_file()), above[4])


def again_command(folder: Path) -> str | None:
    """The command that trains a run anew in its folder.

    None where its files do not say it, and of a run that a study or a population trains.
    """
    if study_of(folder) is not None or _population_of(folder) is not None:
        return None
    try:
        command = read_json(folder / "config.json")["command"]
    except (RunError, KeyError, TypeError):
        return None
    return f"{command} {shlex.join(['--out', str(folder), '--overwrite'])}"


def why_no_weights(folder: Path) -> str:
    """Why a run without a checkpoint has none, and what there is to do about it, as sentences."""
    facts = describe(folder)
    state = facts["state"]
    if state == "running":
        return "It is being trained, and its first checkpoint is still to come."
    if state == "diverged":
        again = again_command(folder)
        anew = "" if again is None else f". With the settings it had: {again}"
        return (
            f"Its training diverged by step {facts['step']}, before its first checkpoint, and "
            "would do so again: train anew with other settings, such as a smaller learning rate"
            f"{anew or '.'}"
        )
    if state == "finished":
        return "They were removed, or not kept by its study. Train it again."
    command = resume_command(folder, state)
    return "" if command is None or state == "damaged" else f"Go on with: {command}"


def last_step(folder: Path) -> int:
    """The step of the last line of a run's `metrics.jsonl`; 0 where there is none."""
    return int(_last(folder, "step"))


def seconds_a_step(folder: Path) -> float:
    """How long a step of a run's training has taken so far; 0 where that is not known."""
    step = last_step(folder)
    return _last(folder, "seconds") / step if step else 0.0


def _last(folder: Path, field: str) -> float:
    row = last_line(folder / "metrics.jsonl")
    value = row.get(field) if isinstance(row, dict) else None
    return value if isinstance(value, int | float) else 0


@final
@dataclass(frozen=True)
class Size:
    """What files take.

    Attributes:
        files: How many there are.
        bytes: How long they are together; one that lies in several places is counted once.
    """

    files: int
    bytes: int


def size_of(*places: Path) -> Size:
    """What files, and files in folders, take together."""
    found: dict[tuple[int, int], int] = {}
    names = 0
    for path in _files(places):
        with contextlib.suppress(OSError):
            stat = path.lstat()
            found[stat.st_dev, stat.st_ino] = stat.st_size
            names += 1
    return Size(names, sum(found.values()))


def study_of(folder: Path) -> Path | None:
    """The folder of the study that a run is part of, or was; None where it is by itself."""
    parent = folder.absolute().parent
    return parent.parent if parent.name == "runs" and is_study(parent.parent) else None


def check_removable(folder: Path) -> None:
    """Refuse what is no run, and a run that somebody works on.

    Raises:
        RunError: It is one of these.
    """
    if folder.is_symlink():
        raise RunError(f"{folder} is a link. Name the run itself: {folder.resolve()}.")
    if not is_run(folder):
        raise RunError(f"{folder} is not a run folder: it has no config.json.")
    if is_held(folder / LOCK) or is_held(work_lock(folder)):
        raise RunError(_busy(folder))


def remove(folder: Path) -> None:
    """Remove a run; it is there wholly, or not at all.

    Raises:
        RunError: It is none, or somebody works on it.
        UnweaveError: It cannot be removed.
    """
    check_removable(folder)
    gone = folder.with_name(f".{folder.name}-{secrets.token_hex(4)}.old")
    # A worker of a study has this one before it has the run's own.
    worker: AbstractContextManager[None] = (
        nullcontext() if study_of(folder) is None else alone(work_lock(folder), _busy(folder))
    )
    with worker, alone(folder / LOCK, _busy(folder), remove=True):
        try:
            folder.rename(gone)
        except OSError as error:
            raise explain_os_error(error, folder) from error
    remove_folder(gone)


def _busy(folder: Path) -> str:
    return f"{folder} is being trained by another process. Wait for it, or stop it first."


def remove_folder(folder: Path) -> None:
    """Remove a folder that nobody asks for any more.

    Raises:
        UnweaveError: Some of it cannot be removed.
    """
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise UnweaveError(f"{folder} could not be removed: {error}.") from error


def _files(places: Iterable[Path]) -> Iterator[Path]:
    for place in places:
        if place.is_dir() and not place.is_symlink():
            for parent, _, names in os.walk(place):
                yield from (Path(parent) / name for name in names)
        else:
            yield place


def _changed(folder: Path) -> float:
    """When a run last came further, or was scored."""
    times = [0.0]
    for name in ("config.json", "status.json", "scores.json"):
        with contextlib.suppress(OSError):
            times.append((folder / name).stat().st_mtime)
    return max(times)
