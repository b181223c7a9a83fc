"""What a condition leaves of a dataset: the images to train on, and the images held out."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.conditions.borders import borders
from unweave.conditions.circles import ends_meet, period_of
from unweave.conditions.condition import Condition, Kind, Modifier
from unweave.conditions.kinds import Cells, Finding, find_kind
from unweave.conditions.registry import find_condition, find_modifier, root_of
from unweave.data import DatasetSpec, parse_dataset
from unweave.data.labels import taken_by
from unweave.data.views.table import Table, table_of
from unweave.errors import SpecError
from unweave.factors import FactorSpace
from unweave.rules import Rule
from unweave.splits import holdout

__all__ = ["HELD_OUT", "NEITHER", "TRAINED", "Split", "split_of"]

TRAINED: Final = 0
HELD_OUT: Final = 1
NEITHER: Final = 2


@final
@dataclass(frozen=True, eq=False)
class Split:
    """The images of a dataset under a condition. `split_of` makes it.

    Attributes:
        condition: What is held out.
        data: The dataset; indices are its flat ones.
        modifier: Which images take part at all; None for all of them.
        space: Its factors.
        states: What each image is, (N,) of `TRAINED`, `HELD_OUT` and `NEITHER`.
        compared: Positions of the factors that the rules compare, ascending.
    """

    condition: Condition
    data: DatasetSpec
    modifier: Modifier | None
    space: FactorSpace
    states: NDArray[np.uint8]
    compared: tuple[int, ...]

    def __repr__(self) -> str:
        """What it is of, and how many images there are of each sort."""
        return (
            f"<Split {self.condition.name} of {self.data}: {len(self.train):,} trained on, "
            f"{len(self.held_out):,} held out, {len(self.discarded):,} neither>"
        )

    @cached_property
    def train(self) -> NDArray[np.int64]:
        """Flat indices of the images to train on, ascending, (n,)."""
        return np.flatnonzero(self.states == TRAINED)

    @cached_property
    def held_out(self) -> NDArray[np.int64]:
        """Flat indices of the images that are held out, ascending, (n,)."""
        return np.flatnonzero(self.states == HELD_OUT)

    @cached_property
    def discarded(self) -> NDArray[np.int64]:
        """Flat indices of the images that are neither, ascending, (n,)."""
        return np.flatnonzero(self.states == NEITHER)

    @property
    def train_text(self) -> str:
        """Text of the dataset of the images to train on, in the order of `train`."""
        return self.condition.train_text(str(self.data), self.modifier and self.modifier.rule)

    @property
    def test_text(self) -> str:
        """Text of the dataset of the images that are held out, in the order of `held_out`."""
        return self.condition.test_text(str(self.data), self.modifier and self.modifier.rule)

    def in_distribution(
        self, fraction: float, seed: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Images to train on, and images like them that a training holds out.

        They are those of a training on `train_text` with `holdout` of this fraction and this
        seed: the reference for scores of `held_out`.

        Args:
            fraction: Share of the images to train on.
            seed: That of the training.

        Returns:
            Flat indices of both, ascending; together they are `train`.

        Raises:
            SpecError: The fraction is out of range, or leaves either part without an image.
        """
        rows, held = holdout(len(self.train), fraction, seed)
        return self.train[rows], self.train[held]

    @cached_property
    def cells(self) -> Cells:
        """Which combinations of factors are trained on, and which are held out."""
        return Cells(self.table, self.states == TRAINED, self.states == HELD_OUT, self.compared)

    @property
    def table(self) -> Table:
        """What is known of the dataset's images."""
        return table_of(self.data)

    @cached_property
    def finding(self) -> Finding:
        """What kind of condition it is, by the combinations that are trained on."""
        return find_kind(self.cells, self._circles)

    @property
    def kind(self) -> Kind:
        """What it is said to be; what it is found to be where nobody has said."""
        return self.condition.kind or self.finding.kind

    @cached_property
    def borders(self) -> list[str]:
        """For each factor that is compared, the values at the borders; a sentence each."""
        meeting = {
            factor.name
            for factor in self.space.factors
            if factor.kind == "circular" and ends_meet(factor, self._circles[factor.name])
        }
        return borders(self.cells, meeting)

    @cached_property
    def digests(self) -> dict[str, str]:
        """SHA-256 of the flat indices of each sort, as little-endian int64, in hexadecimal."""
        return {
            name: hashlib.sha256(np.ascontiguousarray(rows, dtype="<i8").tobytes()).hexdigest()
            for name, rows in self.rows().items()
        }

    def rows(self) -> dict[str, NDArray[np.int64]]:
        """Flat indices of each sort, by its name: train, held_out and discarded."""
        return {"train": self.train, "held_out": self.held_out, "discarded": self.discarded}

    @cached_property
    def _circles(self) -> dict[str, float]:
        """Period of each circular factor, as the whole dataset has it."""
        return {
            factor.name: period_of(self.data, factor)
            for factor in self.space.factors
            if factor.kind == "circular"
        }


def split_of(
    condition: Condition | str,
    data: DatasetSpec | str | None = None,
    modifier: Modifier | str | None = None,
) -> Split:
    """Which images of a dataset are trained on under a condition, and which are held out.

    No image is made or read, but of datasets whose factors go by their images.

    Args:
        condition: A condition, a published one's name, or a rule of what is held out.
        data: The dataset, or its text: a smaller `grid` or a part, too. None for the condition's
            own.
        modifier: Which images take part at all: a modifier, a published one's name, or a rule.

    Raises:
        SpecError: There is no such condition or modifier, or not of this dataset; its factors are
            not known, or not those of the rules; nothing is held out, nothing is left to train
            on, or an image is both.
        DataError: The factors go by images that are not there yet.

    Example:
        >>> split = split_of("shape2tx")
        >>> len(split.train), len(split.held_out)
        (614400, 122880)
        >>> print(split.test_text)
        only(data=dsprites, where="shape == 'square' and pos_x > 0.5")
    """
    spec = parse_dataset(data) if isinstance(data, str) else data
    if isinstance(condition, str):
        condition = find_condition(condition, spec)
    if spec is None:
        spec = parse_dataset(condition.dataset)
    elif root_of(parse_dataset(condition.dataset)).name != root_of(spec).name:
        raise SpecError(
            f"{condition.name} is a condition of {condition.dataset}, not of {spec}. Give its "
            f"rule if it is meant there, too: {condition.held_out!r}."
        )
    if isinstance(modifier, str):
        modifier = find_modifier(modifier, spec)
    if not spec.labelled:
        raise SpecError(
            f"The factors of {spec} are not known, so that no rule can say which of its images "
            "are held out. Choose a dataset with factors: unweave data list names them."
        )
    table = table_of(spec)
    assert table.space is not None
    rules = [Rule(condition.held_out, table.space)]
    held = taken_by(rules[0], table.labels)
    trained = ~held
    if condition.trained is not None:
        rules.append(Rule(condition.trained, table.space))
        trained = taken_by(rules[-1], table.labels)
        if (trained & held).any():
            raise SpecError(
                f"{int((trained & held).sum()):,} images of {spec} are both trained on, "
                f"{condition.trained!r}, and held out, {condition.held_out!r}."
            )
    if modifier is not None:
        rules.append(Rule(modifier.rule, table.space))
        kept = taken_by(rules[-1], table.labels)
        held, trained = held & kept, trained & kept
    _check(condition, modifier, spec, rules, int(trained.sum()), int(held.sum()))
    states = np.full(table.count, NEITHER, np.uint8)
    states[trained] = TRAINED
    states[held] = HELD_OUT
    compared = sorted(set().union(*(rule.compared for rule in rules)))
    return Split(condition, spec, modifier, table.space, states, tuple(compared))


def _check(
    condition: Condition,
    modifier: Modifier | None,
    spec: DatasetSpec,
    rules: list[Rule],
    num_train: int,
    num_held_out: int,
) -> None:
    """Refuse a split without images on either side.

    Raises:
        SpecError: It is one.
    """
    if num_train and num_held_out:
        return
    what = "leaves nothing to train on" if num_held_out else "holds nothing out"
    among = f" among the images that {modifier.name!r} keeps" if modifier else ""
    lines = [line.strip() for rule in rules for line in rule.describe().splitlines()]
    said = "; ".join(lines)
    raise SpecError(f"The condition {condition.name!r} {what} of {spec}{among}. {said}.")
