"""What work under way says of itself: a live table on a terminal, lines elsewhere."""

from __future__ import annotations

__all__ = ["Speaker", "View", "live_table"]

import contextlib
import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Protocol, final

if TYPE_CHECKING:
    from rich.console import RenderableType

_EVERY: Final = 60.0
"""Seconds after which it is said how far the work is, where nothing else was said."""


class View(Protocol):
    """What is told each event of the work."""

    def __call__(self, row: Mapping[str, Any]) -> None:
        """An event has been written down."""


@final
class Speaker:
    """Says lines on standard error, and how far the work is where it was silent for a minute.

    Args:
        headline: How far the work is; None before there is something to say.
    """

    def __init__(self, headline: Callable[[], str | None]) -> None:
        self._headline = headline
        self._over = threading.Event()
        self._said = time.monotonic()

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """The time of the work."""
        thread = threading.Thread(target=self._repeat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def say(self, text: str) -> None:
        """Say a line."""
        self._said = time.monotonic()
        print(text, file=sys.stderr, flush=True)

    def _repeat(self) -> None:
        while not self._over.wait(1):
            if time.monotonic() - self._said > _EVERY:
                text = self._headline()
                if text is not None:
                    self.say(text)


@contextlib.contextmanager
def live_table(draw: Callable[[], RenderableType]) -> Iterator[Callable[[], None]]:
    """Draw something again and again on standard error while the block runs.

    Yields what draws it at once.
    """
    from rich.console import Console
    from rich.live import Live

    live = Live(
        get_renderable=draw,
        console=Console(stderr=True),
        refresh_per_second=1,
        transient=True,
    )
    # Within it, standard error goes above the table.
    with live, _logging_to(sys.stderr):
        yield live.refresh


@contextlib.contextmanager
def _logging_to(stream: Any) -> Iterator[None]:
    """What is logged goes through a stream that keeps the live table whole."""
    handlers = [h for h in logging.getLogger().handlers if type(h) is logging.StreamHandler]
    before = [handler.setStream(stream) for handler in handlers]
    try:
        yield
    finally:
        for handler, old in zip(handlers, before, strict=True):
            if old is not None:
                handler.setStream(old)
