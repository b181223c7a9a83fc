"""How far work is, in the cell of a notebook that does it: one line, which is written over."""

from __future__ import annotations

__all__ = ["Asked", "Cell", "in_notebook", "telling"]

import contextlib
import importlib
import sys
import time
from collections.abc import Iterator
from typing import Any, Final, Literal, TypeAlias, final

from unweave.display import shown_line
from unweave.progress import Progress

Asked: TypeAlias = Progress | Literal["auto"] | None
"""What tells of work: a callable, nothing, or `auto` for a line in a notebook and else nothing."""

# Seconds between changes, so that a notebook is not flooded with messages.
_EVERY: Final = 0.25


def in_notebook() -> bool:
    """Whether this is the kernel of a notebook, such as that of Jupyter, VS Code or Colab."""
    ipython: Any = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return getattr(shell, "kernel", None) is not None


@final
class Cell:
    """A line below the cell that is carried out; it is kept with the notebook as it was last.

    Nothing appears before it is first written.
    """

    def __init__(self) -> None:
        self._handle: Any = None
        self._written = 0.0

    def write(self, words: str, share: float | None = None, *, now: bool = False) -> None:
        """Write the line.

        Args:
            words: What it says.
            share: How much is done, from 0 to 1, for a bar; None without one.
            now: Whether it is written at once; else what comes too soon after the last is left
                out.
        """
        if not now and time.monotonic() - self._written < _EVERY:
            return
        self._written = time.monotonic()
        content = {"text/plain": words, "text/html": shown_line(words, share)}
        if self._handle is None:
            display = importlib.import_module("IPython.display").display
            self._handle = display(content, raw=True, display_id=True)
        else:
            self._handle.update(content, raw=True)


@contextlib.contextmanager
def telling(asked: Asked) -> Iterator[Progress | None]:
    """What tells of the work in the block, as asked for; a line says at last how long it took."""
    if not isinstance(asked, str):
        yield asked
        return
    if not in_notebook():
        yield None
        return
    cell, begun = Cell(), time.monotonic()
    last, ended = "", begun

    def tell(what: str, done: int, total: int) -> None:
        nonlocal last, ended
        last, ended = what, time.monotonic()
        share = done / total if total else 1.0
        cell.write(f"{what} {done:,}/{total:,}", share, now=done >= total)

    yield tell
    if last:
        # What goes on behind it, such as a training, has a line of its own.
        cell.write(f"{last}: done in {ended - begun:.1f} s", now=True)
