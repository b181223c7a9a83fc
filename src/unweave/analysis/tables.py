"""Codes of images beside their factors, numbered as the whole dataset numbers them."""

from __future__ import annotations

__all__ = [
    "CodeTable",
    "check_means",
    "chosen_rows",
    "in_whole",
    "scored_factors",
    "scored_table",
    "trained_table",
]

from dataclasses import dataclass
from typing import final

import numpy as np
from numpy.typing import NDArray

from unweave.analysis.base import Subject
from unweave.data.codes import places_of, value_name
from unweave.encoding import Codes, encode_rows
from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.splits import keyed_permutation

_PURPOSE = "images whose codes are scored"


@final
@dataclass(frozen=True, eq=False)
class CodeTable:
    """Posterior means of images, and their factors.

    Parts of a dataset number the values that they have anew; here a value has one index in all of
    them, also where training lacks it.

    Attributes:
        codes: (N, L).
        factors: Factor indices of the whole dataset, (N, K).
        space: The factors of the whole dataset.
    """

    codes: NDArray[np.float64]
    factors: NDArray[np.int64]
    space: FactorSpace

    def __len__(self) -> int:
        """Number of images N."""
        return len(self.codes)


def check_means(name: str, codes: Codes) -> None:
    """Refuse sampled codes, of an analysis that reads posterior means.

    Raises:
        SpecError: They are asked for.
    """
    if codes != "mean":
        raise SpecError(
            f"codes must be mean for {name}, which reads posterior means, but is {codes}. Leave "
            "--codes out."
        )


def chosen_rows(subject: Subject, most: int) -> NDArray[np.int64]:
    """Flat indices of at most so many of the images to score, drawn by the subject's seed."""
    rows = subject.flat
    if len(rows) <= most:
        return rows
    return rows[np.sort(keyed_permutation(len(rows), subject.seed, _PURPOSE)[:most])]


def trained_table(subject: Subject, most: int) -> CodeTable:
    """That of at most so many of the images that were trained on.

    Raises:
        DataError: Their factors are not known.
    """
    space = subject.trained_on.whole_space
    table = subject.trained(most)
    text = str(subject.trained_on)
    factors = in_whole(np.asarray(table.factors), table.factor_space, space, text)
    return CodeTable(np.asarray(table.mean, np.float64), factors, space)


def scored_factors(subject: Subject, rows: NDArray[np.int64]) -> NDArray[np.int64]:
    """Factor indices of images to score, as those of the whole dataset, (N, K).

    Args:
        subject: What is scored.
        rows: Their flat indices, (N,).

    Raises:
        DataError: Their factors are not known, or are others than of the whole dataset of which
            some images were trained on.
    """
    dataset = subject.dataset
    own, whole = dataset.factor_space, subject.trained_on.whole_space
    return in_whole(dataset.factors(rows), own, whole, str(dataset.spec))


def scored_table(subject: Subject, rows: NDArray[np.int64]) -> CodeTable:
    """That of images to score.

    Args:
        subject: What is scored.
        rows: Their flat indices, (N,).

    Raises:
        DataError: As `scored_factors`.
    """
    factors = scored_factors(subject, rows)
    codes = np.empty((len(rows), subject.model.latents), np.float32)
    encode_rows(subject.model, subject.dataset, rows, codes, None, subject.progress)
    return CodeTable(codes.astype(np.float64), factors, subject.trained_on.whole_space)


def in_whole(
    factors: NDArray[np.int64], part: FactorSpace, whole: FactorSpace, text: str
) -> NDArray[np.int64]:
    """Factor indices of a part of a dataset as those of the whole, (N, K).

    Args:
        factors: Those of the part, (N, K).
        part: The factors with the values that the part has.
        whole: The factors with all values.
        text: What the part is, for messages.

    Raises:
        DataError: They are other factors, or a value is none of the whole.
    """
    if part.names != whole.names:
        raise DataError(
            f"{text} has the factors {', '.join(part.names)}, but codes are compared with those "
            f"of images that were trained on, which have {', '.join(whole.names)}. Choose a "
            "dataset with the same ones."
        )
    columns = []
    for column, (own, all_of_it) in enumerate(zip(part.factors, whole.factors, strict=True)):
        places = places_of(own, all_of_it)[factors[:, column]]
        if (places < 0).any():
            index = int(factors[int(places.argmin()), column])
            raise DataError(
                f"{text} has the value {value_name(own, index)} of {own.name}, which is none of "
                f"the {all_of_it.size} values of the dataset of which the model was trained on "
                "images. Leave its images out."
            )
        columns.append(places)
    return np.stack(columns, axis=1)
