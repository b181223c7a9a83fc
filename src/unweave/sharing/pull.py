"""Pull a run: whole and checked, or not at all."""

from __future__ import annotations

__all__ = ["Pulled", "pull_run"]

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal, final

from unweave.errors import RunError, UnweaveError
from unweave.inventory import check_removable, remove_folder
from unweave.progress import Progress
from unweave.report.files import read_run
from unweave.rundir import LOCK, alone, explain_os_error, is_run, read_status, runs_root
from unweave.scores import load_scores
from unweave.session import CHECKPOINT, read_config
from unweave.sharing.contents import CARD, MANIFEST, REPORT, TOPS
from unweave.sharing.manifest import MOST_BYTES, Entry, Manifest, parse_manifest
from unweave.sharing.place import DamagedError, Meter, Place
from unweave.sharing.places import place_of
from unweave.training.checkpoint import load_tensors

_MOST_CARD: Final = 2**20
# What lies in a run folder that was pulled, but for what makes it one.
_TOPS: Final = frozenset({CARD, *TOPS} - {"config.json"})
# Beside the files of a run: folders, and what a disk takes for each.
_ROOM: Final = 2**20


@final
@dataclass(frozen=True)
class Pulled:
    """A run that is there now.

    Attributes:
        folder: The run folder.
        source: Where from.
        state: `pulled`; or `there` where the folder had the same run before, and nothing was done.
        files: Bytes of each file by its name.
        left_out: Why other files of the source were not fetched, by their names.
        step: Optimiser steps of the weights.
        commit: The commit of the hub that it is of; None of another place.
    """

    folder: Path
    source: str
    state: Literal["pulled", "there"]
    files: dict[str, int]
    left_out: dict[str, str]
    step: int
    commit: str | None

    @property
    def bytes(self) -> int:
        """Of all files."""
        return sum(self.files.values())

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return {
            "run": str(self.folder),
            "source": self.source,
            "state": self.state,
            "files": self.files,
            "bytes": self.bytes,
            "left_out": self.left_out,
            "step": self.step,
            "commit": self.commit,
        }


def pull_run(
    source: str | Path,
    out: str | Path | None = None,
    *,
    overwrite: bool = False,
    report: bool = False,
    progress: Progress | None = None,
) -> Pulled:
    """Fetch a run that was pushed; every file is checked before the folder appears.

    What came of a pull that was broken off is used by the next one. Weights are read from
    safetensors alone, and nothing that is fetched is run.

    Args:
        source: A folder, a URL of fsspec, or `hf://ORG/NAME`, with `@REVISION` if need be.
        out: The run folder to make; by default the name of the source, under `runs/` or
            `UNWEAVE_RUNS`.
        overwrite: Whether another run may be replaced that is there.
        report: Whether `report.html` is fetched, too, a page with scripts by whoever pushed it.
        progress: Shows what is fetched.

    Raises:
        RunError: There is no such run, or not all of it; it is damaged or of something else; or
            the folder is in the way.
        SpecError: The source is no place, or a package for it is missing.
        UnweaveError: The folder cannot be written.
    """
    place = place_of(str(source), quiet=progress is None)
    folder = _folder(place, out)
    _check_way(folder, overwrite=overwrite)
    manifest = _manifest(place)
    files = {n: entry for n, entry in manifest.files.items() if report or n != REPORT}
    left_out = {} if report or REPORT not in manifest.files else {REPORT: _WHY_NO_REPORT}
    result = Pulled(
        folder, place.text, "pulled", {n: e.bytes for n, e in files.items()}, left_out,
        manifest.step, place.commit,
    )  # fmt: skip
    if is_run(folder):
        differing = [name for name, entry in files.items() if not entry.fits(folder / name)]
        if not differing:
            return replace(result, state="there")
        if not overwrite:
            more = f" and {len(differing) - 3} more files" if len(differing) > 3 else ""
            raise RunError(
                f"{folder} is there, and differs in {', '.join(differing[:3])}{more}. Choose "
                "another name (--out), or replace it (--overwrite)."
            )
    with _staging(folder) as staging:
        _fetch(place, files, staging, progress)
        _check(staging, manifest, place)
        _place(staging, folder)
    return result


_WHY_NO_REPORT: Final = (
    "a page with scripts by whoever pushed it; --report fetches it, and unweave report writes one"
)


def _folder(place: Place, out: str | Path | None) -> Path:
    if out is not None:
        # One such as `.` has no name by which others could be beside it.
        return Path(out) if Path(out).name not in ("", "..") else Path(out).resolve()
    if not re.fullmatch(r"\w[\w.+ -]*", place.name):
        raise RunError(f"{place.text} gives no name for a run. Choose one with --out.")
    return runs_root() / place.name


def _check_way(folder: Path, *, overwrite: bool) -> None:
    """Refuse a folder that is in the way, whatever the source has."""
    if "\0" in str(folder):
        raise RunError(f"{str(folder)!r} cannot be a run folder: a null character is in its name.")
    try:
        free = not (folder.exists() or folder.is_symlink()) or _is_empty(folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be a run folder: {error}.") from error
    if free:
        return
    if not is_run(folder):
        raise RunError(f"{folder} exists and is not a run folder; choose another name with --out.")
    if overwrite:
        check_removable(folder)


def _is_empty(folder: Path) -> bool:
    """Whether a folder has nothing but what a pull that was broken off has left."""
    if not folder.is_dir():
        return False
    staged = _staged(folder)
    left = {staged.name, _lock(folder).name}
    # It may have been broken off while files took their places.
    left |= _TOPS if staged.is_dir() else set()
    return all(path.name in left for path in folder.iterdir())


def _manifest(place: Place) -> Manifest:
    content = place.read(MANIFEST, MOST_BYTES)
    if content is None:
        raise RunError(
            f"{place.text} has no {MANIFEST}, so no run was pushed there. A run folder of this "
            "machine needs no pull; push it first: unweave push RUN TARGET."
        )
    if len(content) > MOST_BYTES:
        raise RunError(f"{place.text} is damaged: its {MANIFEST} is too large.")
    manifest = parse_manifest(content, place.text)
    if not manifest.complete:
        raise RunError(
            f"A push to {place.text} is under way, or was broken off: not all is there. Wait for "
            "it, or have the run pushed again."
        )
    return manifest


def _beside(folder: Path) -> Path:
    """Where the folder grows: beside its place, or in it where that is there and empty.

    An empty folder may be one that cannot be renamed, such as a mount point.
    """
    return folder if folder.is_dir() and not is_run(folder) else folder.parent


def _staged(folder: Path) -> Path:
    return _beside(folder) / f".{folder.absolute().name}.pulling"


def _lock(folder: Path) -> Path:
    return _beside(folder) / f".{folder.absolute().name}.pulling.lock"


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """A hidden folder that others do not write; what was begun in it stays when the block fails.

    What has been found to be damaged goes.
    """
    staging, beside = _staged(folder), _beside(folder)
    missing = [path for path in (beside, *beside.parents) if not path.exists()]
    try:
        beside.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    busy = f"{folder} is being pulled by another process. Wait for it, or stop it first."
    try:
        with alone(_lock(folder), busy, remove=True):
            yield staging
    except DamagedError:
        shutil.rmtree(staging, ignore_errors=True)
        raise
    finally:
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()


def _fetch(
    place: Place, files: dict[str, Entry], staging: Path, progress: Progress | None
) -> None:
    """Have all files in a folder, and no others."""
    try:
        staging.mkdir(exist_ok=True)
        for path in sorted(staging.rglob("*"), reverse=True):
            name = path.relative_to(staging).as_posix()
            # Parts of a file that the hub's library goes on with lie in a folder of its own.
            if not path.is_dir() and name not in files and not name.startswith(".cache/"):
                path.unlink()
        have = {name for name, entry in files.items() if entry.fits(staging / name)}
    except OSError as error:
        raise explain_os_error(error, staging) from error
    missing = {name: entry for name, entry in files.items() if name not in have}
    total = sum(entry.bytes for entry in missing.values())
    free = shutil.disk_usage(staging).free
    if free < total + _ROOM:
        raise RunError(
            f"The run takes {total / 1e6:.0f} MB more, and {free / 1e6:.0f} MB are free for "
            f"{staging.parent}. Free some space, or choose another folder with --out."
        )
    meter = Meter("pulling", total, progress)
    for name, entry in missing.items():
        place.fetch(name, staging, entry.bytes, meter)
        if not entry.fits(staging / name):
            raise DamagedError(
                f"{place.text} is damaged, or is being pushed to: {name} is not what its "
                f"{MANIFEST} says. Try again; if it stays so, have the run pushed again."
            )
    meter.finish()
    card = place.read(CARD, _MOST_CARD)
    if card is not None and len(card) <= _MOST_CARD:
        try:
            (staging / CARD).write_bytes(card)
        except OSError as error:
            raise explain_os_error(error, staging) from error


def _check(staging: Path, manifest: Manifest, place: Place) -> None:
    """Refuse what commands could not read."""
    try:
        config = read_config(staging)
        read_run(staging)
        load_scores(staging)
        read_status(staging)
        step = load_tensors(staging / CHECKPOINT).step
        if step != manifest.step or step > config.steps:
            raise RunError(f"{staging / CHECKPOINT} is of step {step}.")
        for path in sorted(staging.glob("snapshots/*")):
            load_tensors(path)
    except UnweaveError as error:
        reason = str(error).replace(f"{staging}/", "")
        raise DamagedError(
            f"{place.text} cannot be used, and nothing is left of it: {reason}"
        ) from error


def _place(staging: Path, folder: Path) -> None:
    """Put the finished folder in its place."""
    shutil.rmtree(staging / ".cache", ignore_errors=True)
    old = folder.with_name(f".{folder.absolute().name}.replaced")
    try:
        if _beside(folder) == folder:
            for path in sorted(staging.iterdir(), key=lambda path: path.name == "config.json"):
                if (folder / path.name).is_dir():
                    remove_folder(folder / path.name)
                path.replace(folder / path.name)
            staging.rmdir()
        elif not folder.exists():
            staging.rename(folder)
        else:
            _swap(staging, folder, old)
    except OSError as error:
        raise explain_os_error(error, folder) from error
    if old.exists():
        remove_folder(old)


def _swap(staging: Path, folder: Path, old: Path) -> None:
    busy = f"{folder} is being trained by another process. Wait for it, or stop it first."
    if old.exists():
        remove_folder(old)
    with alone(folder / LOCK, busy, remove=True):
        folder.rename(old)
        try:
            staging.rename(folder)
        except OSError:
            old.rename(folder)
            raise
