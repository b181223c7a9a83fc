"""What a metric promises, and what it returns."""

from __future__ import annotations

__all__ = ["Matrix", "Metric", "Score"]

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.factors import FactorSpace
from unweave.metrics.draws import Draws
from unweave.metrics.interval import ScoreInterval
from unweave.representation import Representation
from unweave.spec import Component

if TYPE_CHECKING:
    from unweave.progress import Progress


@final
@dataclass(frozen=True, eq=False)
class Matrix:
    """A table that stands behind a score.

    Attributes:
        values: (rows, columns).
        rows: Names of the rows, latents as `z0`, `z1`, ...
        columns: Names of the columns, usually factors.
        label: What the values are, with their unit.
        axes: The factors whose values the rows and the columns are, in a table of these; an empty
            name for rows that are no values. None where rows or columns are anything else.
    """

    values: NDArray[np.float64]
    rows: tuple[str, ...]
    columns: tuple[str, ...]
    label: str
    axes: tuple[str, str] | None = None

    def to_dict(self) -> dict[str, Any]:
        """A form for JSON."""
        form: dict[str, Any] = {
            "rows": list(self.rows),
            "columns": list(self.columns),
            "values": self.values.tolist(),
            "label": self.label,
        }
        return form if self.axes is None else form | {"axes": list(self.axes)}


@final
@dataclass(frozen=True)
class Score:
    """A number, its parts and the table behind it.

    Attributes:
        value: The headline number.
        parts: Further numbers by name, such as one per factor.
        matrix: The table behind it, or None.
        unit: Unit of the value and of its parts; empty where they have none.
        units: Units of the parts that have another one, by name.
        interval: How far the value moves from one repeat to the next; None for a single one.
    """

    value: float
    parts: dict[str, float] = field(default_factory=dict)
    matrix: Matrix | None = None
    unit: str = ""
    units: dict[str, str] = field(default_factory=dict)
    interval: ScoreInterval | None = None


class Metric(Component):
    """A score of a representation.

    Class attributes:
        bounds: Smallest and largest value; None where there is no bound.
        higher_is_better: Direction.
        needs: What it reads of a representation.
        source: Where it was published.
        opt_in: Computed only when it is named, because it takes long.
        stream: The stream that it draws from, for metrics that share an estimate; else its name.
        aliases: Further names by which it may be asked for, such as those of published code.
        invariant_to: What of the latents no score depends on: `order`, `sign`, `scale`.
    """

    family: ClassVar[str] = "metric"
    bounds: ClassVar[tuple[float | None, float | None]] = (0.0, 1.0)
    higher_is_better: ClassVar[bool] = True
    needs: ClassVar[tuple[str, ...]] = ("codes", "factors")
    source: ClassVar[str] = ""
    opt_in: ClassVar[bool] = False
    stream: ClassVar[str] = ""
    aliases: ClassVar[tuple[str, ...]] = ()
    invariant_to: ClassVar[tuple[str, ...]] = ("order", "sign", "scale")

    def check(self, factors: NDArray[np.int64], factor_space: FactorSpace, latents: int) -> None:
        """Refuse rows that it cannot score whatever their codes are, before they are encoded.

        Args:
            factors: Factor indices of the rows, (N, K).
            factor_space: Names and sizes of the factors.
            latents: Number of latents L.

        Raises:
            DataError: They cannot be scored.
        """

    def cost(self, representation: Representation) -> str | None:
        """What scoring takes, with a time measured here, to be said beforehand; None if little."""
        return None

    def prepare(
        self,
        representation: Representation,
        draws: Draws,
        progress: Progress | None = None,
    ) -> None:
        """Do the long part of `score` with a progress display, and leave it in the table.

        Args:
            representation: The table of codes; `once` keeps what is computed.
            draws: Those that `score` will be given.
            progress: Shows how far it is.

        Raises:
            DataError: The representation is not one that the metric can score.
        """

    @abstractmethod
    def score(self, representation: Representation, draws: Draws) -> Score:
        """Score a representation.

        Args:
            representation: The table of codes.
            draws: Source of whatever the metric draws.

        Raises:
            DataError: The representation is not one that the metric can score.
        """
