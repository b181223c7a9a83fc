"""What a run folder says, read once."""

from __future__ import annotations

__all__ = ["RunFiles", "read_run"]

from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from unweave.errors import RunError
from unweave.jsonlines import read_rows
from unweave.rundir import FORMAT, is_run, read_json


@final
@dataclass(frozen=True, kw_only=True)
class RunFiles:
    """The content of a run folder's text files; what is missing is empty.

    Attributes:
        name: Name of the folder.
        folder: Where it is.
        config: `config.json`.
        environment: `environment.json`.
        status: `status.json`.
        imported: `import.json`.
        scores: The scores of `scores.json`.
        train: Lines of `metrics.jsonl` about training, in order.
        during: Lines of `metrics.jsonl` with scores, in order.
    """

    name: str
    folder: Path
    config: dict[str, Any]
    environment: dict[str, Any]
    status: dict[str, Any]
    imported: dict[str, Any]
    scores: list[dict[str, Any]]
    train: list[dict[str, Any]]
    during: list[dict[str, Any]]


def read_run(folder: Path) -> RunFiles:
    """Read a run folder; only `config.json` must be there.

    Raises:
        RunError: It is not a run folder, a file is damaged, or a newer unweave wrote it.
    """
    folder = Path(folder)
    if not is_run(folder):
        reason = "has no config.json" if folder.is_dir() else "does not exist"
        raise RunError(
            f"{folder} is not a run folder: it {reason}. "
            "Give a folder that `unweave train` has written."
        )
    lines = read_rows(folder / "metrics.jsonl")
    scores = _document(folder / "scores.json").get("scores", [])
    if not isinstance(scores, list):
        raise RunError(f"{folder / 'scores.json'} is damaged: its `scores` must be a list.")
    return RunFiles(
        name=folder.resolve().name,
        folder=folder,
        config=_document(folder / "config.json"),
        environment=_document(folder / "environment.json"),
        status=_document(folder / "status.json"),
        imported=_document(folder / "import.json"),
        scores=[score for score in scores if isinstance(score, dict)],
        train=[row for row in lines if row.get("event") == "train"],
        during=[row for row in lines if row.get("event") == "scores"],
    )


def _document(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    value = read_json(path)
    if not isinstance(value, dict):
        raise RunError(f"{path} is damaged: it must hold one JSON object.")
    number = value.get("format", FORMAT)
    if isinstance(number, int) and number > FORMAT:
        raise RunError(
            f"{path} has format {number}; this unweave reads formats up to {FORMAT}. "
            "Install the newer unweave that wrote it."
        )
    return value
