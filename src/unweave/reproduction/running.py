"""A row carried out: trained as published, gone on with where it stopped, and scored."""

from __future__ import annotations

__all__ = ["REPEATS", "Piece", "RowPlan", "carry_out", "plan_of", "score"]

import dataclasses
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

from unweave.analysis import Analysis
from unweave.data import Progress
from unweave.encoding import digest
from unweave.errors import SpecError
from unweave.presets import Preset, preset
from unweave.reproduction.matching import on_images, scored_data
from unweave.reproduction.published import Row, config_of
from unweave.run import load_run
from unweave.rundir import is_run, read_status, runs_root
from unweave.scores import load_scores, repeats_of
from unweave.session import Outcome, Watch, begin, continue_run
from unweave.spec import members
from unweave.studies import ScoreRequest
from unweave.training import TrainConfig

REPEATS: Final = 5
"""With how many seeds metrics draw, where nothing else is asked for."""

_FOLDER: Final = "reproduction"


@final
@dataclass(frozen=True, kw_only=True)
class Piece:
    """One training of a row: of one seed, or of the weights that it goes on from.

    Attributes:
        config: What is trained.
        folder: Where.
        scored: Whether it is scored.
        preset: Name of the preset that its settings come from.
    """

    config: TrainConfig
    folder: Path
    scored: bool
    preset: str

    @property
    def done(self) -> int:
        """Steps that are done."""
        if not is_run(self.folder):
            return 0
        done: int = read_status(self.folder)["step"]
        return done


@final
@dataclass(frozen=True, kw_only=True)
class RowPlan:
    """All that a row takes.

    Attributes:
        row: The row.
        pieces: Its trainings, in order.
        repeats: With how many seeds metrics draw.
    """

    row: Row
    pieces: tuple[Piece, ...]
    repeats: int

    @property
    def requests(self) -> tuple[ScoreRequest, ...]:
        """How each run is scored."""
        return tuple(
            dataclasses.replace(request, repeats=self.repeats) for request in self.row.requests
        )


def plan_of(
    row: Row,
    *,
    steps: int | None = None,
    seeds: int = 1,
    repeats: int = REPEATS,
    dataset: str | None = None,
    out: Path | None = None,
    **settings: Any,
) -> RowPlan:
    """What is trained and scored for a row; nothing is written.

    Args:
        row: The row.
        steps: Length of each training; None for the published one. That whose weights another one
            has begun with stays as long as it is.
        seeds: How many trainings, from the preset's seed on.
        repeats: With how many seeds metrics draw.
        dataset: Text of other images of the row's whole dataset; None for those of the preset.
        out: Folder of the runs; `reproduction` in the folder of runs by default.
        **settings: `threads`, `device` and `precision`, where they are given.

    Raises:
        SpecError: A number is out of range, or the dataset is another one.
    """
    for name, number in (("steps", steps), ("seeds", seeds), ("repeats", repeats)):
        if number is not None and number < 1:
            raise SpecError(f"--{name} must be at least 1, but is {number}.")
    config = row.config if dataset is None else on_images(row, dataset)
    config = dataclasses.replace(config, steps=steps or config.steps, **settings)
    root = out or runs_root() / _FOLDER
    # Other images are other runs.
    suffix = "" if dataset is None else f"-{digest(str(config.dataset))[:8]}"
    pieces: list[Piece] = []
    first: Path | None = None
    if row.preset.after is not None:
        start = preset(row.preset.after)
        pieces.append(_start(start, steps, root, settings))
        first = pieces[0].folder
    for seed in range(config.seed, config.seed + seeds):
        folder = root / f"{row.name.replace('/', '-')}{suffix}-seed-{seed}"
        given = dataclasses.replace(
            config, seed=seed, init_from=None if first is None else str(first.absolute())
        )
        pieces.append(Piece(config=given, folder=folder, scored=True, preset=row.name))
    if first is not None and is_run(first) and any(is_run(piece.folder) for piece in pieces[1:]):
        # What has begun with its weights would be said to have begun with those of more steps.
        begun = dataclasses.replace(pieces[0].config, steps=pieces[0].done)
        pieces[0] = dataclasses.replace(pieces[0], config=begun)
    return RowPlan(row=row, pieces=tuple(pieces), repeats=repeats)


def _start(entry: Preset, steps: int | None, root: Path, settings: dict[str, Any]) -> Piece:
    """The training whose weights are the start; no longer than a row that is shortened."""
    config = config_of(entry)
    length = config.steps if steps is None else min(steps, config.steps)
    return Piece(
        config=dataclasses.replace(config, steps=length, **settings),
        folder=root / f"{entry.name.replace('/', '-')}-seed-{config.seed}",
        scored=False,
        preset=entry.name,
    )


def carry_out(
    plan: RowPlan,
    *,
    max_minutes: float | None = None,
    watch: Callable[[], Watch] | None = None,
    progress: Progress | None = None,
) -> Outcome:
    """Train and score what is not done yet, run after run.

    Args:
        plan: The row's.
        max_minutes: Stop training at a checkpoint after this long; scoring has no limit.
        watch: Makes what shows each training.
        progress: Shows the preparation of datasets, and scores.

    Returns:
        How the last training ended: `stopped` where time was over or somebody stopped it, so that
        the same call goes on.

    Raises:
        RunError: A folder is in the way, is that of other settings, or is longer than asked for.
        DataError: A dataset cannot be had.
        TrainingDivergedError: A training diverged.
    """
    begun = time.monotonic()
    for piece in plan.pieces:
        left = None if max_minutes is None else max_minutes - (time.monotonic() - begun) / 60
        if left is not None and left <= 0 and piece.done < piece.config.steps:
            return Outcome("stopped", piece.done, 0, 0.0, 0.0, {})
        minutes = None if left is None else max(left, 1e-6)
        outcome = _train(piece, minutes, None if watch is None else watch(), progress)
        if outcome.state != "finished":
            return outcome
        if piece.scored:
            score(plan, piece, progress)
    return outcome


def _train(
    piece: Piece, minutes: float | None, watch: Watch | None, progress: Progress | None
) -> Outcome:
    config = piece.config
    if not is_run(piece.folder):
        return begin(
            config,
            piece.folder,
            max_minutes=minutes,
            watch=watch,
            progress=progress,
            preset=piece.preset,
        )
    changes = {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    return continue_run(
        piece.folder, changes=changes, max_minutes=minutes, watch=watch, progress=progress
    )


def score(plan: RowPlan, piece: Piece, progress: Progress | None = None) -> None:
    """Compute the scores of a run that it does not have yet of its last weights."""
    run = load_run(piece.folder)
    for request in plan.requests:
        missing = tuple(
            name for name in request.metrics or () if not _has(piece, request, name, run.step)
        )
        if missing:
            run.evaluate(
                missing,
                protocol_name=request.protocol,
                data=request.data,
                repeats=request.repeats,
                progress=progress,
            )


def _has(piece: Piece, request: ScoreRequest, metric: str, step: int) -> bool:
    data = scored_data(piece.config, request.data)
    # Analyses draw once.
    repeats = 1 if metric in members(Analysis) else request.repeats
    return any(
        (row["metric"], row["data"], row.get("step")) == (metric, data, step)
        and str(row["protocol"]).partition("/")[0] == request.protocol
        and (row.get("part"), row.get("codes"), row.get("seed")) == ("all", "mean", request.seed)
        and repeats_of(row) == repeats
        for row in load_scores(piece.folder)
    )
