"""What a preset is: the settings of one experiment, by name."""

from __future__ import annotations

__all__ = ["Preset"]

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

# Of each, only one can be given.
_RIVALS = (("steps", "epochs"), ("lr", "optimizer"))


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

    def overridden(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Dataset, objective and settings, with what is given in their place.

        Of the preset's length, steps or epochs, the other goes when one is given; of its optimiser
        or learning rate, too.
        """
        own = {"dataset": self.dataset, "objective": self.objective, **self.settings}
        for rivals in _RIVALS:
            if any(name in given for name in rivals):
                own = {name: value for name, value in own.items() if name not in rivals}
        return own | dict(given)

    def __post_init__(self) -> None:
        """Close the settings: all callers share them."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
