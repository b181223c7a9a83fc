"""Other names of datasets, as in papers and published code: for suggestions alone."""

from __future__ import annotations

import re
from typing import Final

from unweave.data.base import DatasetSpec
from unweave.spec import members

__all__ = ["suggested"]

# Without underscores and hyphens, in small letters.
_OTHERS: Final = {
    "3dshapes": "shapes3d",
    "3dchairs": "chairs3d",
    "chairs": "chairs3d",
    "3dcars": "cars3d",
    "cars": "cars3d",
    "norb": "smallnorb",
    "fashion": "fashion_mnist",
    "fmnist": "fashion_mnist",
    "dspritesfull": "dsprites",
    "colourdsprites": "color_dsprites",
    "mpi3dtoy": "mpi3d",
    "mpi3drealistic": "mpi3d(subset=realistic)",
    "mpi3dreal": "mpi3d(subset=real)",
    "mpi3drealcomplex": "mpi3d(subset=real_complex)",
}
_PLACES: Final = re.compile(r"(?:^|\bdata\s*=)\s*([0-9A-Za-z][\w-]*)", re.ASCII)
"""Where a dataset is named: at the beginning of a text, and where one is made of another."""
_QUOTED: Final = re.compile(r"'[^']*'|\"[^\"]*\"")


def suggested(text: str) -> tuple[str, str] | None:
    """The first name in a text that is another name of a dataset, and what to write for it.

    Args:
        text: Text of a dataset, which need not follow the grammar.

    Returns:
        None where no such name is in it.
    """
    names = members(DatasetSpec)
    known = {_plain(name): name for name in names} | _OTHERS
    for word in _PLACES.findall(_QUOTED.sub("''", text)):
        if word not in names and _plain(word) in known:
            return word, known[_plain(word)]
    return None


def _plain(name: str) -> str:
    return name.lower().replace("_", "").replace("-", "")
