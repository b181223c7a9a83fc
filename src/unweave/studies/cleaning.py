"""What of a study's folder nobody asks for any more, and away with it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import final

from unweave.inventory import Size, check_removable, remove, remove_folder, size_of
from unweave.rundir import is_run, work_lock
from unweave.session import CHECKPOINT, leftovers, read_config
from unweave.studies.folder import StudyFolder
from unweave.studies.spec import Study
from unweave.studies.task import LARGE, is_done

__all__ = ["Superfluous", "clean", "superfluous"]


@final
@dataclass(frozen=True)
class Superfluous:
    """Something that can go.

    Attributes:
        why: What it is, in words.
        paths: Folders and files.
        size: What they take together.
    """

    why: str
    paths: tuple[Path, ...]
    size: Size


def superfluous(folder: StudyFolder, *, codes: bool = False) -> list[Superfluous]:
    """What could go from a study's folder without a loss to it; nothing is written.

    That is: runs that are no longer part of it; weights and codes of runs that have ended, which
    it does not keep; what killed processes have left half written.

    Args:
        folder: The study.
        codes: Whether codes are named, too, that can be encoded again from weights that are there.

    Raises:
        RunError: There is no study.
    """
    keys, study = set(folder.keys()), folder.study()
    keep = study.keep
    places = sorted(folder.run_folder("x").parent.glob("*"))
    # What a link leads to is somebody else's.
    places = [place for place in places if not place.is_symlink()]
    runs = [place for place in places if _is_whole_run(place)]
    own = [place for place in runs if place.name in keys]
    ended = [place for place in own if _has_all(study, place)]
    found = {
        "runs that are no longer part of the study": [p for p in runs if p.name not in keys],
        f'weights and codes that are not kept, as keep = "{keep}" says': [
            place / name for place in ended for name in LARGE[keep] if _is_own(place / name)
        ],
        "left half written by processes that were killed": [
            *folder.path.glob(".*.tmp"),
            *(place for place in places if place.is_dir() and _is_debris(place)),
            *(path for place in own for path in leftovers(place)),
        ],
    }
    if codes and keep == "all":
        found["codes that can be encoded again"] = [
            place / "cache"
            for place in ended
            if _is_own(place / "cache") and (place / CHECKPOINT).is_file()
        ]
    return [
        Superfluous(why, tuple(paths), size_of(*paths)) for why, paths in found.items() if paths
    ]


def clean(folder: StudyFolder, *, codes: bool = False) -> list[Superfluous]:
    """Remove what `superfluous` names.

    Other studies have links of their own to the files of shared runs, and keep them.

    Returns:
        What has gone.

    Raises:
        RunError: A driver is at work, or a run that shall go is being trained.
        UnweaveError: Something cannot be removed.
    """
    folder.read()
    with folder.alone():
        found = superfluous(folder, codes=codes)
        paths = [path for group in found for path in group.paths]
        for path in paths:
            if _is_whole_run(path):
                check_removable(path)
        for path in paths:
            _remove(path)
    return found


def _is_whole_run(path: Path) -> bool:
    return is_run(path) and not path.name.startswith(".")


def _has_all(study: Study, place: Path) -> bool:
    """Whether a run has ended with all that the study asks of it: no weights are needed then."""
    asked = study.scores
    if any(request.kind is not None for request in asked):
        asked = study.asked_of(read_config(place))
    scores = [request.to_dict() for request in asked]
    return is_done({"folder": str(place), "scores": scores, "plots": list(study.plots)})


def _is_own(path: Path) -> bool:
    """Whether there is a folder, and no link to another one."""
    return path.is_dir() and not path.is_symlink()


def _is_debris(path: Path) -> bool:
    """Whether a name is one of those under which folders of runs are written or removed."""
    return path.name.startswith(".") and path.suffix in (".new", ".old", ".taken", ".fetched")


def _remove(path: Path) -> None:
    if _is_whole_run(path):
        remove(path)
        work_lock(path).unlink(missing_ok=True)
    elif path.is_dir():
        remove_folder(path)
    else:
        path.unlink(missing_ok=True)
