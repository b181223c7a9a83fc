"""What samplers should draw, by listing every case: the chance of each pair of images."""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Callable, Iterable, Iterator

import numpy as np

__all__ = [
    "changed_columns",
    "further",
    "laplace_law",
    "neighbours",
    "other_values",
    "steps",
]

Row = tuple[int, ...]
Law = dict[Row, float]


def further(
    rows: list[Row], weights: Iterable[float], cases: list[tuple[float, Callable[[Row], Law]]]
) -> np.ndarray:
    """The chance of each pair of images, (N, N).

    Args:
        rows: Factor indices of each image.
        weights: Odds of each image.
        cases: Each with its chance: from the first image's factors to the law of a second's,
            before it is known which images there are.
    """
    odds = list(weights)
    places: dict[Row, list[int]] = {}
    for place, row in enumerate(rows):
        places.setdefault(row, []).append(place)
    result = np.zeros((len(rows), len(rows)))
    for chance, law in cases:
        part = np.zeros_like(result)
        for first, row in enumerate(rows):
            seconds: dict[int, float] = {}
            for other, share in law(row).items():
                for second in places.get(other, []):
                    seconds[second] = share * odds[second] / len(places[other])
            total = sum(seconds.values())
            for second, share in seconds.items():
                part[first, second] = odds[first] * share / total
        result += chance * part / part.sum()
    return result


def changed_columns(
    columns: list[int], numbers: dict[int, float]
) -> Iterator[tuple[float, tuple[int, ...]]]:
    """Each choice of columns with its chance, the numbers having the chances given."""
    for number, chance in numbers.items():
        subsets = list(itertools.combinations(columns, number))
        for subset in subsets:
            yield chance / len(subsets), subset


@functools.cache
def other_values(sizes: Row, subset: tuple[int, ...], own: bool) -> Callable[[Row], Law]:
    """Columns that take any value, their own too or not."""

    @functools.cache
    def law(row: Row) -> Law:
        ranges = [
            [value for value in range(size) if own or value != row[column]]
            if column in subset
            else [row[column]]
            for column, size in enumerate(sizes)
        ]
        every = list(itertools.product(*ranges))
        return {each: 1 / len(every) for each in every}

    return law


@functools.cache
def laplace_law(sizes: Row, columns: tuple[int, ...], rate: float) -> Callable[[Row], Law]:
    """Columns that move by a discrete Laplace law, one of them at least."""

    def odds(size: int, start: int) -> list[float]:
        each = [math.exp(-abs(value - start) * rate / math.log(size)) for value in range(size)]
        return [one / sum(each) for one in each]

    @functools.cache
    def law(row: Row) -> Law:
        result: Law = {}
        for goal in itertools.product(*map(range, sizes)):
            share = 1.0
            for column, size in enumerate(sizes):
                if column in columns:
                    share *= odds(size, row[column])[goal[column]]
                elif goal[column] != row[column]:
                    share = 0.0
            result[goal] = share
        stays = result.pop(row)
        for column in columns:
            moving = odds(sizes[column], row[column])
            moving[row[column]] = 0.0
            for value, share in enumerate(moving):
                if share:
                    goal = (*row[:column], value, *row[column + 1 :])
                    result[goal] += stays / len(columns) * share / sum(moving)
        return result

    return law


def steps(column: int, length: int, poses: int) -> Callable[[Row], Law]:
    """One column that goes by a length in either direction, round a circle."""

    def law(row: Row) -> Law:
        result: Law = {}
        for sign in (-1, 1):
            goal = (*row[:column], (row[column] + sign * length) % poses, *row[column + 1 :])
            result[goal] = result.get(goal, 0.0) + 0.5
        return result

    return law


def neighbours(
    rows: list[Row], weights: Iterable[float], sizes: Row, circles: dict[int, int]
) -> np.ndarray:
    """The chance of each move of a walk, (N, N): one column by one value.

    Args:
        rows: Factor indices of each image, each once.
        weights: Odds of each image.
        sizes: Of the columns.
        circles: Columns that go round, and how many poses they have.
    """
    odds = list(weights)
    place = {row: index for index, row in enumerate(rows)}
    result = np.zeros((len(rows), len(rows)))
    for first, row in enumerate(rows):
        for column, size in enumerate(sizes):
            for step in (-1, 1):
                value = row[column] + step
                if column in circles:
                    value %= circles[column]
                elif not 0 <= value < size:
                    continue
                goal = (*row[:column], value, *row[column + 1 :])
                if goal in place:
                    result[first, place[goal]] += odds[place[goal]]
        result[first] /= result[first].sum()
    return result
