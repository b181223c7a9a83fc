"""What a training writes into its run folder, and reads back from it."""

from __future__ import annotations

__all__ = [
    "CHECKPOINT",
    "State",
    "append_record",
    "environment",
    "last_terms",
    "leftovers",
    "log_file",
    "read_config",
    "read_state",
    "remove_leftovers",
    "write_config",
    "write_new",
    "write_status",
]

import contextlib
import functools
import logging
import platform
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, final

import torch

from unweave import spec
from unweave._version import __version__
from unweave.errors import RunError, SpecError, UnweaveError
from unweave.jsonlines import append_line, read_rows
from unweave.rundir import (
    BESIDE,
    FORMAT,
    State,
    explain_os_error,
    is_run,
    read_json,
    read_state,
    write_json,
)
from unweave.training import TrainConfig
from unweave.training.tracker import Record

CHECKPOINT = Path("checkpoint") / "state.safetensors"
"""Where in a run folder the newest weights lie."""

log = logging.getLogger("unweave")


def read_config(folder: Path) -> TrainConfig:
    """The configuration of a run.

    Raises:
        RunError: The folder is not a run, or is of a format that this version does not read.
    """
    if not folder.exists():
        raise RunError(f"{folder} does not exist. Name the folder of a run.")
    if not is_run(folder):
        raise RunError(f"{folder} is not a run folder: it has no config.json.")
    form = read_json(folder / "config.json")
    if not isinstance(form, dict) or form.get("format") != FORMAT:
        found = form.get("format") if isinstance(form, dict) else type(form).__name__
        raise RunError(
            f"{folder / 'config.json'} has format {found!r}, and this version reads {FORMAT}."
        )
    try:
        return TrainConfig.from_dict({k: v for k, v in form.items() if k not in BESIDE})
    except SpecError as error:
        raise RunError(f"{folder / 'config.json'} cannot be read: {error}") from error


def write_new(
    folder: Path,
    config: TrainConfig,
    *,
    replace: bool,
    fill: Callable[[Path], None] | None = None,
    preset: str | None = None,
) -> None:
    """Make a run folder: all or nothing.

    Args:
        folder: The run folder.
        config: What is trained.
        replace: Whether a run may go that is there, or that has come there in the meantime.
        fill: Writes more files into the folder that it is given, before that is put in place.
        preset: Name of the preset that its settings come from; None for none.

    Raises:
        UnweaveError: It cannot be written; what was there before is untouched.
    """
    if "\0" in str(folder):
        raise RunError(f"{str(folder)!r} cannot be a run folder: a null character is in its name.")
    missing = [path for path in (folder, *folder.parents) if not path.exists()]
    # An empty folder may be one that cannot be renamed, such as a mount point.
    empty = folder.is_dir() and not any(folder.iterdir())
    place = folder if empty else folder.parent
    temporary = place / f".{folder.name}-{secrets.token_hex(4)}.new"
    old = temporary.with_suffix(".old")
    try:
        temporary.mkdir(parents=True)
        write_json(temporary / "environment.json", environment())
        write_status(temporary, "running", 0, config.steps, 0.0, 0.0, "")
        write_config(temporary, config, preset)
        if fill is not None:
            fill(temporary)
        if empty:
            for child in sorted(temporary.iterdir(), key=lambda path: path.name == "config.json"):
                child.rename(folder / child.name)
            temporary.rmdir()
        else:
            if replace and folder.exists():
                folder.rename(old)
            temporary.rename(folder)
    except (OSError, UnweaveError) as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if old.exists() and not folder.exists():
            old.rename(folder)
        for path in missing:
            with contextlib.suppress(OSError):
                path.rmdir()
        cause = error if isinstance(error, OSError) else error.__cause__
        raise explain_os_error(cause, folder) if isinstance(cause, OSError) else error from cause
    shutil.rmtree(old, ignore_errors=True)


def leftovers(folder: Path) -> list[Path]:
    """What a killed process left half written in a run."""
    return [*folder.rglob(".*.tmp"), *folder.glob("cache/.encoding-*")]


def remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left half written."""
    for leftover in leftovers(folder):
        if leftover.is_dir():
            shutil.rmtree(leftover, ignore_errors=True)
        else:
            leftover.unlink(missing_ok=True)


def write_config(folder: Path, config: TrainConfig, preset: str | None = None) -> None:
    """Write `config.json`: the full form, with version, address and texts beside it.

    Args:
        folder: The run folder.
        config: What is trained.
        preset: Name of the preset that its settings come from; None for what stands there so far.
    """
    if preset is None and is_run(folder):
        preset = read_json(folder / "config.json").get("preset")
    form = spec.to_dict(config)
    form.pop("type")
    document = {
        "format": FORMAT,
        "unweave": __version__,
        "address": config.address,
        **({} if preset is None else {"preset": preset}),
        "text": config.texts(),
        "command": config.command,
        "units": {name: term.unit for name, term in config.objective.expand().terms.items()},
        **form,
    }
    write_json(folder / "config.json", document)


def write_status(
    folder: Path, state: State, step: int, steps: int, seconds: float, rate: float, message: str
) -> None:
    """Write `status.json`; `rate` is images encoded a second."""
    status = {
        "format": FORMAT,
        "state": state,
        "step": step,
        "steps": steps,
        "seconds": round(seconds, 3),
        "images_per_second": round(rate, 1),
        "message": message,
    }
    write_json(folder / "status.json", status)


def append_record(
    folder: Path, record: Record, step: int, seconds: float, rate: float, lr: float | None
) -> dict[str, float]:
    """Append a line of means to `metrics.jsonl`; returns the unweighted terms.

    `rate` is images encoded a second, `lr` the model's learning rate where it changes.
    """
    names = ("loss", "raw", "weighted", "watched", "kl")
    groups: dict[str, dict[str, float]] = {name: {} for name in names}
    for name, value in record.values.items():
        group, key = name.split("/", 1)
        groups[group][key] = value
    line = {
        "event": "train",
        "step": step,
        "seconds": round(seconds, 3),
        "images_per_second": round(rate, 1),
        **({} if lr is None else {"lr": lr}),
        "loss": groups["loss"],
        "raw": groups["raw"],
        "weighted": groups["weighted"],
        **({"watched": groups["watched"]} if groups["watched"] else {}),
        "kl": list(groups["kl"].values()),
    }
    append_line(folder / "metrics.jsonl", line)
    return groups["raw"]


def last_terms(folder: Path) -> dict[str, float]:
    """The unweighted terms in the last line of `metrics.jsonl`."""
    rows = [row for row in read_rows(folder / "metrics.jsonl") if row.get("event") == "train"]
    raw: dict[str, float] = rows[-1]["raw"] if rows else {}
    return raw


@contextmanager
def log_file(path: Path) -> Iterator[None]:
    """Keep what is logged inside the block in a file, too."""
    handler = _LogFile(path, encoding="utf-8", delay=True)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    handler.setLevel(logging.INFO)
    before = log.level
    if log.getEffectiveLevel() > logging.INFO:
        log.setLevel(logging.INFO)
    log.addHandler(handler)
    try:
        yield
    finally:
        log.removeHandler(handler)
        with contextlib.suppress(OSError):
            handler.close()
        log.setLevel(before)


@final
class _LogFile(logging.FileHandler):
    """A log that is given up in silence when the disk is full: a training matters more."""

    def handleError(self, record: logging.LogRecord) -> None:
        """Say nothing; logging would print a traceback."""


def environment() -> dict[str, Any]:
    """Versions, processor and platform, as `environment.json` has them."""
    packages = ("torch", "numpy", "scipy", "scikit-learn", "matplotlib", "safetensors")
    return {
        "format": FORMAT,
        "unweave": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        **{package: _version(package) for package in packages},
    }


@functools.cache
def _version(package: str) -> str:
    """Version of an installed package; read once, since it takes milliseconds for every run."""
    return version(package)


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        for line in info.read_text(encoding="utf-8", errors="replace").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or platform.machine()
