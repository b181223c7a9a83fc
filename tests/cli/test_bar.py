"""The progress bar is there while something is under way, and gone before anything else."""

from __future__ import annotations

import io
import sys

from unweave.cli.common import bar


class Terminal(io.StringIO):
    """A text that says that it is a terminal."""

    def isatty(self):
        return True


def test_no_bar_without_a_terminal(monkeypatch):
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with bar() as advance:
        assert advance is None


def test_nothing_is_drawn_before_and_after_the_work(monkeypatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    with bar() as advance:
        assert terminal.getvalue() == ""
        advance("writing", 1, 2)
        advance("writing", 2, 2)
        drawn = terminal.getvalue()
        assert "writing" in drawn
    assert terminal.getvalue() == drawn
