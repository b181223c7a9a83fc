"""Images among latents: where they lie, and where they are expected."""

from __future__ import annotations

__all__ = ["Placed", "compared_factors", "place", "trained_combinations"]

from dataclasses import dataclass
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.base import Subject
from unweave.analysis.positions import Assignment, Positions, association_of, positions_of
from unweave.analysis.tables import CodeTable, in_whole, scored_table, trained_table
from unweave.conditions.showing import ranges
from unweave.data import DatasetSpec, DerivedSpec
from unweave.data.codes import value_name
from unweave.data.views import Only, Without
from unweave.data.views.table import table_of
from unweave.rules import Rule


@final
@dataclass(frozen=True, eq=False)
class Placed:
    """Images that are scored, where they lie among latents, and where they are expected.

    Attributes:
        train: Codes of images that were trained on.
        test: Codes of the images that are scored, N of them.
        association: Of each latent with each factor, (L, K).
        positions: Where values of the compared factors lie.
        known: Whether each image has an expected position, (N,).
    """

    train: CodeTable
    test: CodeTable
    association: NDArray[np.float64]
    positions: Positions
    known: NDArray[np.bool_]

    def lacking(self) -> str:
        """Values for which images have no expected position, in words; empty if all have."""
        found = []
        for k, there in zip(self.positions.needed, self.positions.occurring, strict=True):
            factor = self.test.space.factors[k]
            lacking = np.bincount(self.test.factors[:, k], minlength=factor.size).astype(bool)
            if (lacking & ~there).any():
                found.append(f"{factor.name} {ranges(factor, lacking & ~there)}")
        return "; ".join(found)

    def shown(self) -> dict[str, Any] | None:
        """What `plots.latent_positions` draws: the two compared factors that latents follow best.

        Images that were trained on are coloured by a categorical one of the two, or by the first.

        Returns:
            Its arguments but for words above; None where fewer than two factors are compared.
        """
        places = self.positions
        if len(places.factors) < 2:
            return None
        pairs = zip(places.latents, places.factors, strict=True)
        followed = np.array([self.association[latent, k] for latent, k in pairs])
        one, two = sorted(np.argsort(-followed, kind="stable")[:2].tolist())
        latents = [places.latents[one], places.latents[two]]
        factors = [self.test.space.factors[places.factors[each]] for each in (one, two)]
        by = one if factors[0].kind == "categorical" or factors[1].kind != "categorical" else two
        factor = self.test.space.factors[places.factors[by]]
        columns = [places.factors[one], places.factors[two]]
        known = self.test.factors[self.known]
        _, first = np.unique(known[:, columns], axis=0, return_index=True)
        combinations = known[first]
        return {
            "trained": self.train.codes[:, latents],
            "held_out": self.test.codes[:, latents],
            "expected": places.expected(combinations)[:, [one, two]],
            "deviations": places.deviation(combinations)[:, [one, two]],
            "labels": tuple(
                f"z{latent}, {each.name}" for latent, each in zip(latents, factors, strict=True)
            ),
            "values": self.train.factors[:, places.factors[by]],
            "names": [value_name(factor, index) for index in range(factor.size)],
            "factor": factor.name,
        }


def place(subject: Subject, rows: NDArray[np.int64], train: int, assignment: Assignment) -> Placed:
    """Where images lie among latents, and where they are expected.

    Args:
        subject: What is scored.
        rows: Flat indices of the images, (N,).
        train: How many images that were trained on tell positions, at most.
        assignment: What factors get their latents by.

    Raises:
        DataError: Factors are not known, or not those of the images trained on; none varies among
            these; or there are fewer latents than factors that are compared.
    """
    test = scored_table(subject, rows)
    seen = trained_table(subject, train)
    association = association_of(seen, assignment)
    names = compared_factors(subject.trained_on)
    compared = [k for k, name in enumerate(seen.space.names) if name in names]
    positions = positions_of(seen, compared, association)
    return Placed(seen, test, association, positions, positions.known(test.factors))


def compared_factors(data: DatasetSpec) -> frozenset[str]:
    """Names of the factors in the rules by which a dataset is a part of another one."""
    if not isinstance(data, DerivedSpec):
        return frozenset()
    found = compared_factors(data.bases[0])
    if isinstance(data, Only | Without):
        space = data.data.factor_space
        found |= {space.names[k] for k in Rule(data.where, space).compared}
    return found


def trained_combinations(data: DatasetSpec) -> NDArray[np.int64]:
    """Factors of all images of a dataset, as those of the whole one, (M, K)."""
    table = table_of(data)
    assert table.space is not None
    indices = table.indices(np.arange(table.count))
    return in_whole(indices, table.space, data.whole_space, str(data))
