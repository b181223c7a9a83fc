"""What is kept of a run: how it was trained and on what, and the scores that are compared."""

from __future__ import annotations

__all__ = [
    "RunRecord",
    "Start",
    "check_record",
    "merged",
    "read_records",
    "record_of",
    "write_records",
]

import dataclasses
import datetime
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, Self, final

from unweave.errors import RunError
from unweave.presets import preset
from unweave.reproduction.catalog import ROWS
from unweave.reproduction.matching import row_of, scored_data, without_path
from unweave.reproduction.published import PublishedValue, Row, config_of
from unweave.rundir import (
    FORMAT,
    LOCK,
    check_replaceable,
    is_held,
    is_run,
    json_keys,
    read_document,
    read_json,
    read_status,
    write_json,
)
from unweave.scores import load_scores, repeats_of
from unweave.session import CHECKPOINT, read_config
from unweave.training import TrainConfig

_VERSIONS: Final = ("unweave", "python", "torch", "numpy", "scikit-learn", "processor", "gpu")
_SETTINGS: Final = ("threads", "device", "precision")
# The parts and the table of a score that are not compared take most of its room.
_SCORE: Final = (
    "metric", "text", "protocol", "value", "unit", "interval", "source", "part", "codes",
    "precision", "samples", "seed", "step", "unweave",
)  # fmt: skip


@final
@dataclass(frozen=True, kw_only=True)
class Start:
    """The training from whose weights another one goes on.

    Attributes:
        preset: What it repeats.
        steps: Its length.
        published: What its preset has; published lengths are not known.
    """

    preset: str
    steps: int
    published: int


@final
@dataclass(frozen=True, kw_only=True)
class RunRecord:
    """One run of a row.

    Attributes:
        row: The row's name.
        seed: Of the training.
        steps: Of the weights that were scored.
        dataset: Text of what was trained on, without the place of a file.
        source: `rendered` or `archive`.
        images: How many images were trained on.
        start: Whose weights it went on from, or None.
        command: What trains it again, but for first weights.
        address: Content address of the configuration.
        weights: Beginning of the SHA-256 of the checkpoint; empty where it is not kept.
        trained: Day of the last step, UTC, as `2026-11-30`.
        seconds: Of training.
        environment: Versions, processor, threads and precision.
        scores: Rows of `scores.json` that are compared, without tables and other parts; each has
            `data`, which is null for what was trained on, or `held_out`.
    """

    row: str
    seed: int
    steps: int
    dataset: str
    source: str
    images: int
    start: Start | None
    command: str
    address: str
    weights: str
    trained: str
    seconds: float
    environment: Mapping[str, Any]
    scores: tuple[Mapping[str, Any], ...]

    def score(self, value: PublishedValue) -> Mapping[str, Any] | None:
        """The score that stands beside a published value, or None."""
        for score in self.scores:
            if _is_of(score, value) and score["data"] == value.data:
                return score
        return None

    def number(self, value: PublishedValue) -> float | None:
        """Ours of a published value, or None."""
        score = self.score(value)
        return None if score is None else _number(score, value)

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        return asdict(self) | {
            "environment": dict(self.environment),
            "scores": [dict(score) for score in self.scores],
        }

    @classmethod
    def from_dict(cls, form: Mapping[str, Any]) -> Self:
        """Read the form back."""
        start = form["start"]
        more = {
            "scores": tuple(form["scores"]),
            "start": None if start is None else Start(**start),
        }
        return cls(**{**form, **more})


def record_of(folder: Path) -> RunRecord:
    """The record of a run folder.

    Scores count that are of the run's last weights; of several with the same protocol and images,
    the one with the most repeats, and of these the last.

    Raises:
        RunError: It is of no row, is under way, or has no score that is compared; the message
            says so and what to do.
    """
    config = read_config(folder)
    row = row_of(config)
    if row is None:
        raise RunError(f"{folder} repeats no published training: no row has its settings.")
    if (folder / "import.json").is_file():
        raise RunError(f"{folder} has published weights, and is no training of ours.")
    if is_held(folder / LOCK):
        raise RunError(f"{folder} is being trained.")
    try:
        status = read_status(folder)
        steps, seconds = status["step"], float(status["seconds"])
        scores = _scores(folder, config, row, steps)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RunError(f"{folder} is damaged: {error!r} in status.json or scores.json.") from error
    if not scores:
        raise RunError(
            f"{folder} has no scores of its weights of step {steps:,} to compare: unweave "
            f"reproduce run {row.name} goes on with it, or unweave evaluate scores it."
        )
    day = datetime.datetime.fromtimestamp((folder / "status.json").stat().st_mtime, datetime.UTC)
    shown = dataclasses.replace(config, dataset=without_path(config.dataset), init_from=None)
    told = read_json(folder / "environment.json")
    settings = {name: getattr(config, name) for name in _SETTINGS}
    return RunRecord(
        row=row.name,
        seed=config.seed,
        steps=steps,
        dataset=str(shown.dataset),
        source=config.dataset.source,
        images=config.num_train,
        start=_start(config, row),
        command=shown.command,
        address=config.address,
        weights=_digest(folder / CHECKPOINT),
        trained=day.date().isoformat(),
        seconds=seconds,
        environment={name: told.get(name) for name in _VERSIONS} | settings,
        scores=scores,
    )


def _scores(
    folder: Path, config: TrainConfig, row: Row, steps: int
) -> tuple[Mapping[str, Any], ...]:
    rows = [
        score
        for score in load_scores(folder)
        if (score.get("step"), score.get("part"), score.get("codes")) == (steps, "all", "mean")
    ]
    found: dict[tuple[str, str | None], dict[str, Any]] = {}
    for value in row.values:
        data = scored_data(config, value.data)
        those = [
            score
            for score in rows
            if score["data"] == data and _is_of(score, value) and _number(score, value) is not None
        ]
        if not those:
            continue
        best = max(enumerate(those), key=lambda pair: (repeats_of(pair[1]), pair[0]))[1]
        short = found.setdefault(
            (value.metric, value.data),
            {name: best.get(name) for name in _SCORE} | {"data": value.data, "parts": {}},
        )
        if value.part:
            short["parts"][value.part] = best["parts"][value.part]
    return tuple(found.values())


def _is_of(score: Mapping[str, Any], value: PublishedValue) -> bool:
    protocol = str(score["protocol"]).partition("/")[0]
    return (score["metric"], protocol) == (value.metric, value.protocol)


def _number(score: Mapping[str, Any], value: PublishedValue) -> float | None:
    number = score["parts"].get(value.part) if value.part else score["value"]
    return None if number is None else float(number)


def _start(config: TrainConfig, row: Row) -> Start | None:
    """How far the training was whose weights are the start, as long as its folder is there."""
    after = row.preset.after
    if after is None or config.init_from is None or not is_run(Path(config.init_from)):
        return None
    steps = read_status(Path(config.init_from))["step"]
    return Start(preset=after, steps=steps, published=config_of(preset(after)).steps)


def _digest(path: Path) -> str:
    if not path.is_file():
        return ""
    with path.open("rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()[:16]


def merged(records: Iterable[RunRecord]) -> list[RunRecord]:
    """Each training once: of those with one row, seed and dataset the longest, then the latest.

    Returns:
        The records, in the order of rows, datasets and seeds.
    """
    found: dict[tuple[str, str, int], RunRecord] = {}
    for record in records:
        key = (record.row, record.dataset, record.seed)
        before = found.get(key)
        if before is None or (record.steps, record.trained) >= (before.steps, before.trained):
            found[key] = record
    places = {name: place for place, name in enumerate(ROWS)}
    return sorted(found.values(), key=lambda each: (places[each.row], each.dataset, each.seed))


def read_records(path: Path) -> list[RunRecord]:
    """The records of a file that `write_records` has written.

    Raises:
        RunError: It is missing or damaged, or a row is not there any more.
    """
    form = read_document(path)
    try:
        records = [RunRecord.from_dict(each) for each in form["runs"]]
    except (KeyError, TypeError) as error:
        raise RunError(f"{path} is no record of reproductions: {error!r}.") from error
    for record in records:
        if record.row not in ROWS:
            raise RunError(f"{path} has runs of {record.row}, and there is no such row.")
    return records


def check_record(path: Path) -> None:
    """Refuse to write records over a file that has none, before any work.

    Args:
        path: The file that is asked for.

    Raises:
        SpecError: There is a folder, or a file that is no record of reproductions.
        UnweaveError: What is there cannot be read.
    """
    check_replaceable(
        path, "record of reproductions", lambda handle: json_keys(handle) == {"format", "runs"}
    )


def write_records(records: Iterable[RunRecord], path: Path) -> None:
    """Write records to a JSON file that can be committed: no machine's name or folder is in it.

    Args:
        records: What is written.
        path: The file. One with records that is there is replaced.

    Raises:
        SpecError: There is a folder, or a file that is no record of reproductions.
        UnweaveError: The disk is full or the folder cannot be written.
    """
    check_record(path)
    write_json(path, {"format": FORMAT, "runs": [record.to_dict() for record in records]})
