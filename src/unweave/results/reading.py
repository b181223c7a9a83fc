"""One run folder as a record: its configuration, how far it came, its scores."""

from __future__ import annotations

__all__ = ["RUN_FIELDS", "Record", "read_run"]

import hashlib
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

from unweave.errors import RunError, UnweaveError
from unweave.results.fields import Cell, config_columns
from unweave.results.finding import Found
from unweave.rundir import BESIDE, FORMAT, LOCK, is_held, read_json, read_status
from unweave.scores import load_scores, repeats_of

RUN_FIELDS: Final = (
    "run", "key", "study", "state", "message", "step", "seconds", "images_per_second", "unweave",
)  # fmt: skip
"""What is known of a run beside its configuration and its scores."""


_TEXTS = ("text", "unit", "data", "source", "part", "codes", "precision", "unweave")


@final
@dataclass
class Record:
    """What a run folder says.

    Attributes:
        facts: Each of `RUN_FIELDS`.
        config: Columns of the configuration; empty where there is none to read.
        scores: Rows of `scores.json`, oldest first.
        identity: Equal for folders that are the same training.
    """

    facts: dict[str, Cell]
    config: dict[str, Cell] = field(default_factory=dict)
    scores: list[dict[str, Any]] = field(default_factory=list)
    identity: str = ""


def read_run(found: Found) -> Record:
    """Read a run folder; nothing that is wrong with it is an error, but is its state.

    Returns:
        The record. Its state is that of `status.json` (`finished`, `stopped`, `running` or
        `diverged`), but `interrupted` of a run that was killed; `damaged`, with the reason as its
        message, where it cannot be read; or that of a run which has not begun.
    """
    facts: dict[str, Cell] = dict.fromkeys(RUN_FIELDS)
    facts |= {"run": str(found.path), "key": found.path.name, "study": found.study or None}
    if found.state:
        facts |= {"state": found.state, "message": found.message or None}
        return Record(facts, identity=str(found.path))
    try:
        form = _document(found, "config.json")
        if form.get("format") != FORMAT:
            raise RunError(
                f"config.json has format {form.get('format')!r}, and this version reads {FORMAT}."
            )
        for name in ("dataset", "objective"):
            if not isinstance(form.get(name), Mapping):
                raise RunError(f"{found.path / 'config.json'} is damaged: it has no {name}.")
        status = _status(found)
        scores = _scores(found)
        config = config_columns(form)
        source = _document(found, "import.json") if (found.path / "import.json").is_file() else {}
    except UnweaveError as error:
        facts |= {"state": "damaged", "message": str(error)}
        return Record(facts, identity=str(found.path))
    for name in ("state", "step", "seconds", "images_per_second"):
        facts[name] = status.get(name)
    if facts["state"] == "running" and not is_held(found.path / LOCK):
        facts["state"] = "interrupted"
    facts["message"] = status.get("message") or None
    facts["unweave"] = form.get("unweave")
    return Record(facts, config, scores, _identity(form, source))


def _document(found: Found, name: str) -> dict[str, Any]:
    form = read_json(found.path / name)
    if not isinstance(form, dict):
        raise RunError(f"{found.path / name} is no table.")
    return form


def _status(found: Found) -> dict[str, Any]:
    form = read_status(found.path)
    for name in ("seconds", "images_per_second"):
        number = form.get(name)
        if not _is_number(number) or (number is not None and not math.isfinite(number)):
            raise RunError(f"{found.path / 'status.json'} is damaged: {name} is no number.")
    return form


def _scores(found: Found) -> list[dict[str, Any]]:
    try:
        rows = load_scores(found.path)
        if all(map(_is_score, rows)):
            return rows
    except (AttributeError, TypeError, KeyError):
        pass
    raise RunError(f"{found.path / 'scores.json'} is damaged.")


def _is_score(row: Mapping[str, Any]) -> bool:
    """Whether a row has what the tables hold of it, each in its type."""
    interval = row.get("interval") or {}
    ends = (interval.get(name) for name in ("low", "high", "sd"))
    texts = (*map(row.get, _TEXTS), *(row.get("units") or {}).values())
    return (
        type(row["metric"]) is type(row["protocol"]) is str
        and all(text is None or type(text) is str for text in texts)
        and all(map(_is_number, (row["value"], *(row.get("parts") or {}).values(), *ends)))
        and all(n is None or _is_whole(n) for n in map(row.get, ("seed", "samples", "step")))
        and repeats_of(row) > 0
    )


def _is_number(value: Any) -> bool:
    """Whether it is a number that a column can hold, or nothing."""
    return value is None or type(value) is float or (type(value) is int and abs(value) < 2**63)


def _is_whole(value: Any) -> bool:
    return type(value) is int and 0 <= value < 2**63


def _identity(form: Mapping[str, Any], source: Mapping[str, Any]) -> str:
    """The whole configuration; of an imported run also what it comes from."""
    config = {name: value for name, value in form.items() if name not in BESIDE}
    whole = json.dumps([config, source.get("sha256")], sort_keys=True)
    return hashlib.sha256(whole.encode()).hexdigest()
