"""What a preset is: the settings of one experiment, by name."""

from __future__ import annotations

__all__ = ["Preset"]

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final


@final
@dataclass(frozen=True)
class Preset:
    """A named set of training settings; flags given beside it win.

    Attributes:
        name: `<source>/<experiment>`.
        about: One sentence.
        dataset: Text of the dataset.
        objective: Text of the objective.
        settings: Further arguments of `unweave.train`.
    """

    name: str
    about: str
    dataset: str
    objective: str
    settings: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Close the settings: all callers share them."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
