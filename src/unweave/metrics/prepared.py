"""Metrics with a long part, done once a table and with progress, and then read."""

from __future__ import annotations

__all__ = ["PreparedMetric"]

import dataclasses
from abc import abstractmethod
from collections.abc import Hashable
from typing import TYPE_CHECKING, Generic, TypeVar

from unweave.metrics.base import Metric, Score
from unweave.metrics.draws import Draws
from unweave.representation import Representation

if TYPE_CHECKING:
    from unweave.progress import Progress

Prepared = TypeVar("Prepared")


class PreparedMetric(Metric, Generic[Prepared]):
    """A metric whose long part the table keeps.

    Metrics with one `stream` and equal fields share it.
    """

    def cost(self, representation: Representation) -> str | None:
        """What the long part takes, measured once a table; None if little.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        return representation.once(
            ("cost", self._settings()), lambda: self.measure_cost(representation)
        )

    def prepare(
        self,
        representation: Representation,
        draws: Draws,
        progress: Progress | None = None,
    ) -> None:
        """Do the long part, unless a metric that shares it has.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        self.prepared(representation, draws, progress)

    def score(self, representation: Representation, draws: Draws) -> Score:
        """The score of what was prepared.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        return self.read(representation, self.prepared(representation, draws))

    def prepared(
        self,
        representation: Representation,
        draws: Draws,
        progress: Progress | None = None,
    ) -> Prepared:
        """The long part, done once a table.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
        return representation.once(
            ("prepared", self._settings(), draws),
            lambda: self.work(representation, draws, progress),
        )

    @abstractmethod
    def measure_cost(self, representation: Representation) -> str | None:
        """What `work` takes, from small parts of it; None if little."""

    @abstractmethod
    def work(
        self, representation: Representation, draws: Draws, progress: Progress | None
    ) -> Prepared:
        """The long part.

        Raises:
            DataError: The representation is not one that the metric can score.
        """

    @abstractmethod
    def read(self, representation: Representation, prepared: Prepared) -> Score:
        """The score of what was prepared."""

    def _settings(self) -> Hashable:
        values = (getattr(self, field.name) for field in dataclasses.fields(self))
        return (self.stream or self.name, *values)
