"""Presets by number: too many to make them all, so that each is made when it is asked for."""

from __future__ import annotations

__all__ = ["NumberedPresets"]

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from unweave.presets.base import Preset


@final
@dataclass(frozen=True, kw_only=True)
class NumberedPresets:
    """Presets of a source that are told apart by a number.

    Attributes:
        source: What stands before the number in their names.
        about: One sentence.
        count: How many there are; the first has number 0.
        make: From a number to its preset.
    """

    source: str
    about: str
    count: int
    make: Callable[[int], Preset]

    @property
    def name(self) -> str:
        """What stands for all of their names."""
        return f"{self.source}/NUMBER"

    @property
    def span(self) -> str:
        """Their first and last name."""
        return f"{self.source}/0 to {self.source}/{self.count - 1}"

    def find(self, experiment: str) -> Preset | None:
        """The preset whose name ends with this, or None where none does.

        Each has one name: a number without signs, spaces and leading zeros.
        """
        if not (experiment.isascii() and experiment.isdigit()):
            return None
        # What has more digits is no number of a preset, and may be too long for one of Python.
        number = int(experiment) if len(experiment) <= len(str(self.count)) else self.count
        if number >= self.count or str(number) != experiment:
            return None
        return self.make(number)
