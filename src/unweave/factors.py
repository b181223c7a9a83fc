"""Factors of variation and the grid of all their combinations."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave import display
from unweave.errors import SpecError, UnweaveError, nearest

__all__ = ["Factor", "FactorIndexError", "FactorSpace", "Kind", "check_flat", "strides"]

Kind: TypeAlias = Literal["ordinal", "circular", "categorical"]
"""What neighbouring indices mean: next values, next values in a ring, or nothing."""

_KINDS = ("ordinal", "circular", "categorical")


class FactorIndexError(UnweaveError, IndexError):
    """A factor index or a flat index has the wrong shape or type, or is out of range."""


@final
@dataclass(frozen=True)
class Factor:
    """One factor of variation.

    Args:
        name: An identifier, such as `pos_x`.
        size: How many values the factor takes, at least 1.
        values: The value that each index stands for; `None` when the index is all there is.
        kind: `ordinal` (ordered), `circular` (ordered, and the end meets the beginning) or
            `categorical` (unordered).
        closed: For a circular factor: the last value is the same pose as the first.
        labels: What each value is called, such as `("square", "ellipse", "heart")`.

    Raises:
        SpecError: A field is not as said above.
    """

    name: str
    size: int
    values: tuple[float, ...] | None = None
    kind: Kind = "ordinal"
    closed: bool = False
    labels: tuple[str, ...] | None = None

    def __post_init__(self) -> None:
        """Check the fields."""
        if not str(self.name).isidentifier():
            raise SpecError(f"A factor's name must be an identifier, not {self.name!r}.")
        if type(self.size) is not int or self.size < 1:
            raise SpecError(
                f"Factor {self.name}: size must be a whole number, at least 1, not {self.size!r}."
            )
        if self.kind not in _KINDS:
            raise SpecError(
                f"Factor {self.name}: kind must be one of {', '.join(_KINDS)}, not {self.kind!r}."
            )
        if self.values is not None and len(self.values) != self.size:
            raise SpecError(
                f"Factor {self.name}: {len(self.values)} values for a size of {self.size}."
            )
        if self.closed and self.kind != "circular":
            raise SpecError(f"Factor {self.name}: only a circular factor can be closed.")
        if self.labels is not None and (
            len(self.labels) != self.size or len(set(self.labels)) < self.size
        ):
            raise SpecError(
                f"Factor {self.name}: its {self.size} values need {self.size} different labels, "
                f"not {', '.join(map(repr, self.labels)) or 'none'}."
            )

    @property
    def period(self) -> float:
        """How far a circular factor is, in its values, from the first one to the same pose again.

        That is to the last one where this is the same pose, and else a step further; 1 where there
        is one value only.
        """
        values = np.arange(self.size) if self.values is None else np.array(self.values)
        span = float(np.ptp(values)) or 1.0
        return span if self.closed or self.size == 1 else span * self.size / (self.size - 1)

    @property
    def poses(self) -> int:
        """How many different poses it has: where the last is the first again, one less."""
        return self.size - int(self.closed and self.size > 1)

    def evenly_spaced(self, count: int) -> NDArray[np.int64]:
        """Indices of `count` different values, evenly spaced.

        An ordinal or categorical factor keeps both its ends (and its middle when `count` is 1). A
        circular one is cut into `count` equal steps, so that no pose is kept twice.

        Raises:
            SpecError: `count` is below 1 or above the factor's size.
        """
        if type(count) is not int or not 1 <= count <= self.size:
            raise SpecError(
                f"Factor {self.name} has {self.size} values: 1 to {self.size} of them can be "
                f"kept, not {count!r}."
            )
        steps = np.arange(count)
        if count == self.size:
            return steps
        if self.kind == "circular":
            return steps * self.poses // count
        if count == 1:
            return np.array([self.size // 2])
        # The step is at least 1, so no two places are rounded to one index.
        return np.round(np.linspace(0, self.size - 1, count)).astype(np.int64)

    def keep(self, indices: ArrayLike) -> Factor:
        """The factor with the values at these indices, in this order."""
        kept = np.asarray(indices, dtype=np.int64)
        values = self.values if self.values is not None else tuple(map(float, range(self.size)))
        whole = kept.size == self.size
        return Factor(
            self.name,
            int(kept.size),
            tuple(values[int(index)] for index in kept),
            self.kind,
            self.closed and whole,
            None if self.labels is None else tuple(self.labels[int(index)] for index in kept),
        )


@final
@dataclass(frozen=True)
class FactorSpace:
    """The grid of all combinations of some factors.

    A combination is a row of factor indices, (K,), or one flat index: its place in C order, the
    last factor fastest.

    Attributes:
        factors: The factors, in the order of a row.

    Raises:
        SpecError: There is no factor, or two have one name.

    Example:
        >>> space = FactorSpace((Factor("shape", 3), Factor("pos_x", 32)))
        >>> space.size
        96
        >>> space.ravel([[1, 4]])
        array([36])
    """

    factors: tuple[Factor, ...]

    def __post_init__(self) -> None:
        """Check that the factors can be told apart."""
        object.__setattr__(self, "factors", tuple(self.factors))
        if not self.factors:
            raise SpecError("A factor space needs at least one factor.")
        if len(set(self.names)) < len(self.names):
            raise SpecError(f"Each factor needs its own name, not {', '.join(self.names)}.")
        if self.size > np.iinfo(np.int64).max:
            raise SpecError(f"A factor space of {self.size} combinations cannot be indexed.")

    @classmethod
    def unknown(cls) -> FactorSpace:
        """The space of no factor, which stands for images whose factors are not known."""
        space = object.__new__(cls)
        object.__setattr__(space, "factors", ())
        return space

    def _repr_html_(self) -> str:
        """Its factors and their values, for a notebook."""
        if not self.factors:
            return display.shown("No factor is known")
        title = f"{len(self.factors)} factors, {self.size:,} combinations"
        return display.shown(title, self.table())

    def table(self) -> display.Markup:
        """Its factors as a table of HTML: name, number of values, kind, values."""
        rows = [(f.name, f"{f.size:,}", f.kind, _values_text(f)) for f in self.factors]
        return display.table(("factor", "values", "kind", ""), rows, ("values",))

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the factors, in order."""
        return tuple(factor.name for factor in self.factors)

    @property
    def sizes(self) -> tuple[int, ...]:
        """How many values each factor takes, in order."""
        return tuple(factor.size for factor in self.factors)

    @property
    def size(self) -> int:
        """How many combinations there are."""
        return math.prod(self.sizes)

    def position(self, name: str) -> int:
        """The column of a factor.

        Raises:
            SpecError: No factor has this name; the message lists the nearest.
        """
        if name not in self.names:
            raise SpecError(f"Unknown factor {name!r}. {nearest(name, self.names)}")
        return self.names.index(name)

    def ravel(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor indices, (n, K) whole numbers, to flat indices, (n,) int64.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        rows = self.check_indices(indices)
        flat = np.ravel_multi_index(tuple(rows.T), self.sizes)
        return np.asarray(flat, dtype=np.int64)

    def unravel(self, flat: ArrayLike) -> NDArray[np.int64]:
        """Flat indices, (n,) whole numbers, to factor indices, (n, K) int64.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        columns = np.unravel_index(self.check_flat(flat), self.sizes)
        return np.stack(columns, axis=1).astype(np.int64, copy=False)

    def values(self, indices: ArrayLike) -> NDArray[np.float64]:
        """Values of factor indices, (n, K) to (n, K) float64; the index where there are none.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        rows = self.check_indices(indices)
        result = rows.astype(np.float64)
        for column, factor in enumerate(self.factors):
            if factor.values is not None:
                result[:, column] = np.asarray(factor.values, dtype=np.float64)[rows[:, column]]
        return result

    def sample(
        self, count: int, rng: np.random.Generator, fixed: Mapping[str, int] | None = None
    ) -> NDArray[np.int64]:
        """Draw combinations uniformly, with replacement.

        Args:
            count: How many to draw.
            rng: Where the randomness comes from.
            fixed: Index of each factor that is held fixed, by name.

        Returns:
            Factor indices, (count, K) int64.

        Raises:
            SpecError: `fixed` names an unknown factor.
            FactorIndexError: `count` is negative, or an index in `fixed` is out of range.
        """
        if count < 0:
            raise FactorIndexError(
                f"Cannot draw {count} combinations: give a number of at least 0."
            )
        rows = rng.integers(0, self.sizes, size=(count, len(self.factors)), dtype=np.int64)
        for name, index in (fixed or {}).items():
            column = self.position(name)
            if not 0 <= index < self.sizes[column]:
                raise FactorIndexError(_range_text(name, index, self.sizes[column]))
            rows[:, column] = index
        return rows

    def grid(self, counts: Sequence[int]) -> tuple[NDArray[np.int64], ...]:
        """Evenly spaced indices of each factor, `counts[k]` of factor k.

        Raises:
            SpecError: There is not one count a factor, or a count is out of range.
        """
        if len(counts) != len(self.factors):
            raise SpecError(
                f"A grid needs {len(self.factors)} numbers, one each for {', '.join(self.names)}, "
                f"not {len(counts)}."
            )
        return tuple(
            factor.evenly_spaced(count) for factor, count in zip(self.factors, counts, strict=True)
        )

    def subspace(self, kept: Sequence[ArrayLike]) -> FactorSpace:
        """The space of the kept values alone; `kept[k]` are indices of factor k.

        Raises:
            FactorIndexError: An index is out of range.
        """
        factors = []
        for factor, indices in zip(self.factors, kept, strict=True):
            _check_range(np.asarray(indices), factor.size, factor.name)
            factors.append(factor.keep(indices))
        return FactorSpace(tuple(factors))

    def to_list(self) -> list[dict[str, object]]:
        """A form for JSON, one object a factor."""
        return [
            {
                "name": factor.name,
                "size": factor.size,
                "values": None if factor.values is None else list(factor.values),
                "kind": factor.kind,
                "closed": factor.closed,
                # Left out where there are none, so that forms from before labels stay as they are.
                **({} if factor.labels is None else {"labels": list(factor.labels)}),
            }
            for factor in self.factors
        ]

    @classmethod
    def from_list(cls, form: Iterable[Mapping[str, Any]]) -> FactorSpace:
        """Read `to_list` back.

        Raises:
            SpecError: A field is wrong.
        """
        return cls(
            tuple(
                Factor(
                    each["name"],
                    each["size"],
                    None if each["values"] is None else tuple(each["values"]),
                    each["kind"],
                    each["closed"],
                    None if each.get("labels") is None else tuple(each["labels"]),
                )
                for each in form
            )
        )

    def check_indices(self, indices: ArrayLike) -> NDArray[np.int64]:
        """Factor indices as an (n, K) int64 array.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        rows = _whole(indices, "factor indices")
        if rows.ndim != 2 or rows.shape[1] != len(self.factors):
            raise FactorIndexError(
                f"Factor indices must have the shape (n, {len(self.factors)}), one column each "
                f"for {', '.join(self.names)}, not {rows.shape}."
            )
        for column, factor in enumerate(self.factors):
            _check_range(rows[:, column], factor.size, factor.name)
        return rows

    def check_flat(self, flat: ArrayLike) -> NDArray[np.int64]:
        """Flat indices as an (n,) int64 array.

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        return check_flat(flat, self.size)


def strides(sizes: tuple[int, ...]) -> NDArray[np.int64]:
    """By what the flat index of a combination rises with each factor's index, (K,)."""
    return np.append(np.cumprod(sizes[:0:-1], dtype=np.int64)[::-1], 1)


def check_flat(flat: ArrayLike, count: int) -> NDArray[np.int64]:
    """Flat indices of `count` images as an (n,) int64 array.

    Raises:
        FactorIndexError: The array has another shape or type, or an index is out of range.
    """
    row = _whole(flat, "flat indices")
    if row.ndim != 1:
        raise FactorIndexError(f"Flat indices must have the shape (n,), not {row.shape}.")
    _check_range(row, count, "flat index")
    return row


def _whole(array: ArrayLike, what: str) -> NDArray[np.int64]:
    """An int64 array, or an error for anything that is not whole numbers."""
    result = np.asarray(array)
    if result.dtype.kind not in "iu" and result.size > 0:
        raise FactorIndexError(f"The {what} must be whole numbers, not of type {result.dtype}.")
    return result.astype(np.int64, copy=False)


def _check_range(indices: NDArray[np.int64], size: int, name: str) -> None:
    if indices.size == 0:
        return
    low, high = int(indices.min()), int(indices.max())
    if low < 0 or high >= size:
        raise FactorIndexError(_range_text(name, low if low < 0 else high, size))


def _values_text(factor: Factor) -> str:
    """The values of a factor, or of many the first and the last."""
    if factor.labels is not None:
        words = list(factor.labels)
    else:
        words = [f"{value:.3g}" for value in factor.values or range(factor.size)]
    return ", ".join([*words[:3], "...", words[-1]] if len(words) > 6 else words)


def _range_text(name: str, index: int, size: int) -> str:
    return f"{name}: {index} is out of range; 0 to {size - 1} are allowed."
