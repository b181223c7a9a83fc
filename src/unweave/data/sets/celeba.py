"""CelebA: 202,599 photographs of faces, with attributes and identities."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar, final

import numpy as np
from numpy.typing import NDArray

from unweave.data.base import no_factors
from unweave.data.fetching.download import RemoteFile
from unweave.data.files import celeba
from unweave.data.kinds.archive import ArchiveSpec
from unweave.data.labels import Labels
from unweave.factors import Factor, FactorSpace
from unweave.progress import Progress
from unweave.spec import number, option

__all__ = ["CelebA"]


@final
class CelebA(ArchiveSpec):
    """Photographs of faces, aligned, 64x64 in colour.

    The factors are the 40 attributes, each absent or present, in the order of the published table
    and with its names in small letters (`five_o_clock_shadow` is the first), and with `identity`
    the person, the last. They are labels of photographs, which form no grid. Images are in the
    order of their numbers; the code of disentangling-vae takes them as the file system lists them.

    Preprocessing: the aligned 178x218 photographs are reduced to 64x64 by Lanczos interpolation,
    without a crop and so without keeping the aspect ratio; with `crop`, a square in their middle
    is. The code of disentangling-vae stores the reduced photographs as JPEG again, which is not
    repeated here.

    Source: Liu, Luo, Wang and Tang (2015), "Deep Learning Face Attributes in the Wild", arXiv
    1411.7766; for non-commercial research only.
    """

    name: ClassVar[str] = "celeba"
    page: ClassVar[str] = celeba.PAGE
    terms: ClassVar[str | None] = celeba.PAGE

    crop: int | None = number(
        default=None,
        low=64,
        high=celeba.SIZE[0],
        help="Side of the square in the middle of each photograph that is kept, such as 128 or "
        "148; left out, all of it.",
    )
    attributes: bool = option(default=True, help="Label photographs with the 40 attributes.")
    identity: bool = option(default=False, help="Label photographs with the person, too.")

    @property
    def labelled(self) -> bool:  # type: ignore[override]
        """Whether there are any labels."""
        return self.attributes or self.identity

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """The zip of photographs, and the tables that are needed."""
        attributes = (celeba.ATTRIBUTES_FILE,) if self.attributes else ()
        identities = (celeba.IDENTITY_FILE,) if self.identity else ()
        return (celeba.IMAGES_FILE, *attributes, *identities)

    @property
    def factor_space(self) -> FactorSpace:
        """The attributes, and the identity.

        Raises:
            DataError: There are no labels.
        """
        if not self.labelled:
            raise no_factors(str(self))
        attributes = tuple(
            Factor(name, 2, kind="categorical", labels=("absent", "present"))
            for name in celeba.ATTRIBUTES
        )
        person = Factor("identity", celeba.IDENTITIES, kind="categorical")
        return FactorSpace(
            (*(attributes if self.attributes else ()), *((person,) if self.identity else ()))
        )

    @property
    def count(self) -> int:
        """202,599."""
        return celeba.IMAGES

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """(64, 64, 3)."""
        return (64, 64, 3)

    def locate(self, path: Path) -> tuple[Path, ...]:
        """The photographs, packed or not, and the tables, in the usual places."""
        return celeba.locate(path, [file.name for file in self.files])

    def read_from(
        self,
        first: int,
        paths: tuple[Path, ...],
        details: dict[str, Any],
        progress: Progress | None,
    ) -> Iterator[NDArray[np.uint8]]:
        """Read the photographs from that index on, after a look at the tables.

        Raises:
            DataError: A file is not what was published.
        """
        self._table(paths)
        yield from celeba.read_images(paths[0], self.crop, first)

    def labels(self) -> tuple[FactorSpace, Labels] | None:
        """What the tables say of each photograph.

        Raises:
            DataError: They are not what was published.
        """
        if not self.labelled:
            return None
        return self.factor_space, Labels(self._table(self.found(None)))

    def _table(self, paths: tuple[Path, ...]) -> NDArray[np.int64]:
        """Factor indices of each photograph."""
        columns = []
        if self.attributes:
            columns.append(celeba.read_attributes(paths[1]))
        if self.identity:
            columns.append(celeba.read_identities(paths[-1])[:, None])
        return np.concatenate(columns, axis=1) if columns else np.empty((celeba.IMAGES, 0), int)
