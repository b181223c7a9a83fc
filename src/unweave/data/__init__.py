"""Datasets: what they are, where their images lie, and which images a batch has."""

from unweave.data.announced import MNIST, CelebA, Chairs3D, FashionMNIST
from unweave.data.archive import ArchiveSpec
from unweave.data.base import Dataset, DatasetSpec
from unweave.data.batches import Batches
from unweave.data.catalog import catalog, load_dataset, parse_dataset, with_file
from unweave.data.derived import DerivedSpec
from unweave.data.images import Images, Selected
from unweave.data.labels import Labels
from unweave.data.sets.dsprites import Dsprites
from unweave.data.store import Progress, Store
from unweave.data.stored import StoredSpec

__all__ = [
    "MNIST",
    "ArchiveSpec",
    "Batches",
    "CelebA",
    "Chairs3D",
    "Dataset",
    "DatasetSpec",
    "DerivedSpec",
    "Dsprites",
    "FashionMNIST",
    "Images",
    "Labels",
    "Progress",
    "Selected",
    "Store",
    "StoredSpec",
    "catalog",
    "load_dataset",
    "parse_dataset",
    "with_file",
]
