"""What a preset is: the settings of one experiment, by name."""

from __future__ import annotations

__all__ = ["Preset", "Scoring"]

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, final

from unweave.errors import SpecError

# Of each, only one can be given.
_RIVALS = (("steps", "epochs"), ("lr", "optimizer"))


@final
@dataclass(frozen=True, kw_only=True)
class Scoring:
    """How a source scored the models of an experiment.

    Attributes:
        protocol: Name of the protocol.
        metrics: Names of metrics or analyses; None for what the protocol scores unasked.
        data: Text of another dataset than the one that was trained on; None for that one.
    """

    protocol: str
    metrics: tuple[str, ...] | None = None
    data: str | None = None

    @property
    def command(self) -> str:
        """The command line that does it, with RUN for the run."""
        words = ["unweave", "evaluate", "RUN", "--protocol", self.protocol]
        words += [] if self.metrics is None else ["--metrics", ",".join(self.metrics)]
        return shlex.join([*words, *([] if self.data is None else ["--data", self.data])])


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
        after: Name of the preset whose weights it starts from; None for new weights.
        scoring: How the source scored its models.
    """

    name: str
    about: str
    dataset: str
    objective: str
    settings: Mapping[str, Any]
    after: str | None = None
    scoring: tuple[Scoring, ...] = ()

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

    def check_start(self, given: Mapping[str, Any]) -> None:
        """Refuse to begin without the weights of the preset that this one goes on from.

        Args:
            given: The settings beside the preset.

        Raises:
            SpecError: There is such a preset, and no `init_from` is given; the message says what
                to train first.
        """
        if self.after is None or given.get("init_from") is not None:
            return
        first = self.after.partition("/")[2] or self.after
        raise SpecError(
            f"The preset {self.name} goes on from the weights of {self.after}. Train that first, "
            f"unweave train --preset {self.after} --out runs/{first}, and go on from it with "
            f"--init-from runs/{first} (in a study: init_from); or give --init-from none to start "
            "from new weights."
        )

    def __post_init__(self) -> None:
        """Close the settings: all callers share them."""
        object.__setattr__(self, "settings", MappingProxyType(dict(self.settings)))
