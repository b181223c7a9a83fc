"""Positions of values of factors among latents, by loops and by trying everything.

Slow on purpose, and nothing is shared with the code under test.
"""

from __future__ import annotations

import itertools
import math

__all__ = [
    "additive",
    "assign",
    "correlation_ratio",
    "displacement",
    "distance",
    "nearest_expected",
    "of_values",
    "spread",
]


def _mean(numbers):
    return math.fsum(numbers) / len(numbers)


def _squares(numbers):
    middle = _mean(numbers)
    return math.fsum((number - middle) ** 2 for number in numbers)


def _groups(column, indices):
    groups: dict[int, list[float]] = {}
    for number, index in zip(column, indices, strict=True):
        groups.setdefault(int(index), []).append(float(number))
    return groups


def correlation_ratio(column, indices):
    """Share of the sum of squares of a latent that is not within values of a factor."""
    whole = _squares([float(number) for number in column])
    within = math.fsum(_squares(group) for group in _groups(column, indices).values())
    return 1 - within / whole


def assign(association, factors):
    """Latent of each factor, by trying every choice of different latents.

    Args:
        association: L rows of K numbers.
        factors: Which factors get a latent, in order.
    """
    choices = itertools.permutations(range(len(association)), len(factors))
    return max(
        choices,
        key=lambda latents: math.fsum(
            association[latent][k] for latent, k in zip(latents, factors, strict=True)
        ),
    )


def of_values(column, indices):
    """Mean and standard deviation of a latent by the value of a factor."""
    return {
        index: (_mean(group), math.sqrt(_squares(group) / len(group)))
        for index, group in _groups(column, indices).items()
    }


def spread(column, indices):
    """Standard deviation of a latent within values, all of them taken together."""
    groups = _groups(column, indices)
    return math.sqrt(math.fsum(map(_squares, groups.values())) / len(column))


def distance(codes, factors, tables):
    """Root of the mean square of codes less means, in deviations.

    Args:
        codes: N rows of latents.
        factors: N rows of factor indices.
        tables: (factor, latent, what `of_values` says of them), for each factor.
    """
    squares = [
        ((row[latent] - table[int(combination[k])][0]) / table[int(combination[k])][1]) ** 2
        for row, combination in zip(codes, factors, strict=True)
        for k, latent, table in tables
    ]
    return math.sqrt(_mean(squares))


def nearest_expected(codes, factors, trained, tables, spreads):
    """Share of codes that are nearer to their own position than to that of any other one.

    Args:
        codes: N rows of latents.
        factors: N rows of factor indices.
        trained: Rows of factor indices that were trained on.
        tables: As for `distance`.
        spreads: Deviation of each factor's latent within values.
    """

    def place(combination):
        return tuple(table[int(combination[k])][0] for k, _, table in tables)

    def own(combination):
        return tuple(int(combination[k]) for k, _, _ in tables)

    def away(row, position):
        return math.fsum(
            ((row[latent] - at) / wide) ** 2
            for (_, latent, _), at, wide in zip(tables, position, spreads, strict=True)
        )

    hits = 0
    for row, combination in zip(codes, factors, strict=True):
        rivals = [place(other) for other in trained if own(other) != own(combination)]
        nearest = min((away(row, rival) for rival in rivals), default=math.inf)
        hits += away(row, place(combination)) < nearest
    return hits / len(codes)


def additive(column, factors, chosen, rounds=2000):
    """The sum of effects of values that is nearest to a latent, by taking turns; a function.

    The effects of one factor are the means of what the others leave, again and again.
    """
    effects = {k: dict.fromkeys({int(row[k]) for row in factors}, 0.0) for k in chosen}
    if not chosen:
        middle = _mean([float(number) for number in column])
        return lambda row: middle

    def rest_of(k):
        return [
            float(number) - math.fsum(effects[m][int(row[m])] for m in chosen if m != k)
            for number, row in zip(column, factors, strict=True)
        ]

    for _ in range(rounds):
        moved = 0.0
        for k in chosen:
            groups = _groups(rest_of(k), [row[k] for row in factors])
            for value, numbers in groups.items():
                moved = max(moved, abs(effects[k][value] - _mean(numbers)))
                effects[k][value] = _mean(numbers)
        if moved < 1e-13:
            break
    return lambda row: math.fsum(effects[k].get(int(row[k]), 0.0) for k in chosen)


def displacement(trained, tested, chosen, compared):
    """What tested rows of a latent have in common beyond what those trained on tell, (M,).

    Args:
        trained: The latent and the rows of factor indices that were trained on.
        tested: Those that are tested.
        chosen: Which factors vary among the rows that were trained on.
        compared: Which of them are compared.
    """
    seen = additive(*trained, chosen)
    rest = [float(number) - seen(row) for number, row in zip(*tested, strict=True)]
    own = additive(rest, tested[1], compared)
    return [own(row) for row in tested[1]]
