"""Datasets that can be named, but whose images this version cannot load."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.store import Encoding, Progress
from unweave.data.stored import StoredSpec
from unweave.errors import DataError

__all__ = ["MNIST", "CelebA", "Chairs3D", "FashionMNIST"]


class _Announced(StoredSpec):
    """What is known without the images: name, image shape and number of images.

    That is enough for a configuration, a preset, an estimate, and the run folder of a model that
    was trained elsewhere.
    """

    loadable: ClassVar[bool] = False
    labelled: ClassVar[bool] = False
    _image_shape: ClassVar[tuple[int, int, int]]
    _count: ClassVar[int]

    @property
    def count(self) -> int:
        """How many images were published."""
        return self._count

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(H, W, C) after the preprocessing that the class describes."""
        return self._image_shape

    @property
    def source(self) -> str:
        """`archive`: the images are published ones."""
        return "archive"

    @property
    def encoding(self) -> Encoding:
        """`bytes`: pixels are grey or coloured."""
        return "bytes"

    def check_loadable(self) -> None:
        """Refuse, with what is known and what works instead.

        Raises:
            DataError: Always.
        """
        height, width, channels = self.image_shape
        raise DataError(
            f"The images of {self.name} cannot be loaded by this version, which has no loader for "
            f"them yet. What it knows of them ({self.count:,} images of "
            f"{height}x{width}x{channels}) is enough for presets, configurations and --dry-run; "
            "what needs the images themselves works with dsprites."
        )

    def encoded_blocks(
        self, details: dict[str, Any], progress: Progress | None
    ) -> Iterable[NDArray[np.uint8]]:
        """Refuse.

        Raises:
            DataError: Always.
        """
        self.check_loadable()
        return ()


@final
class MNIST(_Announced):
    """60,000 training images of handwritten digits, 32x32, white on black.

    Preprocessing: the 28x28 images are enlarged to 32x32 by bilinear interpolation.
    """

    name: ClassVar[str] = "mnist"
    _image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 1)
    _count: ClassVar[int] = 60_000


@final
class FashionMNIST(_Announced):
    """60,000 training images of pieces of clothing, 32x32, grey on black.

    Preprocessing: the 28x28 images are enlarged to 32x32 by bilinear interpolation.
    """

    name: ClassVar[str] = "fashion_mnist"
    _image_shape: ClassVar[tuple[int, int, int]] = (32, 32, 1)
    _count: ClassVar[int] = 60_000


@final
class CelebA(_Announced):
    """202,599 photographs of faces, aligned, 64x64 in colour.

    Preprocessing: the aligned images are reduced to 64x64 by Lanczos interpolation, without a crop
    and so without keeping the aspect ratio.
    """

    name: ClassVar[str] = "celeba"
    _image_shape: ClassVar[tuple[int, int, int]] = (64, 64, 3)
    _count: ClassVar[int] = 202_599


@final
class Chairs3D(_Announced):
    """86,366 rendered views of chairs, 64x64 in grey, on white.

    Preprocessing: the whole rendered images, not cropped, are reduced to 64x64 and made grey.
    """

    name: ClassVar[str] = "chairs3d"
    _image_shape: ClassVar[tuple[int, int, int]] = (64, 64, 1)
    _count: ClassVar[int] = 86_366
