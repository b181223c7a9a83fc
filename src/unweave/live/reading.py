"""What the page shows, read from run folders while others write them."""

from __future__ import annotations

__all__ = ["RunView", "find_views", "summary"]

import json
import threading
from pathlib import Path
from typing import Any, Final, final

from unweave.curves import collect
from unweave.errors import RunError, UnweaveError
from unweave.inventory import find_runs
from unweave.jsonlines import last_line
from unweave.rundir import LOCK, is_held, is_run, read_json
from unweave.scores import load_scores

# Speed is that of so many records.
_RECENT: Final = 50


@final
class RunView:
    """One run: its curves, read on where reading stopped the last time.

    Args:
        folder: The run folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._lock = threading.Lock()
        self._read = 0
        self._mark = b""
        self._rows: list[dict[str, Any]] = []

    def state(self) -> dict[str, Any]:
        """All that the page shows of it, but for the pictures.

        Returns:
            As `summary`, and: `architecture`, `command`, `units` of the terms, `seconds` of
            training, `images_per_second`, `left` (seconds, or None), `phases` (steps at which one
            begins), `curves` (group -> name -> [[step, value], ...], as `curves.collect` gives
            them); and `scores`: name, value and protocol of those of the finished run.

        Raises:
            RunError: The run cannot be read.
        """
        config, status = _config(self.folder), _status(self.folder)
        with self._lock:
            rows = self._follow()
            curves = collect(rows)
            train = [row for row in rows[-2 * _RECENT :] if row.get("event") == "train"]
        facts = _facts(self.folder, config, status, train[-1] if train else None)
        running = facts["state"] == "running"
        text = config.get("text", {})
        return facts | {
            "architecture": text.get("architecture", ""),
            "command": config.get("command", ""),
            "units": config.get("units", {}),
            "seconds": _number(train[-1] if train else status, "seconds"),
            "images_per_second": _number(train[-1] if train else status, "images_per_second"),
            "left": _left(train[-_RECENT:], facts["steps"]) if running else None,
            "phases": [phase["start"] for phase in config.get("phases", ())],
            "curves": curves,
            "scores": _scores(self.folder),
        }

    def _follow(self) -> list[dict[str, Any]]:
        """The rows of `metrics.jsonl`; only what is new is read."""
        path = self.folder / "metrics.jsonl"
        try:
            with path.open("rb") as handle:
                # A resume writes the file anew, as does a new run in the folder.
                handle.seek(max(self._read - len(self._mark), 0))
                if handle.read(len(self._mark)) != self._mark:
                    self._read, self._mark, self._rows = 0, b"", []
                handle.seek(self._read)
                content = handle.read()
        except OSError:
            self._read, self._mark, self._rows = 0, b"", []
            return []
        # The last line may be half written.
        whole = content[: content.rfind(b"\n") + 1]
        for line in whole.splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if isinstance(row, dict) and isinstance(row.get("step"), int):
                self._rows.append(row)
        if whole:
            self._read += len(whole)
            self._mark = whole[-64:]
        return self._rows


def find_views(root: Path, known: dict[str, RunView]) -> dict[str, RunView]:
    """The runs in a folder by name, in alphabetical order; views of known ones are kept.

    Args:
        root: A run folder, whose name is empty, or one with runs in it at any depth.
        known: What was found before.

    Raises:
        RunError: There is no such folder.
    """
    if is_run(root):
        return {"": known.get("") or RunView(root)}
    names = {str(folder.relative_to(root)): folder for folder in find_runs(root)}
    return {name: known.get(name) or RunView(folder) for name, folder in names.items()}


def summary(folder: Path) -> dict[str, Any]:
    """A run in a line of a list.

    Returns:
        `name`, `dataset`, `objective`, `seed`, `state` (as `inventory.describe` has it),
        `message`, `step`, `steps`, `loss` (the last mean, or None) and `changed` (seconds since
        1970).
    """
    try:
        config, status = _config(folder), _status(folder)
    except UnweaveError as error:
        return {"name": folder.name, "state": "damaged", "message": str(error)} | dict.fromkeys(
            ("dataset", "objective", "seed", "step", "steps", "loss", "changed")
        )
    return _facts(folder, config, status, _last_record(folder / "metrics.jsonl"))


def _last_record(path: Path) -> dict[str, Any] | None:
    """The last line of means; lines of scores may stand behind it."""
    found: dict[str, Any] | None = last_line(path, _is_record)
    return found


def _is_record(row: Any) -> bool:
    return isinstance(row, dict) and row.get("event") == "train"


def _facts(
    folder: Path, config: dict[str, Any], status: dict[str, Any], last: dict[str, Any] | None
) -> dict[str, Any]:
    state = status.get("state", "damaged")
    if state == "running" and not is_held(folder / LOCK):
        state = "interrupted"
    text = config.get("text", {})
    loss = (last or {}).get("loss")
    try:
        changed = (folder / "metrics.jsonl").stat().st_mtime
    except OSError:
        changed = None
    return {
        "name": folder.absolute().name,
        "dataset": text.get("dataset", ""),
        "objective": text.get("objective", ""),
        "seed": config.get("seed"),
        "state": state,
        "message": status.get("message", ""),
        "step": max(int(_number(last or {}, "step")), int(_number(status, "step"))),
        "steps": config.get("steps"),
        "loss": loss.get("model") if isinstance(loss, dict) else None,
        "changed": changed,
    }


def _config(folder: Path) -> dict[str, Any]:
    return _object(folder / "config.json")


def _status(folder: Path) -> dict[str, Any]:
    return _object(folder / "status.json")


def _object(path: Path) -> dict[str, Any]:
    found = read_json(path)
    if not isinstance(found, dict):
        raise RunError(f"{path} does not have what it should.")
    return found


def _number(row: dict[str, Any], name: str) -> float:
    value = row.get(name)
    return value if isinstance(value, int | float) else 0


def _left(train: list[dict[str, Any]], steps: Any) -> float | None:
    """Seconds until the last step, at the speed of the last records."""
    if len(train) < 2 or not isinstance(steps, int):
        return None
    first, last = train[0], train[-1]
    taken = last["step"] - first["step"]
    if taken <= 0:
        return None
    seconds = _number(last, "seconds") - _number(first, "seconds")
    return float((steps - last["step"]) * seconds / taken)


def _scores(folder: Path) -> list[dict[str, Any]]:
    """The scores of a run, a line for each."""
    try:
        rows = load_scores(folder)
    except UnweaveError:
        return []
    return [
        {"name": row.get("metric"), "value": row.get("value"), "protocol": row.get("protocol")}
        for row in rows
    ]
