"""MNIST and Fashion-MNIST: 60,000 labelled pictures each, in the same format."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.fetching.download import RemoteFile, digest
from unweave.data.files.checks import check_file, first_of, reading
from unweave.data.files.idx import idx_blocks
from unweave.data.files.pictures import resized
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.labels import Labels
from unweave.data.pixels.manifest import BLOCK
from unweave.errors import DataError
from unweave.factors import Factor, FactorSpace
from unweave.progress import Progress
from unweave.spec import option

__all__ = ["MNIST", "FashionMNIST"]

_COUNT = 60_000
_SIDE: Final = 28
_LARGE: Final = 32


def _files(folder: str, addresses: tuple[str, ...], *sums: str) -> tuple[RemoteFile, ...]:
    """Pictures and classes, with their checksums in this order."""
    names = ("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz")
    return tuple(
        RemoteFile(
            name=name,
            folder=folder,
            urls=tuple(f"{address}{name}" for address in addresses),
            checksum=f"md5:{checksum}",
        )
        for name, checksum in zip(names, sums, strict=True)
    )


# The checksums are those that torchvision compares.
_FILES: Final = {
    "mnist": _files(
        "mnist",
        (
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
        ),
        "f68b3c2dcbeaaa9fbdd348bbdeb94873",
        "d53e105ee54ea40749a09fcbcd1e9432",
    ),
    "fashion_mnist": _files(
        "fashion_mnist",
        (
            "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        ),
        "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
        "25c81989df183df01b3e8a0aad5dffbe",
    ),
}


class _Idx(ArchiveSpec):
    """Labelled grey pictures of 28x28 in two files of the IDX format."""

    _factor: ClassVar[Factor]
    _unpacked: ClassVar[str]
    """Folder that a well-known library unpacks the files to."""

    resize: Literal["bilinear", "pad", "none"] = option(
        default="bilinear",
        help="bilinear: enlarged from 28x28 to 32x32; pad: two black pixels added on each side; "
        "none: 28x28 as published.",
    )

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """Pictures and classes of the training part."""
        return _FILES[self.name]

    @property
    def factor_space(self) -> FactorSpace:
        """What is shown, the only factor."""
        return FactorSpace((self._factor,))

    @property
    def count(self) -> int:
        """60,000: the training part alone."""
        return _COUNT

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(32, 32, 1), or (28, 28, 1) where they are not resized."""
        side = _SIDE if self.resize == "none" else _LARGE
        return (side, side, 1)

    def locate(self, path: Path) -> tuple[Path, ...]:
        """Both files, packed or not, in a folder, where others unpack them to, or beside one."""
        top = self.place(path)
        folders = (top, top / "raw", top / self._unpacked / "raw")
        found = []
        for file in self.files:
            plain = file.name.removesuffix(".gz")
            dotted = plain.replace("-idx", ".idx")
            # Some archives unpack each file to a folder of its own name.
            names = (file.name, f"{plain}/{plain}", f"{dotted}/{dotted}", plain, dotted)
            found.append(first_of(*(folder / name for folder in folders for name in names)))
        return tuple(found)

    def inspect(self, paths: tuple[Path, ...]) -> None:
        """Refuse files of the other dataset, which differ in nothing but their checksums.

        Raises:
            DataError: They are those.
        """
        for path in paths:
            check_file(path, path.name, self._remedy)
            with reading(path):
                checksum = f"md5:{digest(path, 'md5')}"
            for name, files in _FILES.items():
                if name != self.name and checksum in {file.checksum for file in files}:
                    raise DataError(
                        f"{path}: found a file of {name}; expected one of {self.name}. The "
                        f"dataset {name} reads it, with path=...."
                    )

    def read(
        self, paths: tuple[Path, ...], details: dict[str, Any], progress: Progress | None
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the published files.

        Raises:
            DataError: They are not what was published.
        """
        self._classes(paths[1])
        for pictures in idx_blocks(paths[0], (_COUNT, _SIDE, _SIDE), BLOCK, self._remedy):
            images = pictures[..., None]
            if self.resize == "bilinear":
                images = resized(images, _LARGE, "bilinear")
            elif self.resize == "pad":
                edge = (_LARGE - _SIDE) // 2
                images = np.pad(images, ((0, 0), (edge, edge), (edge, edge), (0, 0)))
            yield images.reshape(len(images), -1)

    def labels(self) -> tuple[FactorSpace, Labels]:
        """What each picture shows.

        Raises:
            DataError: The file is not what was published.
        """
        return self.factor_space, Labels(self._classes(self.found(None)[1])[:, None])

    def _classes(self, path: Path) -> NDArray[np.int64]:
        """Class of each picture, (N,)."""
        classes = np.concatenate(list(idx_blocks(path, (_COUNT,), _COUNT, self._remedy)))
        if classes.max() >= self._factor.size:
            place = int((classes >= self._factor.size).argmax())
            raise DataError(
                f"{path}: found {self._factor.name} {classes[place]} of picture {place}; expected "
                f"0 to {self._factor.size - 1}. {self._remedy}"
            )
        return classes.astype(np.int64)

    @property
    def _remedy(self) -> str:
        names = " and ".join(file.name for file in self.files)
        return (
            f"The published files are {names}, see {self.page}; give their folder with path=...."
        )


@final
class MNIST(_Idx):
    """60,000 training images of handwritten digits, 32x32, white on black.

    The only factor is digit (10). Images are in the order of the file.

    Preprocessing: the 28x28 images are enlarged to 32x32 by bilinear interpolation, or with
    `resize` padded with black, or left as they are.

    Source: LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document
    recognition"; according to the documentation of Keras, under Creative Commons Attribution-Share
    Alike 3.0.
    """

    name: ClassVar[str] = "mnist"
    page: ClassVar[str] = "http://yann.lecun.com/exdb/mnist/"
    instead: ClassVar[str] = (
        "Where that page refuses them, put their names behind "
        "https://storage.googleapis.com/cvdf-datasets/mnist/ instead."
    )
    _factor: ClassVar[Factor] = Factor("digit", 10, kind="categorical", labels=tuple("0123456789"))
    _unpacked: ClassVar[str] = "MNIST"


@final
class FashionMNIST(_Idx):
    """60,000 training images of pieces of clothing, 32x32, grey on black.

    The only factor is article (10). Images are in the order of the file.

    Preprocessing: the 28x28 images are enlarged to 32x32 by bilinear interpolation, or with
    `resize` padded with black, or left as they are.

    Source: Xiao, Rasul and Vollgraf (2017), "Fashion-MNIST: a Novel Image Dataset for Benchmarking
    Machine Learning Algorithms", arXiv 1708.07747; MIT licence.
    """

    name: ClassVar[str] = "fashion_mnist"
    page: ClassVar[str] = "https://github.com/zalandoresearch/fashion-mnist"
    _factor: ClassVar[Factor] = Factor(
        "article",
        10,
        kind="categorical",
        labels=(
            "t_shirt",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle_boot",
        ),
    )
    _unpacked: ClassVar[str] = "FashionMNIST"
