"""The demo: a trained model on dSprites, its scores, and a page to look at."""

from __future__ import annotations

__all__ = ["DemoResult", "demo"]

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import final

from unweave.data import Progress
from unweave.errors import RunError
from unweave.figures import followed_factors
from unweave.presets import preset
from unweave.run import load_run
from unweave.rundir import is_run
from unweave.scores import Scores
from unweave.session import Watch, begin, check_place, continue_run
from unweave.settings import make_config


@final
@dataclass(frozen=True)
class DemoResult:
    """What the demo made.

    Attributes:
        scores: Scores over the full grid.
        summary: Which latent follows which factor, in words.
        report: Path of the page.
        seconds: Wall time by stage.
    """

    scores: Scores
    summary: str
    report: Path
    seconds: dict[str, float]


def demo(
    folder: Path,
    *,
    overwrite: bool = False,
    watch: Watch | None = None,
    progress: Progress | None = None,
    say: Callable[[str], None] = print,
) -> DemoResult:
    """Prepare, train, score and report the `demo` preset.

    Args:
        folder: Run folder; an unfinished demo in it is gone on with, a finished one shown.
        overwrite: Train anew.
        watch: Shows the training.
        progress: Shows preparation and encoding.
        say: Told what happens.

    Raises:
        RunError: The training was stopped before its end (run the demo again to go on), or the
            folder holds something else.
    """
    chosen = preset("demo")
    seconds: dict[str, float] = {}
    clock = time.monotonic()

    def lap(stage: str) -> None:
        nonlocal clock
        now = time.monotonic()
        seconds[stage] = round(now - clock, 1)
        clock = now

    config = make_config(chosen.dataset, chosen.objective, **chosen.settings)
    spec = config.dataset
    go_on = is_run(folder) and not overwrite
    if not go_on:
        check_place(folder, overwrite, config)
    say(f"1/4 Preparing {spec} ({spec.count:,} images, {spec.source}) ...")
    spec.open(progress)
    lap("prepare")
    say(f"2/4 Training {config.objective} for {config.steps:,} steps ...")
    if go_on:
        # Another run, or the demo of another version, is not gone on with as if it were this one.
        names = ("objective", "dataset", "steps", "optimizer", *chosen.settings)
        changes = {name: getattr(config, name) for name in names if name not in ("epochs", "lr")}
        outcome = continue_run(folder, changes=changes, watch=watch, progress=progress)
    else:
        outcome = begin(config, folder, overwrite=overwrite, watch=watch, progress=progress)
    if outcome.state != "finished":
        raise RunError(f"Stopped at step {outcome.step}. Run the demo again to go on from there.")
    lap("train")
    say("3/4 Scoring it on every image ...")
    run = load_run(folder)
    scores = run.evaluate(progress=progress)
    lap("score")
    say("4/4 Drawing the report ...")
    report = run.report()
    lap("report")
    return DemoResult(scores, followed_factors(scores["mig"]), report, seconds)
