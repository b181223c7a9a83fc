"""Composition triplets listed one by one, from factors of images and what was left out."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

__all__ = ["action_of", "law_of_triplets", "triplets"]

Row = tuple[int, ...]
Triplet = tuple[int, int, int]


def action_of(reference: Row, target: Row) -> int | None:
    """The factor in which alone two images differ; None where there is none."""
    differ = [k for k, (a, b) in enumerate(zip(reference, target, strict=True)) if a != b]
    return differ[0] if len(differ) == 1 else None


def triplets(
    rows: Sequence[Row], inputs: set[int], targets: set[int], columns: set[int]
) -> dict[int, list[Triplet]]:
    """All triplets of reference, sample and target, by factor; factors with none are left out."""
    found: dict[int, list[Triplet]] = {}
    for reference, sample, target in itertools.product(inputs, inputs, targets):
        action = action_of(rows[reference], rows[target])
        if action in columns and rows[sample][action] == rows[target][action]:
            found.setdefault(action, []).append((reference, sample, target))
    return found


def law_of_triplets(
    rows: Sequence[Row], inputs: set[int], targets: set[int], columns: set[int]
) -> dict[Triplet, float]:
    """The chance of each triplet.

    A factor that has some, uniformly; a reference that has some; a value of the target, a target
    that shows it, and a sample, each uniformly among those that go on.
    """
    law: dict[Triplet, float] = {}
    listed = triplets(rows, inputs, targets, columns)
    for action, every in listed.items():
        references = {reference for reference, _, _ in every}
        for reference in references:
            mine = [each for each in every if each[0] == reference]
            values = {rows[target][action] for _, _, target in mine}
            for value in values:
                shown = {t for _, _, t in mine if rows[t][action] == value}
                samples = {s for _, s, t in mine if rows[t][action] == value}
                chance = 1 / len(listed) / len(references) / len(values)
                for target, sample in itertools.product(shown, samples):
                    law[reference, sample, target] = chance / len(shown) / len(samples)
    return law
