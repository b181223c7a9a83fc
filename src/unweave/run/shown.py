"""What a run shows of itself in a notebook: read from its folder, without its model or dataset."""

from __future__ import annotations

__all__ = ["run_html"]

import io
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from PIL import Image

from unweave import display
from unweave.report.words import duration
from unweave.rundir import LOCK, is_held
from unweave.scores import load_scores
from unweave.training import TrainConfig

# Figures that are shown, and how many pixels wide each is at most.
_FIGURES: Final = ("reconstructions", "traversals")
_WIDE: Final = 420
# Shades of these small pictures.
_SHADES: Final = 64
_SCORES: Final = 12
_SPAN: Final = "95 % over draws"
# Columns that are left out where they are empty.
_SELDOM: Final = ("unit", _SPAN)


def run_html(
    folder: Path, config: TrainConfig, status: Callable[[], Mapping[str, Any]], hint: str
) -> str:
    """A run as HTML: what it is, how far it came, its newest scores, and small pictures.

    What is damaged or missing is said, and everything else shown.

    Args:
        folder: The run folder.
        config: What was trained.
        status: Reads `status.json`.
        hint: What more can be asked of the run.
    """
    parts = [
        _tried(lambda: _facts(folder, config, status), "status"),
        _tried(lambda: _scores(folder), "scores"),
        _tried(lambda: _figures(folder / "figures"), "figures"),
        display.note(hint),
    ]
    return display.shown(f"Run {folder.resolve().name}", *parts)


def _tried(make: Callable[[], display.Markup], what: str) -> display.Markup:
    """A part, or why there is none."""
    try:
        return make()
    except Exception as error:
        return display.note(f"The {what} cannot be shown. {error}")


def _facts(
    folder: Path, config: TrainConfig, status: Callable[[], Mapping[str, Any]]
) -> display.Markup:
    settings = {
        "objective": config.objective,
        "dataset": config.dataset,
        "model": f"{config.architecture}, {config.latents} latents, {config.likelihood}",
        "folder": folder,
    }
    try:
        found = status()
        state = found.get("state", "unknown")
        if state == "running" and not is_held(folder / LOCK):
            state = "interrupted"
        done = f"{state}, step {int(found.get('step', 0)):,} of {config.steps:,}"
        if found.get("seconds"):
            done += f", {duration(float(found['seconds']))} of training"
        if found.get("message"):
            done += f": {found['message']}"
    except Exception as error:
        done = f"not known. {error}"
    return display.facts({**settings, "state": done})


def _scores(folder: Path) -> display.Markup:
    """The newest score of each metric."""
    newest: dict[str, dict[str, Any]] = {}
    for row in load_scores(folder):
        # What was scored again is among the newest, not where it was first.
        metric = str(row.get("metric"))
        newest.pop(metric, None)
        newest[metric] = row
    if not newest:
        return display.note("No scores yet: run.evaluate()")
    rows = []
    for metric, row in list(newest.items())[-_SCORES:]:
        given, at = row.get("interval"), row.get("step")
        rows.append(
            {
                "score": metric,
                "value": display.number(row.get("value")),
                "unit": row.get("unit") or "",
                _SPAN: f"{given['low']:.4f} to {given['high']:.4f}" if given else "",
                "protocol": row.get("protocol"),
                "data": f"{row.get('data')}, {row.get('part')}",
                "step": f"{at:,}" if isinstance(at, int) else "",
            }
        )
    heads = [name for name in rows[0] if name not in _SELDOM or any(row[name] for row in rows)]
    cells = [[row[name] for name in heads] for row in rows]
    made = display.table(heads, cells, ("value", "step"))
    if len(newest) > _SCORES:
        made += display.note(f"and {len(newest) - _SCORES} more in scores.json")
    return made


def _figures(folder: Path) -> display.Markup:
    """Small pictures of what the model makes of images, where they have been drawn."""
    made = display.Markup("")
    for name in _FIGURES:
        path = folder / f"{name}.png"
        if path.is_file():
            content, width = _small(path)
            made += display.picture(content, "png", name, width=width)
    return made


def _small(path: Path) -> tuple[bytes, int]:
    """A picture with fewer pixels and shades, as a PNG file, and its width."""
    with Image.open(path, formats=("PNG",)) as opened:
        picture = opened.convert("RGB")
    picture.thumbnail((_WIDE, 4 * _WIDE))
    stream = io.BytesIO()
    picture.quantize(_SHADES, Image.Quantize.MEDIANCUT).save(stream, "PNG", optimize=True)
    return stream.getvalue(), picture.width
