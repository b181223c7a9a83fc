"""Settings that change in the course of a training."""

from __future__ import annotations

__all__ = ["PHASED", "Phase", "check_phases"]

import itertools
from typing import TYPE_CHECKING, Any, ClassVar, Final, final

from unweave.errors import SpecError
from unweave.spec import Component, number, option, to_dict

if TYPE_CHECKING:
    from unweave.training.config import TrainConfig

PHASED: Final = ("objective", "optimizer", "batch_size", "seed", "clip_norm", "clip_value")
"""Settings that can change while a model is trained: those that leave its weights their shape."""

# Below it a float is the whole number that it stands for.
_EXACT: Final = 2.0**53
_EXAMPLES: Final = {"objective": "objective.beta", "optimizer": "optimizer.lr"}


@final
class Phase(Component):
    """What a training goes on with after some of its steps.

    Weights and the state of the optimiser stay. A phase lasts until the next one begins, which
    keeps what it does not change.

    Example:
        `phase(start=5000, changes=(('objective.beta', 8), ('optimizer.lr', 0.0001)))`
    """

    name: ClassVar[str] = "phase"
    family: ClassVar[str] = "phase of a training"

    start: int = number(low=1, help="Optimiser steps before it.")
    changes: tuple[tuple[str, int | float | str | None], ...] = option(
        help="New values of settings, by path."
    )

    def __post_init__(self) -> None:
        """Bring the changes into one form, so that equal phases have one text."""
        super().__post_init__()
        plain = sorted((path, _whole(value)) for path, value in self.changes)
        object.__setattr__(self, "changes", tuple(plain))

    def validate(self) -> None:
        """Refuse what cannot change, what is set twice, and a phase that changes nothing."""
        if not self.changes:
            raise SpecError("phase: changes is empty; leave the phase out.")
        paths = [path for path, _ in self.changes]
        for path in paths:
            head, dot, _ = path.partition(".")
            if head not in PHASED:
                raise SpecError(
                    f"phase: {path!r:.100} cannot change in the course of a training. These can: "
                    f"{', '.join(PHASED)}."
                )
            if head in _EXAMPLES and not dot:
                raise SpecError(f"phase: give fields of {head}, such as {_EXAMPLES[head]}.")
            if paths.count(path) > 1:
                raise SpecError(f"phase: {path} is set twice.")


def _whole(value: int | float | str | None) -> int | float | str | None:
    """A number without a fraction as a whole one: 4.0 and 4 are one setting."""
    if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT:
        return int(value)
    return value


def check_phases(config: TrainConfig) -> None:
    """Refuse phases in which a training could not go on from what it has.

    Raises:
        SpecError: They are not in order, or one has settings that cannot be, or that need other
            networks or another optimiser.
    """
    starts = [phase.start for phase in config.phases]
    if any(one >= other for one, other in itertools.pairwise(starts)):
        raise SpecError("train: phases must stand in the order of their starts, each one alone.")
    if starts and starts[-1] >= config.steps:
        raise SpecError(
            f"train: the phase that starts after {starts[-1]:,} steps never begins: there are "
            f"{config.steps:,} steps."
        )
    first = config.at(1)
    for start in starts:
        try:
            settings = config.at(start + 1)
        except SpecError as error:
            raise SpecError(f"The phase that starts after {start:,} steps: {error}") from error
        if settings.optimizer != first.optimizer and first.optimizer.rate is not None:
            raise SpecError(
                "train: a phase cannot change an optimizer whose learning rate has a schedule of "
                "its own. Give it a number for lr, and set optimizer.lr in phases."
            )
        for name in _EXAMPLES:
            if _blanked(getattr(settings, name)) != _blanked(getattr(first, name)):
                raise SpecError(
                    f"train: the phase that starts after {start:,} steps changes more of "
                    f"{name} than real numbers, which alone can change in the course of a "
                    f"training: {getattr(first, name)} becomes {getattr(settings, name)}."
                )


def _blanked(settings: Any) -> Any:
    """The full form of a component, an objective or a part of one, with 0 for each real number."""
    match settings:
        case float():
            return 0.0
        case dict():
            return {name: _blanked(value) for name, value in settings.items()}
        case list():
            return [_blanked(value) for value in settings]
        case Component():
            return _blanked(to_dict(settings))
    form = getattr(settings, "to_dict", None)
    return settings if form is None else _blanked(form())
