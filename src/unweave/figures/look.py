"""How pictures of a run look: what can be asked for of each kind."""

from __future__ import annotations

__all__ = ["CYCLES", "LAYOUTS", "Cycle", "Layout", "Look", "Start"]

from dataclasses import dataclass, fields
from typing import Literal, TypeAlias, final, get_args

from unweave.errors import SpecError

Layout: TypeAlias = Literal["unweave", "disvae"]
LAYOUTS = get_args(Layout)
"""Our own layout, and published ones that are repeated pixel by pixel."""

Start: TypeAlias = Literal["prior", "posterior"]

Cycle: TypeAlias = Literal[
    "std_gaussian", "fitted_gaussian", "fixed_interval", "conf_interval", "minmax"
]
CYCLES = get_args(Cycle)
"""How latents go up, down and back to where they were, as disentanglement_lib animates them."""


@final
@dataclass(frozen=True, kw_only=True)
class Look:
    """What is asked for of pictures; None and empty where each kind has its own default.

    Attributes:
        rows: Rows of images, or latents.
        cols: Columns of images, or values that a latent takes.
        range: How far latents walk: at least 0.5, in standard deviations of the prior to each
            side; below 0.5, the share of the probability to each side of the median, so that 0.475
            goes from its 2.5 % to its 97.5 % quantile.
        indices: Flat indices of the images that are shown first.
        upsample: How often each pixel is repeated in both directions.
        start: Where walks begin: at the centre of the prior, or at the code of an image.
        labels: Whether rows are labelled, such as with the KL of their latent; pictures without
            labels are pixels alone. None for labels in our own layout, and none in others.
        seed: Seed of whatever is drawn; None for the run's own.
        layout: How tiles are laid out and labelled.
        cycle: How latents of moving pictures go up, down and back, from the code of the image:
            through the probabilities of the standard normal, or of a normal fitted to the codes
            of 64 images; or linearly from -2 to 2, over two fitted standard deviations to each
            side of the fitted mean, or between the least and greatest of these codes.

    Raises:
        SpecError: A number is out of range, or there is no such layout, start or cycle.
    """

    rows: int | None = None
    cols: int | None = None
    range: float | None = None
    indices: tuple[int, ...] = ()
    upsample: int = 1
    start: Start | None = None
    labels: bool | None = None
    seed: int | None = None
    layout: Layout = "unweave"
    cycle: Cycle | None = None

    def __post_init__(self) -> None:
        """Refuse what no picture can have."""
        for name in ("rows", "cols"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= _MOST:
                raise SpecError(f"{name} must be from 1 to {_MOST}, but is {value}.")
        if self.range is not None and not 0 < self.range <= _FAR:
            raise SpecError(f"range must be above 0 and at most {_FAR}, but is {self.range:g}.")
        if not 1 <= self.upsample <= _LARGE:
            raise SpecError(f"upsample must be from 1 to {_LARGE}, but is {self.upsample}.")
        if any(index < 0 for index in self.indices):
            raise SpecError(
                f"indices are numbers of images from 0 on, but one is {min(self.indices)}."
            )
        for name, allowed in (
            ("start", get_args(Start)),
            ("layout", LAYOUTS),
            ("cycle", CYCLES),
        ):
            value = getattr(self, name)
            if value is not None and value not in allowed:
                raise SpecError(f"Unknown {name} {value!r}. Choose one of: {', '.join(allowed)}.")

    @property
    def labelled(self) -> bool:
        """Whether rows are labelled."""
        return self.layout == "unweave" if self.labels is None else self.labels

    @property
    def asked(self) -> tuple[str, ...]:
        """What differs from the defaults, by name."""
        return tuple(f.name for f in fields(self) if getattr(self, f.name) != f.default)


_MOST = 100
_FAR = 100.0
_LARGE = 16
