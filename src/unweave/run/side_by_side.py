"""Several runs in one picture."""

from __future__ import annotations

__all__ = ["check_name", "plot_runs"]

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from unweave import plots
from unweave.errors import RunError, SpecError
from unweave.figures import FIGURES, Look, check_figure, check_kind, draw_runs
from unweave.run.opened import Run, load_run


def plot_runs(
    runs: Sequence[Run | str | Path],
    kind: str = "traversals",
    *,
    out: str | Path | None = None,
    look: Look | None = None,
) -> Any:
    """One picture of several runs, a panel each, with objectives and datasets as words.

    Where the runs are all combinations of objectives and datasets, each once, objectives are rows
    and datasets columns; else each run has a row of its own.

    Args:
        runs: The runs, or their folders.
        kind: `samples`, `data_samples`, `reconstructions`, `traversals`, `reconstruct_traverse`,
            `lie_walks`, or `gif_traversals`, which moves.
        out: File to write, which ends in `.png`, or in `.gif`, `.webp` or `.mp4` where it moves.
        look: What is asked for of each panel, such as rows and columns.

    Returns:
        (H, W, 3) uint8, or an `Animation`; a notebook shows either.

    Raises:
        SpecError: Another kind, or a name that the picture cannot have, or a figure of what a run
            does not have.
        RunError: There is no run, or one has nothing to draw it from.
        DataError: The images of a run cannot be had.
    """
    if not runs:
        raise RunError("There is no run to draw. Name their folders.")
    check_kind(kind)
    if out is not None:
        check_name(kind, Path(out))
    opened = [each if isinstance(each, Run) else load_run(each) for each in runs]
    for run in opened:
        check_figure(kind, run.config)
    sources = [run.source(kind, look) for run in opened]
    drawn = draw_runs(kind, sources)
    picture = drawn if isinstance(drawn, plots.Animation) else plots.pictured(drawn)
    if out is not None:
        plots.save(picture, out)
    return picture


def check_name(kind: str, path: Path) -> None:
    """Refuse a file that a kind of figure cannot be written to, by its ending or what is there.

    Raises:
        SpecError: It is not, or what writes it is missing, or what is there is no such picture.
    """
    ending = path.suffix.lower().removeprefix(".")
    allowed = plots.FORMATS if FIGURES[kind].animated else ("png",)
    if ending not in allowed:
        endings = " or ".join(f".{each}" for each in allowed)
        raise SpecError(f"The figure {kind} is written as {endings}, but its name is {path.name}.")
    if FIGURES[kind].animated:
        plots.check_format(ending)
    plots.check_picture(path)
