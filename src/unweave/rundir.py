"""Where files lie, and how they are written: whole or not at all."""

from __future__ import annotations

__all__ = [
    "ASIDE",
    "BESIDE",
    "ENDED",
    "LOCK",
    "POPULATION_FILE",
    "RECURSION_FILE",
    "STUDY_FILE",
    "State",
    "alone",
    "atomic_write",
    "check_replaceable",
    "explain_os_error",
    "flush",
    "flush_folder",
    "home",
    "is_held",
    "is_run",
    "is_study",
    "json_keys",
    "link_file",
    "read_document",
    "read_json",
    "read_state",
    "read_status",
    "read_study",
    "runs_root",
    "work_lock",
    "write_json",
]

import contextlib
import errno
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final, Literal, TypeAlias

import filelock
import platformdirs

from unweave.errors import RunError, SpecError, UnweaveError

FORMAT = 1

State: TypeAlias = Literal["finished", "stopped", "running", "diverged"]
"""How far a run has come."""

ENDED: Final = ("finished", "diverged")
"""The states of runs that go on no further."""

BESIDE: Final = ("format", "unweave", "address", "preset", "text", "command", "units")
"""What `config.json` holds beside the configuration."""

ASIDE: Final = (
    "seed", "threads", "device", "log_every", "checkpoint_every", "snapshot_every",
    "evaluate_every", "evaluate_metrics", "picture_every",
)  # fmt: skip
"""Settings that leave the trained model as it is, or tell runs of one configuration apart."""

LOCK: Final = ".lock"
"""The lock file of a folder of a run, or of a study, that is worked on."""

STUDY_FILE: Final = "study.json"
"""What says of a folder that it is a study's."""

POPULATION_FILE: Final = "population.json"
"""What says of a folder that it is a population's."""

RECURSION_FILE: Final = "recursion.json"
"""What says of a folder that it is a recursion's."""

# Who only looks whether a lock is held holds it for less, in seconds.
_LOOK: Final = 0.2


def home() -> Path:
    """Folder of caches shared between runs: `UNWEAVE_HOME`, or the user's cache folder."""
    given = os.environ.get("UNWEAVE_HOME")
    return Path(given).expanduser() if given else Path(platformdirs.user_cache_dir("unweave"))


def runs_root() -> Path:
    """Folder in which new runs are made: `UNWEAVE_RUNS`, or `runs` in the working directory."""
    return Path(os.environ.get("UNWEAVE_RUNS") or "runs").expanduser()


def is_run(folder: Path) -> bool:
    """Whether a folder looks like a run folder."""
    return (folder / "config.json").is_file()


def is_study(folder: Path) -> bool:
    """Whether a folder looks like that of a study."""
    return (folder / STUDY_FILE).is_file()


def read_study(folder: Path) -> dict[str, Any]:
    """What `study.json` of a study's folder says: a `study`, and its `runs`.

    Raises:
        RunError: It is damaged, or of another format.
    """
    path = folder / STUDY_FILE
    form = read_document(path)
    study, runs = form.get("study"), form.get("runs")
    if not (
        isinstance(study, dict)
        and isinstance(runs, list)
        and all(isinstance(run, dict) for run in runs)
    ):
        raise RunError(
            f"{path} is damaged: it has no study, or no runs. Remove it, and run the study's file "
            f"again with '--out {folder}': what has been done stays."
        )
    return form


def read_document(path: Path) -> dict[str, Any]:
    """One JSON object of this version's format.

    Raises:
        RunError: The file is missing, damaged, or of another format.
    """
    form = read_json(path)
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        raise RunError(f"{path} has another format than this version reads.")
    return form


def work_lock(folder: Path) -> Path:
    """The lock file of whoever trains and scores a run for a study; it lies beside the folder."""
    return folder.with_name(f".{folder.name}.lock")


@contextlib.contextmanager
def alone(
    lock_file: Path, busy: str | Callable[[], None], *, remove: bool = False
) -> Iterator[None]:
    """Keep other processes out of the same block while it runs.

    Args:
        lock_file: What is locked; its folder must be there.
        busy: What to say when another process is in the block, or what to call once a second
            until it has left.
        remove: Whether the file goes afterwards.

    Raises:
        RunError: Another process is in the block, and `busy` is a text.
        UnweaveError: The folder cannot be written.
    """
    lock = filelock.FileLock(lock_file, timeout=_LOOK if isinstance(busy, str) else 1.0)
    while not lock.is_locked:
        try:
            lock.acquire()
        except filelock.Timeout:
            if isinstance(busy, str):
                raise RunError(busy) from None
            busy()
        except OSError as error:
            raise explain_os_error(error, lock_file) from error
    try:
        yield
    finally:
        if remove:
            lock_file.unlink(missing_ok=True)
        lock.release()


def is_held(lock_file: Path) -> bool:
    """Whether a process is in a block of `alone` with this file; nothing is written."""
    try:
        import fcntl
    except ImportError:  # Windows
        try:
            if lock_file.is_file():
                filelock.FileLock(lock_file).acquire(timeout=0).lock.release()
        except filelock.Timeout:
            return True
        return False
    try:
        with lock_file.open("rb") as handle:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


@contextlib.contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A binary handle whose content appears at `path` when the block ends without an error.

    The bytes go to a temporary name in the same folder, are flushed to the disk, and renamed. When
    anything fails the temporary file is removed and what stood at `path` before is untouched.

    Raises:
        UnweaveError: The disk is full or the folder cannot be written.
    """
    path = Path(path)
    temporary: Path | None = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}-{secrets.token_hex(4)}.tmp")
        # Not tempfile: its files can be read by their owner alone, and the name is renamed away.
        with temporary.open("xb") as handle:
            yield handle
            flush(handle)
        temporary.replace(path)
        temporary = None
    except OSError as error:
        raise explain_os_error(error, path) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


def check_replaceable(path: Path, kind: str, is_one: Callable[[IO[bytes]], bool]) -> None:
    """Refuse to write a file over one of another kind, before any work.

    Args:
        path: The file that is asked for. One of the same kind that is there is replaced.
        kind: What such a file is, such as `report of a run`.
        is_one: Whether an open file is one; it reads no more than it needs.

    Raises:
        SpecError: There is a folder, or a file of another kind.
        UnweaveError: What is there cannot be read.
    """
    try:
        if path.is_dir():
            raise SpecError(f"What is written must be a file, but {path} is a folder.")
        with path.open("rb") as handle:
            known = is_one(handle)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        raise explain_os_error(error, path) from error
    if not known:
        raise SpecError(
            f"{path} is there already, and is no {kind}, so it is left as it is. Name another "
            "file, or remove this one."
        )


def flush(handle: IO[Any]) -> None:
    """Write what is in the buffers of a file to the disk."""
    handle.flush()
    os.fsync(handle.fileno())


def flush_folder(folder: Path) -> None:
    """Make a rename survive a power cut, where the system can flush a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def link_file(one: Path, other: Path) -> None:
    """Have a file at a second place, too, and a copy of it where the disk allows no other way.

    For files that are replaced and never changed in place.

    Raises:
        OSError: It cannot be written.
    """
    try:
        os.link(one, other)
    except OSError:
        # Such as on another disk.
        shutil.copy2(one, other)


_HOW = "with --out, UNWEAVE_RUNS or UNWEAVE_HOME"


def explain_os_error(error: OSError, path: Path) -> UnweaveError:
    """An error for the user that names the path and what to do about a full or closed disk."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return UnweaveError(
            f"The disk is full: {path} could not be written; free some space, or choose another "
            f"folder {_HOW}."
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.ENOTDIR):
        return UnweaveError(
            f"{path} cannot be written: {error.strerror}. Choose another folder {_HOW}."
        )
    return UnweaveError(f"{path} could not be written: {error}.")


def write_json(path: Path, value: Any) -> None:
    """Write one JSON document atomically, keys in the order given."""
    with atomic_write(path) as handle:
        handle.write(json.dumps(value, indent=2, allow_nan=False).encode() + b"\n")


def json_keys(handle: IO[bytes]) -> set[str]:
    """Keys of the JSON object that an open file has; none where it has something else."""
    try:
        form = json.load(handle)
    except (ValueError, RecursionError):
        return set()
    return set(form) if isinstance(form, dict) else set()


def read_json(path: Path) -> Any:
    """Read one JSON document.

    Raises:
        RunError: The file is missing or is not JSON.
    """
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise RunError(f"{path} does not exist.") from None
    except (ValueError, OSError) as error:
        raise RunError(f"{path} cannot be read: {error}.") from error


def read_status(folder: Path) -> dict[str, Any]:
    """How far a run has come, as its `status.json` says: `state`, `step` and more.

    Raises:
        RunError: The file is missing, or does not have both.
    """
    path = folder / "status.json"
    form = read_json(path)
    wrong = "it must hold one JSON object"
    if isinstance(form, dict):
        state, step = form.get("state"), form.get("step")
        if isinstance(state, str) and type(step) is int and 0 <= step < 2**63:
            return form
        wrong = "it has no state, or no step that could be"
    raise RunError(f"{path} is damaged: {wrong}. Resume the run, which writes it anew.")


def read_state(folder: Path) -> State | None:
    """How far a run has come; None where there is no run.

    Raises:
        RunError: `status.json` is missing or damaged.
    """
    if not is_run(folder):
        return None
    state: State = read_status(folder)["state"]
    return state
