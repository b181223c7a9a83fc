"""What a metric promises, and what it returns."""

from __future__ import annotations

__all__ = ["Matrix", "Metric", "Score"]

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave import display
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

    def _repr_html_(self) -> str:
        """The table with shades, for a notebook."""
        return display.shown(self.label, self.html())

    @property
    def of_latents(self) -> bool:
        """Whether it says of each latent, in a row, how it fits what the columns are."""
        return self.rows[:1] == ("z0",) and self.columns[:1] != ("z0",)

    def html(self, parts: Mapping[str, float] | None = None, what: str = "part") -> display.Markup:
        """The table with shades as HTML, and what it is.

        Args:
            parts: Numbers of columns by name, which stand in a further row.
            what: Name of that row.
        """
        below = None if not parts else {what: [parts.get(name) for name in self.columns]}
        values = [list(map(float, row)) for row in self.values]
        named = self.label
        if self.axes is not None:
            named += f", by {' and '.join(filter(None, self.axes))}"
        if self.of_latents:
            named += "; outlined: the latent that follows the factor most closely"
        marked = self.of_latents
        return display.heat(values, self.rows, self.columns, below, marked=marked) + display.note(
            named
        )


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

    def _repr_html_(self) -> str:
        """The number, its interval, its parts and its table, for a notebook."""
        return display.shown(f"{display.number(self.value)} {self.unit}".rstrip(), *self.details())

    def details(self, what: str = "part") -> list[display.Markup]:
        """What stands behind the number, as HTML: interval, table, parts.

        Args:
            what: What parts are called that are those of columns of the table.
        """
        made, rest = [], dict(self.parts)
        if self.interval is not None:
            made.append(
                display.note(
                    f"95 % over {len(self.interval.values)} {self.interval.over}: "
                    f"{self.interval.text()}, standard deviation "
                    f"{display.number(self.interval.sd)}"
                )
            )
        if self.matrix is not None:
            own = {name: rest.pop(name) for name in self.matrix.columns if name in rest}
            made.append(self.matrix.html(own, what))
        if rest:
            rows = [
                (name, display.number(part), self.units.get(name, self.unit))
                for name, part in rest.items()
            ]
            made.append(display.table(("part", "value", "unit"), rows, ("value",)))
        return made


class Metric(Component):
    """A score of a representation.

    Class attributes:
        bounds: Smallest and largest value; None where there is no bound.
        higher_is_better: Direction.
        needs: What it reads of a representation.
        source: Where it was published.
        opt_in: Computed only when it is named, because it takes long or few ask for it.
        of_all_rows: Wants all rows of a dataset, since a sample lacks the pairs that it reads.
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
    of_all_rows: ClassVar[bool] = False
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
