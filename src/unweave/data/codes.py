"""Factors of images as numbers, which a decoder is given in the place of latents."""

from __future__ import annotations

__all__ = [
    "Coding",
    "FactorCodes",
    "FactorInputs",
    "Factors",
    "places_of",
    "value_indices",
    "value_name",
]

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, TypeAlias, final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from unweave.data.base import Dataset
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.rules.nodes import values_of

FactorInputs: TypeAlias = Literal["scaled", "raw", "one_hot"]
Factors: TypeAlias = Mapping[str, Any] | ArrayLike
"""Combinations: values by name of the factor, or factor indices (n, K)."""


@final
@dataclass(frozen=True)
class Coding:
    """How factors are told to a decoder.

    Attributes:
        inputs: `scaled`, `raw` or `one_hot`; what these are says `FactorCodes`.
        by_size: Whether raw values are multiplied by how many values their factor has.
    """

    inputs: FactorInputs = "scaled"
    by_size: bool = False

    def on(self, space: FactorSpace) -> FactorCodes:
        """The codes of the combinations of a space."""
        return FactorCodes(space, self)


@final
@dataclass(frozen=True)
class FactorCodes:
    """A code of L numbers for each combination of factors.

    With `scaled` inputs a value v of a factor becomes

    - of an ordinal one, 2 (v - low) / (high - low) - 1, where low and high are the least and the
      largest value of the space;
    - of a circular one, sine and cosine of its angle, 2 pi (v - first) / period, where the period
      reaches from the first value to the last where these are the same pose, and else one step
      further;
    - of a categorical one, as many numbers as there are values, one of them 1.

    `raw` inputs are the values themselves, one number a factor; `one_hot` ones are those of
    categorical factors for each. A factor without values has its indices as values.

    The space is that of a whole dataset (`DatasetSpec.whole_space`), also for a decoder that is
    trained on a part. So a combination has one code wherever it stands: images of another part
    are coded by their values and names, never by the indices of the part, and a value that no
    training image had has its code, too. Where that is a column of its own, nothing has trained
    its weights. Ordinal and circular values need not be among those of the space, unless inputs
    are one-hot; exact values of images are taken where they are known, which may lie a little
    beyond -1 and 1.

    Attributes:
        space: The factors, K of them.
        coding: How they are told.

    Example:
        >>> space = FactorSpace((Factor("shape", 2, None, "categorical"), Factor("pos_x", 5)))
        >>> codes = Coding("scaled").on(space)
        >>> codes.encode([[1, 0], [0, 3]]).tolist()
        [[0.0, 1.0, -1.0], [1.0, 0.0, 0.5]]
        >>> codes.names
        ('shape=0', 'shape=1', 'pos_x')
    """

    space: FactorSpace
    coding: Coding

    @cached_property
    def spans(self) -> tuple[slice, ...]:
        """Which numbers of a code are those of each factor, (K,)."""
        widths = [len(self._names_of(factor)) for factor in self.space.factors]
        ends = itertools.accumulate(widths)
        return tuple(slice(end - width, end) for end, width in zip(ends, widths, strict=True))

    @property
    def width(self) -> int:
        """How many numbers a code has, L."""
        return sum(len(self._names_of(factor)) for factor in self.space.factors)

    @property
    def names(self) -> tuple[str, ...]:
        """What each number is, (L,): `pos_x`, `sin(orientation)`, `shape=heart`."""
        return tuple(name for each in self.space.factors for name in self._names_of(each))

    def encode(self, indices: ArrayLike) -> NDArray[np.float32]:
        """Codes of combinations of the space, (n, K) factor indices to (n, L).

        Raises:
            FactorIndexError: The array has another shape or type, or an index is out of range.
        """
        rows = self.space.check_indices(indices)
        return self._codes(list(self.space.values(rows).T), list(rows.T))

    def of(self, dataset: Dataset) -> Callable[[NDArray[np.int64]], NDArray[np.float32]]:
        """What gives the codes of images of a dataset, from flat indices (n,) to (n, L).

        Args:
            dataset: Any with these factors: the whole, a part of it, or another one.

        Raises:
            DataError: Its factors are not known, or others, or it has a value without a code.
        """
        known = self.places(dataset.factor_space, str(dataset.spec))

        def codes(flat: NDArray[np.int64]) -> NDArray[np.float32]:
            values = list(dataset.values(flat).T)
            indices = list(dataset.factors(flat).T) if known else values
            for column, places in known.items():
                indices[column] = places[indices[column]]
            return self._codes(values, indices)

        return codes

    def places(self, own: FactorSpace, text: str) -> dict[int, NDArray[np.int64]]:
        """Where values of another dataset stand among those that are told by their place.

        Args:
            own: The factors of that dataset.
            text: Its text, for messages.

        Returns:
            For the column of each factor that is told so, the index here of each value there.

        Raises:
            DataError: It has other factors, or a value without a code.
        """
        if own.names != self.space.names:
            raise DataError(
                f"The decoder is given {', '.join(self.space.names)}, and {text} has the "
                f"factors {', '.join(own.names)}. Choose a dataset with the same ones."
            )
        pairs = list(zip(self.space.factors, own.factors, strict=True))
        return {
            column: _places(whole, part, text)
            for column, (whole, part) in enumerate(pairs)
            if self._by_index(whole)
        }

    def read(self, factors: Factors) -> NDArray[np.float32]:
        """Codes of combinations as a user gives them, (n, L).

        Args:
            factors: Values by name of the factor, each one or (n,): a number, or the name of a
                value that has one, such as `{"shape": "heart", "pos_x": [0.2, 0.4], ...}`. A
                factor of which there is one value can be left out. Or factor indices of the
                space, whole numbers (K,) or (n, K).

        Raises:
            DataError: A factor is missing or unknown, a value has no code, or shapes differ.
            FactorIndexError: Factor indices have another shape or type, or are out of range.
        """
        if not isinstance(factors, Mapping):
            rows = np.asarray(factors)
            return self.encode(rows[None] if rows.ndim == 1 else rows)
        names = self.space.names
        for name in factors:
            if name not in names:
                raise DataError(
                    f"There is no factor {name!r:.100}. Give a value of each of "
                    f"{', '.join(names)}."
                )
        needed = [each.name for each in self.space.factors if each.size > 1]
        missing = [name for name in needed if name not in factors]
        if missing:
            raise DataError(f"A value of each factor is needed: give {', '.join(missing)}, too.")
        given = [self._given(each, factors) for each in self.space.factors]
        counts = {len(column) for column in given if column.ndim and len(column) != 1}
        if len(counts) > 1 or any(column.ndim > 1 for column in given):
            shapes = ", ".join(
                f"{name} {column.shape}" for name, column in zip(names, given, strict=True)
            )
            raise DataError(
                f"Values of factors must be one or (n,) each, with one n, not {shapes}."
            )
        count = counts.pop() if counts else 1
        columns = [np.broadcast_to(column.reshape(-1), (count,)) for column in given]
        return self._codes(columns, columns)

    def varied(self, codes: NDArray[np.float32], column: int, index: int) -> NDArray[np.float32]:
        """Codes (n, L) with the value of one factor, by its place and index, in all of them."""
        result = codes.copy()
        factor = self.space.factors[column]
        given = [index] if self._by_index(factor) else [values_of(factor, False)[index]]
        result[:, self.spans[column]] = self._code(factor, np.array(given))
        return result

    def _by_index(self, factor: Factor) -> bool:
        """Whether a value is told by its place among all, and not by what it is."""
        inputs = self.coding.inputs
        return inputs == "one_hot" or (inputs == "scaled" and factor.kind == "categorical")

    def _names_of(self, factor: Factor) -> tuple[str, ...]:
        if self._by_index(factor):
            words = factor.labels or tuple(f"{value:g}" for value in values_of(factor, False))
            return tuple(f"{factor.name}={word}" for word in words)
        if self.coding.inputs == "scaled" and factor.kind == "circular":
            return (f"sin({factor.name})", f"cos({factor.name})")
        return (factor.name,)

    def _codes(
        self, values: list[NDArray[Any]], indices: list[NDArray[Any]]
    ) -> NDArray[np.float32]:
        """Codes of values, or of indices where these are told, both K columns of (n,)."""
        parts = [
            self._code(factor, indices[k] if self._by_index(factor) else values[k])
            for k, factor in enumerate(self.space.factors)
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def _code(self, factor: Factor, given: NDArray[Any]) -> NDArray[np.float64]:
        """The numbers of one factor, from values or indices (n,) to (n, width)."""
        if self._by_index(factor):
            return np.asarray(given[:, None] == np.arange(factor.size), np.float64)
        column = np.asarray(given, np.float64)
        if self.coding.inputs == "raw":
            return np.asarray(column * (factor.size if self.coding.by_size else 1))[:, None]
        values = values_of(factor, False)
        if factor.kind == "circular":
            angle = 2 * math.pi * (column - values[0]) / factor.period
            return np.stack([np.sin(angle), np.cos(angle)], axis=1)
        low, high = float(values.min()), float(values.max())
        if low == high:
            return np.zeros((len(column), 1))
        return np.asarray(2 * (column - low) / (high - low) - 1)[:, None]

    def _given(self, factor: Factor, factors: Mapping[str, Any]) -> NDArray[Any]:
        """Values or indices of one factor as a user gives them."""
        if factor.name not in factors:
            return np.asarray(0) if self._by_index(factor) else values_of(factor, False)[:1]
        given = np.asarray(factors[factor.name])
        if self._by_index(factor):
            return value_indices(factor, given, "Values")
        if given.dtype.kind == "U":
            return np.asarray(values_of(factor, False)[value_indices(factor, given, "Values")])
        if given.dtype.kind not in "biuf" or not np.isfinite(given).all():
            raise DataError(
                f"Values of {factor.name} must be numbers, not {factors[factor.name]!r:.100}."
            )
        return given.astype(np.float64)


def value_indices(factor: Factor, values: Any, what: str) -> NDArray[np.int64]:
    """Indices of values of a factor, or of their names, in the shape that they are given in.

    Args:
        factor: The factor.
        values: Numbers or names.
        what: What they are called in messages, such as `Labels`.

    Raises:
        DataError: The factor does not have one of them.
    """
    given = np.asarray(values)
    if given.dtype.kind == "U" and factor.labels is not None:
        allowed: list[Any] = list(factor.labels)
        same = given[..., None] == np.asarray(allowed)
    elif given.dtype.kind in "biuf":
        allowed = list(range(factor.size)) if factor.values is None else list(factor.values)
        same = np.isclose(given[..., None].astype(float), np.asarray(allowed, float), rtol=1e-6)
    else:
        kind = "numbers" if factor.labels is None else "numbers or names"
        raise DataError(f"{what} of {factor.name} must be {kind}, not {values!r:.100}.")
    if not same.any(-1).all():
        wrong = given[~same.any(-1)].ravel()[0].item()
        words = [str(value) if isinstance(value, str) else f"{value:g}" for value in allowed]
        text = wrong if isinstance(wrong, str) else f"{wrong:g}"
        raise DataError(f"{factor.name} has no value {text!r:.100}. {_nearest_value(words)}")
    found: NDArray[np.int64] = same.argmax(-1)
    return found


def _nearest_value(words: list[str]) -> str:
    if len(words) > 12:
        return f"It has {len(words)} values, from {words[0]} to {words[-1]}."
    return f"Choose one of: {', '.join(words)}."


def places_of(part: Factor, whole: Factor) -> NDArray[np.int64]:
    """The index among all values of each value of a part; -1 where it is none of them.

    Args:
        part: A factor with some of the values, which are found again by name, or else by value.
        whole: The same factor with all values.

    Returns:
        (part.size,).
    """
    known: dict[Any, int]
    if whole.labels is not None and part.labels is not None:
        known = {label: index for index, label in enumerate(whole.labels)}
        wanted: list[Any] = list(part.labels)
    else:
        known = {value: index for index, value in enumerate(values_of(whole, False).tolist())}
        wanted = values_of(part, False).tolist()
    return np.array([known.get(value, -1) for value in wanted], np.int64)


def value_name(factor: Factor, index: int) -> str:
    """What a value is called in messages: its name, or else the number."""
    if factor.labels is not None:
        return factor.labels[index]
    return f"{values_of(factor, False)[index]:g}"


def _places(whole: Factor, part: Factor, text: str) -> NDArray[np.int64]:
    """The index among all values of each value of a part.

    Raises:
        DataError: One of them is not among all.
    """
    places = places_of(part, whole)
    if (places < 0).any():
        raise DataError(
            f"{text} has the value {value_name(part, int(places.argmin()))} of {whole.name}, for "
            f"which the decoder has no input: it is given one of {whole.size} values. Leave its "
            "images out."
        )
    return places
