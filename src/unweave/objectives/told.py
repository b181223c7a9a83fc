"""Which labels of a dataset a method or term is told, by name."""

from __future__ import annotations

__all__ = ["ENCODING_HELP", "LABELS_HELP", "check_names", "told_labels"]

from typing import Final

from unweave.errors import SpecError
from unweave.nn import Conditions, LabelEncoding
from unweave.objectives.needs import Setup

LABELS_HELP: Final = "Names of the factors that are told; left out, the categorical ones."
ENCODING_HELP: Final = (
    "one_hot: a number for each value of a label; continuous: one number a label, from 0 to 1."
)

# With a plane of 64x64 come 1.07 million parameters: these have more than a hundred networks.
_MOST_PLANES = 64


def check_names(asker: str, labels: tuple[str, ...]) -> None:
    """Refuse a factor that is named twice.

    Raises:
        SpecError: One is.
    """
    for name in labels:
        if labels.count(name) > 1:
            raise SpecError(f"{asker}: labels names {name!r:.100} more than once.")


def told_labels(
    setup: Setup,
    asker: str,
    labels: tuple[str, ...],
    encoding: LabelEncoding,
    *,
    planes: bool = False,
) -> Conditions:
    """The factors of these names; without names, the categorical ones that vary.

    Args:
        setup: Knows the factors.
        asker: Name of the method or term, for messages.
        labels: Names of factors.
        encoding: How labels are told.
        planes: Whether an encoder sees them as planes.

    Raises:
        SpecError: The factors are not known, a name is unknown or that of a factor with one
            value, no factor is categorical, or there would be too many planes.
    """
    space = setup.labels(asker)
    if labels:
        columns = [space.position(name) for name in labels]
    else:
        columns = [
            column
            for column, factor in enumerate(space.factors)
            if factor.kind == "categorical" and factor.size > 1
        ]
    if not columns:
        varying = [factor.name for factor in space.factors if factor.size > 1]
        raise SpecError(
            f"{asker}: no factor of {setup.dataset} is categorical and varies, so name those that "
            f"are told: {asker}(labels=(...)). Its factors are {', '.join(varying)}."
        )
    factors = [space.factors[column] for column in columns]
    for factor in factors:
        if factor.size < 2:
            raise SpecError(
                f"{asker}: {factor.name} has one value in {setup.dataset}, so there is nothing to "
                f"tell. Leave it out of labels."
            )
    sizes = tuple(factor.size for factor in factors)
    conditions = Conditions(tuple(columns), sizes, encoding, planes)
    if planes and conditions.width > _MOST_PLANES:
        each = ", ".join(
            f"{f.name} {span.stop - span.start}"
            for f, span in zip(factors, conditions.spans, strict=True)
        )
        raise SpecError(
            f"{asker}: these labels take {conditions.width} planes beside the image ({each}), and "
            f"{_MOST_PLANES} is the most. Name fewer labels: labels=(...)"
            f"{', or take encoding=continuous' * (encoding == 'one_hot')}."
        )
    return conditions
