"""dSprites in colour, in noise and over a picture: images with more in them than their factors."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Any, ClassVar, Final, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import Dataset, DatasetSpec
from unweave.data.kinds.derived import DerivedSpec
from unweave.data.pixels.composed import Composed
from unweave.data.render import backdrop, overlays
from unweave.data.render.draws import random_bytes, uniform
from unweave.data.sets.dsprites import Dsprites
from unweave.errors import DataError, SpecError
from unweave.factors import FactorSpace
from unweave.spec import number, option

__all__ = ["ColorDsprites", "NoisyDsprites", "ScreamDsprites"]

_Pixels = NDArray[np.uint8]
_Flat = NDArray[np.int64]


class OverlaidSpec(DerivedSpec):
    """Family of black-and-white images with something added that no factor tells of.

    In disentanglement_lib (Locatello et al. 2019, arXiv 1811.12359) what is added is drawn anew
    whenever an image is asked for. Here it is drawn once for each image, from the seed and the
    flat index, so that images, codes and scores of a dataset are the same at every reading;
    another seed gives another draw of the whole dataset. Factors and their order are those of the
    images underneath. Nothing is stored: images are composed when they are read.
    """

    listed: ClassVar[bool] = True

    data: DatasetSpec = option(
        default=Dsprites(),
        help="The images underneath, of one channel, black and white: dsprites or a part of it.",
    )
    seed: int = number(default=0, low=0, help="What is added to the images is drawn from it.")

    def validate(self) -> None:
        """Refuse images of several channels."""
        channels = self.data.image_shape[2]
        if channels != 1:
            raise SpecError(
                f"{self.name}: data must have images of one channel, black and white, but those "
                f"of {self.data} have {channels}: write {self.name} alone, or data=dsprites(...)."
            )

    @property
    def bases(self) -> tuple[DatasetSpec, ...]:
        """The images underneath."""
        return (self.data,)

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether the factors of the images underneath are known."""
        return self.data.labelled

    @property
    def factor_space(self) -> FactorSpace:
        """That of the images underneath."""
        return self.data.factor_space

    @property
    def whole_space(self) -> FactorSpace:
        """That of the images underneath."""
        return self.data.whole_space

    @property
    def count(self) -> int:
        """As many as underneath."""
        return self.data.count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, 3)."""
        height, width, _ = self.data.image_shape
        return (height, width, 3)

    @abstractmethod
    def added(self) -> Any:
        """What `compose` needs besides the draws, found or made once.

        Raises:
            DataError: It cannot be had.
        """

    @abstractmethod
    def compose(self, masks: _Pixels, flat: _Flat, added: Any) -> _Pixels:
        """Compose a batch.

        Args:
            masks: (n, H, W, 1) of 0 and 1.
            flat: Flat indices of the images, (n,).
            added: What `added` gave.

        Returns:
            (n, H, W, 3) of 0 to 255.
        """

    def derive(self, *bases: Dataset) -> Dataset:
        """The dataset, composed when it is read.

        Raises:
            DataError: The images underneath are not black and white, or what is added cannot be
                had.
        """
        (base,) = bases
        if base.store.scale != 1:
            raise DataError(
                f"{self.name} needs images that are kept as black or white pixels, but those of "
                f"{self.data} are kept as shades: write data=dsprites, or a part of it."
            )
        added = self.added()
        images = Composed(
            base.store,
            self.image_shape,
            lambda masks, flat: self.compose(masks, flat, added),
            f"{self.name} seed {self.seed} revision {self.revision} {_digest(added)}".strip(),
        )
        return Dataset(
            self,
            images,
            factor_space=base.factor_space if base.labelled else None,
            labels=base.labels,
            weights=base.weights,
        )


@final
class ColorDsprites(OverlaidSpec):
    """dSprites with each sprite in a bright colour of its own, on black; (64, 64, 3).

    Red, green and blue are drawn uniformly between 0.5 and 1. No factor tells the colour.

    Source: `color_dsprites` of disentanglement_lib, Locatello et al. (2019), arXiv 1811.12359.
    """

    name: ClassVar[str] = "color_dsprites"

    def added(self) -> None:
        """Nothing."""

    def compose(self, masks: _Pixels, flat: _Flat, added: Any) -> _Pixels:
        """The sprites in their colours."""
        return overlays.colored(masks, 0.5 + uniform(self.seed, "sprite color", flat, 3) / 2)


@final
class NoisyDsprites(OverlaidSpec):
    """dSprites with white sprites in front of coloured noise; (64, 64, 3).

    Every channel of every pixel of the background is drawn uniformly from 0 to 255.

    Source: `noisy_dsprites` of disentanglement_lib, Locatello et al. (2019), arXiv 1811.12359.
    """

    name: ClassVar[str] = "noisy_dsprites"

    def added(self) -> None:
        """Nothing."""

    def compose(self, masks: _Pixels, flat: _Flat, added: Any) -> _Pixels:
        """The sprites in their noise."""
        count = 3 * masks.shape[1] * masks.shape[2]
        return overlays.noisy(masks, random_bytes(self.seed, "background noise", flat, count))


_BOUNDS: Final = (350, 274)


@final
class ScreamDsprites(OverlaidSpec):
    """dSprites over parts of a picture, in negative where the sprite is; (64, 64, 3).

    Of each image the place of its part in the picture and a colour are drawn uniformly; the
    background is the mean of the part and the colour. A picture is first shrunk, in proportion,
    until it is at most 350 pixels wide and 274 high; a part never touches its last row or column.

    The published images show Munch's painting "The Scream", which is not part of unweave: without
    `picture` the parts come from a picture of our own, 350 by 274 pixels of warm and cold waves.
    Scores on it are not those on the painting; give a photograph of the painting to compare.

    Source: `scream_dsprites` of disentanglement_lib, Locatello et al. (2019), arXiv 1811.12359.
    """

    name: ClassVar[str] = "scream_dsprites"
    revision: ClassVar[int] = backdrop.REVISION

    picture: str | None = option(
        default=None, help="A picture file to take the backgrounds from; left out, one of our own."
    )

    def check_loadable(self) -> None:
        """Whether the images underneath can be had, and a picture to stand behind them.

        Raises:
            DataError: They cannot, or the picture cannot be read or is too small.
        """
        super().check_loadable()
        self.added()

    def ready(self) -> bool:
        """Whether the images underneath are, and the picture is there."""
        found = self.picture is None or Path(self.picture).expanduser().is_file()
        return found and super().ready()

    def added(self) -> _Pixels:
        """The picture, (rows, columns, 3) of 0 to 255.

        Raises:
            DataError: It cannot be read, or is too small.
        """
        if self.picture is None:
            return backdrop.backdrop()
        height, width, _ = self.image_shape
        picture = _read(self.picture)
        rows, columns, _ = picture.shape
        if rows <= height or columns <= width:
            raise DataError(
                f"The picture {self.picture} is too small for the backgrounds of {self.name}: "
                f"fitted into {_BOUNDS[0]} by {_BOUNDS[1]} pixels it is {columns} wide and {rows} "
                f"high, and parts of {width} by {height} need more than that both ways. Give "
                "another picture, or leave picture out."
            )
        return picture

    def compose(self, masks: _Pixels, flat: _Flat, added: Any) -> _Pixels:
        """The sprites over their parts of the picture."""
        draws = uniform(self.seed, "background part", flat, 5)
        places = draws[:, :2] * (np.array(added.shape[:2]) - masks.shape[1:3])
        top, left = places.astype(np.int64).T
        return overlays.over_picture(masks, added, top, left, draws[:, 2:])


def _read(path: str) -> _Pixels:
    """A picture file, shrunk to the bounds, (rows, columns, 3).

    Raises:
        DataError: It cannot be read.
    """
    from PIL import Image

    try:
        with Image.open(Path(path).expanduser()) as file:
            picture = file.convert("RGB")
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise DataError(_unreadable(path, str(error))) from error
    picture.thumbnail(_BOUNDS, Image.Resampling.LANCZOS, reducing_gap=None)
    return np.array(picture)


def _unreadable(path: str, reason: str) -> str:
    return (
        f"The picture {path} for the backgrounds of scream_dsprites cannot be read: {reason}. "
        "Give a picture file such as a JPEG or PNG, or leave picture out."
    )


def _digest(added: Any) -> str:
    return "" if added is None else hashlib.sha256(added.tobytes()).hexdigest()
