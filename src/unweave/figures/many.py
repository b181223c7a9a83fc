"""The same picture of several runs in one: rows and columns of objectives and datasets."""

from __future__ import annotations

__all__ = ["GRID_KINDS", "check_kind", "draw_runs"]

import textwrap
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from unweave import plots
from unweave.errors import RunError, SpecError, nearest
from unweave.figures.catalog import FIGURES
from unweave.figures.source import Source

GRID_KINDS: Final = (
    "samples",
    "data_samples",
    "reconstructions",
    "traversals",
    "reconstruct_traverse",
    "gif_traversals",
    "lie_walks",
)
"""Kinds of which several runs can be shown in one picture."""

# Rows and columns of a panel by kind: smaller than those of a picture of its own.
_ROWS: Final = {"reconstructions": 1, "gif_traversals": 5, "samples": 3, "data_samples": 3}
_COLUMNS: Final = {"gif_traversals": 3}
_SHOWN: Final = (5, 7)
# Letters of an objective or a dataset in a line.
_LINE: Final = 36


def check_kind(kind: str) -> None:
    """Refuse a kind of figure that does not show several runs.

    Raises:
        SpecError: There is no such kind, or it is not one for several runs.
    """
    if kind not in GRID_KINDS:
        known = "" if kind in FIGURES else f" {nearest(kind, FIGURES)}"
        raise SpecError(
            f"Several runs can be shown in one picture of {', '.join(GRID_KINDS)}, not of "
            f"{kind!r}.{known}"
        )


def draw_runs(kind: str, sources: Sequence[Source]) -> NDArray[np.uint8] | plots.Animation:
    """One picture of several runs, a panel each.

    Where runs are all combinations of objectives and datasets, each once, a row is an objective
    and a column a dataset, as in the published grids of disentangling-vae; else each run has a row
    of its own, beside which stand its objective and dataset, and its seed (or folder, where seeds
    are the same) if another run has both. The layout `disvae` has no words.

    Args:
        kind: One of `GRID_KINDS`.
        sources: The runs, with what is asked for of the picture.

    Raises:
        SpecError: There is no such kind, or it is not one for several runs.
        RunError: A run has nothing to draw it from.
    """
    check_kind(kind)
    panels = []
    for source in sources:
        look = source.look
        own = look.layout == "unweave"
        rows = look.rows or (_ROWS.get(kind, _SHOWN[0]) if own else None)
        cols = look.cols or (_COLUMNS.get(kind, _SHOWN[1]) if own else None)
        small = replace(look, rows=rows, cols=cols, labels=False)
        panel = FIGURES[kind].draw(replace(source, look=small))
        if panel is None:
            needed = FIGURES[kind].wants or "images, and a model with an encoder"
            raise RunError(f"{source.folder} has nothing to draw {kind} from: it needs {needed}.")
        panels.append(panel)
    objectives = [str(source.config.objective) for source in sources]
    datasets = [str(source.config.dataset) for source in sources]
    rows_, columns = list(dict.fromkeys(objectives)), list(dict.fromkeys(datasets))
    pairs = list(zip(objectives, datasets, strict=True))
    worded = sources[0].look.layout == "unweave" and sources[0].look.labels is not False
    whole = len(set(pairs)) == len(pairs) == len(rows_) * len(columns)
    if whole and len(columns) > 1:
        places = [(rows_.index(one), columns.index(other)) for one, other in pairs]
        words = ([_lines(text) for text in rows_], columns)
    else:
        places = [(place, 0) for place in range(len(sources))]
        words = (_rows_of(sources), [])
    return plots.run_grid(panels, places, *(words if worded else ([], [])))


def _rows_of(sources: Sequence[Source]) -> list[str]:
    """Objective and dataset of each run; where others have both, what tells them apart."""
    texts = [
        f"{_lines(str(source.config.objective))}\n{_lines(str(source.config.dataset))}"
        for source in sources
    ]
    names = [f"seed {source.config.seed}" for source in sources]
    if len(set(zip(texts, names, strict=True))) < len(sources):
        names = [_lines(name) for name in _tails([source.folder for source in sources])]
    return [
        f"{text}\n{name}" if texts.count(text) > 1 else text
        for text, name in zip(texts, names, strict=True)
    ]


def _tails(folders: Sequence[Path]) -> list[str]:
    """The ends of paths, as long as it takes to tell them apart."""
    parts = [folder.resolve().parts for folder in folders]
    longest = max(map(len, parts))
    for length in range(1, longest + 1):
        tails = ["/".join(each[-length:]) for each in parts]
        if len(set(tails)) == len(set(parts)):
            break
    return tails


def _lines(text: str) -> str:
    return "\n".join(textwrap.wrap(text, _LINE))
