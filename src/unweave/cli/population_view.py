"""How a population is shown while it is worked on: a live table, or a line a round."""

from __future__ import annotations

__all__ = ["forecast_text", "headline", "text_of", "view"]

import contextlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, Final, final

from unweave.cli.population_text import (
    cells,
    forecast_text,
    headline,
    heads,
    ordered,
    score_text,
    text_of,
    told,
)
from unweave.cli.showing import Speaker, View, live_table
from unweave.cli.words import duration

if TYPE_CHECKING:
    from rich.console import RenderableType

    from unweave.population import PopulationFolder
    from unweave.population.overview import Overview, Watched

_LIVE_ROWS: Final = 24


@contextlib.contextmanager
def view(folder: PopulationFolder) -> Iterator[View]:
    """Show a population while it is worked on, on standard error.

    Args:
        folder: The population; it need not be there before the first event.
    """
    shown = _Live(folder) if sys.stderr.isatty() else _Lines(folder)
    with shown.shown():
        yield shown


class _Shown:
    """Knows a population from its events, without reading them again."""

    def __init__(self, folder: PopulationFolder) -> None:
        self._folder = folder
        self._watched: Watched | None = None

    def __call__(self, row: Mapping[str, Any]) -> None:
        from unweave.population.overview import Watched

        if self._watched is None:
            # Everything up to this event, and what earlier drivers have written.
            watched = Watched(self._folder)
            for event in self._folder.events.read():
                watched.tell(event)
            self._watched = watched
        else:
            self._watched.tell(row)
        self.tell(row)

    def tell(self, row: Mapping[str, Any]) -> None:
        """An event has come."""

    def now(self) -> Overview | None:
        """The population as it is; None before the first event."""
        return None if self._watched is None else self._watched.look(busy=True)


@final
class _Lines(_Shown):
    """A line a round, and one a minute."""

    def __init__(self, folder: PopulationFolder) -> None:
        super().__init__(folder)
        self._speaker = Speaker(self._headline)

    def shown(self) -> AbstractContextManager[None]:
        return self._speaker.listening()

    def tell(self, row: Mapping[str, Any]) -> None:
        if row["event"] not in ("begun", "round"):
            return
        now = self.now()
        assert now is not None
        if row["event"] == "begun":
            self._speaker.say(f"{now.folder}: {headline(now)}")
            return
        of = now.history[row["round"] - 1]
        best = now.table[0]
        words = [f"best {score_text(of.best)} by member {of.member} ({told(now, best)})"]
        words += [f"median {score_text(of.median)}"]
        words += [f"{of.lost} of {of.members} without a score"] if of.lost else []
        if now.best is not None and now.best.round != of.round:
            words.append(f"best so far {score_text(now.best.score)}")
        if now.seconds_left:
            words.append(f"about {duration(now.seconds_left)} left")
        words += [f"the last one: {now.why}"] if now.why else []
        self._speaker.say(f"[{of.round}/{now.rounds}] {', '.join(words)}")

    def _headline(self) -> str | None:
        now = self.now()
        return None if now is None else headline(now)


@final
class _Live(_Shown):
    """A table that is drawn again and again."""

    @contextlib.contextmanager
    def shown(self) -> Iterator[None]:
        with live_table(self._draw) as self.draw:
            yield

    def _draw(self) -> RenderableType:
        from rich.console import Group
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        now = self.now()
        if now is None:
            return Text("")
        grid = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
        for head in heads(now):
            grid.add_column(head)
        members = ordered(now.under_way) or list(now.table)
        for place, member in enumerate(members[:_LIVE_ROWS], 1):
            row: list[RenderableType] = [Text(cell) for cell in cells(now, place, member)]
            if member.state == "running" and member.done < 1:
                row[-1] = ProgressBar(total=1.0, completed=member.done, width=20)
            grid.add_row(*row, style="red" if member.state == "failed" else None)
        more = len(members) - _LIVE_ROWS
        rest = Text(f"and {more} more" if more > 0 else "", style="dim")
        error = Text(now.error and f"{now.error}", style="red")
        return Group(Text(headline(now), style="bold"), grid, rest, error)
